"""Ports 9001 to 9006: one model a port, by text; how well it keeps to what the predecessor wanted of its service."""

import itertools
import statistics
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any, Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from lvm_core.corpus.chunking import split_text
from lvm_core.device import describe_device, pick_device
from lvm_core.errors import SettingsError
from lvm_core.predict.asking import settings_of
from lvm_core.predict.prediction import PASSTHROUGH, Prediction
from lvm_core.predict.stages import elapsed_ms
from lvm_core.service.asking import Asked, as_json, at_most, while_there
from lvm_core.service.endpoints.predict import whole
from lvm_core.service.engine import Engine
from lvm_core.service.predicting import Asking
from lvm_core.service.problems import RESPONSES
from lvm_core.service.shapes import Text
from lvm_core.vectors.checks import MAX_STEPS

CONTEXT = 5
"""Chunks that a paragraph is made into."""

LADDER = (1, 3, 5)
TARGETS = {"p50_ms": 1_000, "p95_ms": 1_300, "gibberish_rate_pct": 5, "keyword_hit_rate_pct": 75}
"""What the predecessor wanted of its service."""


class ChatRequest(BaseModel):
    """Messages, or a paragraph that is cut into chunks."""

    messages: list[Text] | None = Field(None, min_length=1)
    paragraph: Text | None = None
    temperature: float = Field(1.0, ge=0.0, le=2.0)
    decode_steps: int = Field(1, ge=1, le=MAX_STEPS)
    auto_chunk: bool = True
    chunk_mode: Literal["adaptive", "fixed", "sentence", "off"] = "adaptive"

    def chunks(self) -> tuple[list[str], bool]:
        """Return the context, and whether it was cut out of one text.

        Raises:
            SettingsError: if there is neither a message nor a paragraph, or both.
        """
        if bool(self.messages) == bool(self.paragraph):
            raise SettingsError(["messages and paragraph are both given, or neither; expected one of them. Give one."])
        if self.paragraph:
            return grouped(split_text(self.paragraph)), True
        messages = self.messages or []
        if not self.auto_chunk or self.chunk_mode == "off" or len(messages) > 1:
            return messages, False
        sentences = split_text(messages[0])
        if self.chunk_mode == "sentence":
            return sentences or messages, True
        if self.chunk_mode == "fixed" or len(sentences) >= CONTEXT:
            return grouped(sentences) or messages, True
        return messages, False


def grouped(sentences: list[str], most: int = CONTEXT) -> list[str]:
    """Return sentences joined into at most `most` chunks of like length."""
    n = min(most, len(sentences))
    edges = [round(i * len(sentences) / n) for i in range(n + 1)] if n else []
    return [" ".join(sentences[a:b]) for a, b in itertools.pairwise(edges)]


@dataclass(slots=True)
class Figures:
    """The last thousand answers of a port: milliseconds, whether gibberish, whether a keyword is shared."""

    answers: deque[tuple[float, bool, bool]] = field(default_factory=lambda: deque(maxlen=1000))
    cached: int = 0
    written: int = 0

    def note(self, prediction: Prediction, ms: float) -> None:
        """Count an answer."""
        shown = prediction.decoding.shown
        failed = shown is not None and any(shown.verdict.fails(check) for check in ("repeats", "entropy"))
        self.answers.append((ms, failed, shown is not None and shown.verdict.keyword is not None))
        self.cached += prediction.timings.cached
        self.written += not prediction.timings.cached

    def measured(self) -> dict[str, float]:
        """Return what `TARGETS` are about; zeros before the first answer."""
        if not self.answers:
            return dict.fromkeys((*TARGETS, "total_requests"), 0.0)
        took = sorted(ms for ms, _, _ in self.answers)
        n = len(took)
        return {
            "p50_ms": statistics.median(took),
            "p95_ms": took[min(n - 1, int(0.95 * n))],
            "gibberish_rate_pct": 100 * sum(bad for _, bad, _ in self.answers) / n,
            "keyword_hit_rate_pct": 100 * sum(hit for _, _, hit in self.answers) / n,
            "total_requests": float(n),
        }

    def violations(self) -> list[str]:
        """Return what misses its target."""
        found = self.measured()
        if not self.answers:
            return []
        wrong = [name for name in TARGETS if name != "keyword_hit_rate_pct" and found[name] > TARGETS[name]]
        low = found["keyword_hit_rate_pct"] < TARGETS["keyword_hit_rate_pct"]
        return [*wrong, *(["keyword_hit_rate_pct"] if low else [])]


def router(model: str) -> APIRouter:
    """Return the endpoints by text of the port of `model`."""
    routes = APIRouter(responses=RESPONSES)
    figures = Figures()
    passes = model == PASSTHROUGH

    @routes.post("/chat")
    async def chat(request: Request, body: ChatRequest, engine: Asked) -> Response:
        """Return what the model says comes next, as text."""
        begun = time.perf_counter()
        chunks, cut = body.chunks()
        at_most(chunks, engine.settings.most_chunks, "The context", "--most-chunks")
        ladder = tuple(sorted({body.decode_steps, *(s for s in LADDER if s > body.decode_steps)}))
        settings = settings_of("seeds", {"snap": "off" if passes else "on"}, {}, {"ladder": ladder})
        asking = Asking(tuple(chunks), (model,), settings)
        (said, _) = await while_there(request, whole(engine, asking))
        ms = elapsed_ms(begun)
        figures.note(said[0], ms)
        return as_json(_chat_answer(said[0], len(chunks), cut, passes, ms))

    @routes.get("/health")
    async def health(engine: Asked) -> dict[str, Any]:
        """Say whether the port lives and keeps to the predecessor's targets."""
        wrong = figures.violations()
        return {
            "status": "degraded" if wrong else "healthy", "model_type": model, "model_loaded": True,
            "device": device(), "encoder_url": url(engine, 8767, "/embed"),
            "decoder_url": url(engine, 8766, "/decode"), "pipeline": "passthrough" if passes else "lvm",
            "max_decode_steps": MAX_STEPS, "slo_compliant": not wrong, "slo_violations": wrong,
        }  # fmt: skip

    @routes.get("/metrics")
    async def metrics() -> dict[str, Any]:
        """Return the figures of the port."""
        wrong, n = figures.violations(), figures.cached + figures.written
        return {
            "slo_metrics": figures.measured(),
            "slo_targets": TARGETS,
            "compliance": {"status": "violated" if wrong else "compliant", "violations": wrong},
            "cache": {
                "hits": figures.cached, "misses": figures.written,
                "hit_rate_pct": round(100 * figures.cached / n, 2) if n else 0.0,
            },
        }  # fmt: skip

    return routes


def _chat_answer(said: Prediction, n_given: int, cut: bool, passes: bool, ms: float) -> dict[str, Any]:
    timings = said.timings
    breakdown = {
        "encoding_ms": timings.encode, "context_build_ms": 0.0, "lvm_inference_ms": timings.predict,
        "calibration_ms": timings.snap, "decoding_ms": timings.decode, "cache_hit": float(timings.cached),
        "decode_steps_used": float(said.steps),
    }  # fmt: skip
    nearest = said.neighbours[0].cosine if said.neighbours else 0.0
    read = 1 if passes else len(said.context.texts)
    return {
        "response": said.text, "confidence": 1.0 if passes else nearest, "latency_breakdown": breakdown,
        "timings": breakdown, "total_latency_ms": ms, "chunks_used": read, "input_chunks": n_given,
        "chunking_applied": cut, "ctx_fill_mode": "passthrough" if passes else "seq", "note": said.note,
    }  # fmt: skip


def url(engine: Engine, port: int, path: str) -> str:
    """Return where another of the predecessor's ports is reached from this machine."""
    return f"http://localhost:{port + engine.settings.seed_offset}{path}"


def device() -> str:
    """Return what is computed on: cpu, cuda or mps."""
    return describe_device(pick_device()).split(" ")[0]
