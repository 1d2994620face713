import csv
import io

from lvm_core.leaderboard import board, export
from tests.leaderboard.rows import make_row


def groups() -> list[board.Group]:
    rows = [make_row("amn-1", 0.512)[0], make_row("pipe|name", 0.5, vs_filter=None)[0]]
    rows.append(make_row("other", 0.4, comparable="k2")[0])
    return board.groups(rows)


def test_csv_holds_every_row_with_intervals_as_columns() -> None:
    rows = list(csv.DictReader(io.StringIO(export.to_csv(groups()))))
    assert [row["model"] for row in rows] == ["amn-1", "pipe|name", "other"]
    assert float(rows[0]["cosine"]) == 0.512
    assert float(rows[0]["cosine_ci_low"]) < 0.512 < float(rows[0]["cosine_ci_high"])
    assert float(rows[0]["vs_filter_ci_low"]) < float(rows[0]["vs_filter_cosine"])
    assert float(rows[0]["coherence_train_toy"]) == 0.41
    assert "articles" not in rows[0]


def test_markdown_is_one_table_a_group_with_as_many_cells_in_every_line() -> None:
    text = export.to_markdown(groups())
    tables = text.split("### ")[1:]
    assert len(tables) == 2
    lines = [line for line in tables[0].splitlines() if line.startswith("|")]
    assert len({line.replace("\\|", "").count("|") for line in lines}) == 1
    assert "pipe\\|name" in tables[0]
    assert "0.5120 [" in tables[0]
    assert "—" in tables[0]


def test_json_has_the_rows_and_what_they_were_measured_on() -> None:
    found = export.to_json(groups())
    assert [row["rank"] for row in found["rows"]] == [1, 2, 1]
    assert {group["comparable"] for group in found["groups"]} == {"k1", "k2"}
    assert "key" not in found["rows"][0]


def test_the_terminal_table_is_aligned() -> None:
    lines = export.to_text(groups()[0].rows).splitlines()
    assert lines[0].split()[:2] == ["#", "model"]
    assert lines[1].index("0.5120") == lines[2].index("0.5000")


def test_a_citation_names_what_is_needed_to_make_the_numbers_again() -> None:
    rows = [
        make_row("amn-1", 0.512, index_digest="i1", split_seed=7, key={"corpus_digest": "c" * 64}, created=1.7e9)[0]
    ]
    entry = export.citation(board.groups(rows)[0])
    for part in (
        "@misc{lvm-studio-toy-k1,",
        "digest cccccccccccccccc",
        "encoder toy@0",
        "seed 7",
        "index i1",
        "{2023}",
    ):
        assert part in entry
