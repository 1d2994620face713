"""A decoded text rewritten as one clean sentence by a language model: the embedded one, or one behind a URL.

Off unless asked for. Whatever goes wrong, the unsmoothed text stays and a note says why.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from lvm_core.decode.extractive import same_text
from lvm_core.decode.quality import keyword, repeated_bigrams
from lvm_core.endpoint import Endpoint, ask, endpoint_from_environment
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
MAX_REPEATED = 0.4
SENTENCE_ENDS = ".!?…。！？।؟\"”'’)"
EMBEDDED_TIMEOUT_S = 45.0


@dataclass(frozen=True, slots=True)
class Smoothed:
    """`text` is None where nothing came that could be used; `note` then says why. `by` names the model."""

    text: str | None
    by: str
    note: str = ""


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
        return _checked(text, context, f"{server.model} at {server.host}", partial(ask, server, max_tokens=MAX_TOKENS))
    return _checked(text, context, "SmolLM2-135M-Instruct", _ask_smollm)


def messages(text: str, context: Sequence[str]) -> list[dict[str, str]]:
    """Return the chat that asks for one clean sentence: two examples, then the last chunks and the rough sentence."""
    chat = [{"role": "system", "content": SYSTEM}]
    for before, rough, clean in EXAMPLES:
        chat += [{"role": "user", "content": _ask(before, rough)}, {"role": "assistant", "content": clean}]
    before = " ".join(chunk[-CONTEXT_CHARS:] for chunk in context[-CONTEXT_CHUNKS:])
    return [*chat, {"role": "user", "content": _ask(before, text)}]


def _ask(before: str, rough: str) -> str:
    return f"Before: {before}\nRough: {rough}"


def _checked(text: str, context: Sequence[str], by: str, model: Callable[[list[dict[str, str]]], str]) -> Smoothed:
    try:
        answer = _sentence(model(messages(text, context)))
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


def _ask_smollm(chat: list[dict[str, str]]) -> str:
    from lvm_core.inverter.smollm import chat_answer

    return chat_answer(chat, max_new_tokens=MAX_TOKENS, max_time_s=EMBEDDED_TIMEOUT_S)
