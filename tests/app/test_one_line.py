"""A new part is one file and one line: toys, added from the outside, are seen wherever people look."""

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from lvm_core import command_line
from lvm_core.__main__ import main
from lvm_core.config import setting
from lvm_core.jobs import kinds
from lvm_core.jobs.store import JobStore
from lvm_core.nets import MODELS
from lvm_core.nets.mlp import Mlp
from lvm_core.workspace import Workspace
from pages import PAGES
from tests.app.conftest import Open, shown


@pytest.fixture
def toy_command(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Return a command that makes something named and is waited for: one module, and one line of COMMANDS."""
    module = ModuleType("lvm_core.commands.whittle")

    def add_arguments(parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--wood", required=True, help="what it is made of")
        parser.add_argument("--called", help="its name")

    def run(namespace: argparse.Namespace, workspace: Workspace) -> dict[str, Any]:
        return {"wood": namespace.wood}

    module.add_arguments, module.run, module.report = add_arguments, run, lambda result: f"of {result['wood']}"  # type: ignore[attr-defined]
    module.JOB = kinds.Kind("--called", place=lambda workspace, name: workspace.root / name, short=True)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setitem(command_line.COMMANDS, "whittle", "carve a figure")
    return module


@pytest.mark.usefixtures("toy_command")
def test_a_job_kind_is_a_command_a_form_and_a_job_that_is_named(
    seeded: Workspace,
    open_page: Open,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main([]) == 2
    assert "carve a figure" in capsys.readouterr().out
    assert main(["whittle", "--wood", "oak"]) == 0
    assert capsys.readouterr().out == "of oak\n"
    store = JobStore(seeded)
    store.submit(["work"], program=[sys.executable, "-c", "import time; time.sleep(30)"])
    app = open_page(seeded, "train", what="other")
    (command,) = [box for box in app.selectbox if box.label == "Command"]
    command.set_value("whittle").run()
    (wood,) = [box for box in app.text_input if box.label == "Wood"]
    wood.set_value("oak").run()
    (button,) = [b for b in app.button if b.label == "Start whittle"]
    button.click().run()
    assert not app.exception
    (job,) = [job for job in store.list() if job.kind == "whittle"]
    assert (job.lane, job.argv[:3]) == ("short", ["whittle", "--wood", "oak"])
    assert str(job.run).startswith("whittle-")
    assert str(job.run) in shown(app)
    for running in store.list(("running",)):
        store.cancel(running.id)


class Knotted(Mlp):
    """A net that ties knots."""

    @dataclass
    class Options(Mlp.Options):
        """The MLP's, and one more."""

        n_knots: int = setting(3, "knots in the string", "knots", 1, 9, label="knots")


def test_a_net_has_its_flags_and_its_form(
    seeded: Workspace,
    open_page: Open,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(MODELS, "knotted", Knotted)
    app = open_page(seeded, "train", model="knotted")
    (knots,) = [box for box in app.number_input if box.label == "Knots [knots]"]
    knots.set_value(5).run()
    assert "--model knotted" in shown(app)
    assert "--option n_knots=5" in shown(app)
    knots.set_value(10).run()
    assert "&#x27;Knots [knots]&#x27; is 10; expected 1 to 9 knots." in shown(app)


def test_a_page_stands_in_the_navigation(
    workspace: Workspace, open_page: Open, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "toy.py").write_text('from pages.shared import ui\nui.page_title("Toy", "A page of a test")\n')
    monkeypatch.setitem(PAGES, str(tmp_path / "toy"), ("Toy", "toys"))
    app = open_page(workspace, str(tmp_path / "toy"))
    assert not app.exception
    assert "A page of a test" in shown(app)
