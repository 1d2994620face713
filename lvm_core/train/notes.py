"""What people write about a run: tags and a note, beside its files and apart from what the training wrote."""

from dataclasses import asdict, dataclass

from lvm_core.config import check, setting
from lvm_core.errors import WorkspaceError
from lvm_core.workspace import Workspace, read_json, write_json


@dataclass(frozen=True, slots=True)
class RunNotes:
    """Tags, with commas between, and a note."""

    tags: str = setting("", "words to find the run by, with commas between")
    note: str = setting("", "what is to be remembered of the run")


def read_notes(workspace: Workspace, run: str) -> RunNotes:
    """Return what was written about a run; nothing where nobody wrote, or the file is damaged."""
    path = workspace.run_notes(run)
    if not path.exists():
        return RunNotes()
    try:
        stored = read_json(path)
        return RunNotes(str(stored["tags"]), str(stored["note"]))
    except (WorkspaceError, KeyError, TypeError):
        return RunNotes()


def write_notes(workspace: Workspace, run: str, notes: RunNotes) -> None:
    """Keep what was written about a run, tags in one form."""
    tags = ", ".join(dict.fromkeys(tag.strip() for tag in notes.tags.split(",") if tag.strip()))
    write_json(workspace.run_notes(run), asdict(check(RunNotes(tags, notes.note.strip()))))
