"""Whether a worker can stand in for this process: the same versions, the same code, the same folder."""

import functools
import hashlib
import importlib.metadata
import os
import platform
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from lvm_core.children import PROJECT
from lvm_core.database import copy_database
from lvm_core.errors import JobError
from lvm_core.workspace import Workspace, disk_errors, write_text

PACKAGES = ("torch", "numpy", "transformers", "sentence-transformers", "faiss-cpu", "safetensors", "tokenizers")
"""What the bits of vectors and weights depend on."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What whoever spreads work knows of itself.

    Attributes:
        place: name of its machine.
        versions: of Python, the studio's code and the packages that decide about bits, by name.
        token: a file in the shared folder, relative to it, that every worker must find.
        secret: what stands in it.
        database: the copy of the database that workers on other machines read, relative to the folder; "" for none.
    """

    place: str
    versions: dict[str, str]
    token: str
    secret: str
    database: str = ""


def this_place() -> str:
    """Return the name of this machine, with LVM_NODE behind it where several nodes share one."""
    name = os.environ.get("LVM_NODE", "")
    return f"{platform.node()}/{name}" if name else platform.node()


@functools.cache
def versions() -> dict[str, str]:
    """Return what must be the same wherever a part of one work is done."""
    found = {"Python": ".".join(platform.python_version_tuple()[:2]), "the studio's code": _code()}
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = "missing"
    return found


def _code() -> str:
    """Return 12 hex digits that change with any line of the engine."""
    sha = hashlib.sha256()
    folder = PROJECT / "lvm_core"
    for path in sorted(folder.rglob("*.py")):
        sha.update(str(path.relative_to(folder)).encode())
        sha.update(path.read_bytes())
    return sha.hexdigest()[:12]


@contextmanager
def shared(workspace: Workspace, copied: bool = False) -> Iterator[Facts]:
    """Give the facts of this process, with a token in the workspace that goes when the work is over.

    `copied` where workers are on other machines: they are given a copy of the database to read.
    """
    folder = workspace.make(workspace.cluster)
    path, secret = folder / f"token-{secrets.token_hex(8)}", secrets.token_hex(16)
    copy = path.with_name(f"{path.name}.db")
    write_text(path, secret)
    try:
        if copied and workspace.database.exists():
            copy_database(workspace, copy)
        database = str(copy.relative_to(workspace.root)) if copy.exists() else ""
        yield Facts(this_place(), versions(), str(path.relative_to(workspace.root)), secret, database)
    finally:
        for left in folder.glob(f"{path.name}*"):
            left.unlink(missing_ok=True)


def check_facts(theirs: Facts, workspace: Workspace) -> None:
    """Check that this process can do a part of the work of the one that `theirs` are of.

    Raises:
        JobError: naming every version that differs, or saying that the folder is another one.
        WorkspaceError: if the folder cannot be written from here.
    """
    mine = versions()
    differ = [
        f"{name} {mine.get(name, 'missing')} instead of {version}"
        for name, version in theirs.versions.items()
        if mine.get(name) != version
    ]
    if differ:
        raise JobError(
            f"{this_place()} has {', '.join(differ)}",
            f"what {theirs.place} has, for the results of the two would differ",
            "Bring both to one state of the studio and of its requirements (make venv), and start the worker anew.",
        )
    path = workspace.root / theirs.token
    found = path.read_text(encoding="utf-8") if path.is_file() else ""
    if found != theirs.secret:
        raise JobError(
            f"The workspace {workspace.root} on {this_place()} has not the file that {theirs.place} has just written",
            "one folder that both see",
            "Put the workspace on storage that both mount at the same path (NFS or the like), or say with LVM_MOUNT on"
            " that node where it is mounted.",
        )
    answer = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    with disk_errors(answer):
        answer.write_text(this_place(), encoding="utf-8")
