import contextlib
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lvm_core.database import connect
from lvm_core.errors import JobError
from lvm_core.jobs import logs, pulse, rows, runner
from lvm_core.jobs.store import JobStore
from lvm_core.workspace import Workspace
from tests.jobs.conftest import python, started, wait, watched


def test_an_empty_workspace_has_no_jobs_and_stays_empty(store: JobStore) -> None:
    assert store.list() == []
    assert not store.workspace.root.exists()


def test_an_unknown_job_and_a_command_without_name_say_what_is_wrong(store: JobStore) -> None:
    with pytest.raises(JobError, match=r"There is no job 'x'; .*none yet"):
        store.get("x")
    with pytest.raises(JobError, match="is no job; expected a command and its arguments"):
        store.submit(["--model", "amn"])


def test_what_a_state_does_not_allow_is_refused(store: JobStore) -> None:
    job = store.submit(**python("import time; time.sleep(60)"))
    started(store, job)
    with pytest.raises(JobError, match=r"is running and cannot be deleted; .*Cancel it first"):
        store.delete(job)
    with pytest.raises(JobError, match="is running and cannot be resumed"):
        store.resume(job)
    with pytest.raises(JobError, match="is running and cannot be moved"):
        store.move(job, 1)
    store.cancel(job)
    wait(store, job)
    with pytest.raises(JobError, match="is cancelled and cannot be cancelled"):
        store.cancel(job)


def test_a_waiting_job_leaves_the_queue_at_once(store: JobStore) -> None:
    store.submit(**python("import time; time.sleep(60)"))
    job = store.submit(**python("pass"))
    assert store.cancel(job).state == "cancelled"


def test_retry_makes_a_new_job_of_the_same_command(store: JobStore) -> None:
    first = store.submit(**python("print('hello')"), title="mine")
    wait(store, first)
    second = store.retry(first)
    assert second != first
    assert wait(store, second).title == "mine"
    assert store.log(second)[-1] == "hello"


def test_delete_forgets_the_job_and_its_log(store: JobStore) -> None:
    job = store.submit(**python("print('hello')"))
    wait(store, job)
    assert store.workspace.job_log(job).exists()
    store.delete(job)
    assert store.list() == []
    assert not store.workspace.job(job).exists()


def test_a_log_of_two_gigabytes_is_read_from_its_end(store: JobStore, tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    with path.open("wb") as file:
        file.seek(2_000_000_000)
        file.write(b"\nstep 1\r\xffstep 2\nlast\n")
    begin = time.monotonic()
    assert logs.tail(path, 2) == ["\ufffdstep 2", "last"]
    assert time.monotonic() - begin < 0.2
    assert logs.size_bytes(path) > 2e9


def test_the_tail_of_a_missing_or_short_log() -> None:
    assert logs.tail(Path("/nowhere/log.txt")) == []
    assert logs.last_words(Path("/nowhere/log.txt")) == ""


def test_a_full_disk_under_the_log_does_not_end_the_work() -> None:
    code = (
        "from lvm_core.progress import ProgressLine\n"
        "line = ProgressLine()\n"
        "for share in (0.0, 0.5, 1.0): line(share, 'working')\n"
        "print('finished')"
    )
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-u", "-c", code], cwd=runner.PROJECT, stdout=subprocess.PIPE, stderr=full, text=True
        )
    assert (done.returncode, done.stdout) == (0, "finished\n")


def test_a_disk_that_takes_no_more_refuses_a_job_with_a_message(workspace: Workspace) -> None:
    code = (
        "import resource, signal, sys\n"
        "from lvm_core.__main__ import main\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100, resource.RLIM_INFINITY))\n"
        "sys.exit(main(['jobs', 'limit', '2']))"
    )
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 100
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=runner.PROJECT,
        env={**os.environ, "LVM_WORKSPACE": str(workspace.root)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert str(workspace.root) in done.stderr


def test_reporting_costs_next_to_nothing(store: JobStore) -> None:
    job = store.submit(**watched("time.sleep(60)"))
    started(store, job)
    watch = pulse.Pulse(store.workspace, job, 1)
    begin = time.process_time()
    for i in range(10_000):
        watch.report(i / 10_000, "x")
    report_s = (time.process_time() - begin) / 10_000
    begin = time.process_time()
    for _ in range(10):
        watch._write()
    beat_s = (time.process_time() - begin) / 10
    assert report_s < 1e-4
    assert beat_s / pulse.BEAT_S < 0.01


def test_a_job_of_another_attempt_is_not_written_to(store: JobStore) -> None:
    job = store.submit(**python("pass"))
    wait(store, job)
    with rows.opened(store.workspace) as db:
        assert not rows.update(db, job, 1, message="late")
    assert store.get(job).message == "done"


def test_a_damaged_row_hides_no_other_and_can_be_deleted(store: JobStore) -> None:
    good, bad = store.submit(**python("pass")), store.submit(**python("pass"))
    for job in (good, bad):
        wait(store, job)
    for column, junk in (("argv", "[" * 5_000), ("created", "yesterday"), ("argv", '"words"')):
        with contextlib.closing(connect(store.workspace)) as db:
            (former,) = db.execute(f"SELECT {column} FROM jobs WHERE id = ?", (bad,)).fetchone()
            db.execute(f"UPDATE jobs SET {column} = ? WHERE id = ?", (junk, bad))
        assert [job.id for job in store.list()] == [good]
        with pytest.raises(JobError, match=f"Job {bad}.*Delete it with: jobs delete {bad}"):
            store.get(bad)
        with contextlib.closing(connect(store.workspace)) as db:
            db.execute(f"UPDATE jobs SET {column} = ? WHERE id = ?", (former, bad))
    with contextlib.closing(connect(store.workspace)) as db:
        db.execute("UPDATE jobs SET created = 'yesterday' WHERE id = ?", (bad,))
        db.execute("UPDATE jobs SET place = 'first' WHERE id = ?", (bad,))
        db.execute("INSERT OR REPLACE INTO job_settings (key, value) VALUES ('limit', 'many')")
    assert store.limit == 1
    last = store.submit(**python("pass"))
    wait(store, last)
    store.delete(bad)
    assert {job.id for job in store.list()} == {good, last}


def test_a_command_with_a_password_is_no_job_and_one_of_an_older_studio_hides_it(store: JobStore) -> None:
    for url in ("postgresql://u:S3cretPw@h/db", "host=h password=S3cretPw", "u:S3cretPw@h/db"):
        for words in (["--url", url], [f"--url={url}"]):
            with pytest.raises(JobError, match=r"carries a password.*LVM_DATABASE_URL"):
                store.submit(["import-postgres", "--corpus", "x", *words])
    assert store.list() == []
    job = store.submit(**python("pass"))
    wait(store, job)
    with contextlib.closing(connect(store.workspace)) as db:
        argv = '["import-postgres", "--url", "postgresql://u:S3cretPw@h/db"]'
        db.execute("UPDATE jobs SET argv = ? WHERE id = ?", (argv, job))
    assert "S3cretPw" not in str(store.get(job).to_json())
