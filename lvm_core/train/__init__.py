"""Training: `TrainConfig` says what, `train` does it. Neither loads torch before it is needed."""

from lvm_core.json_shapes import RunResult
from lvm_core.train.config import TrainConfig
from lvm_core.types import Progress, no_progress
from lvm_core.workspace import Workspace


def train(
    workspace: Workspace,
    config: TrainConfig | None,
    run: str | None = None,
    resume: bool = False,
    progress: Progress = no_progress,
    stop_after: int | None = None,
) -> RunResult:
    """Train a net or fit a baseline into a run folder and return its result.json.

    Args:
        workspace: holds the corpora and takes the run.
        config: what to train; may be None on resume.
        run: name of the run folder; by default the model and the time.
        resume: continue `run` from its last checkpoint, bit for bit on a CPU; begin it where there is none yet.
        progress: told the rate, the time left and the validation cosine beside the weighted mean's.
        stop_after: pause after so many epochs in all, leaving a checkpoint to resume from.

    Raises:
        SettingsError: for settings that cannot be.
        CorpusError: if a corpus is missing, not encoded, too small, or without an order that could be learned, unless
            the settings say yes to that.
        SpaceMismatch: if the corpora are not of one encoder.
        ModelError: if the run cannot be resumed, or diverged (the message says at which step).
        KeyboardInterrupt: if it was told to stop (SIGTERM or Ctrl-C), after a checkpoint was written.
    """
    from lvm_core.train.run import train_run

    return train_run(workspace, config, run, resume, progress, stop_after)


__all__ = ["TrainConfig", "train"]
