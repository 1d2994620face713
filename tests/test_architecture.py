"""The table of contents: one layer a line, from the ground up. Imports point down; nothing goes round in circles."""

import ast
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LAYERS = """
    types errors json_shapes version
    boundary
    abandoned children config device wording workspace vectors.geometry endpoint
    data_wheels
    database locks exchange.postgres
    jobs losses metrics
    nets.base nets.identity nets.memory nets.query
    progress baselines executors inverter.smollm
    nets corpus.tmd
    corpus encoders
    vectors
    sizing
    dataset model_weights checkpoint training_titles exchange
    snap spaces forecast reading rollout shipped
    train inverter denoiser
    decode
    opened
    predict evaluate
    study leaderboard checkup command_line shelf
    library
    service
    benchmark
    commands
    __main__
    pages.shared
    pages.views
    pages
    app
"""
LEVEL = {name: level for level, line in enumerate(LAYERS.strip().splitlines()) for name in line.split()}
FILES = sorted([*(ROOT / "lvm_core").rglob("*.py"), *(ROOT / "pages").rglob("*.py"), ROOT / "app.py"])


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_of(path): path for path in FILES}


def layer_of(module: str) -> str | None:
    """The longest name of the table that `module` lies under; None for the root package."""
    words = module.removeprefix("lvm_core.").split(".")
    return next((name for n in range(len(words), 0, -1) if (name := ".".join(words[:n])) in LEVEL), None)


@cache
def imports(module: str) -> frozenset[str]:
    """Every module of the project that `module` imports, inside functions too."""
    names = set()
    for node in ast.walk(ast.parse(MODULES[module].read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            names |= {
                f"{node.module}.{a.name}" if f"{node.module}.{a.name}" in MODULES else node.module for a in node.names
            }
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    return frozenset(name for name in names if name in MODULES and name != module)


def circle(graph: dict[str, frozenset[str]]) -> list[str]:
    """One way round that comes back to where it began; [] where there is none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


@pytest.mark.parametrize("module", sorted(MODULES))
def test_imports_point_down(module: str) -> None:
    own = layer_of(module)
    if own is None:
        assert module in ("lvm_core",), f"{module} stands in no layer of the table"
        return
    for name in imports(module):
        other = layer_of(name)
        assert other is None or LEVEL[other] <= LEVEL[own], f"{module} ({own}) imports {name} ({other})"


@pytest.mark.parametrize("module", sorted(m for m in MODULES if m.startswith("lvm_core")))
def test_the_engine_knows_no_app(module: str) -> None:
    for node in ast.walk(ast.parse(MODULES[module].read_text())):
        names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        assert not any(name.split(".")[0] in ("streamlit", "pages", "app") for name in names)


def test_no_modules_go_in_circles() -> None:
    assert circle({module: imports(module) for module in MODULES}) == []


def test_no_packages_of_one_layer_go_in_circles() -> None:
    graph = {name: frozenset[str]() for name in LEVEL}
    for module in MODULES:
        own = layer_of(module)
        if own is not None:
            graph[own] |= {other for name in imports(module) if (other := layer_of(name)) and other != own}
    assert circle(graph) == []
