"""People walk in with tables and files and walk out with the same."""

import errno
import uuid
from pathlib import Path

import numpy as np
import pytest

from lvm_core.corpus.chunks import NewChunk
from lvm_core.corpus.store import CorpusStore
from lvm_core.corpus.writing import CorpusWriter
from lvm_core.dataset.labelling import correct, domain_counts, label_corpus
from lvm_core.dataset.order import check_order
from lvm_core.encoders import DEFAULT_ENCODER, load_encoder
from lvm_core.errors import CorpusError, SettingsError, SourceError, SpaceMismatch, WorkspaceError
from lvm_core.exchange.files import export_npz, import_chains, import_npz
from lvm_core.exchange.from_postgres import import_postgres
from lvm_core.exchange.postgres.connection import connected
from lvm_core.exchange.to_postgres import export_postgres
from lvm_core.vectors.encode import encode_corpus
from lvm_core.vectors.matrix import encoded_with, open_matrix
from lvm_core.workspace import Workspace

ARTICLES = {
    "Moon": [
        "The Moon is the only natural satellite of the Earth.",
        "It orbits the planet at a mean distance of 384,400 kilometres.",
        "The gravity of the Moon raises the tides of the oceans.",
        "People first walked on its surface in July 1969.",
        "The far side was first photographed by a Soviet probe in 1959.",
        "Its craters were made by impacts over billions of years.",
        "Ice has been found in the shadow of craters at the poles.",
    ],
    "Baking": [
        "Bread is made of flour, water, salt and yeast.",
        "The dough is kneaded until it is smooth and elastic.",
        "It rises for an hour in a warm place.",
        "Then it is shaped into loaves and rises again.",
        "The loaves are baked in a hot oven until the crust is brown.",
        "Fresh bread should cool before it is cut.",
        "Stale bread can be toasted or used in puddings.",
    ],
}


@pytest.fixture
def encoded(workspace: Workspace) -> tuple[Workspace, str]:
    with CorpusWriter(workspace, "small", "test", "sentence") as writer:
        for title, texts in ARTICLES.items():
            writer.add(title, [NewChunk(text, external_id=str(uuid.uuid4())) for text in texts])
        writer.finish()
    encoder = load_encoder(DEFAULT_ENCODER)
    encode_corpus(workspace, "small", encoder)
    return workspace, encoder.id


def texts(workspace: Workspace, name: str) -> dict[str, list[str]]:
    store = CorpusStore(workspace)
    return {d.title: [c.text for c in store.document_chunks(d.document_id)] for d in store.documents(name)}


@pytest.mark.parametrize("kind", ["real[]", "halfvec"])
def test_a_corpus_goes_to_postgres_and_comes_back(encoded: tuple[Workspace, str], postgres_url: str, kind: str) -> None:
    workspace, space = encoded
    report = export_postgres(workspace, postgres_url, "small", space, vectors=kind)
    assert report["rows_in_table"] == 14
    back = import_postgres(workspace, postgres_url, "back", encoder=DEFAULT_ENCODER)
    assert (back["encoder"], back["verified"], back["ordered"], back["warning"]) == (space, True, True, "")
    assert texts(workspace, "back") == ARTICLES
    original = {c.external_id: c.text for c in CorpusStore(workspace).chunks("small", range(14))}
    assert {c.external_id: c.text for c in CorpusStore(workspace).chunks("back", range(14))} == original
    by_text = dict(
        zip(CorpusStore(workspace).texts("small"), open_matrix(workspace, "small", space).slice(0, 14), strict=True)
    )
    for text, vector in zip(
        CorpusStore(workspace).texts("back"), open_matrix(workspace, "back", space).slice(0, 14), strict=True
    ):
        np.testing.assert_allclose(vector, by_text[text], atol=2e-3)


def test_a_table_without_order_is_marked_and_bad_rows_are_counted(workspace: Workspace, postgres_url: str) -> None:
    with connected(postgres_url) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE cpe_entry (concept_text text, concept_vec real[], dataset_source text)")
        cursor.execute(
            "INSERT INTO cpe_entry VALUES ('a', '{1,0}', 'x'), ('b', NULL, 'x'), ('c', '{1,2,3}', 'x'),"
            " ('d', '{NaN,1}', 'x'), ('e', '{0,0}', 'x'), (' ', '{1,1}', 'x'), ('f', '{3,4}', 'x'), ('g', '{1,1}', 'y')"
        )
    report = import_postgres(workspace, postgres_url, "t", dataset_source="x")
    assert not report["ordered"]
    assert "order of its chunks is not known" in report["warning"]
    assert not CorpusStore(workspace).corpus("t").ordered
    assert CorpusStore(workspace).texts("t") == ["a", "f"]
    assert report["skipped"] == {
        "chunks without a vector (NULL)": 1,
        "vectors of 3 dimensions instead of 2": 1,
        "vectors with NaN or infinite values": 1,
        "zero vectors": 1,
        "chunks without text": 1,
    }
    assert report["encoder"].startswith("unknown@")
    assert "were not named" in report["about_encoder"] or "was not named" in report["about_encoder"]
    with pytest.raises(SourceError, match="has no rows with dataset_source 'z'"):
        import_postgres(workspace, postgres_url, "u", dataset_source="z")


def test_vectors_of_another_encoder_than_claimed_are_refused_and_nothing_stays(
    workspace: Workspace, postgres_url: str
) -> None:
    with connected(postgres_url) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE cpe_entry (concept_text text, concept_vec real[])")
        vector = np.random.default_rng(0).standard_normal(384).tolist()
        cursor.execute("INSERT INTO cpe_entry VALUES ('The Moon is far away.', %s)", (vector,))
    with pytest.raises(SpaceMismatch, match="fresh vectors have cosine"):
        import_postgres(workspace, postgres_url, "t", encoder=DEFAULT_ENCODER)
    assert CorpusStore(workspace).corpora() == []


@pytest.mark.parametrize("layout", ["vectors", "sequences", "splits"])
def test_a_corpus_goes_to_npz_and_comes_back(encoded: tuple[Workspace, str], tmp_path: Path, layout: str) -> None:
    workspace, space = encoded
    path = tmp_path / "f.npz"
    if layout == "splits":
        with pytest.raises(CorpusError, match="No article has more than 5 chunks"):
            export_npz(workspace, path, "small", space, layout)  # two articles leave the test split empty
        assert not path.exists()
        return
    export_npz(workspace, path, "small", space, layout)
    report = import_npz(workspace, path, "back", DEFAULT_ENCODER)
    assert (report["n_chunks"], report["encoder"], report["ordered"]) == (14, space, layout == "sequences")
    assert CorpusStore(workspace).texts("back") == CorpusStore(workspace).texts("small")
    np.testing.assert_allclose(
        open_matrix(workspace, "back", space).slice(0, 14),
        open_matrix(workspace, "small", space).slice(0, 14),
        atol=1e-3,
    )
    with pytest.raises(CorpusError, match="exists already"):
        import_npz(workspace, path, "back")
    with pytest.raises(SettingsError, match="layout is 'cube'; expected one of vectors, sequences, splits"):
        export_npz(workspace, path, "small", space, "cube")
    with pytest.raises(SettingsError, match="context is -3; expected a whole number, 1 to 1,000"):
        export_npz(workspace, path, "small", space, "sequences", -3)
    precious = tmp_path / "notes.txt"
    precious.write_text("mine")
    for taken in (precious, tmp_path, Path("/dev/null")):
        with pytest.raises(SourceError, match="exists and is no NPZ, so it is not overwritten"):
            export_npz(workspace, taken, "small", space)
    assert precious.read_text() == "mine"


def test_chains_become_a_corpus_and_the_check_calls_them_taxonomic(workspace: Workspace, tmp_path: Path) -> None:
    chains = [
        ["ormer", "abalone", "gastropod", "mollusk", "animal"],
        ["dachshund", "hound", "dog", "mammal", "animal"],
        ["squid", "cephalopod", "mollusk", "animal"],
        ["whale", "cetacean", "mammal", "animal"],
    ]
    path = tmp_path / "chains.jsonl"
    path.write_text("".join(f'{{"concepts": {c!r}}}\n'.replace("'", '"') for c in chains))
    assert import_chains(workspace, path, "chains")["n_concepts"] == 18
    encoder = load_encoder(DEFAULT_ENCODER)
    matrix = encode_corpus(workspace, "chains", encoder)
    store = CorpusStore(workspace)
    found = check_order(store.documents("chains"), store.texts("chains"), matrix)
    assert found.verdict == "taxonomic"
    assert found.converging > 0.1
    assert "occur word for word in other articles" in found.reasons[0]


def test_a_text_is_sequential_and_the_same_text_shuffled_is_not(workspace: Workspace) -> None:
    rng = np.random.default_rng(0)
    walk = np.cumsum(rng.standard_normal((4, 60, 24)), axis=1).astype(np.float32)
    shuffled = walk.copy()
    for article in shuffled:
        rng.shuffle(article)

    class Rows:
        def __init__(self, values: np.ndarray) -> None:
            self.values = values.reshape(-1, 24)

        def slice(self, start: int, stop: int) -> np.ndarray:
            return self.values[start:stop]

    with CorpusWriter(workspace, "w", "test", "sentence") as writer:
        for article in range(4):
            writer.add(f"a{article}", [NewChunk(f"this is sentence {i} of article {article}") for i in range(60)])
        writer.finish()
    store = CorpusStore(workspace)
    documents, words = store.documents("w"), store.texts("w")
    assert check_order(documents, words, Rows(walk)).verdict == "sequential"
    assert check_order(documents, words, Rows(shuffled)).verdict == "weak"


def test_labels_are_given_counted_and_corrected(encoded: tuple[Workspace, str]) -> None:
    workspace, space = encoded
    report = label_corpus(workspace, "small", space)
    assert sum(report["domains"].values()) == 14
    assert domain_counts(workspace, "small") == report["domains"]
    code = correct(workspace, "small", 3, "law", "entailment", "legal")
    assert CorpusStore(workspace).chunks("small", [3])[0].tmd == code
    with pytest.raises(SettingsError, match="domain 'cookery' does not exist"):
        correct(workspace, "small", 3, "cookery", "entailment", "legal")
    with pytest.raises(CorpusError, match="Row 99 is outside corpus 'small'"):
        correct(workspace, "small", 99, "law", "entailment", "legal")


def test_a_replacing_import_that_finds_no_room_leaves_the_old_corpus_with_its_vectors(
    encoded: tuple[Workspace, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace, space = encoded
    path = tmp_path / "new.npz"
    np.savez(path, vectors=np.eye(3, 8, dtype=np.float32))

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("lvm_core.vectors.writer.os.fsync", full)
    with pytest.raises(WorkspaceError, match="No space left on device"):
        import_npz(workspace, path, "small", replace=True)
    monkeypatch.undo()
    assert texts(workspace, "small") == ARTICLES
    assert open_matrix(workspace, "small", space).n_rows == 14
    assert not list(workspace.root.glob("incoming*"))


def test_an_import_killed_before_its_vectors_were_there_is_read_again(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "new.npz"
    np.savez(path, vectors=np.eye(3, 8, dtype=np.float32))
    with monkeypatch.context() as patch:
        patch.setattr("lvm_core.exchange.incoming.MatrixWriter.finish", interrupted)
        with pytest.raises(KeyboardInterrupt):
            import_npz(workspace, path, "n")
    assert import_npz(workspace, path, "n")["n_chunks"] == 3
    assert len(encoded_with(workspace, "n")) == 1


def interrupted(*_: object) -> None:
    raise KeyboardInterrupt


def test_nothing_usable_leaves_nothing(workspace: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "zeros.npz"
    np.savez(path, vectors=np.zeros((3, 4), dtype=np.float32))
    with pytest.raises(SourceError, match="Nothing usable came"):
        import_npz(workspace, path, "z")
    assert CorpusStore(workspace).corpora() == []
    assert encoded_with_nothing(workspace)


def encoded_with_nothing(workspace: Workspace) -> bool:
    with pytest.raises(CorpusError, match="There is no corpus 'z'"):
        encoded_with(workspace, "z")
    return not list(workspace.root.glob("incoming*"))
