"""Jobs that really train: stopped, diverged, and with their corpus deleted under them."""

import pytest

from lvm_core.corpus.store import CorpusStore
from lvm_core.jobs.store import JobStore
from lvm_core.train.curves import CurveCache
from lvm_core.workspace import Workspace, read_json
from tests.jobs.conftest import until, wait

PATIENT_S = 120.0


@pytest.fixture
def training(seeded: Workspace) -> JobStore:
    return JobStore(seeded)


def test_a_training_is_cancelled_and_goes_on_while_its_corpus_is_deleted(training: JobStore) -> None:
    workspace = training.workspace
    job = training.submit(["train", "--no-residual", "--epochs", "60", "--patience", "1000", "--option", "d_hidden=16"])
    run = training.get(job).run or ""
    metrics = workspace.run_metrics(run)
    until(lambda: metrics.exists() and '"flag"' in metrics.read_text(), PATIENT_S)
    training.cancel(job)
    cancelled = wait(training, job, timeout_s=PATIENT_S)
    assert cancelled.state == "cancelled"
    assert 0 < cancelled.progress < 1
    reached = len(CurveCache().read(metrics).steps)
    training.resume(job)
    until(lambda: len(CurveCache().read(metrics).steps) > reached, PATIENT_S)
    CorpusStore(workspace).delete("enwiki-sample")
    ended = wait(training, job, timeout_s=PATIENT_S)
    assert (ended.state, ended.run) == ("done", run)
    assert read_json(workspace.run_result(run))["epochs"] == 60
    again = wait(training, training.retry(job), timeout_s=PATIENT_S)
    assert again.state == "failed"
    assert "There is no corpus" in again.message
    assert "Traceback" not in "\n".join(training.log(again.id))


def test_a_learning_rate_of_a_billion_ends_itself_and_says_when(training: JobStore) -> None:
    argv = [
        "train",
        "--no-residual",
        "--lr",
        "1e9",
        "--clip",
        "0",
        "--warmup",
        "0",
        "--epochs",
        "200",
        "--patience",
        "200",
    ]
    failed = wait(training, training.submit(argv), timeout_s=PATIENT_S)
    assert failed.state == "failed"
    assert "diverged" in failed.message
    assert "at step" in failed.message
