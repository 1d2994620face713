"""What will be started: the problems, the estimate, the exact command, and the button."""

import html
from collections.abc import Sequence

import streamlit as st

from lvm_core.command_line import Flag, arguments, check_command, flags, job_commands, values_of
from lvm_core.config import named_values
from lvm_core.errors import JobError, LvmError
from lvm_core.jobs import runner
from lvm_core.train import TrainConfig
from lvm_core.train.config import arguments as training_arguments
from pages.shared import state, ui
from pages.views.train import form as train_form

OTHER, VALUES, OTHER_TURN = "other_command", "other_values", "other_turn"
VARY, SCHEDULE, SWEEP_MOST = "sweep_vary", "sweep_schedule", "sweep_most"
FIRST_OTHER = "ingest"


def training() -> None:
    """Show the form of a training and start it."""
    train_form.show()
    config = train_form.config()
    problems = _planned(config, 1)
    offer(training_arguments(config), problems, "Start training")


def sweep() -> None:
    """Show the form of a sweep: the settings that stay, and those that vary."""
    st.text_area(
        "vary", key=VARY, height=90, placeholder="lr = 0.001, 0.0005\nd_model = 256, 512\nmodel = amn, lstm",
        help="A setting of the training or an option of the net a line, and its values. All combinations are run.",
    )  # fmt: skip
    st.toggle(
        "the hundred runs of the schedule", key=SCHEDULE,
        help="Five weeks of architectures and sizes, as first planned for this system; with the nets there are."
        " Replaces what varies above.",
    )  # fmt: skip
    st.number_input("at most [runs]", value=100, step=1, key=SWEEP_MOST, help="Only the first so many runs.")
    train_form.show()
    config = train_form.config()
    lines = [line.strip() for line in str(st.session_state.get(VARY) or "").splitlines() if line.strip()]
    n_runs, problems = _sweep_size(lines)
    problems += _planned(config, n_runs) if n_runs else []
    words = ["--schedule", "hundred"] if st.session_state.get(SCHEDULE) else []
    words += [] if words else [w for line in lines for w in ("--vary", _packed(line))]
    most = int(st.session_state.get(SWEEP_MOST) or 100)
    words += ["--most", str(most)] if most < n_runs else []
    offer(["sweep", *training_arguments(config)[1:], *words], problems, "Start sweep")


def _packed(line: str) -> str:
    name, _, values = line.partition("=")
    return f"{name.strip()}={values.strip()}"


def _sweep_size(lines: Sequence[str]) -> tuple[int, list[str]]:
    """Return how many runs the sweep has, and what is wrong with what varies."""
    from lvm_core.train import plan, presets

    if st.session_state.get(SCHEDULE):
        runs, left_out = presets.hundred(plan.option_names())
        for sentence in left_out:
            st.caption(f"Left out: {ui.plain(sentence)}")
    else:
        try:
            runs = presets.grid(presets.varied(map(_packed, lines))) if lines else []
            for settings in runs[:1]:
                plan.config_of({"model": train_form.draft()["model"], **settings})
        except LvmError as error:
            return 0, [str(error)]
    if not runs:
        return 0, ["Nothing varies yet: name a setting and its values, or take the schedule."]
    return min(len(runs), int(st.session_state.get(SWEEP_MOST) or 100)), []


def other() -> None:
    """Show the form of any other command, made from its own flags."""
    commands = {name: text for name, text in job_commands().items() if name not in ("train", "sweep")}
    asked = st.session_state.get(OTHER)
    names = list(commands)
    turn = st.session_state.get(OTHER_TURN, 0)
    at = names.index(asked) if asked in names else names.index(FIRST_OTHER)
    command = st.selectbox("command", names, index=at, key=f"other:{turn}", help="Any of these runs as a job.")
    st.session_state[OTHER] = command
    st.caption(commands[command].capitalize() + ".")
    values = st.session_state.setdefault(VALUES, {}).setdefault(command, {})
    found = flags(command)
    first = [f for f in found if f.required or f.dest == "corpus"]
    for flag in first:
        values[flag.dest] = _flag(flag, command, turn, values)
    rest = [f for f in found if f not in first]
    if rest:
        with st.expander("Settings", expanded=len(first) == 0):
            for i in range(0, len(rest), 2):
                for column, flag in zip(st.columns(2), rest[i : i + 2], strict=False):
                    with column:
                        values[flag.dest] = _flag(flag, command, turn, values)
    argv = arguments(command, values)
    problems: list[str] = []
    try:
        check_command(argv)
    except JobError as error:
        problems.append(str(error))
    offer(argv, problems, f"Start {command}")


def _flag(flag: Flag, command: str, turn: int, values: dict[str, object]) -> object:
    """Show one flag; left empty, the command's own default holds."""
    key, label, value = f"other:{command}:{flag.dest}:{turn}", flag.dest.replace("_", " "), values.get(flag.dest)
    if flag.dest == "corpus":
        there = [c.name for c in state.corpora()]
        if there and command != "ingest":
            at = there.index(str(value)) if value in there else 0
            return st.selectbox(label, there, index=at, key=f"{key}:{len(there)}", help=flag.help)
    if flag.kind == "switch":
        return st.toggle(label, value=bool(value), key=key, help=flag.help)
    if flag.kind == "yes-no":
        at = ["", "True", "False"].index(str(value) if value is not None else "")
        picked = st.selectbox(label, ["default", "yes", "no"], index=at, key=key, help=flag.help)
        return {"default": None, "yes": True, "no": False}[picked]
    if flag.kind == "choice":
        names = ["default", *flag.choices]
        at = names.index(str(value)) if str(value) in names else 0
        picked = st.selectbox(label, names, index=at, key=key, help=flag.help)
        return None if picked == "default" else picked
    if flag.repeated:
        return st.text_area(label, value=str(value or ""), key=key, height=68, help=f"{flag.help} One a line.")
    return st.text_input(label, value="" if value is None else str(value), key=key, help=flag.help)


def take_command(argv: Sequence[str]) -> None:
    """Put the command line of a job into the form it belongs to."""
    values = values_of(argv)
    if argv[0] in ("train", "sweep"):
        options = named_values(str(values.get("option", "")).splitlines())
        train_form.take({**values, "options": options})
        if argv[0] == "sweep":
            st.session_state[VARY] = str(values.get("vary", ""))
            st.session_state[SCHEDULE] = values.get("schedule") is not None
        return
    st.session_state.setdefault(VALUES, {})[argv[0]] = values
    st.session_state[OTHER] = argv[0]
    st.session_state[OTHER_TURN] = st.session_state.get(OTHER_TURN, 0) + 1


# ---------------------------------------------------------------- estimate, command, button


@st.cache_data(show_spinner=False, max_entries=200, ttl=60)
def _plan(root: str, settings: dict[str, object], options: dict[str, object]) -> object:
    from lvm_core.train.plan import corpus_dim, plan
    from lvm_core.workspace import Workspace

    config = TrainConfig(**{**settings, "options": options})  # type: ignore[arg-type]
    workspace = Workspace(root)
    return plan(workspace, config, corpus_dim(workspace, config))


def _planned(config: TrainConfig, n_runs: int) -> list[str]:
    """Show size and time of `config`, and return its problems."""
    settings = {k: v for k, v in vars(config).items() if k != "options"}
    found = _plan(str(state.workspace().root), settings, config.options)
    each = " each" if n_runs > 1 else ""
    figures = [
        ui.Number("parameters", f"{found.n_parameters:,}", "", f"Trainable numbers of the net{each}."),
        ui.Number("windows", f"{found.n_windows:,}", "an epoch", "Every chunk of a training article but its first."),
        ui.Number("articles", f"{found.n_articles:,}", "", "Training articles; a tenth each validate and test."),
    ]
    if not found.problems:
        seconds = found.seconds * n_runs
        about = f"All epochs, {found.basis}; an early stop takes less."
        figures.append(ui.Number("time", f"≈ {spoken(seconds)}", "", about))
        size = found.n_bytes * n_runs
        figures.append(ui.Number("disk", f"≈ {size / 1e6:,.0f}", "MB", "Weights, checkpoint and metrics."))
    if n_runs > 1:
        figures.insert(0, ui.Number("runs", f"{n_runs}", "", "Trainings of this sweep."))
    ui.metric_row(figures)
    return list(found.problems)


def spoken(seconds: float) -> str:
    """Return a time for people, such as 45 s, 12 min, 3.5 h."""
    if seconds < 90:
        return f"{max(seconds, 1):.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def offer(argv: Sequence[str], problems: Sequence[str], label: str) -> None:
    """Show the problems, or the command and the button that queues it."""
    if problems:
        items = "".join(f"<li>{html.escape(p)}</li>" for p in problems)
        st.html(f'<ul class="lvm-problems" role="alert">{items}</ul>')
    st.code(runner.shown_command(list(argv), state.workspace()), language=None, wrap_lines=True)
    if st.button(label, type="primary", disabled=bool(problems), key=f"start:{argv[0]}"):
        job = state.jobs().get(state.jobs().submit(argv))
        st.toast(f"{job.id}: {job.state}", icon=":material/play_arrow:")
        st.rerun(scope="app")
