"""The page of results: tables a context, what gains from data, curves."""

from collections.abc import Sequence

from lvm_core.config import command_line, typed
from lvm_core.metrics.levels import COSINE_MATTERS
from lvm_core.shelf.results import Ends, Result
from lvm_core.shelf.settings import FILTER, ShelfSettings

HEAD = (
    "Every net of the studio at one size, trained on the same articles with the same learning rate and passes, and"
    " tested on articles that none of them saw, beside the closed-form linear filter of the same context that was"
    " fitted on the same training articles. Nets are trained on top of that filter (residual form): 0 means that a net"
    " added nothing to it. One seed each; sizes and learning rate were not tuned net by net, so a place in these tables"
    " says what a net does out of the box, not what it could do."
)
LEGEND = (
    "*vs filter*: paired difference in cosine; **bold** where its 95 % interval over articles lies above zero and the"
    f" difference matters (at least {COSINE_MATTERS}). *R@5*: the share of windows whose true next chunk is among the"
    " five nearest of all test chunks, found by the prediction itself, without a query head; *one sample*: by a single"
    " sample of a net that predicts a distribution. *Windows/s* and *ms*: CPU seconds of"
    " one thread on the machine named above, so that other work hardly counts."
)


def page(name: str, settings: ShelfSettings, results: Sequence[Result], machine: str, made: str, figure: str) -> str:
    """Return the shelf as Markdown.

    Args:
        name: of the shelf.
        settings: what was asked for.
        results: what was measured so far.
        machine: what it was measured on.
        made: the day.
        figure: file name of the curves.
    """
    lines = settings.lines
    asked = set(lines)
    here = [one for one in results if one.line in asked]
    measured = [one for one in here if one.cosine is not None]
    parts = ["# The shelf: every architecture, compared", "", HEAD, ""]
    parts += _made(name, settings, len(measured), len(lines), measured, machine, made)
    if measured:
        parts += ["", "## What it says", "", *(f"- {sentence}" for sentence in findings(measured)), ""]
        parts += [f"![Difference to the filter over the size of the training data, a line a net]({figure})", "", LEGEND]
    for context in sorted({one.context for one in here}):
        parts += ["", f"## {context} chunks of context", "", *table([one for one in here if one.context == context])]
    left_out = [one for one in here if one.left_out]
    if left_out:
        parts += ["", "## Left out", "", *(f"- {one.line.title}: {one.left_out}" for one in left_out)]
    return "\n".join(parts) + "\n"


def _made(
    name: str, settings: ShelfSettings, n_measured: int, n_lines: int, measured: Sequence[Result], machine: str,
    made: str,
) -> list[str]:  # fmt: skip
    words = typed(["shelf", "--name", name, *command_line(settings)])
    test = measured[0].test if measured else {}
    facts = [f"- made on {made} by `{words}`; {n_measured} of {n_lines} lines measured, the command does the rest"]
    if test:
        facts.append(
            f"- corpus `{settings.corpus}` ({str(test.get('digest', ''))[:16]}), encoder `{test.get('encoder', '')}`;"
            f" tested on {test.get('windows', 0):,} windows of {test.get('articles', 0):,} articles of the test split"
        )
    return [*facts, f"- {machine}"]


def table(results: Sequence[Result]) -> list[str]:
    """Return the rows of one context, best first at its largest size, three columns a size of training data."""
    sizes = sorted({one.size for one in results})
    best = {one.net: (one.size, one.vs_filter or 0.0) for one in sorted(results, key=lambda r: r.size) if one.cosine}
    nets = sorted({one.net for one in results}, key=lambda net: (net != FILTER, [-x for x in best.get(net, (0, -9))]))
    at = {(one.net, one.size): one for one in results}
    heads = ["net", "parameters", "windows/s", "ms"]
    for size in sizes:
        heads += [f"{_short(size)}: cosine", "vs filter", "R@5 %"]
    rows = ["| " + " | ".join(heads) + " |", "|---|" + "---:|" * (len(heads) - 1)]
    for net in nets:
        any_size = next(one for one in results if one.net == net)
        cells = [net, f"{any_size.parameters:,}" if any_size.parameters else "—"]
        cells += [_number(any_size.windows_per_s, ",.0f"), _number(any_size.query_ms, ".2f")]
        for size in sizes:
            cells += _cells(at.get((net, size)))
        rows.append("| " + " | ".join(cells) + " |")
    return rows


def _cells(one: Result | None) -> list[str]:
    if one is None or one.cosine is None or one.recall is None:
        return ["—" if one is None else "left out", "", ""]
    cosine = f"{one.cosine:.4f} {_ends(one.cosine_ci, '.4f')}"
    recall = f"{100 * one.recall:.1f} {_ends(one.recall_ci, '.1f', 100)}"
    if one.sample_recall is not None:
        recall += f", one sample {100 * one.sample_recall:.1f}"
    if one.vs_filter is None:
        return [cosine, "0", recall]
    gain = f"{one.vs_filter:+.4f} {_ends(one.vs_filter_ci, '+.4f')}"
    return [cosine, f"**{gain}**" if beats(one) else gain, recall]


def beats(one: Result) -> bool:
    """Return whether a net is surely better than the filter, by a difference that matters."""
    low = one.vs_filter_ci[0] if one.vs_filter_ci else 0.0
    return one.vs_filter is not None and one.vs_filter >= COSINE_MATTERS and low > 0


def findings(measured: Sequence[Result]) -> list[str]:
    """Return what the numbers say, a sentence a context and size, then a sentence on each net that gains from data."""
    said = []
    for context in sorted({one.context for one in measured}):
        for size in sorted({one.size for one in measured}):
            nets = [r for r in measured if (r.context, r.size) == (context, size) and r.vs_filter is not None]
            if not nets:
                continue
            winners = sorted(filter(beats, nets), key=lambda one: -(one.vs_filter or 0.0))
            named = ", ".join(f"{one.net} {one.vs_filter:+.4f}" for one in winners[:5])
            sentence = f"{context} chunks, {_short(size)} windows: {len(winners)} of {len(nets)} nets beat the filter"
            said.append(f"{sentence}{': ' + named if named else ''}{', ...' if len(winners) > 5 else ''}.")
    gains = [found for one in measured if (found := _gain(one, measured))]
    for net, context, small, large, low, high in sorted(gains, key=lambda g: g[4] - g[5])[:8]:
        said.append(
            f"{net} gains most from data at {context} chunks: {low:+.4f} over the filter with {_short(small)} windows,"
            f" {high:+.4f} with {_short(large)}."
        )
    return said


def _gain(large: Result, measured: Sequence[Result]) -> tuple[str, int, int, int, float, float] | None:
    """Return a net that is surely farther above its filter with its most than with its fewest windows."""
    same = [r for r in measured if (r.net, r.context) == (large.net, large.context) and r.vs_filter is not None]
    small = min(same, key=lambda one: one.size, default=large)
    if not same or small.size == large.size or large.size != max(one.size for one in same):
        return None
    if not (small.vs_filter_ci and large.vs_filter_ci) or large.vs_filter_ci[0] <= small.vs_filter_ci[1]:
        return None
    return large.net, large.context, small.size, large.size, small.vs_filter or 0.0, large.vs_filter or 0.0


def _short(size: int) -> str:
    return f"{size // 1000}k" if size >= 1000 else str(size)


def _number(value: float | None, form: str) -> str:
    return "—" if value is None else f"{value:{form}}"


def _ends(ends: Ends, form: str, times: float = 1.0) -> str:
    return f"[{times * ends[0]:{form}}, {times * ends[1]:{form}}]" if ends else ""
