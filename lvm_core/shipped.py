"""The models that come with the studio: which are asked where nobody names one, and how one is added."""

import contextlib
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from lvm_core.boundary.files import read_bytes
from lvm_core.checkpoint import CARD, RESULT, list_models, load_model, members_of, save_joined, save_model
from lvm_core.errors import ModelError
from lvm_core.training_titles import TITLES, save_titles, training_titles
from lvm_core.workspace import SHIPPED, Workspace, disk_errors, write_json, write_text


def shipped_models(workspace: Workspace, encoder_id: str) -> list[str]:
    """Return the models that a question is put to where nobody names one: every shipped one, else two rules."""
    shipped = [info.ref for info in list_models(workspace, encoder_id) if info.shipped]
    return shipped or ["context-mean", "copy-last"]


def ship(workspace: Workspace, run: str, name: str, root: Path = SHIPPED, replace: bool = False) -> Path:
    """Copy the run `run` to `root`/`name` in half precision, with its card, result and titles; return the folder.

    Raises:
        ModelError: if the run is missing, damaged or not trained to its end, says not what it was trained on, or the
            name is none or taken.
    """
    from lvm_core.nets.residual_memory import ResidualMemory

    folder = root / name
    if not re.fullmatch(r"[A-Za-z0-9][\w.-]*", name):
        raise ModelError(
            f"'{name}' is no name for a model", "letters, digits, points and dashes, like amn-2", "Choose such a name."
        )
    if folder.exists() and not replace:
        raise ModelError(
            f"There is a shipped model '{name}' in {root}",
            "a name that no shipped model has",
            "Choose another name, or add --replace.",
        )
    if not workspace.run(run).is_dir():
        raise ModelError(
            f"There is no run '{run}'", f"one in {workspace.runs}", "Train it first: python -m lvm_core train"
        )
    loaded = load_model(workspace, run)
    titles = training_titles(loaded.info)
    if titles is None:
        raise ModelError(
            f"The run '{run}' has no {TITLES}",
            "it, since what is shipped must say what it was trained on",
            "Train it again.",
        )
    if not (loaded.info.path / CARD).exists():
        raise ModelError(
            f"The run '{run}' has no {CARD} yet",
            "a training that has ended",
            "Let it end, or resume it, before it is shipped.",
        )
    remembering = next((part for part in loaded.model.modules() if isinstance(part, ResidualMemory)), None)
    if remembering is not None:
        raise ModelError(
            f"The run '{run}' has a memory, whose size is that of a corpus",
            "a model of weights alone",
            f"Ship its member '{remembering.options.member}'; a memory is made where the corpus is.",
        )
    with _made_whole(folder) as part:
        card = read_bytes(loaded.info.path / CARD, "The card", error=ModelError).decode("utf-8", "replace")
        write_text(part / CARD, card.replace(f"# {loaded.info.config['run']}", f"# {name}", 1))
        write_json(part / RESULT, loaded.info.result)
        save_titles(part, titles)
        members = members_of(loaded.info)
        if members:
            save_joined(part, loaded.model, members, loaded.info.config)
        else:
            save_model(part, loaded.model, loaded.info.config, half=True)
    return folder


@contextlib.contextmanager
def _made_whole(folder: Path) -> Iterator[Path]:
    """Give a folder to write to that takes the place of `folder` when it is whole; what a kill left goes first."""
    part, former = (folder.with_name(f".{folder.name}.{end}") for end in ("part", "former"))
    if former.exists() and not folder.exists():
        former.rename(folder)
    shutil.rmtree(part, ignore_errors=True)
    shutil.rmtree(former, ignore_errors=True)
    try:
        yield part
        with disk_errors(folder):
            if folder.exists():
                folder.rename(former)
            part.rename(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    shutil.rmtree(former, ignore_errors=True)
