"""Search in a real PostgreSQL keeps the contract of every index."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from lvm_core.__main__ import main
from lvm_core.corpus.store import CorpusStore
from lvm_core.errors import CorpusError, SettingsError, SourceError
from lvm_core.exchange.postgres.connection import connected
from lvm_core.types import Index, Vectors
from lvm_core.vectors.encode import encode_corpus
from lvm_core.vectors.index import open_index
from lvm_core.vectors.pgvector import PgVectorIndex, fill_table
from lvm_core.workspace import Workspace
from tests.vectors.index_contract import IndexContract
from tests.vectors.worlds import WordEncoder, small_corpus

Make = Callable[[Vectors, str], Index]


def fill(url: str, vectors: Vectors, encoder_id: str, kind: str = "halfvec") -> PgVectorIndex:
    units = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    about = {"encoder_id": encoder_id, "n_rows": len(vectors), "dim": vectors.shape[1]}
    return fill_table(url, f"lvm_test_{kind}", lambda start, stop: units[start:stop], about, kind)


class TestPgVector(IndexContract):
    recall = 0.95

    @pytest.fixture
    def make(self, postgres_url: str) -> Make:
        return lambda vectors, encoder_id: fill(postgres_url, vectors, encoder_id)


def test_exclusions_are_exact_beyond_what_the_graph_gives(postgres_url: str) -> None:
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((1_500, 16)).astype(np.float32)
    index = fill(postgres_url, rows, "x", "vector")
    with connected(postgres_url) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT format('ALTER DATABASE %I SET hnsw.max_scan_tuples = 50', current_database())",
        )
        statement = cursor.fetchone()[0]
        cursor.execute("LOAD 'vector'")
        cursor.execute(statement)
    units = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    order = np.argsort(-(units @ units[0]))
    hits = index.search(rows[:1], 5, exclude=order[:1_450])[0]
    assert [hit.row for hit in hits] == order[1_450:1_455].tolist()


def test_a_workspace_can_search_in_postgres(
    workspace: Workspace, tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    encoder = WordEncoder()
    small_corpus(workspace, tmp_path)
    matrix = encode_corpus(workspace, "tiny", encoder)
    monkeypatch.setenv("LVM_DATABASE_URL", postgres_url)
    monkeypatch.setenv("LVM_INDEX", "postgres")
    with pytest.raises(CorpusError, match="index-postgres --corpus tiny --encoder words"):
        open_index(workspace, "tiny", encoder.id)
    command = ["index-postgres", "--corpus", "tiny", "--workspace", str(workspace.root)]
    assert main(command) == 0
    assert "with an HNSW graph in table lvm_index_" in capsys.readouterr().out
    index = open_index(workspace, "tiny", encoder.id)
    assert index.kind == "pgvector"
    hit = index.search(matrix.rows([7]), 1)[0][0]
    assert (hit.row, hit.cosine) == (7, pytest.approx(1, abs=1e-3))
    assert index.search(matrix.rows([7]), 1, exclude=np.array([7]))[0][0].row != 7

    small_corpus(workspace, tmp_path, names=["Elsewhere", "Nowhere", "Somewhere"])
    monkeypatch.delenv("LVM_INDEX")
    encode_corpus(workspace, "tiny", encoder)
    monkeypatch.setenv("LVM_INDEX", "postgres")
    with pytest.raises(CorpusError, match="as it is now has no index in PostgreSQL"):
        open_index(workspace, "tiny", encoder.id)
    assert main(command) == main(command) == 0, "a second run replaces the first"
    assert main([*command, "--drop"]) == 0
    assert "is gone" in capsys.readouterr().out
    encode_corpus(workspace, "tiny", encoder)
    assert open_index(workspace, "tiny", encoder.id).n_rows == CorpusStore(workspace).corpus("tiny").n_chunks
    monkeypatch.setenv("LVM_INDEX", "elsewhere")
    with pytest.raises(SettingsError, match="LVM_INDEX is 'elsewhere'; expected faiss or exact or ivf"):
        open_index(workspace, "tiny", encoder.id)


def test_what_cannot_be_indexed_is_said_and_foreign_tables_stay(postgres_url: str) -> None:
    with connected(postgres_url) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE lvm_test_halfvec (precious text)")
    with pytest.raises(SourceError, match="no index of the studio made"):
        fill(postgres_url, np.ones((2, 3), dtype=np.float32), "x")
    with pytest.raises(SourceError, match="5000 dimensions as halfvec cannot be built"):
        fill(postgres_url, np.ones((2, 5_000), dtype=np.float32), "x")
    dead = PgVectorIndex("postgresql://me:secret@127.0.0.1:9/none", "t", "x", 3, 2, "halfvec")
    with pytest.raises(SourceError, match="did not let us in") as told:
        dead.search(np.ones((1, 3), dtype=np.float32), 1)
    assert "secret" not in str(told.value)
