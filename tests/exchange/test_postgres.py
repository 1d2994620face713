"""Concept tables on a real PostgreSQL: bit-exact both ways, no doubles, nothing altered, no password shown."""

import uuid
from collections.abc import Iterator

import numpy as np
import pytest

from lvm_core.errors import SourceError
from lvm_core.exchange.postgres.binary_copy import CopyReader, CopyStream, pack_real_array, pack_rows
from lvm_core.exchange.postgres.connection import connected, database_url, safe_reason
from lvm_core.exchange.postgres.read import Row, read_rows
from lvm_core.exchange.postgres.table import inspect_table
from lvm_core.exchange.postgres.write import create_table, vector_type_for, write_rows

N, DIM = 120, 16
VECTORS = np.random.default_rng(0).standard_normal((N, DIM)).astype(np.float32)
HOSTILE = "'; DROP TABLE cpe_entry; -- \\ \t\n\x00 \U0001f40c"


def blocks() -> Iterator[tuple[list[tuple[object, ...]], np.ndarray]]:
    for start in range(0, N, 50):
        part = range(start, min(start + 50, N))
        yield (
            [
                (str(uuid.uuid5(uuid.NAMESPACE_URL, str(i))), HOSTILE if i == 7 else f"text {i} é",
                 8852 if i % 2 else None, "user_input", f"article {i // 40}", 39 - i % 40)
                for i in part
            ],
            VECTORS[part.start : part.stop],
        )  # fmt: skip


def export(url: str, table: str = "cpe_entry", kind: str = "real[]", append: bool = False) -> None:
    with connected(url) as connection:
        create_table(connection, table, vector_type_for(connection, kind), DIM, append)
        write_rows(connection, table, kind, blocks())


def fetch(url: str, table: str = "cpe_entry", source: str | None = None) -> list[Row]:
    found: list[Row] = []
    with connected(url, readonly=True) as connection:
        read_rows(connection, inspect_table(connection, table, source), found.append)
    return found


def ask(url: str, query: str) -> list[tuple[object, ...]]:
    with connected(url) as connection, connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchall() if cursor.description else []


@pytest.mark.parametrize(("kind", "tolerance"), [("real[]", 0), ("vector", 0), ("halfvec", 2e-3)])
def test_rows_come_back_in_article_order(postgres_url: str, kind: str, tolerance: float) -> None:
    export(postgres_url, kind=kind)
    found = fetch(postgres_url)
    assert [(r.article, r.position) for r in found] == [(f"article {a}", p) for a in range(3) for p in range(40)]
    back = {r.cpe_id: r for r in found}
    for i in range(N):
        row = back[str(uuid.uuid5(uuid.NAMESPACE_URL, str(i)))]
        np.testing.assert_allclose(row.vector, VECTORS[i], atol=tolerance)
        assert row.text == (HOSTILE.replace("\x00", "") if i == 7 else f"text {i} é")
        assert row.tmd == (8852 if i % 2 else None)


def test_the_queries_people_run_on_such_tables(postgres_url: str) -> None:
    export(postgres_url)
    where = "FROM cpe_entry WHERE dataset_source = 'user_input'"
    assert ask(postgres_url, f"SELECT COUNT(*) {where}") == [(N,)]
    assert ask(postgres_url, f"SELECT COUNT(*) {where} AND concept_vec IS NOT NULL") == [(N,)]
    assert ask(postgres_url, f"SELECT array_length(concept_vec, 1) as vector_dim {where} LIMIT 1") == [(DIM,)]
    grouped = f"SELECT tmd_code, COUNT(*) {where} GROUP BY tmd_code ORDER BY COUNT(*) DESC LIMIT 20"
    assert sorted(ask(postgres_url, grouped), key=str) == [(8852, 60), (None, 60)]
    first = f"SELECT cpe_id, concept_text, concept_vec, tmd_code, dataset_source {where} LIMIT 10"
    assert len(ask(postgres_url, first)) == 10
    assert len(ask(postgres_url, f"SELECT concept_text, tmd_code {where} ORDER BY RANDOM() LIMIT 10")) == 10


def test_a_second_export_needs_leave_and_makes_no_doubles(postgres_url: str) -> None:
    export(postgres_url)
    with pytest.raises(SourceError, match=r"Table 'cpe_entry' exists; .*Add --append"):
        export(postgres_url)
    export(postgres_url, append=True)
    assert ask(postgres_url, "SELECT COUNT(*) FROM cpe_entry") == [(N,)]


def test_an_export_that_breaks_off_leaves_nothing(postgres_url: str) -> None:
    def broken() -> Iterator[tuple[list[tuple[object, ...]], np.ndarray]]:
        yield next(blocks())
        raise RuntimeError("pulled the plug")

    def export_broken() -> None:
        with connected(postgres_url) as connection:
            create_table(connection, "cpe_entry", "real[]", DIM, append=False)
            write_rows(connection, "cpe_entry", "real[]", broken())

    with pytest.raises(Exception, match="pulled the plug"):
        export_broken()
    assert ask(postgres_url, "SELECT to_regclass('cpe_entry')") == [(None,)]


def test_tables_of_other_shapes(postgres_url: str) -> None:
    ask(postgres_url, "CREATE TABLE plain (concept_text text, concept_vec double precision[])")
    ask(postgres_url, "INSERT INTO plain VALUES ('a', '{1,2}'), ('b', NULL), ('c', '{3}')")
    with connected(postgres_url, readonly=True) as connection:
        assert not inspect_table(connection, "plain").ordered
    found = fetch(postgres_url, "plain")
    assert [None if r.vector is None else r.vector.tolist() for r in found] == [[1, 2], None, [3]]
    assert [r.cpe_id for r in found] == [None] * 3


def test_mistakes_are_named(postgres_url: str) -> None:
    ask(postgres_url, "CREATE TABLE half (concept_text text, concept_vec bytea); CREATE TABLE none (x int)")
    for table, message in (
        ("half", "concept_vec of 'half' is bytea; expected one of real"),
        ("none", "has no column concept_text and no column concept_vec; it has x"),
        ("nowhere", "There is no table 'nowhere'"),
        ('x"; DROP TABLE half; --', "There is no table"),
    ):
        with pytest.raises(SourceError, match=message), connected(postgres_url, readonly=True) as connection:
            inspect_table(connection, table)
    assert ask(postgres_url, "SELECT count(*) FROM half") == [(0,)]
    ask(postgres_url, "CREATE TABLE narrow (cpe_id uuid, concept_text text, concept_vec real[])")
    with pytest.raises(SourceError, match="it lacks tmd_code, dataset_source, article, position"):
        export(postgres_url, "narrow", append=True)


def test_reading_is_read_only(postgres_url: str) -> None:
    with (
        pytest.raises(SourceError, match="read-only transaction"),
        connected(postgres_url, readonly=True) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute("CREATE TABLE t (x int)")


def test_a_dead_server_and_a_wrong_password_are_told_without_the_password() -> None:
    url = "postgresql://me:hunter2@127.0.0.1:9/lnsp"
    with pytest.raises(SourceError, match="did not let us in") as caught, connected(url):
        pass
    assert "hunter2" not in str(caught.value)
    assert safe_reason(ValueError("FATAL: password hunter2 is wrong"), url) == "FATAL: password *** is wrong"


@pytest.mark.parametrize("password", ["hunter2/x", "hunter2@x", "hunter2:x", "hunter2#x", "hunter2%2Fx"])
@pytest.mark.parametrize(
    "form",
    [
        "postgresql://me:{}@127.0.0.1:9/lnsp",
        "postgresql:/me:{}@127.0.0.1:9/lnsp",
        "me:{}@127.0.0.1:9/lnsp",
        "host=127.0.0.1 port=9 user=me password={} dbname=lnsp",
        "host=127.0.0.1 port=9 user=me password='{}' dbname=lnsp",
        "postgresql://127.0.0.1:9/lnsp?user=me&password={}",
    ],
)
def test_no_form_of_an_address_shows_its_password(form: str, password: str) -> None:
    with pytest.raises(SourceError, match="did not let us in") as caught, connected(form.format(password)):
        pass
    assert "hunter2" not in str(caught.value)


def test_a_server_that_dies_halfway(postgres_url: str) -> None:
    def export_to_a_dying_server() -> None:
        with connected(postgres_url) as connection:
            create_table(connection, "cpe_entry", "real[]", DIM, append=False)
            ask(
                postgres_url,
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()",
            )
            write_rows(connection, "cpe_entry", "real[]", blocks())

    with pytest.raises(SourceError, match="went away"):
        export_to_a_dying_server()
    assert ask(postgres_url, "SELECT to_regclass('cpe_entry')") == [(None,)]


def test_no_database_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LVM_DATABASE_URL", raising=False)
    with pytest.raises(SourceError, match="Set LVM_DATABASE_URL"):
        database_url()


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_copy_data_survive_any_cut(size: int) -> None:
    stream = CopyStream(iter([pack_rows([[b"a", None], pack_real_array(VECTORS[:2])])]))
    rows: list[list[bytes | None]] = []
    reader = CopyReader(rows.append)
    while data := stream.read(size):
        reader.write(data)
    assert reader.finished
    assert [row[0] for row in rows] == [b"a", None]
