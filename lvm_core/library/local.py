"""The engine of this machine behind a `Studio`: the functions that the commands and the pages call."""

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, cast

from lvm_core import opened
from lvm_core.checkpoint import ModelInfo, list_models
from lvm_core.command_line import namespace_of
from lvm_core.corpus.store import CorpusStore
from lvm_core.decode.decoders import available_decoders, decode
from lvm_core.encoders import DEFAULT_ENCODER
from lvm_core.errors import CorpusError, DecoderError, LvmError, SettingsError
from lvm_core.evaluate.rows import Row
from lvm_core.jobs.kinds import module_of
from lvm_core.json_shapes import Json, Value
from lvm_core.library.backend import Ask, ModelSummary, Space
from lvm_core.library.results import Found
from lvm_core.predict import stages
from lvm_core.predict.asking import space_asked, true_next
from lvm_core.predict.context import Question
from lvm_core.predict.corpus import OpenCorpus, open_corpus
from lvm_core.predict.pipeline import Predictor
from lvm_core.predict.prediction import Prediction
from lvm_core.predict.text import Texts
from lvm_core.predict.together import predict_all
from lvm_core.progress import told
from lvm_core.spaces import space_called
from lvm_core.types import CorpusInfo, Decoded, Encoder, Progress, Vectors
from lvm_core.vectors.checks import check_vectors
from lvm_core.vectors.matrix import encoded_with
from lvm_core.workspace import Workspace

if TYPE_CHECKING:
    from lvm_core.forecast import Forecast
    from lvm_core.study.map import VectorMap

MOST_FOUND = 1_000
"""Chunks that one search gives at most."""


class Local:
    """A workspace on this machine. What it opens is shared with everything else in the process (`lvm_core.opened`)."""

    def __init__(self, root: str | os.PathLike[str] | None = None) -> None:
        """Name the workspace; nothing is made or opened yet."""
        self.workspace = Workspace(root)
        self._predictors: opened.Shelf[Predictor] = opened.Shelf(4)
        self._texts: opened.Shelf[Texts] = opened.Shelf(2)

    @property
    def place(self) -> str:
        """The workspace's folder."""
        return str(self.workspace.root)

    def watch(self, ask: Ask, unfinished: bool) -> Iterator[Prediction]:
        """Yield predictions; see `Predictor.watch`."""
        predictor = self._asked(ask)
        put = _put(predictor, ask)
        for prediction in predictor.watch(put.question, put.models, ask.settings, unfinished):
            if unfinished or prediction.done:
                yield prediction

    def predict_all(self, asks: Sequence[Ask]) -> list[tuple[Prediction, ...] | LvmError]:
        """Return final predictions of each question, those of one space on one corpus together; see `together`."""
        found: dict[int, tuple[Prediction, ...] | LvmError] = {}
        groups: dict[Predictor, list[tuple[int, stages.Ask]]] = {}
        for i, ask in enumerate(asks):
            try:
                predictor = self._asked(ask)
                groups.setdefault(predictor, []).append((i, _put(predictor, ask)))
            except LvmError as error:
                found[i] = error
        for predictor, members in groups.items():
            said = predict_all(predictor, [put for _, put in members])
            found |= {i: own for (i, _), own in zip(members, said, strict=True)}
        return [found[i] for i in range(len(asks))]

    def load(self, ask: Ask) -> None:
        """Load the encoder, the models, the corpus and the decoder of a question."""
        predictor = self._asked(ask)
        if ask.models:
            predictor.load(ask.models, ask.settings)
        else:
            predictor.texts.answerer(ask.settings.decoder, None, None)

    def space(self, encoder: str | None) -> Space:
        """Return what can be asked in the space of an encoder."""
        space = space_called(encoder or DEFAULT_ENCODER)
        models = [summary(info) for info in list_models(self.workspace, space)]
        corpora = [info for info in self.corpora() if space in encoded_with(self.workspace, info.name)]
        return Space(space, models, available_decoders(self.workspace, space), corpora)

    def models(self) -> list[ModelSummary]:
        """Return the models of every space."""
        return [summary(info) for info in list_models(self.workspace)]

    def corpora(self) -> list[CorpusInfo]:
        """Return the corpora; nothing is written for a look."""
        return CorpusStore(self.workspace).corpora() if self.workspace.database.exists() else []

    def encode(self, texts: Sequence[str], encoder: str | None) -> Vectors:
        """Return the vectors (N, D) of texts."""
        return self._encoder(encoder).encode(list(texts))

    def decode(
        self, vectors: Vectors, steps: int, decoder: str, encoder: str | None, corpus: str | None
    ) -> list[Decoded]:
        """Return a text for each of the (N, D) vectors."""
        space = self._encoder(encoder)
        here = available_decoders(self.workspace, space.id)
        if decoder == "auto" and not here:
            raise DecoderError(
                f"No decoder is here for {space.id}", "one, or a corpus to take a chunk from",
                "Encode one: python -m lvm_core encode --corpus NAME",
            )  # fmt: skip
        stands = self._corpus(space, corpus)
        name = here[0] if decoder == "auto" else decoder
        opened_one = opened.decoder(self.workspace, name, space, stands.info.name if stands else None)
        return decode(opened_one, check_vectors(vectors, space.dim, "The vectors"), steps)

    def infer(self, contexts: Vectors, model: str, encoder: str | None) -> "Forecast":
        """Return what a model says comes after contexts (..., T, D)."""
        from lvm_core.forecast import after

        space = self._encoder(encoder or space_asked(self.workspace, None, [model]))
        loaded = opened.model(self.workspace, model, space.id, space.dim)
        if contexts.ndim >= 2 and loaded.info.context:
            contexts = contexts[..., -loaded.info.context :, :]
        return after(loaded.model, contexts, model)

    def search(self, query: str, corpus: str | None, k: int, encoder: str | None, words: bool) -> list[Found]:
        """Return the chunks that hold all words of `query`, or those nearest to it."""
        if not query.strip():
            raise SettingsError(["query is empty; expected a text to search for."])
        if not 1 <= k <= MOST_FOUND:
            raise SettingsError([f"k is {k}; expected 1 to {MOST_FOUND:,} chunks."])
        if words:
            name = corpus or max(self.corpora(), key=lambda info: info.n_chunks, default=None)
            if name is None:
                raise CorpusError("There is no corpus", "one to search", "Run: python -m lvm_core ingest SOURCE")
            named = name if isinstance(name, str) else name.name
            return [Found(chunk, None) for chunk in CorpusStore(self.workspace).search(named, query, k)]
        space = self._encoder(encoder)
        stands = self._corpus(space, corpus)
        if stands is None:
            raise CorpusError(
                f"No corpus is encoded with {space.id}", "one to search", "Run: python -m lvm_core encode --corpus NAME"
            )
        hits = stands.index.search(space.encode([query]), k)[0]
        chunks = stands.chunks([hit.row for hit in hits])
        return [Found(chunk, hit.cosine) for chunk, hit in zip(chunks, hits, strict=True)]

    def board(self) -> list[Row]:
        """Return what was evaluated here or came along."""
        from lvm_core.leaderboard.board import all_rows

        return all_rows(self.workspace)

    def command(self, name: str, values: Mapping[str, Value], progress: Progress) -> Json:
        """Run a command in this process and return what `--json` prints."""
        namespace = namespace_of(name, values)
        with told(progress):
            return cast(Json, module_of(name).run(namespace, self.workspace))

    def map(self, key: str) -> "VectorMap | None":
        """Return a map that is kept here."""
        from lvm_core.study.map import load_map

        return load_map(self.workspace, key)

    def _asked(self, ask: Ask) -> Predictor:
        space = space_asked(self.workspace, ask.encoder, ask.models, ask.corpus, ask.rows)
        return self._predictor(self._encoder(space), ask.corpus)

    def _encoder(self, encoder: str | None) -> Encoder:
        return opened.encoder(self.workspace, space_called(encoder or DEFAULT_ENCODER))

    def _corpus(self, space: Encoder, name: str | None) -> OpenCorpus | None:
        return open_corpus(self.workspace, space.id, name)[0]

    def _predictor(self, encoder: Encoder, corpus: str | None) -> Predictor:
        """Return the predictor of a space that stands on a corpus, made anew when models or vectors have changed."""
        vectors = tuple(opened.stamp(self.workspace.vectors(info.name, encoder.id)) for info in self.corpora())
        runs = tuple((info.ref, opened.stamp(info.path)) for info in list_models(self.workspace, encoder.id))
        texts = self._texts.get(encoder.id, lambda: Texts(self.workspace, encoder))
        return self._predictors.get(
            (encoder.id, corpus, vectors, runs),
            lambda: Predictor(self.workspace, corpus=corpus, encoder=encoder, texts=texts),
        )


def _put(predictor: Predictor, ask: Ask) -> stages.Ask:
    models = list(ask.models) or predictor.default_models()
    question = Question(ask.chunks, ask.rows, true_next(predictor, ask.rows), ask.target)
    return stages.Ask(question, models, ask.settings)


def summary(info: ModelInfo) -> ModelSummary:
    """Return of a model what does not depend on where its files lie."""
    return ModelSummary(
        info.ref, info.name, info.kind, info.encoder_id, info.context, info.n_parameters, info.shipped,
        info.validation_cosine, info.created,
    )  # fmt: skip
