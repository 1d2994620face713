"""Which encoder's space is meant, where nobody says it, or says it by name: three rules, each for its own question."""

from collections.abc import Sequence

from lvm_core.checkpoint import list_models
from lvm_core.corpus.store import CorpusStore
from lvm_core.encoders import DEFAULT_ENCODER, available_encoders, encoder_for, encoder_id
from lvm_core.encoders.stored import StoredSpace
from lvm_core.encoders.tmd import SUFFIX
from lvm_core.errors import CorpusError, LvmError, SettingsError
from lvm_core.types import Encoder
from lvm_core.vectors.matrix import encoded_with, open_matrix
from lvm_core.workspace import Workspace

UNNAMED = "the encoder that made these vectors was not named when they were imported."


def space_of_corpus(workspace: Workspace, corpus: str, encoder: str | None = None) -> str:
    """Return the encoder id that is meant of a corpus: the one named, else the one it was encoded with last.

    Args:
        workspace: where the corpus lies.
        corpus: its name.
        encoder: name or id.

    Raises:
        CorpusError: if the corpus has no vectors, or none of that encoder.
    """
    spaces = _encoded(workspace, corpus)
    if not encoder:
        return spaces[0]
    named = [space for space in spaces if _is_called(space, encoder)]
    if not named:
        raise CorpusError(
            f"Corpus '{corpus}' has no vectors of '{encoder}'",
            f"one of {', '.join(spaces)}",
            f"Choose one with --encoder, or run: python -m lvm_core encode --corpus {corpus} --encoder NAME",
        )
    return named[0]


def space_to_train_in(workspace: Workspace, corpora: Sequence[str], encoder: str | None = None) -> str:
    """Return the one encoder id that all `corpora` are encoded with: the one named, else the default's, else the only.

    Raises:
        CorpusError: if the corpora share no encoder, or not the one named.
        SettingsError: if they share several and none was named, or there is no corpus.
    """
    if not corpora:
        raise SettingsError(["corpus is empty; expected the name of at least one corpus."])
    store = CorpusStore(workspace)
    spaces = [set(encoded_with(workspace, store.corpus(name).name)) for name in corpora]
    shared = sorted(set.intersection(*spaces))
    wanted = [space for space in shared if _is_called(space, encoder)] if encoder else shared
    if len(wanted) > 1:
        wanted = [space for space in wanted if _is_called(space, DEFAULT_ENCODER)] or wanted
    if len(wanted) == 1:
        return wanted[0]
    if wanted:
        raise SettingsError(
            [f"The corpora are encoded with {', '.join(wanted)}; expected one of these. Choose it with --encoder."]
        )
    missing = [name for name, ids in zip(corpora, spaces, strict=True) if not ids] or corpora
    how = f" with '{encoder}'" if encoder else ""
    raise CorpusError(
        f"{', '.join(missing)}: not encoded{how}",
        f"one of the encoders there: {', '.join(shared) or 'none'}",
        f"Choose one, or run: python -m lvm_core encode --corpus {missing[0]}",
    )


def space_to_measure_in(workspace: Workspace, refs: Sequence[str], corpus: str) -> str:
    """Return the encoder id to use models in on a corpus: their own, else the corpus's, the default encoder's first.

    Raises:
        CorpusError: if the corpus is missing or has no vectors.
    """
    spaces = _encoded(workspace, corpus)
    default = next((space for space in spaces if _is_called(space, DEFAULT_ENCODER)), spaces[0])
    return space_of_models(workspace, refs) or default


def space_of_models(workspace: Workspace, refs: Sequence[str]) -> str | None:
    """Return the encoder id of the first of the models that has one; rules that need no fit are of every space."""
    of_models = {info.ref: info.encoder_id for info in list_models(workspace)}
    return next((of_models[ref] for ref in refs if ref in of_models), None)


def space_called(encoder: str) -> str:
    """Return the id of an encoder that is given by its name or its id.

    Raises:
        EncoderError: if there is no encoder of that name.
    """
    return encoder if "@" in encoder else encoder_id(encoder)


def spaces_without_encoder(workspace: Workspace) -> list[str]:
    """Return the ids that corpora have vectors of and no encoder here makes, such as those of imported files."""
    here = set()
    for name in available_encoders():
        here |= {encoder_id(name), encoder_id(name + SUFFIX)}
    stored = [space for info in CorpusStore(workspace).corpora() for space in encoded_with(workspace, info.name)]
    return sorted(set(stored) - here)


def encoder_of_space(workspace: Workspace, space: str, device: str = "auto") -> Encoder:
    """Return the encoder with this id; where it is not here, what stands for it with the vectors of a corpus.

    Raises:
        EncoderError: if there is neither.
        SpaceMismatch: if the model of that name has other weights, and no corpus has such vectors.
    """
    try:
        return encoder_for(space, device)
    except LvmError as error:
        for info in CorpusStore(workspace).corpora():
            if space in encoded_with(workspace, info.name):
                matrix = open_matrix(workspace, info.name, space)
                why = UNNAMED if space.startswith("unknown@") else str(error)
                return StoredSpace(space, matrix.dim, matrix.unit_norm, why)
        raise


def first_installed(names: Sequence[str]) -> str:
    """Return the first encoder of `names` whose weights are on this machine, the last where none is."""
    for name in names[:-1]:
        try:
            encoder_id(name)
        except LvmError:
            continue
        return name
    return names[-1]


def _is_called(space: str, encoder: str) -> bool:
    return encoder in (space, space.rpartition("@")[0])


def _encoded(workspace: Workspace, corpus: str) -> list[str]:
    CorpusStore(workspace).corpus(corpus)
    spaces = encoded_with(workspace, corpus)
    if not spaces:
        raise CorpusError(
            f"Corpus '{corpus}' has no vectors yet",
            "a corpus that is encoded",
            f"Make them with: python -m lvm_core encode --corpus {corpus}",
        )
    return spaces
