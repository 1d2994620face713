import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from lvm_core.errors import JobError
from lvm_core.jobs import kinds, machine, rows, runner, supervisor
from lvm_core.jobs.store import JobStore
from tests.jobs.conftest import end, python, started, until, wait, watched

HANG = "while True:\n    time.sleep(0.1)"
BLOCK = "import time\ntime.sleep(60)"


def test_a_job_runs_detached_and_tells_its_progress_and_its_end(store: JobStore) -> None:
    code = """
from lvm_core.progress import ProgressLine
line = ProgressLine()
for i in range(4):
    line(i / 4, f"{i} of 4 steps")
    time.sleep(0.8)
pulse.note_run("amn-1")
print("result")
"""
    job = store.submit(**watched(code))
    running = started(store, job)
    assert os.getsid(running.pid or 0) == running.pid != os.getsid(0)
    until(lambda: store.get(job).progress == 0.5)
    assert store.get(job).message == "2 of 4 steps"
    done = wait(store, job)
    assert (done.state, done.progress, done.run, done.exit_code) == ("done", 1.0, "amn-1", 0)
    assert store.log(job)[-1] == "result"
    assert done.to_json()["elapsed_s"] >= 3.2
    assert done.ended is not None
    assert done.started is not None
    assert done.ended - done.started >= 3.2


def test_a_job_gives_way_to_the_page(store: JobStore) -> None:
    running = started(store, store.submit(**python(BLOCK)))
    own = psutil.Process().nice()
    until(lambda: psutil.Process(running.pid).nice() == min(19, own + machine.POLITE))
    end(running.pid, running.born)


def test_a_wrong_argument_says_what_the_command_said(store: JobStore) -> None:
    code = "import sys\nprint('working')\nprint('error: There is no corpus X.', file=sys.stderr)\nsys.exit(2)"
    failed = wait(store, store.submit(**python(code)))
    assert (failed.state, failed.exit_code, failed.message) == ("failed", 2, "There is no corpus X.")


def test_a_crash_ends_with_the_last_line_of_its_traceback(store: JobStore) -> None:
    failed = wait(store, store.submit(**watched("raise ValueError('weights are NaN since step 12')")))
    assert (failed.state, failed.exit_code) == ("failed", 1)
    assert failed.message == "ValueError: weights are NaN since step 12"


def test_a_program_that_is_not_there_fails_with_its_name(store: JobStore) -> None:
    failed = wait(store, store.submit(["x"], program=["/no/such/program"]))
    assert failed.state == "failed"
    assert "/no/such/program" in failed.message


def test_cancel_lets_a_command_put_its_state_away(store: JobStore, tmp_path: Path) -> None:
    code = f"try:\n    time.sleep(60)\nfinally:\n    open({str(tmp_path / 'saved')!r}, 'w').write('state')"
    job = store.submit(**watched(code))
    until(lambda: store.get(job).silent_s > 0)
    store.cancel(job)
    assert wait(store, job).state == "cancelled"
    assert (tmp_path / "saved").read_text() == "state"


def test_cancel_ends_the_whole_group_of_a_process_that_does_not_listen(store: JobStore, tmp_path: Path) -> None:
    note = tmp_path / "loader"
    code = (
        "import signal, subprocess, sys, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "loader = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        f"open({str(note)!r}, 'w').write(str(loader.pid))\n"
        "time.sleep(60)"
    )
    job = store.submit(**python(code))
    until(lambda: note.exists() and note.read_text())
    loader = int(note.read_text())
    store.cancel(job)
    cancelled = wait(store, job)
    assert cancelled.state == "cancelled"
    assert machine.born(cancelled.pid or 0) is None
    until(lambda: machine.born(loader) is None)


def test_a_silent_hang_is_shown_as_such(store: JobStore, monkeypatch: pytest.MonkeyPatch) -> None:
    job = store.submit(**watched(HANG))
    started(store, job)
    assert store.get(job).silent == 0
    monkeypatch.setattr(rows, "SILENT_AFTER_S", 2.5)
    first = store.get(job).heartbeat_mono or 0.0
    until(lambda: (store.get(job).heartbeat_mono or 0.0) > first)
    until(lambda: store.get(job).to_json()["silent_s"] >= 2.5)
    assert store.get(job).state == "running"


def test_kill_9_interrupts_within_ten_seconds_and_resume_goes_on(store: JobStore, tmp_path: Path) -> None:
    code = f"""
pulse.note_run("amn-1", ["--resume", "amn-1"])
if "--resume" in sys.argv:
    return 0
open({str(tmp_path / "noted")!r}, "w").close()
time.sleep(60)
"""
    job = store.submit(**watched(code))
    until((tmp_path / "noted").exists)
    running = store.get(job)
    os.kill(running.pid or 0, signal.SIGKILL)
    killed = wait(store, job, "interrupted", timeout_s=10)
    assert killed.run == "amn-1"
    assert "SIGKILL" in killed.message
    store.resume(job)
    done = wait(store, job)
    assert (done.state, done.attempt, done.earlier_s > 0) == ("done", 2, True)
    assert "--resume amn-1" in "\n".join(store.log(job))


def test_a_job_outlives_its_supervisor_and_still_ends_as_done(store: JobStore, tmp_path: Path) -> None:
    go = tmp_path / "go"
    job = store.submit(**watched(f"while not os.path.exists({str(go)!r}):\n    time.sleep(0.05)"))
    first = started(store, job)
    end(first.supervisor_pid, first.supervisor_born)
    until(lambda: store.get(job).supervisor_pid != first.supervisor_pid)
    go.touch()
    done = wait(store, job)
    assert (done.state, done.attempt, done.pid) == ("done", 1, first.pid)


def test_when_job_and_supervisor_are_killed_whoever_looks_puts_it_right(store: JobStore) -> None:
    job, waiting = store.submit(**python(BLOCK)), store.submit(**python("print('next')"))
    running = started(store, job)
    end(running.supervisor_pid, running.supervisor_born)
    end(running.pid, running.born)
    until(lambda: machine.born(running.pid or 0) is None)
    until(lambda: JobStore(store.workspace).get(job).state == "interrupted")
    assert wait(store, waiting).state == "done"


def test_after_a_reboot_what_ran_is_interrupted_and_the_queue_goes_on(store: JobStore) -> None:
    store.limit = 1
    job = store.submit(**python(BLOCK))
    running = started(store, job)
    end(running.supervisor_pid, running.supervisor_born)
    end(running.pid, running.born)
    with rows.opened(store.workspace) as db:
        db.execute("UPDATE jobs SET host = 'another boot', heartbeat = heartbeat - 60 WHERE state = 'running'")
    found = store.get(job)
    assert found.state == "interrupted"
    assert "restarted" in found.message


@pytest.mark.parametrize("jump_s", [-86_400.0, 86_400.0])
def test_a_clock_that_jumps_ends_nothing_and_makes_no_negative_times(store: JobStore, jump_s: float) -> None:
    job = store.submit(**watched("time.sleep(2.5)"))
    started(store, job)
    with rows.opened(store.workspace) as db:
        db.execute("UPDATE jobs SET heartbeat = heartbeat - ?, started = started - ?", (jump_s, jump_s))
    found = store.get(job)
    assert (found.state, found.silent) == ("running", 0)
    done = wait(store, job)
    assert done.state == "done"
    assert done.ended is not None
    assert done.started is not None
    assert done.ended - done.started >= 2.5
    assert 2.5 <= done.elapsed_s < 30


def test_a_pid_that_was_given_to_another_process_is_not_the_job(store: JobStore) -> None:
    assert machine.lives(os.getpid(), machine.born(os.getpid()))
    assert not machine.lives(os.getpid(), "12345")


def test_a_job_whose_starter_died_is_started_again_and_the_late_supervisor_gives_up(store: JobStore) -> None:
    job = store.submit(**python("print('once')"))
    wait(store, job)
    with rows.opened(store.workspace) as db:
        db.execute(
            "UPDATE jobs SET state = 'running', attempt = 1, supervisor_pid = NULL, pid = NULL, claimed_mono = ?",
            (machine.monotonic() - runner.START_GRACE_S - 1,),
        )
    store.list()
    until(lambda: store.get(job).attempt == 2)
    supervisor.main([str(store.workspace.root), job, "1"])
    assert wait(store, job).attempt == 2
    assert store.log(job).count("once") == 2


def test_two_apps_on_one_workspace_start_each_job_once(store: JobStore, tmp_path: Path) -> None:
    marks = tmp_path / "marks"
    blocker = store.submit(**python(BLOCK))
    started(store, blocker)
    jobs = [store.submit(**python(f"open({str(marks)!r}, 'a').write('{i}\\n')")) for i in range(8)]
    with rows.opened(store.workspace) as db:
        db.execute("INSERT OR REPLACE INTO job_settings VALUES ('limit', '12')")
    code = (
        "import sys; from lvm_core.jobs import runner; from lvm_core.workspace import Workspace\n"
        f"for _ in range(5): runner.look(Workspace({str(store.workspace.root)!r}))"
    )
    apps = [subprocess.Popen([sys.executable, "-c", code], cwd=runner.PROJECT) for _ in range(3)]
    assert [app.wait() for app in apps] == [0, 0, 0]
    for job in jobs:
        assert wait(store, job).attempt == 1
    assert sorted(marks.read_text().split()) == [str(i) for i in range(8)]


def test_the_queue_keeps_its_order_and_can_be_reordered(store: JobStore, tmp_path: Path) -> None:
    marks = tmp_path / "marks"
    blocker = store.submit(**python(BLOCK))
    a, b, c = (store.submit(**python(f"open({str(marks)!r}, 'a').write('{name}')")) for name in "abc")
    assert [job.id for job in store.list(("queued",))] == [a, b, c]
    store.move(c, 1)
    store.move(a, 99)
    assert [job.id for job in store.list()] == [blocker, c, b, a]
    started(store, blocker)
    store.cancel(blocker)
    wait(store, a)
    assert marks.read_text() == "cba"


def test_as_many_run_at_once_as_the_limit_says(store: JobStore) -> None:
    jobs = [store.submit(**python(BLOCK)) for _ in range(3)]
    assert [store.get(job).state for job in jobs] == ["running", "queued", "queued"]
    store.limit = 2
    assert [store.get(job).state for job in jobs] == ["running", "running", "queued"]
    with pytest.raises(JobError, match="0 jobs at once is not possible; expected 1 to 64"):
        store.limit = 0


def test_a_finished_job_starts_the_next_without_anybody_looking(store: JobStore, tmp_path: Path) -> None:
    store.submit(**python("import time; time.sleep(0.3)"))
    store.submit(**python(f"open({str(tmp_path / 'second')!r}, 'w').close()"))
    until((tmp_path / "second").exists)


def test_the_database_held_by_another_program_does_not_hold_up_a_look(store: JobStore) -> None:
    job = store.submit(**python("pass"))
    wait(store, job)
    store.limit = 1
    with rows.opened(store.workspace) as db, rows.transaction(db):
        db.execute("UPDATE jobs SET state = 'queued'")
        begin = time.monotonic()
        JobStore(store.workspace).list()
        assert time.monotonic() - begin < 2
        db.execute("UPDATE jobs SET state = 'done'")


def test_a_short_job_does_not_wait_behind_a_long_one(store: JobStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lvm_core.commands.corpora.JOB", kinds.Kind(short=True), raising=False)
    long = store.submit(**python("import time; time.sleep(30)"))
    behind = store.submit(**python("pass"))
    short = store.submit(["corpora"])
    assert wait(store, short, timeout_s=60).state == "done"
    assert (store.get(long).state, store.get(behind).state) == ("running", "queued")
    assert (store.get(short).lane, store.get(long).lane) == ("short", "long")
    assert all(kind and kind.short for kind in map(kinds.kind_of, ("project", "rollout", "evaluate")))


def test_what_follows_a_job_starts_when_it_is_done_and_not_when_it_failed(store: JobStore) -> None:
    store.limit = 4
    first = store.submit(**python("import time; time.sleep(0.5)"))
    then = store.submit(**python("pass"), after=first)
    assert store.get(then).state == "queued"
    assert wait(store, then).state == "done"
    broken = store.submit(**python("import sys; sys.exit(2)"))
    never = store.submit(**python("pass"), after=broken)
    assert wait(store, never).state == "cancelled"
    assert "the job before it did not end well" in store.get(never).message


def test_what_followed_a_stopped_job_comes_back_when_that_goes_on(store: JobStore, tmp_path: Path) -> None:
    store.limit = 4
    flag = tmp_path / "may end"
    first = store.submit(**python(f"import os, sys; sys.exit(0 if os.path.exists({str(flag)!r}) else 2)"))
    then = store.submit(**python("pass"), after=first)
    last = store.submit(**python("pass"), after=then)
    unwanted = store.submit(**python("pass"), after=first)
    store.cancel(unwanted)
    assert wait(store, last).state == "cancelled"
    flag.touch()
    store.resume(first)
    assert wait(store, last, "done").started >= (wait(store, then).ended or 0.0)  # type: ignore[operator]
    assert store.get(first).state == "done"
    assert store.get(unwanted).state == "cancelled", "what a person took out of the queue stays out"


def test_what_followed_a_job_follows_the_one_that_starts_it_again(
    store: JobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lvm_core.jobs.runner.look", lambda *_, **__: None)
    first = store.submit(["train", "--corpus", "lost"], "Train mine")
    run = store.get(first).run
    store.submit(["evaluate", str(run), "--corpus", "lost"], f"Evaluate {run}", after=first)
    again = store.get(store.retry(first))
    (evaluation,) = [job for job in store.list() if job.after == again.id]
    assert again.run not in (None, run)
    assert evaluation.argv == ["evaluate", again.run, "--corpus", "lost"]
    assert evaluation.title == f"Evaluate {again.run}"
