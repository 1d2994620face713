"""The answer in words: does a model predict the next chunk better than a trivial rule, by how much, how surely."""

from collections.abc import Sequence

from lvm_core.errors import ModelError
from lvm_core.evaluate import sums
from lvm_core.evaluate.results import Row
from lvm_core.leaderboard.board import row_articles
from lvm_core.metrics import bootstrap
from lvm_core.metrics.bootstrap import Interval
from lvm_core.workspace import Workspace

FEW_ARTICLES = 20
"""Below this many articles a percentile bootstrap over articles is too narrow: said beside the verdict."""


def compare(workspace: Workspace, one: Row, other: Row, measure: str = "cosine") -> Interval:
    """Return the paired difference `one` - `other` with its interval over articles.

    Raises:
        ModelError: if the two were not measured on the same windows.
    """
    if one["comparable"] != other["comparable"]:
        raise ModelError(
            f"'{one['model']}' and '{other['model']}' were measured on different windows: no difference can be said."
            " Evaluate both on the same corpus and split."
        )
    a, b = (sums.from_json(row_articles(workspace, row), measure) for row in (one, other))
    return bootstrap.paired(a, b)


def best_rule(rows: Sequence[Row], by: str = "cosine") -> Row | None:
    """Return the best baseline among comparable rows, or None."""
    rules = [row for row in rows if row["kind"] == "baseline" and row.get(by) is not None]
    return max(rules, key=lambda row: row[by]) if rules else None


def verdict(row: Row, rule: Row, cosine: Interval, recall: Interval) -> str:
    """Return the answer in words: does it predict the next chunk better than a trivial rule, by how much, how surely.

    Args:
        row: the model.
        rule: the baseline it is held against.
        cosine: paired difference in cosine.
        recall: paired difference in Recall@5.
    """
    where = f"on {row['n_windows']:,} windows of {row['n_articles']} articles it has not seen"
    parts = [
        f"{row['model']} {_says(cosine, 'predicts the next chunk')} {rule['model']}, the best trivial rule here,"
        f" {where}: cosine {row['cosine']:.4f} against {rule['cosine']:.4f}, {_span(cosine, 4)}.",
        f"It {_says(recall, 'finds the true chunk among its best five')} that rule:"
        f" {row['recall_at_5']:.1%} against {rule['recall_at_5']:.1%} of windows, {_span(recall, 3)}.",
    ]
    parts += _against_own_filter(row, rule)
    if row["n_articles"] < FEW_ARTICLES:
        parts.append(f"With only {row['n_articles']} articles the interval itself is rough.")
    return " ".join(parts)


def _against_own_filter(row: Row, rule: Row) -> list[str]:
    """The best rule may read more than the model does: then the filter of the model's own context is named too."""
    own = row.get("vs_filter")
    if not own or row["kind"] != "net" or rule["context"] == row["context"]:
        return []
    low, high = own["ci"] or (float("nan"), float("nan"))
    return [
        f"That rule reads {rule['context']} chunks, {row['model']} {row['context']}; against the linear filter of"
        f" {row['context']} chunks it is {_span(Interval(own['cosine'], low, high), 4)}."
    ]


def _says(difference: Interval, does: str) -> str:
    if not difference.ends:
        return f"{does}, with one article too few to be sure of anything, {_word(difference.mean)}"
    if difference.low == difference.high == 0:
        return f"{does} exactly as well as"
    if difference.low > 0:
        return f"{does} better than"
    if difference.high < 0:
        return f"{does} worse than"
    return f"{does} no better and no worse, as far as can be told, than"


def _word(mean: float) -> str:
    return "better than" if mean > 0 else "worse than" if mean < 0 else "as well as"


def _span(difference: Interval, digits: int) -> str:
    if not difference.ends:
        return f"{difference.mean:+.{digits}f}"
    return f"{difference.mean:+.{digits}f}, 95 % interval [{difference.low:+.{digits}f}, {difference.high:+.{digits}f}]"
