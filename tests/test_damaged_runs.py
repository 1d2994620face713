"""Run folders with anything in them: each is named, costs nothing to refuse, and hides no other."""

import gzip
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from lvm_core import opened
from lvm_core.checkpoint import list_models, load_model, save_model
from lvm_core.errors import LvmError, ModelError
from lvm_core.model_weights import load_weights, save_weights
from lvm_core.nets import build_model
from lvm_core.nets.query import QueryHead
from lvm_core.train.curves import last_line
from lvm_core.train.history import History
from lvm_core.train.opening import stored_config
from lvm_core.train.samples import read_samples
from lvm_core.train.state import read_state, trim_metrics
from lvm_core.training_titles import save_titles, training_titles
from lvm_core.workspace import Workspace

CONFIG: dict[str, Any] = {"run": "r", "encoder_id": "e@1", "context": 3, "created": 1.0, "train": {"model": "gru"}}


@pytest.fixture
def run(workspace: Workspace) -> Path:
    folder = workspace.run("r")
    folder.mkdir(parents=True)
    save_model(folder, build_model("gru", 8), CONFIG)
    save_titles(folder, ["A"])
    return folder


def edit(folder: Path, **changes: Any) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, **changes}))


@pytest.mark.parametrize(
    "changes",
    [
        {"context": 0}, {"context": "x"}, {"dim": "x"}, {"dim": 10**6}, {"dim": 10**12}, {"dim": 0}, {"options": 3},
        {"options": {"nope": 1}}, {"options": {"d_model": -1}}, {"options": {"n_layers": 10**9}}, {"filter": "x"},
        {"encoder_id": 5}, {"model": "ensemble", "members": 3}, {"model": "ensemble", "members": [{"ref": "r"}]},
        {"model": None}, {"created": "x"},
        {"corpora": 10**19}, {"corpora": [[[]]]}, {"corpora": [{"name": 3}]}, {"corpora": [{"name": "a"}]},
        {"n_parameters": 1e999},
    ],
)  # fmt: skip
def test_a_description_of_wrong_types_or_sizes_is_a_clear_refusal(
    workspace: Workspace, run: Path, changes: dict[str, Any]
) -> None:
    edit(run, **changes)
    with pytest.raises(ModelError, match=r"config\.json|does not hold|was made of another"):
        load_model(workspace, "r")
    assert list_models(workspace)


@pytest.mark.parametrize(
    "changes",
    [{"corpora": "x"}, {"corpora": [{"name": 3}]}, {"dim": "x"}, {"encoder_id": 0.5}, {"split_seed": "x"},
     {"baselines": 5}, {"train": [1]}],
)  # fmt: skip
def test_a_damaged_run_does_not_go_on(workspace: Workspace, run: Path, changes: dict[str, Any]) -> None:
    edit(run, **changes)
    with pytest.raises(ModelError, match=r"config\.json"):
        stored_config(workspace, "r")


def test_an_ensemble_of_itself_ends(workspace: Workspace, run: Path) -> None:
    import hashlib

    digest = hashlib.sha256((run / "model.safetensors").read_bytes()).hexdigest()
    members = [{"ref": "r", "digest": digest}]
    edit(run, model="ensemble", members=members, options={"weights": [1.0]}, kind="ensemble")
    with pytest.raises(ModelError, match="describes no net that can be built"):
        opened.model(workspace, "r", "e@1", 8)


SPOIL: dict[str, Callable[[Path], object]] = {
    "weights of a pipe": lambda f: (f / "model.safetensors").unlink() or os.mkfifo(f / "model.safetensors"),
    "weights of a device": lambda f: (
        (f / "model.safetensors").unlink() or (f / "model.safetensors").symlink_to("/dev/zero")
    ),
    "titles of a pipe": lambda f: (f / "titles.jsonl.gz").unlink() or os.mkfifo(f / "titles.jsonl.gz"),
    "titles cut": lambda f: (f / "titles.jsonl.gz").write_bytes((f / "titles.jsonl.gz").read_bytes()[:12]),
    "titles empty": lambda f: (f / "titles.jsonl.gz").write_bytes(b""),
    "result a list": lambda f: (f / "result.json").write_text("[]"),
    "result deep": lambda f: (f / "result.json").write_text("[" * 5_000),
    "metrics not UTF-8": lambda f: (f / "metrics.jsonl").write_bytes(b"\xff\xfe\n{}\n"),
    "config a list": lambda f: (f / "config.json").write_text("[1]"),
}


@pytest.mark.parametrize("name", SPOIL)
def test_a_damaged_file_hides_no_other_run_and_stops_nobody(workspace: Workspace, run: Path, name: str) -> None:
    shutil.copytree(run, workspace.run("sound"))
    if not (run / "titles.jsonl.gz").exists() and "titles" in name:
        raise AssertionError("the file of titles has another name")
    SPOIL[name](run)
    assert "sound" in {info.ref for info in list_models(workspace)}
    for info in list_models(workspace):
        training_titles(info)
    with_it = [row.run for row in History().rows(workspace, [])]
    assert "sound" in with_it
    try:
        load_model(workspace, "r")
    except LvmError as error:
        assert "r" in str(error)  # noqa: PT017


@pytest.mark.parametrize("device", [True, False])
def test_what_a_run_goes_on_from_is_a_regular_file(tmp_path: Path, device: bool) -> None:
    path = tmp_path / "metrics.jsonl"
    path.symlink_to("/dev/zero") if device else os.mkfifo(path)
    with pytest.raises(ModelError, match="expected a regular file"):
        trim_metrics(path, 3)
    with pytest.raises(ModelError, match="expected a regular file"):
        read_state(path, lambda state: state, "Train again.")
    assert last_line(path) == {}
    assert read_samples(path) == []


def test_lines_of_any_kind_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    odd = ["[1]", '{"step": "x"}', "[" * 5_000, "\udcff", "3", '{"epoch": "x"}']
    path.write_text("\n".join([*odd, '{"step": 1}', '{"step": 9}', ""]), encoding="utf-8", errors="surrogateescape")
    assert last_line(path) == {"step": 9}
    assert read_samples(path) == []
    trim_metrics(path, 3)
    assert path.read_text() == '{"step": 1}\n'


def test_a_kill_before_the_query_is_described_leaves_a_model(workspace: Workspace, run: Path) -> None:
    """The weights are written with their query, then the description: in between, both are of one net."""
    model = load_model(workspace, "r").model
    model.query = QueryHead(8, 3)
    save_weights(run / "model.safetensors", model)
    assert load_model(workspace, "r").model.query is None
    again = build_model("gru", 8)
    load_weights(run / "model.safetensors", again)
    assert again.query is None


def test_a_checkpoint_at_the_last_step_of_an_epoch_writes_its_end_once(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    lines = ['{"step": 2, "val_cosine": 0.5}', '{"step": 4, "val_cosine": null}', '{"step": 4, "val_cosine": 0.6}']
    for in_epoch, kept in ((True, 2), (False, 3)):
        path.write_text("\n".join([*lines, ""]))
        trim_metrics(path, 4, in_epoch)
        assert path.read_text().splitlines() == lines[:kept]


def test_a_run_of_any_name_that_is_listed_can_be_used(workspace: Workspace, run: Path) -> None:
    shutil.copytree(run, run.parent / "my run")
    assert load_model(workspace, "my run").info.ref == "my run"


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(["", "gru", "ensemble", "linear-filter", "r"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["model", "dim", "options", "d_model", "weights", "ref"]), inner, max_size=3)
    ),
    max_leaves=6,
)


@pytest.mark.parametrize("name", ["titles.jsonl.gz", "titles.txt.gz"])
def test_titles_that_unpack_to_far_more_than_they_can_are_none(workspace: Workspace, run: Path, name: str) -> None:
    (run / "titles.jsonl.gz").unlink()
    (run / name).write_bytes(gzip.compress(b'"a"\n' * 5_000_000))
    (info,) = [one for one in list_models(workspace) if one.ref == "r"]
    assert training_titles(info) is None


@given(st.sampled_from(["model", "kind", "encoder_id", "context", "dim", "options", "filter", "members", "created",
                        "n_parameters", "residual", "train"]), VALUES)  # fmt: skip
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example("members", [{"digest": "r"}])
@example("members", [[]])
def test_any_description_is_a_model_or_a_refusal(workspace: Workspace, run: Path, key: str, value: Any) -> None:
    former = (run / "config.json").read_bytes()
    edit(run, **{key: value})
    try:
        list_models(workspace)
        opened.model(workspace, "r", "e@1", 8)
    except LvmError as error:
        assert "r" in str(error)  # noqa: PT017
    finally:
        (run / "config.json").write_bytes(former)
