"""`project`: make a map of predicted and target vectors in 2-D or 3-D; the Vectors page shows what it keeps."""

import argparse

from lvm_core import config
from lvm_core.jobs.kinds import Kind
from lvm_core.json_shapes import Json
from lvm_core.progress import ProgressLine
from lvm_core.workspace import Workspace

JOB = Kind(short=True)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    from lvm_core.study.map import MapSettings

    config.add_arguments(parser, MapSettings)


def run(namespace: argparse.Namespace, workspace: Workspace) -> Json:
    """Make the map, keep it, and return its numbers and where it lies."""
    from lvm_core.study.map import MapSettings, gather, lay_out, map_key, numbers, save_map

    progress = ProgressLine()
    settings = config.from_namespace(MapSettings, namespace)
    key = map_key(workspace, settings)
    data = gather(workspace, settings, lambda share, text: progress(share * 0.4, text))
    made = lay_out(data, lambda share, text: progress(0.4 + share * 0.55, text))
    rows = numbers(data)
    save_map(workspace, key, made, rows)
    progress(1.0, f"{sum(map(len, made.coordinates.values())):,} points laid out")
    return {
        "key": key, "path": str(workspace.projection(key, "npz")), "corpus": settings.corpus,
        "encoder": data.encoder_id,
        "method": settings.method, "axes": made.axes, "note": made.note, "numbers": rows,
    }  # fmt: skip


def report(result: Json) -> str:
    """Return the numbers as a table for people."""
    lines = [f"{result['method']} of '{result['corpus']}' ({result['encoder']}), kept in {result['path']}"]
    if result["note"]:
        lines.append(result["note"])
    lines.append(f"{'':32} {'cosine':>7} {'nearest':>7} {'rank':>7} {'common':>7}")
    for row in result["numbers"]:
        cosine = "" if row["cosine"] is None else f"{row['cosine']:.3f}"
        name = f"{row['name']} {row['kind']}".strip()
        lines.append(f"{name:32} {cosine:>7} {row['nearest']:7.3f} {row['effective_rank']:7.1f} {row['common']:7.3f}")
    return "\n".join(lines)
