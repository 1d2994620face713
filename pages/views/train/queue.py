"""The jobs as rows with their states and buttons, the log, and the machine's load; all refresh by themselves."""

import html
import time
from collections.abc import Callable, Sequence

import streamlit as st

from lvm_core.errors import LvmError
from lvm_core.jobs import hardware
from lvm_core.jobs.rows import ENDED, RESUMABLE, Job
from pages.shared import state, ui
from pages.shared.address import Address
from pages.views.train import start as train_start

LIVE_S = 2.0
LATEST_ENDED = 4
LOG_LINES = 60
LOG_JOB, SAID = "train_log_job", "train_said"

STATES = {
    "queued": "Waits for its turn.",
    "running": "Its process runs and beats.",
    "done": "Ended by itself, all done.",
    "failed": "Ended with an error; the message says which.",
    "cancelled": "Stopped on request; can go on from its last checkpoint.",
    "interrupted": "Its process died (killed, reboot); can go on from its last checkpoint.",
}


def live(draw: Callable[[], None], every_s: float = LIVE_S) -> None:
    """Run `draw` now and every `every_s` seconds; it never touches what stands outside it."""

    def body() -> None:
        with ui.errors_shown():
            draw()

    st.fragment(body, run_every=every_s)()


def shown(jobs: Sequence[Job], n_ended: int = LATEST_ENDED) -> list[Job]:
    """Return the jobs that have a row: the running, the waiting, and the latest that ended."""
    active = [job for job in jobs if job.state not in ENDED]
    ended = sorted((job for job in jobs if job.state in ENDED), key=lambda job: -(job.ended or 0.0))
    return active + ended[:n_ended]


def panel() -> None:
    """Show the rows of jobs."""
    jobs = state.jobs().list(limit=1000)
    st.html(_load_html(jobs))
    sentence = st.session_state.pop(SAID, None)
    if sentence:
        st.warning(ui.plain(sentence))
    n_ended = sum(job.state in ENDED for job in jobs)
    every = _all_of(n_ended)
    rows = shown(jobs, n_ended if every else LATEST_ENDED)
    if not rows:
        st.caption("No jobs yet. What you start here goes on when you close the page.")
    n_waiting = sum(job.state == "queued" for job in rows)
    place = 0
    for job in rows:
        place += job.state == "queued"
        row(job, place if job.state == "queued" else 0, n_waiting)


def _all_of(n_ended: int) -> bool:
    """Show the switch between the latest jobs and all of them, where there are more; return whether all are shown."""
    if n_ended <= LATEST_ENDED:
        return False
    return st.toggle(f"All {n_ended} jobs that ended", key=Address("train").key("all_jobs", False))


def row(job: Job, place: int = 0, n_waiting: int = 0) -> None:
    """Show one job with the buttons that its state allows."""
    with st.container(key=f"jobrow-{job.id}", horizontal=True, vertical_alignment="center"):
        st.html(row_html(job))
        for draw in _buttons(job, place, n_waiting):
            draw()


def row_html(job: Job) -> str:
    """Return one job as HTML: state, name, progress, what it says."""
    name = html.escape(job.title or job.run or job.id)
    silent = f"silent for {train_start.spoken(job.silent)} · " if job.silent else ""
    tone = (
        "lvm-failed-said" if job.state == "failed" else "lvm-warn-said" if job.state == "interrupted" or silent else ""
    )
    spent = job.earlier_s + job.elapsed_s
    state_html = f'<span class="lvm-state lvm-state-{job.state}">{ui.explained(job.state, STATES[job.state])}</span>'
    meter = ""
    if job.state == "running" or 0 < job.progress < 1:
        meter = f'<span class="lvm-meter"><i style="width:{job.progress:.1%}"></i></span>'
    figure = f'<span class="lvm-figure">{job.progress:.0%}</span>' if meter else ""
    sentence = "stopping" if job.cancelling else job.message
    took = f" · {train_start.spoken(spent)}" if spent >= 1 else ""
    about = html.escape(f"{job.id}: {' '.join(job.argv)}", quote=True)
    return (
        f'<div class="lvm-row" title="{about}">{state_html}<b>{name}</b>'
        f"{ui.tag(job.kind, '', 'The command of this job.')}{meter}{figure}"
        f'<span class="lvm-said {tone}">{html.escape(silent + sentence + took)}</span></div>'
    )


def _buttons(job: Job, place: int, n_waiting: int) -> list[Callable[[], None]]:
    buttons: list[Callable[[], None]] = []
    if place > 1:
        buttons.append(lambda: _press(job, "first", "vertical_align_top", "Next to start", lambda: _move(job, 1)))
        buttons.append(lambda: _press(job, "up", "arrow_upward", "Earlier", lambda: _move(job, place - 1)))
    if 0 < place < n_waiting:
        buttons.append(lambda: _press(job, "down", "arrow_downward", "Later", lambda: _move(job, place + 1)))
    if job.state in RESUMABLE:
        about = "Go on from the last checkpoint"
        buttons.append(lambda: _press(job, "resume", "resume", about, lambda: state.jobs().resume(job.id)))
    if job.state in ENDED:
        buttons.append(lambda: _press(job, "retry", "replay", "Start again", lambda: state.jobs().retry(job.id)))
        buttons.append(lambda: _press(job, "clone", "edit", "Start again with changes", lambda: _clone(job)))
    buttons.append(lambda: _press(job, "log", "notes", "Show its log", lambda: _show_log(job)))
    if job.state in ENDED:
        buttons.append(lambda: _confirm(job, "delete", "delete", "Delete the job and its log? Its run stays.", _delete))
    else:
        buttons.append(
            lambda: _confirm(job, "cancel", "stop", "Stop it? It can go on from its last checkpoint.", _cancel)
        )
    return buttons


def _press(job: Job, name: str, icon: str, about: str, act: Callable[[], object]) -> None:
    pressed = st.button(
        "", icon=f":material/{icon}:", key=f"{name}:{job.id}", help=about, type="tertiary", on_click=_do, args=(act,)
    )
    if pressed and name in ("clone", "log"):
        st.rerun(scope="app")


def _confirm(job: Job, name: str, icon: str, question: str, act: Callable[[Job], object]) -> None:
    with st.popover("", icon=f":material/{icon}:", help=name.capitalize(), type="tertiary", key=f"ask-{name}:{job.id}"):
        st.write(question)
        label = "Stop it" if name == "cancel" else name.capitalize()
        st.button(label, key=f"{name}:{job.id}", type="primary", on_click=_do, args=(lambda: act(job),))


def _do(act: Callable[[], object]) -> None:
    """Act before the rows are drawn again; a job may have moved on since they were drawn."""
    try:
        act()
    except LvmError as error:
        st.session_state[SAID] = str(error)


def _move(job: Job, place: int) -> None:
    state.jobs().move(job.id, place)


def _delete(job: Job) -> None:
    state.jobs().delete(job.id)


def _cancel(job: Job) -> None:
    state.jobs().cancel(job.id)


def _clone(job: Job) -> None:
    train_start.take_command(Address("train"), job.argv)


def _show_log(job: Job) -> None:
    st.session_state[LOG_JOB] = job.id


def log() -> None:
    """Show the end of the log of the job that was chosen, else of the first that runs, else of the latest."""
    jobs = state.jobs().list(limit=300)
    chosen = st.session_state.get(LOG_JOB)
    job = next((j for j in jobs if j.id == chosen), None) or (shown(jobs) or [None])[0]
    if job is None:
        st.caption("No log yet.")
        return
    n_bytes = state.jobs().log_bytes(job.id)
    path = state.workspace().job_log(job.id)
    st.caption(ui.plain(f"{job.id}: the end of {path} ({n_bytes / 1e6:,.1f} MB)"))
    with st.container(key="train-log"):
        st.code("\n".join(state.jobs().log(job.id, LOG_LINES)) or "(nothing yet)", language=None, wrap_lines=True)
    sweep = _sweep_table(job)
    if sweep:
        st.html(sweep)


def _sweep_table(job: Job) -> str:
    """Return the ranking so far of a sweep, as HTML."""
    if job.kind != "sweep" or not job.run or not state.workspace().sweep(job.run).exists():
        return ""
    from lvm_core.train.sweep import read_sweep

    sweep = read_sweep(state.workspace(), job.run)
    lines = []
    for rank, child in enumerate(sweep.ranked(), 1):
        settings = ", ".join(f"{k} {v}" for k, v in child.settings.items() if k not in ("week", "label"))
        cells = [str(rank), f"{child.val_cosine:.4f}", f"{child.seconds:,.0f} s", child.run, settings]
        lines.append([html.escape(cell) for cell in cells])
    lines += [
        ["", "", "", html.escape(child.run), html.escape(f"{child.state} {child.message}")]
        for child in sweep.children
        if child.state in ("failed", "running")
    ]
    table = ui.table_html(["rank", "validation cosine", "time", "run", "settings"], lines, scroll=True)
    head = f"{html.escape(sweep.name)}: {len(sweep.ranked())} of {len(sweep.children)} runs"
    return f'<p class="lvm-section">{head}</p>{table}'


def _load_html(jobs: Sequence[Job]) -> str:
    """Return the machine's load, and what the running jobs take of it."""
    now = hardware.load()
    figures = [
        ui.Number("CPU", f"{now.cpu:.0f}", f"% of {now.n_cores} cores", "Load of the whole machine."),
        ui.Number("memory", f"{now.memory / 1e9:.1f}", f"of {now.memory_total / 1e9:.0f} GB", "Used on the machine."),
    ]
    if now.gpu is not None:
        percent, used, there = now.gpu
        figures.append(ui.Number("GPU", f"{percent:.0f}", "%", "As the driver says."))
        figures.append(ui.Number("GPU memory", f"{used / 1e9:.1f}", f"of {there / 1e9:.0f} GB", "As the driver says."))
    for job in [job for job in jobs if job.state == "running"][:3]:
        taken = hardware.share(job.pid if job.here else None)
        if taken is not None:
            what = f"CPU in percent of one core, and resident memory, of {job.id}"
            figures.append(ui.Number(job.run or job.id, f"{taken.cpu:.0f}", f"% · {taken.memory / 1e9:.1f} GB", what))
    return ui.metric_html(figures)


def limit() -> None:
    """Show and set how many jobs run at once."""
    if not state.workspace().database.exists():
        return
    now = state.jobs().limit
    key = f"jobs_limit:{now}"  # set elsewhere meanwhile, it is shown anew and not set back
    st.number_input(
        "Long jobs at once", value=now, min_value=1, max_value=64, step=1, key=key, on_change=_do,
        args=(lambda: setattr(state.jobs(), "limit", int(st.session_state[key])),),
        help="How many trainings and other long jobs run at the same time; the others wait in their order. Maps,"
        " averages and evaluations have a lane of their own. Kept in the workspace.",
    )  # fmt: skip


def age(when: float) -> str:
    """Return a time of day or a date for tables."""
    return time.strftime("%m-%d %H:%M", time.localtime(when))
