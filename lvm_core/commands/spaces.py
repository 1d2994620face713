"""Which of a corpus's encoders a command means."""

from lvm_core.errors import CorpusError
from lvm_core.workspace import Workspace


def space_of(workspace: Workspace, corpus: str, encoder: str | None) -> str:
    """Return the encoder id meant: the one named by name or id, else the only or newest one of the corpus.

    Raises:
        CorpusError: if the corpus has no vectors, or none of that encoder.
    """
    from lvm_core.vectors.matrix import encoded_with

    there = encoded_with(workspace, corpus)
    if not there:
        raise CorpusError(
            f"Corpus '{corpus}' has no vectors yet. Make them with: python -m lvm_core encode --corpus {corpus}"
        )
    if not encoder:
        return there[0]
    found = [space for space in there if encoder in (space, space.rpartition("@")[0])]
    if not found:
        raise CorpusError(f"Corpus '{corpus}' has no vectors of '{encoder}'; it has those of {', '.join(there)}.")
    return found[0]
