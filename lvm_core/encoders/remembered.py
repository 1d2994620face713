"""Where encoders outside the catalogue were found, so that an id alone brings them back: LVM_CACHE/encoders.json."""

from pathlib import Path

from lvm_core.errors import WorkspaceError
from lvm_core.workspace import Workspace, read_json, write_json

MOST_PLACES = 8


def remember(encoder_id: str, name: str) -> None:
    """Keep that the encoder with this id was found as `name`, which says an absolute folder."""
    every = _places()
    names = every.get(encoder_id, [])
    if names[:1] != [name]:
        newest = [name, *(other for other in names if other != name)][:MOST_PLACES]
        write_json(_path(), {**every, encoder_id: newest})


def recall(encoder_id: str) -> list[str]:
    """Return the names under which the encoder with this id was found, the newest first."""
    return _places().get(encoder_id, [])


def _path() -> Path:
    return Workspace.cache() / "encoders.json"


def _places() -> dict[str, list[str]]:
    """Return the names by id; an unreadable file counts as empty, since loading an encoder writes it anew."""
    try:
        stored = read_json(_path())
    except WorkspaceError:
        return {}
    entries = stored.items() if isinstance(stored, dict) else ()
    # one name stood where a list stands now
    lists = {identity: [names] if isinstance(names, str) else names for identity, names in entries}
    return {
        identity: [n for n in names if isinstance(n, str)]
        for identity, names in lists.items()
        if isinstance(names, list)
    }
