"""What will be started: the problems, the estimate, the exact command, and the button."""

import html
from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from lvm_core.command_line import Flag, arguments, check_command, flags, job_commands, spreads, values_of
from lvm_core.config import Field, command_line, fields_of, named_values
from lvm_core.errors import JobError, LvmError
from lvm_core.evaluate.settings import EvaluateSettings
from lvm_core.executors import EXECUTORS, FLAG, LOCAL, default_executor
from lvm_core.jobs import runner
from lvm_core.json_shapes import Values
from lvm_core.nets import MODELS
from lvm_core.train import TrainConfig, presets
from lvm_core.train import plan as plans
from lvm_core.train.config import arguments as training_arguments
from lvm_core.workspace import Workspace, slug
from pages.shared import form, state, ui
from pages.shared.address import Address
from pages.shared.form import Look
from pages.views.train import form as train_form

FIRST_OTHER = "ingest"
MOST_RUNS = 100
FEW_ARTICLES = 200
"""Training articles below which nets have stood level with the fitted filter: of 83 none did better than +.0005."""


def training(at: Address) -> None:
    """Show the form of a training and start it."""
    train_form.show(at)
    config = train_form.config(at)
    name = st.text_input(
        "Name of the run", key=at.key("name", "", linked=False), placeholder="the net and the time",
        help="Letters, digits, '.', '_' and '-'. Tags and notes are written beside the run in the table.",
    ).strip()  # fmt: skip
    test = st.toggle(
        "Evaluate it at the end", key=at.key("evaluate", True),
        help="On the test articles, which it has not seen: its row then stands on the Leaderboard.",
    )  # fmt: skip
    problems = _planned(config, 1) + _name_problems(name)
    argv = [*training_arguments(config), *(["--run", name] if name else [])]
    if offer(at, argv, problems, "Start training", f"Train {name or config.model}", then=config if test else None):
        at.put("name", "")
        st.rerun(scope="app")


def _name_problems(name: str) -> list[str]:
    if name and slug(name) != name:
        return [f"{name!r} cannot be the name of a run: use letters, digits, '.', '_' and '-', such as {slug(name)}."]
    if name and state.workspace().run(name).exists():
        return [f"There is a run {name!r} already; give another name, or go on with that one in the table of runs."]
    return []


def evaluation_of(run: str, settings: Mapping[str, Any]) -> list[str]:
    """Return the command that evaluates a run on the test articles of what it was trained on."""
    corpus = TrainConfig(corpus=str(settings.get("corpus") or TrainConfig().corpus)).corpora[0]
    chosen = EvaluateSettings(split_seed=int(settings.get("split_seed") or 0))
    return ["evaluate", run, "--corpus", corpus, *command_line(chosen)]


def sweep(at: Address) -> None:
    """Show the form of a sweep: the settings that stay, and those that vary."""
    vary = st.text_area(
        "Vary", key=at.key("vary", "", linked=False), height=90,
        placeholder="lr = 0.001, 0.0005\nd_model = 256, 512\nmodel = amn, lstm",
        help="A setting of the training or an option of the net a line, and its values. All combinations are run.",
    )  # fmt: skip
    schedule = st.toggle(
        "Schedule of a hundred runs", key=at.key("schedule", False, linked=False),
        help="Five weeks of architectures and sizes, as first planned for this system; with the nets there are."
        " Replaces what varies above.",
    )  # fmt: skip
    most = st.number_input("At most [runs]", 1, step=1, key=at.key("most", MOST_RUNS, low=1, linked=False),
                           help="Only the first so many runs.")  # fmt: skip
    train_form.show(at)
    config = train_form.config(at)
    lines = [_packed(line) for line in vary.splitlines() if line.strip()]
    runs, problems = _scheduled() if schedule else _varied(lines, config)
    n_runs = min(len(runs), most)
    problems += _planned(config, n_runs) if n_runs else []
    words = ["--preset", "hundred"] if schedule else [word for line in lines for word in ("--vary", line)]
    words += ["--most", str(most)] if most < len(runs) else []
    argv = ["sweep", *training_arguments(config)[1:], *words]
    if offer(at, argv, problems, "Start sweep", f"Sweep of {n_runs} runs"):
        st.rerun(scope="app")


def _packed(line: str) -> str:
    name, _, values = line.partition("=")
    return f"{name.strip()}={values.strip()}"


def _scheduled() -> tuple[list[Values], list[str]]:
    """Return the runs of the schedule; what has no net yet is said."""
    runs, left_out = presets.hundred(plans.option_names())
    for sentence in left_out:
        st.caption(f"Left out: {ui.plain(sentence)}")
    return runs, []


def _varied(lines: Sequence[str], config: TrainConfig) -> tuple[list[Values], list[str]]:
    """Return the runs of what varies, and what is wrong with it: all of it, each sentence once."""
    if not lines:
        return [], ["Nothing varies yet: name a setting and its values, or take the schedule."]
    try:
        runs = presets.grid(presets.varied(lines))
        wrong = dict.fromkeys(
            sentence for run in runs for sentence in plans.problems_of({"model": config.model, **run})
        )
    except LvmError as error:
        return [], [str(error)]
    return ([], list(wrong)) if wrong else (runs, [])


def other(at: Address) -> None:
    """Show the form of any other command, made from its own flags; left empty, the command's own default holds."""
    commands = {name: text for name, text in job_commands().items() if name not in ("train", "sweep")}
    command = st.selectbox("Command", list(commands), key=at.key("command", FIRST_OTHER, list(commands)),
                           help="Any of these runs as a job.")  # fmt: skip
    st.caption(commands[command].capitalize() + ".")
    part = at.within(command)
    every = flags(command)
    first = [flag for flag in every if flag.required or flag.dest == "corpus"]
    values = form.widgets([_field(flag) for flag in first], part, _looks(first, command), columns=1)
    rest = [flag for flag in every if flag not in first]
    if rest:
        with st.expander("Settings", expanded=not first):
            values |= form.widgets([_field(flag) for flag in rest], part, _looks(rest, command))
    argv = arguments(command, values)
    problems: list[str] = []
    try:
        check_command(argv)
    except JobError as error:
        words = {flag.flag: form.label_of(_field(flag)) for flag in every if flag.flag}
        problems.append(ui.spoken(str(error), words))
    if offer(at, argv, problems, f"Start {command}"):
        st.rerun(scope="app")


def _field(flag: Flag) -> Field:
    """Return a flag as a setting, so that it is shown as one; numbers stay text, for the parser says what is wrong."""
    if flag.kind == "switch":
        return Field(flag.dest, bool, optional=False, default=False, help=flag.help)
    if flag.kind in ("yes-no", "choice"):
        kind = bool if flag.kind == "yes-no" else str
        return Field(flag.dest, kind, optional=True, default=None, help=flag.help, choices=flag.choices)
    return Field(flag.dest, str, optional=False, default="", help=flag.help)


def _looks(shown: Sequence[Flag], command: str) -> dict[str, Look]:
    looks = {flag.dest: Look("area", help=f"{flag.help} One a line.") for flag in shown if flag.repeated}
    corpora = [corpus.name for corpus in state.corpora()]
    if corpora and command != "ingest":
        looks["corpus"] = Look("select", corpora, corpora[0])
    return looks


def take_command(at: Address, argv: Sequence[str]) -> None:
    """Put the command line of a job into the form it belongs to."""
    values = values_of(argv)
    if argv[0] in ("train", "sweep"):
        options = named_values(str(values.get("option", "")).splitlines())
        train_form.take(at, {**values, "options": options})
        if argv[0] == "sweep":
            at.put("vary", str(values.get("vary", "")))
            at.put("schedule", values.get("preset") is not None)
        at.put("what", argv[0])
        return
    for flag in flags(argv[0]):
        at.within(argv[0]).put(flag.dest, values.get(flag.dest, _field(flag).default))
    at.put("command", argv[0])
    at.put("what", "other")


# ---------------------------------------------------------------- estimate, command, button


@st.cache_data(show_spinner=False, max_entries=200, ttl=60)
def _plan(root: str, settings: Values, options: Values) -> plans.Plan:
    config = TrainConfig(**{**settings, "options": options})
    workspace = Workspace(root)
    return plans.plan(workspace, config, plans.corpus_dim(workspace, config))


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
    if 0 < found.n_articles < FEW_ARTICLES and config.model in MODELS:
        st.caption(
            f"{found.n_articles:,} training articles are few: nets trained on so many have stood level with the fitted"
            " linear filter. The run says whether an epoch beat it; a larger corpus comes with **Corpus**."
        )
    shown = [*fields_of(TrainConfig), *train_form.option_fields(config.model)]
    return [form.in_words(sentence, shown) for sentence in found.problems]


def spoken(seconds: float) -> str:
    """Return a time for people, such as 45 s, 12 min, 3.5 h."""
    if seconds < 90:
        return f"{max(seconds, 1):.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _where(at: Address, command: str) -> list[str]:
    """Show the choice of where the work is done, if this studio can do it elsewhere; return the words that say so."""
    ways = {name: kind.title for name, kind in EXECUTORS.items() if kind.is_here()} if spreads(command) else {}
    if len(ways) < 2:
        return []
    about = "; ".join(f"{ways[name]}: {EXECUTORS[name].about}" for name in ways)
    default = default_executor()
    names = list(ways)
    key = at.key("on", default if default in ways else LOCAL, names, linked=False)
    chosen = st.segmented_control("Runs on", names, format_func=ways.get, required=True, key=key, help=f"{about}.")
    return [FLAG, str(chosen)] if chosen != default else []


def offer(
    at: Address,
    argv: Sequence[str],
    problems: Sequence[str],
    label: str,
    title: str = "",
    then: TrainConfig | None = None,
) -> bool:
    """Show the problems, or the command and the button that queues it; return whether it was pressed.

    `then` are the settings of a training that is evaluated when it is done.
    """
    if problems:
        items = "".join(f"<li>{html.escape(p)}</li>" for p in problems)
        st.html(f'<ul class="lvm-problems" role="alert">{items}</ul>')
    argv = [*argv, *_where(at, argv[0])]
    st.code(runner.shown_command(argv, state.workspace()), language=None, wrap_lines=True)
    if not st.button(label, type="primary", disabled=bool(problems), key=f"start:{argv[0]}"):
        return False
    job = state.jobs().get(state.jobs().submit(argv, title))
    if then is not None and job.run:
        state.jobs().submit(evaluation_of(job.run, vars(then)), f"Evaluate {job.run}", after=job.id)
    st.toast(f"{job.title or job.id}: {job.state}", icon=":material/play_arrow:")
    return True
