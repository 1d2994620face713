"""Errors a user can mend. Each says what was given, what was expected and what to do, and cannot be made without."""


class LvmError(Exception):
    """Base of every mistake that is the user's to mend; the app and the CLI show its message alone."""

    def __init__(self, given: str, expected: str, remedy: str) -> None:
        """Make the message "GIVEN; expected EXPECTED. REMEDY".

        Args:
            given: what was given or found, the beginning of a sentence.
            expected: what would have been right.
            remedy: what the user can do, one whole sentence or more.
        """
        super().__init__(given, expected, remedy)

    @property
    def parts(self) -> tuple[str, str, str]:
        """What was given, what was expected and what to do, for an error that says the same of something larger."""
        given, expected, remedy = self.args
        return given, expected, remedy

    def __str__(self) -> str:
        given, expected, remedy = self.parts
        return f"{given}; expected {expected}. {remedy}"


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
        Exception.__init__(self, what, given, expected, remedy)
        self.given = given
        self.expected = expected

    @property
    def parts(self) -> tuple[str, str, str]:
        """What was given, what was expected and what to do."""
        what, given, expected, remedy = self.args
        vectors = f"{what} belongs to the space of encoder '{expected}', but the vectors given are of encoder '{given}'"
        return vectors, "vectors of its own", f"Vectors of two encoders never mix: {remedy}"


class ModelError(LvmError):
    """A model is unknown, its files are damaged, or it cannot serve the request."""


class SettingsError(LvmError):
    """One or more settings are out of bounds; `problems` lists all of them at once."""

    def __init__(self, problems: list[str]) -> None:
        """Join `problems` into the message; each says what was given and "; expected" what, and may say what to do."""
        Exception.__init__(self, problems)
        self.problems = problems

    @property
    def parts(self) -> tuple[str, str, str]:
        """What was given, what was expected and what to do."""
        return " ".join(self.problems).rstrip("."), "settings within their limits", "Mend them."

    def __str__(self) -> str:
        return " ".join(self.problems)


class EndpointError(LvmError):
    """A language model behind an address gave nothing that can be used."""


class ServiceError(LvmError):
    """A service at an address is away, wants another key, or is of another release."""


class DecoderError(LvmError):
    """A decoder cannot be loaded, or a vector cannot be turned into text."""


class JobError(LvmError):
    """A job is unknown or is not in a state that allows what was asked."""


class ExecutorLost(LvmError):
    """What carried out the work went away (a cluster's head, its last node); the same command goes on later."""


class WorkspaceError(LvmError):
    """The workspace cannot be read or written."""


class MissingPackage(LvmError):
    """An optional package is not installed."""

    def __init__(self, package: str, purpose: str, install: str) -> None:
        """Say which package is missing, what for, and the exact command that brings it."""
        Exception.__init__(self, package, purpose, install)

    @property
    def parts(self) -> tuple[str, str, str]:
        """What was given, what was expected and what to do."""
        package, purpose, install = self.args
        return f"{purpose} needs the package '{package}', which is not installed", "it to be here", f"Run: {install}"
