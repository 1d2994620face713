"""Two processes never work on one thing: the second is refused, and a killed one holds nothing."""

import subprocess
import sys
from pathlib import Path

import pytest

from lvm_core.denoiser.config import DenoiserConfig
from lvm_core.denoiser.train import train_denoiser
from lvm_core.errors import DecoderError, JobError, ModelError
from lvm_core.inverter.config import InverterConfig
from lvm_core.inverter.train import train_inverter
from lvm_core.locks import held
from lvm_core.train import TrainConfig, train
from lvm_core.train.sweep import new_sweep, run_sweep
from lvm_core.vectors.encode import encode_corpus
from lvm_core.workspace import Workspace
from tests.vectors.worlds import WordEncoder, small_corpus

HOLDER = """
import sys, time
from pathlib import Path
from lvm_core.errors import JobError
from lvm_core.locks import held
with held(Path(sys.argv[1]), JobError("It is taken", "nobody", "Wait.")):
    print("held", flush=True)
    time.sleep(60)
"""


def holder(path: Path) -> "subprocess.Popen[str]":
    process = subprocess.Popen([sys.executable, "-c", HOLDER, str(path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_a_lock_is_refused_while_it_is_held_and_free_after_a_kill(workspace: Workspace) -> None:
    path = workspace.lock("run", "r")
    process = holder(path)
    try:
        with (
            pytest.raises(JobError, match="somebody else"),
            held(path, JobError("It is held by somebody else", "nobody", "Wait.")),
        ):
            pass
    finally:
        process.kill()
        process.communicate()
    with held(path, JobError("It is held by somebody else", "nobody", "Wait.")):
        pass


def test_a_run_and_a_sweep_are_trained_by_one_process(workspace: Workspace, tmp_path: Path) -> None:
    small_corpus(workspace, tmp_path)
    encode_corpus(workspace, "tiny", WordEncoder())
    config = TrainConfig(model="linear-filter", corpus="tiny", context=2, yes=True)
    refusal = JobError("x", "y", "Z.")
    with held(workspace.lock("run", "same"), refusal):
        for resume in (False, True):
            with pytest.raises(ModelError, match=r"Another process trains the run 'same' right now.*--run"):
                train(workspace, config, run="same", resume=resume)
    assert not workspace.run("same").exists()
    sweep = new_sweep("s", {"corpus": "tiny"}, [{"seed": 1}])
    message = "Another process runs the sweep 's' right now"
    with held(workspace.lock("sweep", "s"), refusal), pytest.raises(JobError, match=message):
        run_sweep(workspace, sweep, lambda *_: {}, lambda *_: None)
    assert sweep.children[0].state == "waiting"


@pytest.mark.parametrize(
    ("train_it", "config"), [(train_inverter, InverterConfig()), (train_denoiser, DenoiserConfig())]
)
def test_an_inverter_is_trained_by_one_process(workspace: Workspace, train_it: object, config: object) -> None:
    assert callable(train_it)
    message = "Another process trains 'same' right now"
    with held(workspace.lock("inverter", "same"), JobError("x", "y", "Z.")), pytest.raises(DecoderError, match=message):
        train_it(workspace, config, "same")
