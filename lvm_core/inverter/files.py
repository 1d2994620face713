"""An inverter on disk: inverter.safetensors (half precision), config.json and card.md; where to find one."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lvm_core.errors import DecoderError, WorkspaceError
from lvm_core.workspace import SHIPPED, Workspace, read_json, replacing, slug, write_json, write_text

if TYPE_CHECKING:
    from torch import Tensor

FORMAT = 1
WEIGHTS, CONFIG, CARD = "inverter.safetensors", "config.json", "card.md"


def new_name(encoder: str) -> str:
    """Return a folder name for a new inverter of an encoder."""
    return f"inverter-{slug(encoder)}-{time.strftime('%Y%m%d-%H%M%S')}"


def export(folder: Path, weights: "Mapping[str, Tensor]", about: dict[str, Any]) -> dict[str, Any]:
    """Write weights in half precision, then card and config, each whole or not at all; return the config."""
    import torch
    from safetensors.torch import save_file

    halves = {k: v.detach().to("cpu", torch.float16).contiguous() for k, v in weights.items()}
    with replacing(folder / WEIGHTS) as temporary:
        save_file(halves, temporary)
    config = {"format": FORMAT, "name": folder.name, **about, "n_parameters": sum(v.numel() for v in halves.values())}
    write_text(folder / CARD, card(config))
    write_json(folder / CONFIG, config)
    return config


def find_inverter(workspace: Workspace, encoder_id: str) -> Path | None:
    """Return the folder of the newest inverter of this encoder id in the workspace, else of the shipped one."""
    return next((path for path, known in inverters(workspace) if known == encoder_id), None)


def inverters(workspace: Workspace) -> list[tuple[Path, str]]:
    """Return the folder and encoder id of every inverter: those of the workspace, newest first, then shipped ones."""
    own = workspace.inverter("x").parent
    found = sorted(own.glob(f"*/{CONFIG}"), key=lambda p: -p.stat().st_mtime) if own.is_dir() else []
    found += sorted(SHIPPED.glob(f"inverter-*/{CONFIG}"))
    result = []
    for path in found:
        try:
            result.append((path.parent, str(read_json(path)["encoder_id"])))
        except (WorkspaceError, KeyError, TypeError):
            continue  # a folder that is no inverter hides no other one
    return result


def read_weights(folder: Path) -> "tuple[dict[str, Any], dict[str, Tensor]]":
    """Return config.json and the weights in float32.

    Raises:
        DecoderError: if a file is missing, damaged, or written by a newer version.
    """
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    config: dict[str, Any] = read_json(folder / CONFIG)
    if config.get("format") != FORMAT:
        raise DecoderError(
            f"{folder} has the format {config.get('format')!r}; this version reads {FORMAT}. Train it anew with:"
            f" {config.get('command', 'python -m lvm_core train-inverter')}"
        )
    try:
        return config, {k: v.to(torch.float32) for k, v in load_file(folder / WEIGHTS).items()}
    except (OSError, SafetensorError) as error:
        raise DecoderError(
            f"{folder / WEIGHTS} cannot be read: {error}. Restore it from a copy, or train it anew with:"
            f" {config['command']}"
        ) from error


def card(config: dict[str, Any]) -> str:
    """Return card.md from config.json: what it is, what it was trained on, how, and how well it does."""
    last = config["history"][-1] if config["history"] else {}
    apart = config["settings"].get("word_share", 1.0) < 1
    lines = [
        f"# Inverter for `{config['encoder_id']}`",
        "",
        f"Vectors to text: {config['language_model']} (Apache-2.0, not included) with a soft prefix, a word head and"
        f" LoRA, {config['n_parameters']:,} numbers in half precision.",
        "",
        "## Data",
        "",
        "| corpus | training articles | licence | digest |",
        "|---|---|---|---|",
        *(f"| {s['name']} | {s['n_documents']:,} | {s['licence']} | `{s['digest'][:16]}` |" for s in config["sources"]),
        "",
        f"{config['n_texts']:,} texts: chunks of the training articles (split seed"
        f" {config['settings']['split_seed']}), their clauses and joined neighbours. No article whose title is in the"
        " validation or test split of any of these corpora was seen.",
        "",
        "## Training",
        "",
        f"Word head: {config['settings']['word_epochs']} passes over all texts. Language model:"
        f" {config['samples']:,} texts{', with hints of a word head trained on other articles,' if apart else ''} in"
        f" {config['seconds']:,.0f} s on {config['hardware']}, torch {config['torch']}"
        f"{'' if config['finished'] else '; not finished, resume it for better ones'}.",
        "",
        "```",
        config["command"],
        "```",
        "",
        "## Scores on validation texts",
        "",
        f"Loss {last.get('validation_loss', float('nan')):.3f} nats a token; first hypothesis, round-trip cosine"
        f" {last.get('round_trip', float('nan')):.3f}.",
    ]
    return "\n".join([*lines, "", *_table(config.get("scores", []))]).rstrip() + "\n"


def _table(scores: list[dict[str, Any]]) -> list[str]:
    if not scores:
        return []
    names = list(scores[0])
    rows = [" | ".join(str(row.get(name, "")) for name in names) for row in scores]
    return [
        "## Scores on test articles",
        "",
        f"| {' | '.join(names)} |",
        "|---" * len(names) + "|",
        *(f"| {r} |" for r in rows),
    ]
