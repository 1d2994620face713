"""First start: an empty workspace gets the embedded corpus by itself, read and encoded as background jobs."""

import html
import importlib.util
from typing import Any

ACTIVE = ("running", "queued")


def begin() -> None:
    """Queue the reading and encoding of the embedded corpus where the workspace holds nothing at all."""


def active_jobs() -> list[Any]:
    """Return the jobs that run or wait."""
    if importlib.util.find_spec("lvm_core.jobs.store") is None:
        return []
    from pages.shared import state

    if not state.workspace().database.exists():
        return []
    return [job for job in state.jobs().list() if job.state in ACTIVE]


def strip_html() -> str:
    """Return the strip of running and queued jobs as HTML; empty where nothing runs."""
    parts = []
    for job in active_jobs():
        title = html.escape(job.title or job.id)
        message = html.escape(job.message or job.state)
        parts.append(
            f'<span class="lvm-job"><b>{title}</b><progress max="1" value="{job.progress:.3f}"></progress>'
            f"<span>{job.progress:.0%} · {message}</span></span>"
        )
    return f'<div class="lvm-strip">{"".join(parts)}</div>' if parts else "<span></span>"
