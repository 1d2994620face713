"""The card of a run: what was trained on what, and how well it did, for people."""

from pathlib import Path
from typing import cast

from lvm_core.checkpoint import CARD, CONFIG
from lvm_core.errors import ModelError
from lvm_core.json_shapes import RunConfig, RunResult, Values
from lvm_core.workspace import read_json, write_text


def write_card(folder: Path, result: RunResult) -> None:
    """Write card.md of the run in `folder`.

    Raises:
        ModelError: if config.json is damaged: somebody changed it while the run was trained, or before a resume.
    """
    try:
        text = card(read_json(folder / CONFIG), result)
    except (LookupError, TypeError, ValueError) as error:
        raise ModelError(
            f"{folder / CONFIG} is damaged, so the run has no {CARD} ({type(error).__name__}: {error}); its weights and"
            " its result are whole",
            "the description that its training wrote",
            "Restore it from a copy and resume the run: it only writes the card then.",
        ) from error
    write_text(folder / CARD, text)


def card(config: RunConfig, result: RunResult) -> str:
    """Return card.md from a run's config.json and result.json."""
    train = config["train"]
    lines = [f"# {config['run']}", "", _summary(config, result), ""]
    lines += ["## Scores on validation articles", "", "| model | cosine |", "|---|---|"]
    lines += [f"| **{config['model']}** | **{_number(result.get('val_cosine'))}** |"]
    lines += [f"| {name} | {value:.4f} |" for name, value in result.get("baselines", {}).items()]
    lines += ["", f"Mean cosine to the true next chunk on {result['n_validation_windows']:,} windows of"]
    lines += [f"{result['n_validation_articles']:,} articles that are not in the training split.", ""]
    lines += ["## Data", "", "| corpus | articles | chunks | chunker | licence | digest |", "|---|---|---|---|---|---|"]
    for corpus in config["corpora"]:
        lines.append(
            f"| {corpus['name']} | {corpus['n_documents']:,} | {corpus['n_chunks']:,} | {corpus['chunker']}"
            f" | {corpus['licence']} | `{corpus['digest'][:16]}` |"
        )
    split = config["n_articles"]
    lines += ["", f"Split by article, seed {config['split_seed']}: {split['train']:,} training,"]
    lines += [f"{split['validation']:,} validation, {split['test']:,} test. The titles of the training articles are in"]
    lines += ["`titles.jsonl.gz`.", "", "## Training", ""]
    lines += [f"- encoder: `{config['encoder_id']}`, context {config['context']} chunks"]
    lines += [f"- windows: {result['n_windows']:,} an epoch, each chunk but an article's first predicted once"]
    if config["kind"] == "net" and "epochs" in result:
        lines += _schedule(train, result)
    lines += [f"- {result['train_s']:,.0f} s on {config['hardware']}, torch {config['torch']}"]
    lines += [f"- warning: {flag}" for flag in result.get("flags", [])]
    return "\n".join([*lines, "", "```", config["command"], "```", ""])


def _summary(config: RunConfig, result: RunResult) -> str:
    form = "residual on the fitted linear filter" if config.get("filter") else "as first built"
    if config["model"] == "residual-memory":
        form = f"{config['members'][0]['ref']} with a memory of {result['n_windows']:,} places"
    elif config.get("members"):
        weights = cast("list[float]", config["options"]["weights"])
        parts = [f"{m['ref']} x {w:g}" for m, w in zip(config["members"], weights, strict=True)]
        form = f"weighted mean of {', '.join(parts)}"
    what = f"net, {form}" if config["kind"] == "net" else "baseline in closed form"
    return (
        f"{config['model']} ({what}), {result['n_parameters']:,} parameters, D = {config['dim']}."
        f" Stopped: {result['stopped']}."
    )


def _schedule(train: Values, result: RunResult) -> list[str]:
    return [
        f"- loss: {train['loss']}; AdamW, lr {train['lr']:g}, weight decay {train['weight_decay']:g}, cosine schedule"
        f" with {train['warmup']:.0%} warm-up, gradients clipped at {train['clip']:g}",
        f"- batch {train['batch_size']} segments, {result['epochs']} of {train['epochs']} epochs, best after epoch"
        f" {result['best_epoch']}, seed {train['seed']}; net options {train['options'] or 'standard'}",
        f"- {result['windows_per_s']:,.0f} windows/s; correction scaled by {result.get('scale', 1.0):g}",
    ]


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"
