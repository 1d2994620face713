"""What is stored about a corpus beside its chunks: its order, how long each stage of its making took."""

import contextlib
import json
import math
from typing import Any

from lvm_core.corpus.store import CorpusStore
from lvm_core.database import connect, database_errors
from lvm_core.workspace import Workspace


def set_detail(workspace: Workspace, corpus: str, key: str, value: Any) -> None:
    """Store `value` (JSON) under `key` among the details of a corpus; NaN and infinite numbers become null.

    Raises:
        CorpusError: if there is no such corpus.
        WorkspaceError: if the workspace cannot be written.
    """
    corpus_id = CorpusStore(workspace).corpus(corpus).corpus_id
    text = json.dumps(_finite(value), ensure_ascii=False)
    with database_errors(workspace), contextlib.closing(connect(workspace)) as connection:
        connection.execute(
            "UPDATE corpora SET details = json_set(details, '$.' || ?, json(?)) WHERE id = ?",
            (json.dumps(key), text, corpus_id),
        )


def detail(workspace: Workspace, corpus: str, key: str) -> Any:
    """Return what is stored under `key`, None where nothing is."""
    return CorpusStore(workspace).details(corpus).get(key)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _finite(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(v) for v in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
