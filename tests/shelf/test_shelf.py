"""The shelf: every net at one size, a line a training, and a page that says no more than was measured."""

import json
import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from lvm_core.__main__ import main
from lvm_core.errors import SettingsError
from lvm_core.nets import MODELS, build_model
from lvm_core.shelf.figure import figure
from lvm_core.shelf.page import findings, page
from lvm_core.shelf.results import Result, add_result, read_results
from lvm_core.shelf.run import fill
from lvm_core.shelf.settings import FILTER, Line, ShelfSettings
from lvm_core.shelf.sizing import sized
from lvm_core.types import no_progress
from lvm_core.workspace import Workspace
from tests.nets.toy import add_corpus, sizes

TINY = ShelfSettings(
    corpus="toy", nets="linear-filter,gru,energy", contexts="3", sizes="60,300", parameters=10_000, most_epochs=2,
    windows_a_step=32, lr=2e-3,
)  # fmt: skip


@pytest.fixture
def toy(workspace: Workspace) -> Workspace:
    add_corpus(workspace, lengths=sizes(40))
    return workspace


def scored(net: str, size: int, gain: float, context: int = 5, **more) -> Result:
    ends = [gain - 0.001, gain + 0.001]
    own = net == FILTER
    return Result(
        net, size, context, f"r-{net}-{size}", 600_000, size, 3, 2, 1000.0, 1.5, 0.5 + gain, [0.49, 0.52], 0.2,
        [0.19, 0.21], None if own else gain, None if own else ends,
        test={"windows": 100, "articles": 9, "encoder": "toy@0", "digest": "abc"}, **more,
    )  # fmt: skip


def test_a_shelf_is_filled_once_goes_on_where_it_was_and_becomes_a_page(toy: Workspace, capsys) -> None:
    first = fill(toy, "s", replace(TINY, sizes="60"), no_progress)
    assert [(one.net, one.size, one.left_out) for one in first] == [
        (FILTER, 60, ""), ("gru", 60, ""), ("energy", 60, ""),
    ]  # fmt: skip
    _, gru, energy = first
    assert gru.windows < 100
    assert gru.vs_filter is not None
    assert energy.sample_recall is not None
    assert gru.sample_recall is None
    with toy.shelf("s").open("a") as file:
        file.write('{"net": "gru", "si')  # a process was killed as it wrote
    trained = toy.run_result(gru.run).stat().st_mtime_ns
    argv = ["shelf", "--workspace", str(toy.root), "--name", "s", "--corpus", "toy", "--nets", TINY.nets]
    argv += ["--contexts", "3"]
    argv += ["--parameters", "10000", "--most-epochs", "2", "--windows-a-step", "32", "--sizes"]
    assert main([*argv, "60,300", "--json", "--write", str(toy.root / "SHELF.md")]) == 0
    results = json.loads(capsys.readouterr().out)["results"]
    assert [(one["net"], one["size"]) for one in results][-3:] == [(FILTER, 300), ("gru", 300), ("energy", 300)]
    assert toy.run_result(gru.run).stat().st_mtime_ns == trained
    text = (toy.root / "SHELF.md").read_text()
    assert "6 of 6 lines measured" in text
    assert re.search(r"\| gru \| [\d,]+ \|", text)
    assert "(SHELF.svg)" in text
    ElementTree.parse(toy.root / "SHELF.svg")
    assert main([*argv, "60,300,900", "--show"]) == 0
    assert "6 of 9 lines measured" in capsys.readouterr().out


def test_a_line_that_fails_says_why_and_the_next_one_begins(toy: Workspace) -> None:
    results = fill(toy, "s", replace(TINY, nets="gru", contexts="99,3", sizes="60"), no_progress)
    assert "expected at most" in results[0].left_out
    assert results[1].cosine is not None
    assert "## Left out" in page("s", replace(TINY, nets="gru", contexts="99,3", sizes="60"), results, "m", "d", "f")


def test_a_line_beyond_its_minutes_is_left_out_with_the_reason(toy: Workspace) -> None:
    (result,) = fill(toy, "s", replace(TINY, nets="gru", sizes="300", line_minutes=0.0), no_progress)
    assert "one pass would take" in result.left_out
    assert result.windows_per_s is not None


@pytest.mark.parametrize("net", MODELS)
def test_every_net_comes_near_the_size_asked_for(net: str) -> None:
    n = build_model(net, 384, residual=True, **sized(net, 384, 600_000, 100)).n_parameters()
    assert 400_000 < n < 850_000


def test_the_page_ranks_and_marks_only_what_is_sure() -> None:
    settings = ShelfSettings(nets="linear-filter,gru,lstm,mamba2", contexts="5", sizes="20000,130000")
    results = [
        scored(FILTER, 20_000, 0.0), scored("gru", 20_000, 0.0003), scored("lstm", 20_000, 0.004),
        scored(FILTER, 130_000, 0.01), scored("gru", 130_000, 0.008), scored("lstm", 130_000, 0.0045),
        Result("mamba2", 20_000, 5, left_out="The training diverged."),
    ]  # fmt: skip
    text = page("s", settings, results, "two cores", "2026-01-01", "SHELF.svg")
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    assert [row.split(" | ")[0] for row in rows] == ["| net", f"| {FILTER}", "| gru", "| lstm", "| mamba2"]
    assert "**+0.0080" in rows[2]
    assert "**+0.0003" not in rows[2]
    assert "mamba2, 20,000 windows, 5 chunks: The training diverged." in text
    said = findings([one for one in results if one.cosine is not None])
    assert said[0] == "5 chunks, 20k windows: 1 of 2 nets beat the filter: lstm +0.0040."
    assert said[2].startswith("gru gains most from data at 5 chunks: +0.0003 over the filter with 20k windows, +0.0080")
    assert len(said) == 3
    ElementTree.fromstring(figure(results))


def test_of_a_line_measured_twice_the_last_counts(workspace: Workspace) -> None:
    add_result(workspace, "s", scored("gru", 20, 0.1))
    add_result(workspace, "s", scored("gru", 20, 0.2))
    (one,) = read_results(workspace, "s")
    assert (one.line, one.vs_filter) == (Line("gru", 20, 5), 0.2)


def test_impossible_shelves_are_refused_with_every_reason() -> None:
    with pytest.raises(SettingsError) as refused:
        _ = ShelfSettings(nets="gru,perceiver", contexts="five", sizes="0").lines
    assert [problem.split(";")[0] for problem in refused.value.problems] == [
        "nets has 'perceiver'", "contexts is 'five'", "sizes is '0'",
    ]  # fmt: skip
