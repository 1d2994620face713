"""The board as a file for others: CSV with every number, Markdown for people, JSON as DESIGN has it."""

import csv
import io
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lvm_core.evaluate.measures import Measure, first_measures
from lvm_core.evaluate.rows import Example, Row
from lvm_core.json_shapes import Json
from lvm_core.leaderboard.board import Group
from lvm_core.version import __version__
from lvm_core.workspace import slug


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table of text."""

    heading: str
    cell: Callable[[Row], str]
    left: bool = False


def columns() -> list[Column]:
    """Return the columns of Markdown and terminal tables: what a row is, then every measure that is shown first."""
    identity = [
        Column("#", lambda row: str(row.rank or "")),
        Column("model", lambda row: row.model, left=True),
        Column("kind", lambda row: row.kind, left=True),
        Column("context", lambda row: str(row.context)),
    ]
    return identity + [_column(measure) for measure in first_measures()]


def _column(measure: Measure) -> Column:
    if measure.first_ends:
        return Column(f"{measure.heading} [95 %]", measure.written, left=True)
    if measure.share:
        return Column(f"{measure.heading} %", lambda row: measure.write(measure.value(row)).removesuffix(" %"))
    return Column(measure.heading, lambda row: measure.write(measure.value(row)))


def public(row: Row, examples: Sequence[Example] = ()) -> Json:
    """Return a row as the `leaderboard` and `evaluate` commands print it, with its windows in full where given."""
    shown = {"examples": [example.to_json() for example in examples]} if examples else {}
    return {**{name: value for name, value in row.to_json().items() if name != "key"}, **shown}


def to_json(groups: Sequence[Group], examples: Callable[[Row], Sequence[Example]] = lambda _: ()) -> Json:
    """Return `{"rows": [...]}`, ranked within their groups, with the key of each group under "groups".

    Each row has the windows in full that `examples` gives for it, where there are any.
    """
    return {
        "rows": [public(row, examples(row)) for group in groups for row in group.rows],
        "groups": [{"comparable": group.comparable, "title": group.title, **group.rows[0].key} for group in groups],
    }


def to_csv(groups: Sequence[Group]) -> str:
    """Return every field of every row; intervals and nested fields as columns of their own ("cosine_ci_low")."""
    flat = [_flat(public(row)) for group in groups for row in group.rows]
    names = list(dict.fromkeys(name for row in flat for name in row))
    out = io.StringIO()
    writer = csv.DictWriter(out, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(flat)
    return out.getvalue()


def _flat(row: Json, prefix: str = "") -> dict[str, str | float | None]:
    flat: dict[str, str | float | None] = {}
    for name, value in row.items():
        if isinstance(value, dict):
            flat.update(_flat(value, f"{prefix}{name}_"))
        elif name == "ci" or name.endswith("_ci"):
            low, high = value or (None, None)
            flat.update({f"{prefix}{name}_low": low, f"{prefix}{name}_high": high})
        elif isinstance(value, list):
            flat[prefix + name] = json.dumps(value, ensure_ascii=False)
        else:
            flat[prefix + name] = value
    return flat


def to_markdown(groups: Sequence[Group]) -> str:
    """Return one table a group, with what was measured above it."""
    parts = []
    table = columns()
    for group in groups:
        heading = f"| {' | '.join(column.heading for column in table)} |"
        lines = [f"### {group.title}", "", heading, f"|{'|'.join('---' for _ in table)}|"]
        lines += [f"| {' | '.join(column.cell(row).replace('|', chr(92) + '|') for column in table)} |"
                  for row in group.rows]  # fmt: skip
        parts.append("\n".join(lines))
    return "\n\n".join(parts)


def citation(group: Group) -> str:
    """Return what a paper says of a test so that its numbers can be made again, as a BibTeX entry."""
    first, key = group.rows[0], group.rows[0].key
    note = (
        f"corpus {first.corpus} (digest {str(key.get('corpus_digest', ''))[:16]}), encoder {first.encoder}, split"
        f" {first.split} by article (seed {first.split_seed}), {first.n_windows:,} windows of {first.n_articles:,}"
        f" articles, index {first.index_digest}, intervals of 95 % by resampling articles"
    )
    version = first.other.get("code_version") or __version__
    year = time.gmtime(first.evaluated or first.created or None).tm_year
    return (
        f"@misc{{lvm-studio-{slug(first.corpus)}-{group.comparable},\n  title = {{LVM Studio {version}: next chunk"
        f" prediction on {first.corpus}}},\n  year = {{{year}}},\n  note = {{{note}}}\n}}"
    )


def to_text(rows: Sequence[Row]) -> str:
    """Return rows as columns of text for a terminal."""
    table = [column for column in columns() if column.heading != "kind"]
    lines = [[column.heading for column in table], *([column.cell(row) for column in table] for row in rows)]
    widths = [max(len(line[place]) for line in lines) for place in range(len(table))]
    return "\n".join(
        "  ".join(
            text.ljust(width) if column.left else text.rjust(width)
            for text, width, column in zip(line, widths, table, strict=True)
        ).rstrip()
        for line in lines
    )
