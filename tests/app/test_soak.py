"""The studio's memory after use: visits and predictions of several sessions leave it where the first ones took it.

`python -m tests.app.soak` does the same for as long as one likes.
"""

import shutil
from pathlib import Path

from lvm_core.workspace import Workspace
from tests.app.soak import soak


def test_memory_stays_where_the_first_round_took_it(seeded_once: Workspace, tmp_path: Path) -> None:
    shutil.copytree(seeded_once.root, tmp_path / "work space")
    curve = soak(tmp_path / "work space", n_visits=28, n_predictions=4, n_sessions=2, warm=0.6)
    assert len(curve.prediction_s) == 4
    assert curve.growth < 0.05, curve.megabytes
    assert max(curve.megabytes) < 1500, curve.megabytes
