"""Imports point one way, and the engine knows nothing of the app."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LAYERS = [
    {"types", "errors", "config", "device", "workspace", "database"},
    {"corpus", "encoders", "vectors", "nets", "baselines", "losses", "metrics"},
    {"dataset", "checkpoint", "decode", "projection", "exchange", "order", "order_notes"},
    {"train", "predict"},
    {"rollout", "drift", "snap_lab", "vector_map", "evaluate", "evaluation"},
    {"leaderboard", "benchmark", "jobs"},
    {"commands", "__main__"},
]
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}


def imports(path: Path) -> set[str]:
    tree = ast.parse(path.read_text())
    found = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module}
    return found | {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}


@pytest.mark.parametrize("path", sorted((ROOT / "lvm_core").rglob("*.py")), ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_point_one_way(path: Path) -> None:
    parts = path.relative_to(ROOT / "lvm_core").with_suffix("").parts
    if parts == ("__init__",):
        return
    own = LEVEL[parts[0]]
    for name in imports(path):
        assert not name.startswith(("streamlit", "pages")), f"{path} imports {name}: the engine knows no app"
        words = name.split(".")
        if words[0] == "lvm_core" and len(words) > 1:
            assert LEVEL[words[1]] <= own, f"{path} imports {name}, which stands above it"
