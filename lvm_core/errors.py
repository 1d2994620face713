"""Errors a user can mend. Each message says what was given, what was expected and what to do."""


class LvmError(Exception):
    """Base of every mistake that is the user's to mend; the app and the CLI show its message alone."""


class SourceError(LvmError):
    """A file, data set or database that was to be read cannot be."""


class CorpusError(LvmError):
    """A corpus is missing, exists already, is empty, or is not ready for what was asked."""


class EncoderError(LvmError):
    """An encoder cannot be loaded, or a text cannot be encoded."""


class SpaceMismatch(LvmError):
    """Vectors of two encoders were about to meet."""

    def __init__(self, what: str, given: str, expected: str, remedy: str) -> None:
        """Build the message from the two encoder ids.

        Args:
            what: the thing that does not fit, such as "model 'amn-3'".
            given: encoder id of the vectors at hand.
            expected: encoder id that `what` was made for.
            remedy: what the user can do.
        """
        super().__init__(
            f"{what} belongs to the space of encoder '{expected}', but the vectors given are of"
            f" encoder '{given}'. Vectors of two encoders never mix: {remedy}"
        )
        self.given = given
        self.expected = expected


class ModelError(LvmError):
    """A model is unknown, its files are damaged, or it cannot serve the request."""


class SettingsError(LvmError):
    """One or more settings are out of bounds; `problems` lists all of them at once."""

    def __init__(self, problems: list[str]) -> None:
        """Join `problems`, one sentence each, into the message."""
        super().__init__(" ".join(problems))
        self.problems = problems


class EndpointError(LvmError):
    """A language model behind an address gave nothing that can be used."""


class DecoderError(LvmError):
    """A decoder cannot be loaded, or a vector cannot be turned into text."""


class JobError(LvmError):
    """A job is unknown or is not in a state that allows what was asked."""


class WorkspaceError(LvmError):
    """The workspace cannot be read or written."""


class MissingPackage(LvmError):
    """An optional package is not installed."""

    def __init__(self, package: str, purpose: str, install: str) -> None:
        """Say which package is missing, what for, and the exact command that brings it."""
        super().__init__(f"{purpose} needs the package '{package}', which is not installed. Run: {install}")
