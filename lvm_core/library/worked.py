"""The worked example on Predict's first sight: made by `ship --worked-example`, and what is no longer true of it."""

from dataclasses import asdict, dataclass
from pathlib import Path

from lvm_core.boundary.json_values import from_json
from lvm_core.encoders import DEFAULT_ENCODER
from lvm_core.errors import CorpusError, ModelError
from lvm_core.workspace import SHIPPED, STUDIO, Workspace, read_json, write_json

WORKED = STUDIO / "assets" / "worked_example.json"
EXAMPLES = STUDIO / "assets" / "examples.json"
EXAMPLE = "Abacus"
"""Of a test article, and short."""


@dataclass(frozen=True, slots=True)
class StoredPrediction:
    """A prediction that was made before: whose, raw or snapped, its text, and its cosine to the true next chunk."""

    model: str
    snapped: bool
    text: str
    cosine: float


@dataclass(frozen=True, slots=True)
class WorkedExample:
    """Which example, what was said of it, and the digest of everything that said it, by its name."""

    example: str
    predictions: tuple[StoredPrediction, ...]
    made_with: dict[str, str]


def load() -> WorkedExample:
    """Return the example as it was made.

    Raises:
        ModelError: if the file is damaged.
    """
    return from_json(WorkedExample, read_json(WORKED), f"The worked example {WORKED}", error=ModelError)


def make(workspace: Workspace, path: Path = WORKED) -> WorkedExample:
    """Predict the example as the page does at first and write what was said to `path`.

    Raises:
        CorpusError: if the article of the example is not in an encoded corpus of `workspace`.
    """
    from lvm_core.library.studio import Studio

    corpus, rows = _place(workspace)
    models = _models(workspace)
    said = Studio(workspace.root).predict((), models, rows=rows, corpus=corpus, snap="both", use_cache=False)
    shown = [said.of(models[0], snapped=False), said.of(models[0], snapped=True), said.of(models[1], snapped=False)]
    predictions = tuple(
        StoredPrediction(p.model, p.snap_on, p.text, round(p.cosine_to_target or 0.0, 3)) for p in shown
    )
    example = WorkedExample(EXAMPLE, predictions, made_with(workspace))
    write_json(path, asdict(example))
    return example


def made_with(workspace: Workspace) -> dict[str, str]:
    """Return the digest of all that an example made now would be of: the models shown at first, and the decoder."""
    from lvm_core.encoders.weights import digest_of

    folders = [SHIPPED / name for name in (*_models(workspace), f"inverter-{DEFAULT_ENCODER}")]
    return {folder.name: digest_of(sorted(folder.glob("*.safetensors"))) for folder in folders}


def _models(workspace: Workspace) -> list[str]:
    from lvm_core.checkpoint import list_models
    from lvm_core.encoders import encoder_id
    from lvm_core.leaderboard.first import first_models

    return first_models(list_models(workspace, encoder_id(DEFAULT_ENCODER)))


def _place(workspace: Workspace) -> tuple[str, list[int]]:
    """Return the corpus and the rows of the example's context."""
    from lvm_core.corpus.store import CorpusStore

    (entry,) = [entry for entry in read_json(EXAMPLES)["examples"] if entry["name"] == EXAMPLE]
    store, n = CorpusStore(workspace), len(entry["chunks"])
    for corpus in store.corpora():
        for document in store.find_documents(corpus.name, entry["article"], limit=5)[0]:
            start = entry["position"]
            chunks = store.document_chunks(document.document_id, start, start + n)
            if [" ".join(chunk.text.split()) for chunk in chunks] == entry["chunks"]:
                return corpus.name, [chunk.row for chunk in chunks]
    raise CorpusError(
        f"No corpus here has the article '{entry['article']}' as the example has it",
        "an encoded corpus that holds it",
        "Run: python -m lvm_core ingest enwiki-sample, and encode --corpus enwiki-sample",
    )
