"""API keys: made once, shown once, kept only as hashes.

A key is 32 random bytes, so one round of SHA-256 keeps it: nobody can try them all.
"""

import hashlib
import hmac
import secrets
import threading
import time

from lvm_core.boundary.values import one_line
from lvm_core.errors import SettingsError, WorkspaceError
from lvm_core.json_shapes import Json
from lvm_core.workspace import Workspace, read_json, write_json

PREFIX = "lvm_"
MOST_NAME_CHARS = 60


class Keys:
    """The keys of one workspace; a changed file is read again."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace, self._lock = workspace, threading.Lock()
        self._stamp: tuple[int, int] | None = None
        self._hashes: list[bytes] = []

    def names(self) -> list[str]:
        """Return the names of the keys there are."""
        return list(self._read())

    def make(self, name: str) -> str:
        """Return a new key under `name`; it is nowhere else, and cannot be shown again.

        Raises:
            SettingsError: if the name is none, or taken.
        """
        name = one_line(name)
        stored = self._read()
        if not name or len(name) > MOST_NAME_CHARS:
            raise SettingsError([f"The name of a key is '{name[:80]}'; expected 1 to {MOST_NAME_CHARS} characters."])
        if name in stored:
            raise SettingsError([f"There is a key '{name}' already; expected a new name. Forget it first, or rename."])
        key = PREFIX + secrets.token_urlsafe(32)
        self._write({**stored, name: {"sha256": _hash(key).hex(), "created": time.time()}})
        return key

    def forget(self, name: str) -> None:
        """Take a key away; whoever has it is refused from now on.

        Raises:
            SettingsError: if there is none of that name.
        """
        stored = self._read()
        if name not in stored:
            names = ", ".join(stored) or "none"
            raise SettingsError([f"There is no key '{name[:80]}'; expected one of: {names}. Make one with --new-key."])
        del stored[name]
        self._write(stored)

    def knows(self, key: str) -> bool:
        """Return whether `key` is one; the time that takes does not say how much of it is right."""
        self._refresh()
        given = _hash(key)
        return bool(sum(hmac.compare_digest(given, known) for known in self._hashes))

    def _refresh(self) -> None:
        from lvm_core.opened import stamp

        now = stamp(self._workspace.keys)
        with self._lock:
            if now != self._stamp:
                self._hashes = [bytes.fromhex(entry["sha256"]) for entry in self._read().values()]
                self._stamp = now

    def _read(self) -> dict[str, Json]:
        if not self._workspace.keys.exists():
            return {}
        stored = read_json(self._workspace.keys)
        if not isinstance(stored, dict) or not all(_is_entry(entry) for entry in stored.values()):
            raise WorkspaceError(
                f"{self._workspace.keys} holds no API keys that can be read",
                "what `serve --new-key` writes",
                "Delete it, and make new keys.",
            )
        return stored

    def _write(self, stored: dict[str, Json]) -> None:
        write_json(self._workspace.keys, stored)
        self._workspace.keys.chmod(0o600)


def _is_entry(entry: object) -> bool:
    digest = entry.get("sha256") if isinstance(entry, dict) else None
    return isinstance(digest, str) and len(digest) == 64 and all(c in "0123456789abcdef" for c in digest)


def _hash(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "replace")).digest()
