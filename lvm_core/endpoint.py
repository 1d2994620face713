"""A language model behind an OpenAI-compatible address: where it is, and one question to it.

The address and the key are settings of the environment (LVM_LLM_URL, LVM_LLM_KEY, LVM_LLM_MODEL). The key appears in
no message, log or repr, and no redirect is followed: it would carry the key to another host.
"""

import json
import logging
import os
import time
import urllib.parse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lvm_core.boundary.values import from_environment
from lvm_core.errors import EndpointError, SettingsError

if TYPE_CHECKING:
    import httpx

DEFAULT_TIMEOUT_S = 20.0
MAX_ANSWER_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An OpenAI-compatible server. `url` ends before /chat/completions, as in http://localhost:11434/v1."""

    url: str = field(repr=False)
    model: str = "default"
    key: str = field(default="", repr=False)
    timeout_s: float = DEFAULT_TIMEOUT_S

    @property
    def address(self) -> str:
        """The address that is asked; a query of the given one stays at its end."""
        parts = urllib.parse.urlsplit(self.url)
        return parts._replace(path=parts.path.rstrip("/") + "/chat/completions").geturl()

    @property
    def host(self) -> str:
        """The address without path, user or query: what a message may show."""
        parts = urllib.parse.urlsplit(self.url)
        return f"{parts.scheme}://{parts.hostname}" + (f":{parts.port}" if parts.port else "")


def endpoint_from_environment() -> Endpoint:
    """Return the endpoint that LVM_LLM_URL, LVM_LLM_KEY and LVM_LLM_MODEL name.

    Raises:
        SettingsError: if there is no address, or it is no http(s) address.
    """
    url = from_environment("LVM_LLM_URL")
    if not is_address(url):
        raise SettingsError(
            [
                "LVM_LLM_URL is not the address of a language model; expected http(s)://HOST/v1 of an"
                " OpenAI-compatible server. Set it (and LVM_LLM_KEY, LVM_LLM_MODEL where it needs them), or do"
                " without an endpoint."
            ]
        )
    return Endpoint(
        url.removesuffix("/").removesuffix("/chat/completions"),
        from_environment("LVM_LLM_MODEL", "default"),
        os.environ.get("LVM_LLM_KEY", "").strip(),
    )


def is_address(url: str) -> bool:
    """Return whether `url` is an http(s) address with a host."""
    try:
        parts = urllib.parse.urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:  # half a bracket, or a port that is no number
        return False


def ask(endpoint: Endpoint, chat: Sequence[Mapping[str, str]], max_tokens: int | None = None) -> str:
    """Return the answer to a chat of {"role", "content"} messages, at temperature 0.

    Args:
        endpoint: the server.
        chat: the messages in order.
        max_tokens: longest answer; None leaves it to the server.

    Raises:
        EndpointError: if the server does not answer in time, refuses, or answers in another form.
    """
    import httpx

    logging.getLogger("httpx").setLevel(logging.WARNING)  # below it tells the whole address, user and query included
    body: dict[str, object] = {"model": endpoint.model, "messages": list(chat), "temperature": 0}
    if max_tokens is not None:
        body["max_tokens"] = max_tokens
    headers = {"Authorization": f"Bearer {endpoint.key}"} if endpoint.key else {}
    deadline = time.monotonic() + endpoint.timeout_s
    try:
        with httpx.stream(
            "POST", endpoint.address, json=body, headers=headers, timeout=endpoint.timeout_s, follow_redirects=False
        ) as response:
            if response.status_code != 200:
                raise EndpointError(
                    f"the server answered {response.status_code}",
                    "200",
                    "Check LVM_LLM_URL, LVM_LLM_KEY and LVM_LLM_MODEL.",
                )
            return _content(_read(response, deadline))
    except (httpx.TimeoutException, TimeoutError):
        raise EndpointError(
            "there was no answer",
            f"one within {endpoint.timeout_s:g} s",
            "Check that the server runs, or choose a smaller model with LVM_LLM_MODEL.",
        ) from None
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        raise EndpointError(
            f"the server was not reachable ({type(error).__name__})",
            "one that listens at LVM_LLM_URL",
            "Start it, or check the address.",
        ) from None


def _read(response: "httpx.Response", deadline: float) -> bytes:
    """Read the answer, however slowly it trickles, until the deadline or the largest size."""
    raw = b""
    for part in response.iter_bytes():
        raw += part
        if time.monotonic() > deadline:
            raise TimeoutError
        if len(raw) > MAX_ANSWER_BYTES:
            raise EndpointError(
                "its answer is too long",
                f"at most {MAX_ANSWER_BYTES:,} bytes",
                "Choose another model with LVM_LLM_MODEL.",
            )
    return raw


def _content(raw: bytes) -> str:
    try:
        content = json.loads(raw)["choices"][0]["message"]["content"]
    except (ValueError, KeyError, IndexError, TypeError, RecursionError):
        content = None
    if not isinstance(content, str):
        raise EndpointError(
            "its answer is not that of an OpenAI-compatible server",
            "choices[0].message.content",
            "Check LVM_LLM_URL.",
        )
    return content
