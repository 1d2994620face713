"""A decoded text rewritten as one clean sentence by a language model: the embedded one, or one behind a URL.

Off unless asked for. Whatever goes wrong, the unsmoothed text stays and a note says why. The address and the key
of an endpoint are settings of the environment (LVM_LLM_URL, LVM_LLM_KEY, LVM_LLM_MODEL); the key appears in no
message, log or repr.
"""

import http.client
import json
import os
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from lvm_core.decode.extractive import same_text
from lvm_core.decode.quality import keyword, repeated_bigrams
from lvm_core.errors import LvmError, SettingsError

SMOOTHERS = ("off", "smollm2", "endpoint")
SYSTEM = "You rewrite a rough sentence as one clean sentence. Keep its meaning and names. Write nothing else."
EXAMPLES = (
    (
        "The bridge was designed by a young engineer. Work on it began in the spring of 1884.",
        "bridge was open open for traffic traffic on 1887 by mayor the city of",
        "The bridge was opened to traffic in 1887 by the mayor of the city.",
    ),
    (
        "Bees live in colonies. Each colony has one queen.",
        "worker the bees nectar collects and are which turned honey",
        "The worker bees collect nectar, which is turned into honey.",
    ),
)
CONTEXT_CHARS = 240
CONTEXT_CHUNKS = 2
MAX_TOKENS = 96
MAX_ANSWER_BYTES = 1_000_000
MAX_REPEATED = 0.4
SENTENCE_ENDS = ".!?…。！？।؟\"”'’)"
DEFAULT_TIMEOUT_S = 20.0
EMBEDDED_TIMEOUT_S = 45.0


@dataclass(frozen=True, slots=True)
class Smoothed:
    """`text` is None where nothing came that could be used; `note` then says why. `by` names the model."""

    text: str | None
    by: str
    note: str = ""


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
    url = os.environ.get("LVM_LLM_URL", "").strip()
    parts = urllib.parse.urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise SettingsError(
            [
                "LVM_LLM_URL is not the address of a language model; expected http(s)://HOST/v1 of an"
                " OpenAI-compatible server. Set it (and LVM_LLM_KEY, LVM_LLM_MODEL where it needs them), or smooth"
                " with 'smollm2'."
            ]
        )
    return Endpoint(
        url.removesuffix("/").removesuffix("/chat/completions"),
        os.environ.get("LVM_LLM_MODEL", "default"),
        os.environ.get("LVM_LLM_KEY", "").strip(),
    )


def smooth_text(kind: str, text: str, context: Sequence[str], endpoint: Endpoint | None = None) -> Smoothed:
    """Return `text` as one clean sentence in the light of the chunks before it.

    Args:
        kind: smollm2 (embedded) or endpoint.
        text: the decoded text.
        context: the chunks before it.
        endpoint: None takes the environment's.

    Raises:
        SettingsError: if `kind` is unknown or the endpoint has no address.
    """
    if kind not in SMOOTHERS:
        raise SettingsError([f"smooth is {kind!r}; expected one of {', '.join(SMOOTHERS)}."])
    if kind == "off":
        return Smoothed(None, "off")
    if kind == "endpoint":
        server = endpoint or endpoint_from_environment()
        return _checked(text, context, f"{server.model} at {server.host}", lambda ask: _ask_endpoint(server, ask))
    return _checked(text, context, "SmolLM2-135M-Instruct", _ask_smollm)


class SmoothingError(LvmError):
    """A language model gave nothing that can be used."""


def messages(text: str, context: Sequence[str]) -> list[dict[str, str]]:
    """Return the chat that asks for one clean sentence: two examples, then the last chunks and the rough sentence."""
    chat = [{"role": "system", "content": SYSTEM}]
    for before, rough, clean in EXAMPLES:
        chat += [{"role": "user", "content": _ask(before, rough)}, {"role": "assistant", "content": clean}]
    before = " ".join(chunk[-CONTEXT_CHARS:] for chunk in context[-CONTEXT_CHUNKS:])
    return [*chat, {"role": "user", "content": _ask(before, text)}]


def _ask(before: str, rough: str) -> str:
    return f"Before: {before}\nRough: {rough}"


def _checked(text: str, context: Sequence[str], by: str, ask: Any) -> Smoothed:
    try:
        answer = _sentence(ask(messages(text, context)))
        reason = _nonsense(answer, text, context)
    except LvmError as error:
        answer, reason = "", str(error)
    if reason:
        return Smoothed(None, by, f"Not smoothed by {by}: {reason}")
    return Smoothed(answer, by)


def _sentence(answer: str) -> str:
    """The first paragraph, without quotes around it."""
    stripped = answer.strip()
    first = " ".join(stripped.split("\n\n")[0].split())
    return first.strip('"“”') if first[:1] in '"“' else first


def _nonsense(answer: str, text: str, context: Sequence[str]) -> str:
    if not answer:
        return "it answered nothing."
    if len(answer) > 3 * len(text) + 200:
        return f"it answered {len(answer):,} characters for a sentence of {len(text):,}."
    if repeated_bigrams(answer) > MAX_REPEATED:
        return "its answer repeats itself."
    if answer[-1] not in SENTENCE_ENDS:
        return f"its answer stops in the middle: {answer[-40:]!r}."
    if same_text(answer).rstrip(SENTENCE_ENDS) in same_text(" ".join([SYSTEM, *context])):
        return "it only says again what stood before."
    if keyword(answer, [text]) is None:
        return "its answer shares no word with the text."
    return ""


# ---------------------------------------------------------------- the embedded model


def _ask_smollm(chat: list[dict[str, str]]) -> str:
    from lvm_core.inverter.smollm import chat_answer

    return chat_answer(chat, max_new_tokens=MAX_TOKENS, max_time_s=EMBEDDED_TIMEOUT_S)


# ---------------------------------------------------------------- an endpoint


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect would carry the key to another host."""

    def redirect_request(self, *_args: Any, **_kwargs: Any) -> None:
        return None


def _ask_endpoint(server: Endpoint, chat: list[dict[str, str]]) -> str:
    body = {"model": server.model, "messages": chat, "max_tokens": MAX_TOKENS, "temperature": 0}
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    if server.key:
        headers["Authorization"] = f"Bearer {server.key}"
    try:
        request = urllib.request.Request(server.address, json.dumps(body).encode(), headers)
        opener = urllib.request.build_opener(_NoRedirect)
        with opener.open(request, timeout=server.timeout_s) as response:
            raw = _read(response, time.monotonic() + server.timeout_s)
    except urllib.error.HTTPError as error:
        error.close()
        raise SmoothingError(
            f"the server answered {error.code}; check LVM_LLM_URL, LVM_LLM_KEY, LVM_LLM_MODEL."
        ) from None
    except TimeoutError:
        raise SmoothingError(f"no answer within {server.timeout_s:g} s.") from None
    except (OSError, ValueError, http.client.HTTPException) as error:
        reason = "no answer in time" if isinstance(getattr(error, "reason", None), TimeoutError) else "not reachable"
        raise SmoothingError(f"the server was {reason} ({type(error).__name__}); check LVM_LLM_URL.") from None
    return _content(raw)


def _read(response: Any, deadline: float) -> bytes:
    """Read the answer, however slowly it trickles, until the deadline or the largest size."""
    raw = b""
    while part := response.read1(65_536):
        raw += part
        if time.monotonic() > deadline:
            raise TimeoutError
        if len(raw) > MAX_ANSWER_BYTES:
            raise SmoothingError(f"its answer is longer than {MAX_ANSWER_BYTES:,} bytes.")
    return raw


def _content(raw: bytes) -> str:
    try:
        content = json.loads(raw)["choices"][0]["message"]["content"]
    except (ValueError, KeyError, IndexError, TypeError):
        content = None
    if not isinstance(content, str):
        raise SmoothingError("its answer is not that of an OpenAI-compatible server (choices[0].message.content).")
    return content
