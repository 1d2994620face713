"""Tables as other projects really keep them: order told or not claimed, any vector, encoding or schema."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psycopg2
import pytest
from psycopg2.extensions import make_dsn

from lvm_core.corpus.chunks import NewChunk
from lvm_core.corpus.store import CorpusStore
from lvm_core.corpus.writing import CorpusWriter
from lvm_core.errors import SourceError
from lvm_core.exchange.from_postgres import import_postgres
from lvm_core.exchange.to_postgres import export_postgres
from lvm_core.vectors.encode import encode_corpus
from lvm_core.vectors.matrix import open_matrix
from lvm_core.vectors.pgvector import build_pgvector, drop_pgvector
from lvm_core.workspace import Workspace
from tests.vectors.worlds import WordEncoder


def ask(url: str, query: str) -> list[tuple[Any, ...]]:
    connection = psycopg2.connect(url, client_encoding="UTF8")
    with connection, connection.cursor() as cursor:
        cursor.execute(query)
        rows = cursor.fetchall() if cursor.description else []
    connection.close()
    return rows


def articles(workspace: Workspace, corpus: str = "t") -> dict[str, list[str]]:
    store = CorpusStore(workspace)
    return {d.title: [c.text for c in store.document_chunks(d.document_id)] for d in store.documents(corpus)}


def vectors(workspace: Workspace, report: dict[str, Any]) -> np.ndarray:
    return open_matrix(workspace, report["corpus"], report["encoder"]).slice(0, report["n_chunks"])


TWO_TABLES = """
CREATE TABLE cpe_entry (cpe_id uuid PRIMARY KEY DEFAULT gen_random_uuid(), source_chunk text,
    concept_text text NOT NULL, dataset_source text NOT NULL, chunk_position jsonb NOT NULL, tmd_bits smallint,
    batch_id uuid, document_id text, sequence_index integer);
CREATE TABLE cpe_vectors (cpe_id uuid PRIMARY KEY REFERENCES cpe_entry, fused_vec vector(6), concept_vec vector(4));
INSERT INTO cpe_entry (concept_text, dataset_source, chunk_position, tmd_bits)
    SELECT 'Sentence ' || i, 'wikipedia_500k', jsonb_build_object('article_index', i / 12,
        'article_title', 'Part ' || i / 12, 'chunk_index', i % 12), -28000 FROM generate_series(0, 143) AS i
    ORDER BY md5(i::text);
INSERT INTO cpe_vectors (cpe_id, concept_vec) SELECT cpe_id, ARRAY[substr(concept_text, 10)::int, 1, 0, 0]::vector
    FROM cpe_entry;
"""


@pytest.mark.parametrize("backfilled", [True, False])
def test_a_table_whose_vectors_lie_beside_it_is_read_in_the_order_of_its_json_or_its_columns(
    workspace: Workspace, postgres_url: str, backfilled: bool
) -> None:
    ask(postgres_url, TWO_TABLES)
    if backfilled:
        ask(postgres_url, "UPDATE cpe_entry SET document_id = 'wiki_' || (chunk_position->>'article_index'),"
                          " sequence_index = (chunk_position->>'chunk_index')::int")  # fmt: skip
    report = import_postgres(workspace, postgres_url, "t", dataset_source="wikipedia_500k")
    assert (report["ordered"], report["n_chunks"], report["warning"]) == (True, 144, "")
    numbers = [int(text.removeprefix("Sentence ")) for texts in articles(workspace).values() for text in texts]
    assert sorted(numbers) == list(range(144))
    for title, texts in articles(workspace).items():
        part = int(title.removeprefix("Part "))
        assert texts == [f"Sentence {i}" for i in range(part * 12, part * 12 + 12)]
    np.testing.assert_array_equal(vectors(workspace, report)[:, 0], numbers)
    assert {chunk.tmd for chunk in CorpusStore(workspace).chunks("t", range(144))} == {65536 - 28000}
    if not backfilled:
        assert list(articles(workspace)) == [f"Part {i}" for i in range(12)], "articles are sorted by number"


def test_whole_numbers_in_the_table_beside_are_vectors_too(workspace: Workspace, postgres_url: str) -> None:
    ask(postgres_url, "CREATE TABLE cpe_entry (cpe_id text, concept_text text);"
                      " INSERT INTO cpe_entry VALUES ('7', 'a');"
                      " CREATE TABLE cpe_vectors (cpe_id int, concept_vec numeric[]);"
                      " INSERT INTO cpe_vectors VALUES (7, '{3,4}')")  # fmt: skip
    assert vectors(workspace, import_postgres(workspace, postgres_url, "t")).tolist() == [[3, 4]]


def test_vectors_of_another_column_are_named(workspace: Workspace, postgres_url: str) -> None:
    ask(postgres_url, TWO_TABLES + "UPDATE cpe_vectors SET concept_vec = NULL")
    with pytest.raises(SourceError, match="Table 'cpe_vectors' holds no vectors: every concept_vec looked at is NULL"):
        import_postgres(workspace, postgres_url, "t")
    ask(postgres_url, "CREATE TABLE bare (concept_text text, fused_vec vector(2))")
    with pytest.raises(SourceError, match=r"has no column concept_vec; it has .*Give --table a view that has both"):
        import_postgres(workspace, postgres_url, "t", table="bare")
    ask(postgres_url, "CREATE TABLE t (concept_text text, concept_vec real[])")
    with pytest.raises(SourceError, match="has no column dataset_source"):
        import_postgres(workspace, postgres_url, "t", table="t", dataset_source="x")


ROWS = "SELECT 'Sentence ' || i AS concept_text, ARRAY[i, 1]::real[] AS concept_vec, 'Mill'::text AS article"


@pytest.mark.parametrize(
    ("position", "problem"),
    [
        ("i", ""),
        ("i::text", ""),
        ("' ' || i || ' '", ""),
        ("i::double precision / 10", ""),
        ("i::numeric * 1e25", ""),
        ("CASE WHEN i <> 3 THEN i END", "1 of the table's 12 rows have no article, or no number as their position"),
        ("'p. ' || i", "12 of the table's 12 rows have no article, or no number"),
        ("CASE i WHEN 3 THEN 'NaN' ELSE i::double precision END", "1 of the table's 12 rows"),
        ("i / 2", "6 of the table's 12 rows have the position of another row of their article"),
        ("now() + i * interval '1 day'", "The table has no position columns"),
    ],
)
def test_positions_are_cast_or_the_corpus_is_not_called_ordered(
    workspace: Workspace, postgres_url: str, position: str, problem: str
) -> None:
    ask(postgres_url, f"CREATE VIEW cpe_entry AS {ROWS}, {position} AS chunk_index FROM generate_series(0, 11) AS i"
                      " ORDER BY md5(i::text)")  # fmt: skip
    report = import_postgres(workspace, postgres_url, "t")
    assert report["ordered"] == (not problem) == CorpusStore(workspace).corpus("t").ordered
    assert problem in report["warning"]
    if not problem:
        assert articles(workspace) == {"Mill": [f"Sentence {i}" for i in range(12)]}


def test_an_article_that_is_null_is_no_article(workspace: Workspace, postgres_url: str) -> None:
    ask(postgres_url, f"CREATE TABLE cpe_entry AS {ROWS}, i AS position FROM generate_series(0, 9) AS i")
    for blank in ("NULL", "'  '"):
        ask(postgres_url, f"UPDATE cpe_entry SET article = {blank} WHERE position = 4")
        report = import_postgres(workspace, postgres_url, "t", replace=True)
        assert not report["ordered"]
        assert "1 of the table's 10 rows have no article" in report["warning"]


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("real[]", "'[0:1]={3,4}'"), ("embedding", "'{3,4}'"), ("wide", "'{3,4}'"), ("integer[]", "'{3,4}'"),
        ("numeric(8,2)[]", "'{3,4}'"), ("double precision[]", "'{3,4}'"), ("halfvec(2)", "'[3,4]'"),
        ("tight", "'[3,4]'"),
    ],
)  # fmt: skip
def test_vectors_of_every_type(workspace: Workspace, postgres_url: str, kind: str, value: str) -> None:
    ask(postgres_url, "CREATE DOMAIN cell AS real CHECK (VALUE < 100); CREATE DOMAIN embedding AS cell[];"
                      " CREATE DOMAIN wide AS embedding; CREATE DOMAIN tight AS vector(2)")  # fmt: skip
    ask(postgres_url, f"CREATE TABLE cpe_entry (concept_text text, concept_vec {kind});"
                      f" INSERT INTO cpe_entry VALUES ('a', {value}), ('b', NULL)")  # fmt: skip
    report = import_postgres(workspace, postgres_url, "t")
    assert vectors(workspace, report).tolist() == [[3, 4]]
    assert report["skipped"] == {"chunks without a vector (NULL)": 1}


def test_null_elements_odd_codes_and_bytes_are_counted_or_read(workspace: Workspace, postgres_url: str) -> None:
    ask(postgres_url, "CREATE TABLE cpe_entry (concept_text bytea, concept_vec real[], tmd_code text)")
    for text, vector, code in (("a", "{NULL,1}", "1"), ("Caf\u00e9", "{1,1}", "\u00b2"), ("c", "{1,2}", "9" * 5_000),
                               ("d", "{1,3}", " 8852 "), ("e", "{1e5,1}", "-1")):  # fmt: skip
        ask(postgres_url, f"INSERT INTO cpe_entry VALUES (convert_to('{text}', 'UTF8'), '{vector}', '{code}')")
    report = import_postgres(workspace, postgres_url, "t")
    chunks = CorpusStore(workspace).chunks("t", range(3))
    assert [(chunk.text, chunk.tmd) for chunk in chunks] == [("Caf\u00e9", None), ("c", None), ("d", 8852)]
    assert report["skipped"] == {"vectors with NULL elements": 1,
                                 "vectors with values beyond 65,504, more than float16 holds": 1}  # fmt: skip


def test_what_the_server_refuses_is_not_called_kept(workspace: Workspace, postgres_url: str) -> None:
    ask(postgres_url, "CREATE TABLE real_table (a int); CREATE FUNCTION fails(int) RETURNS text LANGUAGE plpgsql AS"
                      " $$BEGIN IF $1 > 100 THEN RAISE EXCEPTION 'no more'; END IF; RETURN 'x'; END$$;"
                      " CREATE VIEW cpe_entry AS SELECT fails(i) AS concept_text, ARRAY[i, 1]::real[] AS concept_vec"
                      " FROM generate_series(1, 200) AS i")  # fmt: skip
    with pytest.raises(SourceError, match=r"PostgreSQL refused: no more.*Check the columns of the table") as told:
        import_postgres(workspace, postgres_url, "t")
    assert "are kept" not in str(told.value)
    assert not list(workspace.root.glob("incoming*"))


def small(workspace: Workspace, *texts: str) -> str:
    with CorpusWriter(workspace, "small", "test", "sentence") as writer:
        writer.add("M\u00fchle", [NewChunk(text) for text in texts])
        writer.finish()
    encoder = WordEncoder()
    encode_corpus(workspace, "small", encoder)
    return encoder.id


@pytest.fixture
def latin_url(postgres_server: str) -> Iterator[str]:
    """Give a database that keeps its texts as LATIN1."""
    admin = psycopg2.connect(postgres_server)
    admin.autocommit = True
    with admin.cursor() as cursor:
        cursor.execute("DROP DATABASE IF EXISTS lvm_latin")
        cursor.execute("CREATE DATABASE lvm_latin ENCODING 'LATIN1' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'")
    yield make_dsn(postgres_server, dbname="lvm_latin")
    with admin.cursor() as cursor:
        cursor.execute("DROP DATABASE lvm_latin WITH (FORCE)")
    admin.close()


@pytest.mark.parametrize("client", ["", "LATIN1"])
def test_accents_survive_whatever_the_encoding_of_the_server(
    workspace: Workspace, latin_url: str, client: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if client:
        monkeypatch.setenv("PGCLIENTENCODING", client)
    texts = ["Caf\u00e9 au lait is served.", "Stra\u00dfe und M\u00fchle."]
    space = small(workspace, *texts)
    export_postgres(workspace, latin_url, "small", space)
    assert ask(latin_url, "SELECT concept_text, article FROM cpe_entry ORDER BY position") == [
        (text, "M\u00fchle") for text in texts
    ]
    import_postgres(workspace, latin_url, "t")
    assert articles(workspace) == {"M\u00fchle": texts}


def test_bytes_of_a_server_without_an_encoding_are_counted(workspace: Workspace, postgres_server: str) -> None:
    admin = psycopg2.connect(postgres_server)
    admin.autocommit = True
    with admin.cursor() as cursor:
        cursor.execute("DROP DATABASE IF EXISTS lvm_ascii")
        cursor.execute("CREATE DATABASE lvm_ascii ENCODING 'SQL_ASCII' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'")
    admin.close()
    url = make_dsn(postgres_server, dbname="lvm_ascii")
    ask(url, "CREATE TABLE cpe_entry (concept_text text, concept_vec real[]);"
             r" INSERT INTO cpe_entry VALUES (E'Caf\xe9', '{1,2}'), (E'Caf\xc3\xa9', '{2,1}')")  # fmt: skip
    report = import_postgres(workspace, url, "t")
    assert CorpusStore(workspace).texts("t") == ["Caf\ufffd", "Caf\u00e9"]
    assert "1 texts hold U+FFFD" in report["warning"]


def test_what_the_encoding_of_the_server_cannot_hold_is_told(workspace: Workspace, latin_url: str) -> None:
    space = small(workspace, "An arrow \u2192 points.", "Another text.")
    with pytest.raises(SourceError, match=r"A text does not fit the encoding of this database.*ENCODING 'UTF8'"):
        export_postgres(workspace, latin_url, "small", space)
    assert ask(latin_url, "SELECT to_regclass('cpe_entry')") == [(None,)]


@pytest.mark.parametrize("kind", ["vector", "halfvec"])
def test_pgvector_in_a_schema_of_its_own(workspace: Workspace, postgres_url: str, kind: str, tmp_path: Path) -> None:
    ask(
        postgres_url,
        'DROP EXTENSION vector; CREATE SCHEMA "My Extensions"; CREATE EXTENSION vector SCHEMA "My Extensions"',
    )
    space = small(workspace, "The mill stands by the river.", "The ford is near.", "The hill is high.")
    export_postgres(workspace, postgres_url, "small", space, vectors=kind)
    export_postgres(workspace, postgres_url, "small", space, vectors=kind, append=True)
    report = import_postgres(workspace, postgres_url, "t")
    matrix = open_matrix(workspace, "small", space)
    np.testing.assert_allclose(vectors(workspace, report), matrix.slice(0, 3), atol=2e-3)
    index = build_pgvector(matrix, postgres_url, kind)
    assert index.search(matrix.rows([2]), 1)[0][0].row == 2
    assert drop_pgvector(matrix, postgres_url)
