"""Every limit and address of the service."""

import re
from dataclasses import dataclass

from lvm_core.config import check, setting
from lvm_core.errors import SettingsError
from lvm_core.json_shapes import Values

SEED_MODELS = {
    9001: "amn",
    9002: "transformer",
    9003: "gru",
    9004: "lstm",
    9005: "passthrough",
    9006: "ensemble",
}
"""The predecessor's table of ports; 9006 was the most accurate it had, so it is the best of ours here."""

LOOPBACK = ("localhost", "127.0.0.1", "[::1]", "::1")
"""Names that a machine calls itself by."""


@dataclass(frozen=True, slots=True)
class ServiceSettings:
    """What the service listens to, and how much of anything it takes."""

    host: str = setting("127.0.0.1", "address to listen on; 0.0.0.0 is every one of this machine")
    port: int = setting(9000, "port to listen on, 0 for any that is free", "", 0, 65_535)
    allowed_hosts: str = setting("", "further names it answers to, separated by commas; * is any", "")
    cors: str = setting("", "origins whose pages may call it, separated by commas, such as https://lab.example", "")
    most_body_mb: float = setting(16.0, "largest request", "MB", 0.001, 2_048)
    most_chunks: int = setting(100, "longest context of one question", "chunks", 1, 10_000)
    most_texts: int = setting(2_048, "texts or vectors in one request", "", 1, 100_000)
    most_waiting: int = setting(256, "requests that may wait; the next is told to come back (429)", "", 1, 100_000)
    most_at_once: int = setting(32, "requests that are computed together", "", 1, 4_096)
    time_limit_s: float = setting(120.0, "longest wait for an answer", "s", 0.1, 86_400)
    body_limit_s: float = setting(30.0, "longest wait for the whole of a request to arrive", "s", 0.1, 86_400)
    grace_s: float = setting(20.0, "after a signal to stop, time for requests under way", "s", 0, 3_600)
    need_key: bool = setting(False, "answer only to API keys, made with `serve --new-key NAME`")

    seed_ports: bool = setting(False, "listen on the predecessor's ports too, with its requests and answers")
    seed_models: Values = setting({}, "model of a seed port: 9006=mlp", flag="seed-model")  # noqa: RUF009 - it is a field
    seed_offset: int = setting(0, "added to each of the predecessor's ports", "", 0, 50_000)

    def seed_table(self) -> dict[int, str]:
        """Return the predecessor's ports that have a model, each with its model.

        Raises:
            SettingsError: if a port is none.
        """
        wrong = [port for port in self.seed_models if not port.isdigit() or not 1 <= int(port) <= 65_535]
        if wrong:
            raise SettingsError([f"seed-model is for the port {wrong[0]!r}; expected PORT=MODEL, such as 9006=mlp."])
        return SEED_MODELS | {int(port): str(model) for port, model in self.seed_models.items()}

    def names(self) -> tuple[str, ...]:
        """Return the host names it answers to, in small letters; ("*",) for any."""
        given = [name.lower() for name in re.split(r"[,\s]+", self.allowed_hosts) if name]
        own = [] if self.host in ("", "0.0.0.0", "::") else [self.host.lower()]
        return ("*",) if "*" in given else tuple(dict.fromkeys([*LOOPBACK, *own, *given]))

    def origins(self) -> tuple[str, ...]:
        """Return the origins whose pages may call it."""
        return tuple(origin.rstrip("/") for origin in re.split(r"[,\s]+", self.cors) if origin)

    @property
    def most_body_bytes(self) -> int:
        """The largest request in bytes."""
        return int(self.most_body_mb * 1e6)

    def checked(self) -> "ServiceSettings":
        """Return the settings unchanged.

        Raises:
            SettingsError: with all problems at once.
        """
        check(self)
        self.seed_table()
        wrong = [o for o in self.origins() if o != "*" and not re.fullmatch(r"https?://[^/\s]+", o)]
        if wrong:
            raise SettingsError([f"cors is {wrong[0]!r}; expected origins such as https://lab.example, or *."])
        return self
