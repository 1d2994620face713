"""TMD codes: the domain, task and modifier of a chunk, packed in 16 bits as existing databases hold them.

bits 15..12 domain (16 values)   bits 11..7 task (32)   bits 6..1 modifier (64)   bit 0 spare
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from lvm_core.corpus.tmd.labels import DOMAINS, MODIFIERS, TASKS
from lvm_core.endpoint import Endpoint, ask
from lvm_core.errors import EndpointError, SettingsError, SourceError
from lvm_core.types import Encoder, Progress, Vectors, no_progress
from lvm_core.vectors.geometry import unit_rows

KINDS = ((12, DOMAINS), (7, TASKS), (1, MODIFIERS))
"""Lowest bit of each kind of label in a code, and the labels with their descriptions."""

DOMAIN_NAMES, TASK_NAMES, MODIFIER_NAMES = tuple(DOMAINS), tuple(TASKS), tuple(MODIFIERS)
VECTOR_DIM = 16
PROJECTION_SEED = 1337


@dataclass(frozen=True, slots=True)
class Tmd:
    """One code, unpacked into the three numbers."""

    domain: int
    task: int
    modifier: int

    @property
    def names(self) -> tuple[str, str, str]:
        return DOMAIN_NAMES[self.domain], TASK_NAMES[self.task], MODIFIER_NAMES[self.modifier]


def pack(domain: int, task: int, modifier: int) -> int:
    """Return the 16-bit code; (2, 5, 10) is 8852.

    Raises:
        SettingsError: naming every number that does not fit its bits.
    """
    limits = (("domain", domain, 16), ("task", task, 32), ("modifier", modifier, 64))
    wrong = [f"{name} is {value}; expected 0 to {n - 1}." for name, value, n in limits if not 0 <= value < n]
    if wrong:
        raise SettingsError(wrong)
    return domain << 12 | task << 7 | modifier << 1


def unpack(code: int) -> Tmd:
    """Return the three numbers of a code; the spare bit is ignored.

    Raises:
        SettingsError: if the code does not fit 16 bits.
    """
    if not 0 <= code < 1 << 16:
        raise SettingsError([f"The TMD code is {code}; expected 0 to 65535."])
    return Tmd(code >> 12, code >> 7 & 31, code >> 1 & 63)


def by_names(domain: str, task: str, modifier: str) -> int:
    """Return the code of three labels, as a person would type them.

    Raises:
        SettingsError: naming each label that does not exist.
    """
    wanted = (("domain", domain, DOMAIN_NAMES), ("task", task, TASK_NAMES), ("modifier", modifier, MODIFIER_NAMES))
    wrong = [
        f"{kind} {name!r} does not exist; expected one of {', '.join(names)}."
        for kind, name, names in wanted
        if name not in names
    ]
    if wrong:
        raise SettingsError(wrong)
    return pack(*(names.index(name) for _, name, names in wanted))


def read_code(text: str) -> int | None:
    """Return the code that somebody writes as "DOMAIN/TASK/MODIFIER" or as a number; None for an empty text.

    Raises:
        SettingsError: for another form, a label that does not exist, or a number of more than 16 bits.
    """
    parts = [part.strip() for part in text.split("/")]
    if parts == [""]:
        return None
    if len(parts) == 1 and parts[0].isdecimal():
        unpack(int(parts[0]))
        return int(parts[0])
    if len(parts) != 3:
        raise SettingsError(
            [f"tmd is {text!r}; expected DOMAIN/TASK/MODIFIER, such as history/fact_retrieval/temporal, or 0 to 65535."]
        )
    return by_names(*parts)


@cache
def _projection() -> NDArray[np.float32]:
    rng = np.random.default_rng(PROJECTION_SEED)
    return rng.standard_normal((VECTOR_DIM, 15)).astype(np.float32)


def tmd_vectors(codes: Sequence[int] | NDArray[np.int64]) -> Vectors:
    """Return the 16-D unit vectors (N, 16) of `codes`: their 15 code bits, most significant first, by a fixed matrix.

    Code 0 has no bit set and stays the zero vector.
    """
    bits = (np.asarray(codes, dtype=np.int64)[:, None] >> np.arange(15, 0, -1)) & 1
    return unit_rows(bits.astype(np.float32) @ _projection().T)


def label_by_encoder(vectors: Vectors, encoder: Encoder, progress: Progress = no_progress) -> NDArray[np.int64]:
    """Return a code for each chunk vector (N, D), zero-shot: the nearest written description of each kind.

    Args:
        vectors: embeddings of the chunks by `encoder`.
        encoder: embeds the descriptions.
        progress: told the end.
    """
    codes = label_by_descriptions(vectors, describe_labels(encoder))
    progress(1.0, f"{len(vectors):,} chunks labelled")
    return codes


def describe_labels(encoder: Encoder) -> Vectors:
    """Return the unit vectors (112, D) of the written descriptions: domains, tasks, modifiers, in their order."""
    described = encoder.encode([text for _, labels in KINDS for text in labels.values()])
    return unit_rows(described)


def label_by_descriptions(vectors: Vectors, described: Vectors) -> NDArray[np.int64]:
    """Return a code for each chunk vector (N, D) from the vectors (112, D) of the descriptions.

    The mean cosine of a description to all 112 descriptions is taken off first, so that no label wins everywhere
    by being general (hubness: Dinu, Lazaridou and Baroni 2015, section 3). The answer for one chunk depends on
    that chunk alone.
    """
    cosine = unit_rows(vectors) @ described.T - (described @ described.T).mean(axis=0)
    codes = np.zeros(len(vectors), dtype=np.int64)
    first = 0
    for shift, labels in KINDS:
        codes |= cosine[:, first : first + len(labels)].argmax(axis=1).astype(np.int64) << shift
        first += len(labels)
    return codes


def label_by_endpoint(text: str, endpoint: Endpoint) -> int:
    """Return the code that an OpenAI-compatible chat endpoint gives one text.

    Raises:
        SourceError: if the endpoint does not answer in time, or answers no triple of known labels.
    """
    instruction = (
        'Classify the text. Answer with JSON only: {"domain": ..., "task": ..., "modifier": ...}.'
        f" domain is one of {', '.join(DOMAIN_NAMES)}; task is one of {', '.join(TASK_NAMES)};"
        f" modifier is one of {', '.join(MODIFIER_NAMES)}."
    )
    try:
        answer = ask(endpoint, [{"role": "system", "content": instruction}, {"role": "user", "content": text}])
    except EndpointError as error:
        given, expected, remedy = error.parts
        raise SourceError(f"The endpoint {endpoint.host} did not answer: {given}", expected, remedy) from error
    try:
        labels = json.loads(answer[answer.index("{") : answer.rindex("}") + 1])
        return by_names(*(str(labels[kind]) for kind in ("domain", "task", "modifier")))
    except (ValueError, KeyError, TypeError, SettingsError) as error:
        raise SourceError(
            f"The endpoint {endpoint.host} gave no TMD labels for {text[:60]!r}: {error}",
            "a domain, a task and a modifier for each text",
            "Choose another model with LVM_LLM_MODEL, or label without --endpoint.",
        ) from error


def told_vector(text: str) -> Vectors | None:
    """Return the TMD vector (16,) of a code as somebody writes it, None for an empty text; see `read_code`."""
    code = read_code(text)
    return None if code is None else tmd_vectors([code])[0]
