"""The answer in words: does a model predict the next chunk better than a trivial rule, by how much, how surely.

Every sentence of the studio that claims a winner is made here, from all rows of one test, the user's and the shipped.
"""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from lvm_core.errors import ModelError
from lvm_core.evaluate.measures import MEASURES, Measure
from lvm_core.evaluate.rows import Row
from lvm_core.leaderboard.board import all_rows, groups, row_articles
from lvm_core.metrics import bootstrap
from lvm_core.metrics.bootstrap import Interval
from lvm_core.metrics.levels import listed
from lvm_core.workspace import Workspace

FEW_ARTICLES = 20
"""Below this many articles a percentile bootstrap over articles is too narrow: said beside the verdict."""


class Outcome(StrEnum):
    """How one row stands to another, as the words between the two."""

    BETTER = "better than"
    WORSE = "worse than"
    LEVEL = "level with"
    UNSURE = "not surely different from"
    ONE_ARTICLE = "measured on too few articles to tell from"


def outcome(difference: Interval, measure: Measure) -> Outcome:
    """Return how a row stands to another by their paired `difference`.

    Better or worse needs both: an interval that leaves zero out, and a difference that matters. A difference that is
    sure but smaller than `measure.matters` is level: a model that is a copy of the filter differs from it by rounding,
    in the same direction everywhere, and an interval of [5e-10, 1.6e-9] leaves zero out.
    """
    if not difference.ends:
        return Outcome.ONE_ARTICLE
    sure = difference.low > 0 or difference.high < 0
    within = max(abs(difference.low), abs(difference.high)) < measure.matters
    if within or (sure and abs(difference.mean) < measure.matters):
        return Outcome.LEVEL
    if not sure:
        return Outcome.UNSURE
    return Outcome.BETTER if difference.mean > 0 else Outcome.WORSE


def compare(workspace: Workspace, one: Row, other: Row, measure: str = "cosine") -> Interval:
    """Return the paired difference `one` - `other` with its interval over articles.

    Raises:
        ModelError: if the two were not measured on the same windows, or one was measured before there was this
            measure.
    """
    if one.comparable != other.comparable:
        raise ModelError(
            f"'{one.model}' and '{other.model}' were measured on different windows",
            "the same, since else no difference can be said",
            "Evaluate both on the same corpus and split.",
        )
    sums = [row_articles(workspace, row).sums.get(measure) for row in (one, other)]
    if sums[0] is None or sums[1] is None or not (sums[0].count == sums[1].count).all():
        name = one.model if sums[0] is None else other.model
        raise ModelError(f"'{name}' has no sums of {measure} by article", "a sum for each", "Evaluate it again.")
    return bootstrap.paired(sums[0], sums[1])


@dataclass(frozen=True, slots=True)
class Pair:
    """Two rows by name, and their paired difference; None where it cannot be said."""

    one: str
    other: str
    difference: Interval | None


def pairs(workspace: Workspace, rows: Mapping[str, Row], measure: str = "cosine") -> list[Pair]:
    """Return the paired difference of every two of comparable `rows`, in their order."""
    compared = []
    for (one, first), (other, second) in itertools.combinations(rows.items(), 2):
        try:
            compared.append(Pair(one, other, compare(workspace, first, second, measure)))
        except ModelError:
            compared.append(Pair(one, other, None))
    return compared


def best_row(rows: Sequence[Row], by: str = "cosine") -> Row | None:
    """Return the row with the highest number `by`, None where no row has it."""
    measured = [row for row in rows if row.number(by) is not None]
    return max(measured, key=lambda row: row.number(by) or 0.0) if measured else None


def best_rule(rows: Sequence[Row], by: str = "cosine") -> Row | None:
    """Return the best baseline among comparable rows, or None."""
    return best_row([row for row in rows if row.kind == "baseline"], by)


# ---------------------------------------------------------------- who leads a test


@dataclass(frozen=True, slots=True)
class Lead:
    """Who leads a test: the best row, those that are level with it, and how it stands to the best rule.

    `rule` and `difference` are None where the best row is a rule itself, or no rule was measured.
    """

    best: Row
    level: list[Row]
    rule: Row | None
    difference: Interval | None

    @property
    def words(self) -> str:
        """The lead in two sentences."""
        measure, best = MEASURES["cosine"], self.best
        where = f"on {best.n_articles:,} unseen articles of {best.corpus}"
        cosine, names = f"cosine {measure.written(best)}", [best.model, *(row.model for row in self.level)]
        if {"net", "baseline"} <= {row.kind for row in (best, *self.level)}:
            return f"No model beats the trivial rules {where}: {listed(names)} are level, {cosine}."
        if best.kind == "baseline":
            return f"No model beats the trivial rules {where}: {best.model} leads, {cosine}."
        level = f", level with {listed(names[1:])}" if self.level else ""
        leads = f"Best {where}: {best.model}, {cosine}{level}."
        if self.rule is None or self.difference is None:
            return leads
        stands, gain = outcome(self.difference, measure), span(self.difference, measure)
        return f"{leads} It is {stands} the best trivial rule there, {self.rule.model}: {gain}."


def lead(workspace: Workspace, rows: Sequence[Row]) -> Lead | None:
    """Return who leads among comparable rows by cosine, None where nothing was measured."""
    best = best_row(rows)
    if best is None:
        return None
    measure = MEASURES["cosine"]
    others = [row for row in rows if row is not best]
    near = [row for row in others if abs((best.number("cosine") or 0) - (row.number("cosine") or -1)) < measure.matters]
    level = [row for row in near if _is_level(workspace, best, row)]
    rule = None if best.kind == "baseline" else best_rule(others)
    return Lead(best, level, rule, compare(workspace, best, rule) if rule else None)


def _is_level(workspace: Workspace, one: Row, other: Row) -> bool:
    try:
        return outcome(compare(workspace, one, other), MEASURES["cosine"]) == Outcome.LEVEL
    except ModelError:  # its sums are gone: nothing can be said of it
        return False


def headline(workspace: Workspace, encoder_id: str) -> str:
    """Return who leads the first test of the board in this space, in words; empty where nothing was measured.

    Validation articles are no test: models were chosen by them.
    """
    rows = [row for row in all_rows(workspace) if row.encoder == encoder_id and row.split.name != "validation"]
    tests = groups(rows)
    leader = lead(workspace, tests[0].rows) if tests else None
    return leader.words if leader else ""


# ---------------------------------------------------------------- one row against the best rule


def answer(workspace: Workspace, rows: Sequence[Row], row: Row) -> str:
    """Return in words whether `row` predicts the next chunk better than the best rule among comparable `rows`."""
    rule = best_rule([other for other in rows if other is not row])
    if rule is None:
        return (
            "No trivial rule was measured on this test yet; evaluate all to have something to hold the models against."
        )
    return verdict(row, rule, compare(workspace, row, rule), compare(workspace, row, rule, "recall_at_5"))


def verdict(row: Row, rule: Row, cosine: Interval, recall: Interval) -> str:
    """Return the answer in words: does it predict the next chunk better than a trivial rule, by how much, how surely.

    Args:
        row: the model.
        rule: the baseline it is held against.
        cosine: paired difference in cosine.
        recall: paired difference in Recall@5.
    """
    near, far = MEASURES["cosine"], MEASURES["recall_at_5"]
    where = f"on {row.n_windows:,} windows of {row.n_articles:,} articles it has not seen"
    parts = [
        f"{row.model} {_says(cosine, near, 'predicts the next chunk')} {rule.model}, the best trivial rule here,"
        f" {where}: cosine {near.write(near.value(row))} against {near.write(near.value(rule))},"
        f" {span(cosine, near)}.",
        f"It {_says(recall, far, 'finds the true chunk among its best five')} that rule:"
        f" {far.write(far.value(row))} against {far.write(far.value(rule))} of windows, {span(recall, far)}.",
    ]
    parts += _against_own_filter(row, rule)
    if row.n_articles < FEW_ARTICLES:
        parts.append(f"With only {row.n_articles} articles the interval itself is rough.")
    return " ".join(parts)


def _against_own_filter(row: Row, rule: Row) -> list[str]:
    """The best rule may read more than the model does: then the filter of the model's own context is named too."""
    gain = row.vs_filter
    if gain is None or row.kind != "net" or rule.context == row.context:
        return []
    low, high = gain.ci or (math.nan, math.nan)
    difference = Interval(gain.cosine, low, high)
    return [
        f"That rule reads {rule.context} chunks, {row.model} {row.context}; against the linear filter of"
        f" {row.context} chunks it is {span(difference, MEASURES['cosine'])}."
    ]


def _says(difference: Interval, measure: Measure, does: str) -> str:
    stands = outcome(difference, measure)
    if stands == Outcome.ONE_ARTICLE:
        return f"{does}, with one article too few to be sure of anything, {_word(difference.mean)}"
    if difference.low == difference.high == 0:
        return f"{does} exactly as well as"
    if stands == Outcome.LEVEL:
        return f"{does} as well as (level: the difference is below {measure.write_difference(measure.matters)})"
    if stands == Outcome.UNSURE:
        return f"{does} no better and no worse, as far as can be told, than"
    return f"{does} {stands}"


def _word(mean: float) -> str:
    return "better than" if mean > 0 else "worse than" if mean < 0 else "as well as"


def span(difference: Interval, measure: Measure) -> str:
    """Return a paired difference with its interval as text."""
    mean = measure.write_difference(difference.mean, signed=True)
    if not difference.ends:
        return mean
    low, high = (measure.write_difference(end, signed=True).removesuffix(" points") for end in difference.ends)
    return f"{mean}, 95 % interval [{low}, {high}]"
