"""A service elsewhere behind a `Studio`: its verbs over HTTP, and its errors as the house's own."""

import json
import logging
import time
import weakref
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, TypeVar

import httpx

from lvm_core import errors
from lvm_core.boundary.json_values import from_json
from lvm_core.boundary.plain import plain
from lvm_core.boundary.secrets import shown_address
from lvm_core.endpoint import is_address
from lvm_core.errors import LvmError, ServiceError, SettingsError
from lvm_core.evaluate.rows import Row
from lvm_core.json_shapes import Json, Value
from lvm_core.library import wire
from lvm_core.library.backend import Ask, ModelSummary, Space
from lvm_core.library.results import Found
from lvm_core.predict.prediction import Context, Prediction
from lvm_core.types import CorpusInfo, Decoded, Progress, Vectors
from lvm_core.version import __version__

if TYPE_CHECKING:
    from lvm_core.forecast import Forecast
    from lvm_core.study.map import VectorMap

CONNECT_S, LOOK_S = 5.0, 0.5
LONGEST_S = 1_000_000
"""The longest silence that a socket can be told to wait for, and more than anybody does."""

SIDE_BY_SIDE = 16
"""Questions of one call under way at a time."""

T = TypeVar("T")


class Remote:
    """A service by its address. A connection is kept, and made anew where it was cut."""

    def __init__(self, url: str, key: str, timeout_s: float) -> None:
        """Remember the address; nothing is asked yet.

        Raises:
            SettingsError: if it is no http(s) address, or the key or the seconds are none.
        """
        if not is_address(url):
            raise SettingsError(
                [f"{shown_address(url)} is no address of a service; expected http(s)://HOST:PORT. Mend it."]
            )
        if not (key.isascii() and key.isprintable()):
            raise SettingsError(
                ["The key of the service has letters that no key has; expected what `serve --new-key` gave. Mend it."]
            )
        if not 0 < timeout_s <= LONGEST_S:
            raise SettingsError(
                [f"timeout_s is {timeout_s}; expected seconds above 0, {LONGEST_S:,} at most. Leave it out for 300."]
            )
        self.place = shown_address(url.rstrip("/"))
        self._timeout_s = timeout_s
        logging.getLogger("httpx").setLevel(logging.WARNING)  # below it tells the whole address, user included
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        timeout = httpx.Timeout(timeout_s, connect=min(CONNECT_S, timeout_s))
        base = f"{url.rstrip('/')}/library/{wire.PROTOCOL}/"
        self._client = httpx.Client(base_url=base, headers=headers, timeout=timeout, follow_redirects=False)
        weakref.finalize(self, self._client.close)

    def watch(self, ask: Ask, unfinished: bool) -> Iterator[Prediction]:
        """Yield predictions as they come; whoever stops listening ends the work."""
        context: Context | None = None
        with self._mended(), self._client.stream("POST", wire.WATCH, json=plain(wire.Watch(ask, unfinished))) as said:
            if said.status_code != httpx.codes.OK:
                said.read()
                self._check(said)
            for name, body in _events(said):
                if name == "problem":
                    raise self._error(body)
                if name == "context":
                    context = self._read(Context, body)
                elif name == "prediction" and context is not None:
                    yield wire.prediction_of(body, context, self._what)

    def predict_all(self, asks: Sequence[Ask]) -> list[tuple[Prediction, ...] | LvmError]:
        """Ask some side by side: the service answers together what waits together."""

        def one(ask: Ask) -> tuple[Prediction, ...] | LvmError:
            try:
                return tuple(prediction for prediction in self.watch(ask, False) if prediction.done)
            except ServiceError:
                raise
            except LvmError as error:
                return error

        with ThreadPoolExecutor(min(SIDE_BY_SIDE, max(1, len(asks))), "ask") as pool:
            return list(pool.map(one, asks))

    def load(self, ask: Ask) -> None:
        """Do nothing: a service warms itself."""

    def space(self, encoder: str | None) -> Space:
        """Ask for an encoder's space."""
        return self._read(Space, self._ask("space", wire.Named(encoder)))

    def models(self) -> list[ModelSummary]:
        """Ask for the models."""
        return self._read(wire.Models, self._ask("models", wire.Nothing())).models

    def corpora(self) -> list[CorpusInfo]:
        """Ask for the corpora."""
        return self._read(wire.Corpora, self._ask("corpora", wire.Nothing())).corpora

    def encode(self, texts: Sequence[str], encoder: str | None) -> Vectors:
        """Ask for vectors."""
        return self._read(wire.VectorsAnswer, self._ask("encode", wire.Encode(list(texts), encoder))).vectors

    def decode(
        self, vectors: Vectors, steps: int, decoder: str, encoder: str | None, corpus: str | None
    ) -> list[Decoded]:
        """Ask for texts."""
        asked = wire.Decode(vectors, steps, decoder, encoder, corpus)
        return self._read(wire.Texts, self._ask("decode", asked)).texts

    def infer(self, contexts: Vectors, model: str, encoder: str | None) -> "Forecast":
        """Ask what comes next, as vectors."""
        from lvm_core.forecast import Forecast

        return self._read(Forecast, self._ask("infer", wire.Infer(contexts, model, encoder)))

    def search(self, query: str, corpus: str | None, k: int, encoder: str | None, words: bool) -> list[Found]:
        """Ask for chunks."""
        return self._read(wire.Finds, self._ask("search", wire.Search(query, corpus, k, encoder, words))).found

    def board(self) -> list[Row]:
        """Ask for what was evaluated."""
        return [Row.read(row) for row in self._read(wire.Rows, self._ask("board", wire.Nothing())).rows]

    def command(self, name: str, values: Mapping[str, Value], progress: Progress) -> Json:
        """Let the service run a command as a job, follow it, and return what it gave.

        Raises:
            JobError: with the job's last words, if it does not end well. It goes on when nobody follows it any more.
        """
        job = self._read(wire.JobAnswer, self._ask(wire.COMMAND, wire.Command(name, dict(values))))
        told = (-1.0, "")
        while job.result is None:
            if (job.progress, job.message) != told:
                told = job.progress, job.message
                progress(*told)
            time.sleep(LOOK_S)
            job = self._read(wire.JobAnswer, self._ask(wire.JOB, wire.Key(job.id)))
        progress(1.0, job.message)
        return job.result

    def map(self, key: str) -> "VectorMap | None":
        """Ask for a map."""
        from lvm_core.study.map import Group, VectorMap

        found = self._read(wire.MapAnswer, self._ask("map", wire.Key(key)))
        coordinates = {Group.read(name): xy for name, xy in found.coordinates.items()}
        return VectorMap(coordinates, found.axes, found.note) if found.there else None

    # ------------------------------------------------------------ the wire

    @property
    def _what(self) -> str:
        return f"The answer of {self.place}"

    def _ask(self, verb: str, body: Any) -> Json:
        with self._mended():
            response = self._client.post(verb, json=plain(body))
            self._check(response)
            answered: Json = response.json()
            return answered

    def _read(self, shape: type[T], body: Any) -> T:
        return from_json(shape, body, self._what, wire.REMEDY, extra=True, error=ServiceError)

    @contextmanager
    def _mended(self) -> Iterator[None]:
        """Turn what the network does into errors that say what to do."""
        try:
            yield
        except httpx.TimeoutException as error:
            if isinstance(error, httpx.ConnectTimeout):
                raise self._away(error) from None
            raise ServiceError(
                f"The service at {self.place} said nothing for {self._timeout_s:g} s", "an answer",
                "Ask for less at once, or wait longer: Studio(URL, timeout_s=...).",
            ) from None  # fmt: skip
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError) as error:
            raise self._away(error) from None
        except (json.JSONDecodeError, UnicodeDecodeError):
            raise self._strange("what it says is no JSON") from None

    def _away(self, error: Exception) -> ServiceError:
        return ServiceError(
            f"The service at {self.place} cannot be reached ({type(error).__name__})", "a studio there",
            "Start it with: python -m lvm_core serve, or mend the address (LVM_SERVICE_URL).",
        )  # fmt: skip

    def _strange(self, why: str) -> ServiceError:
        return ServiceError(
            f"{self.place} is no service that this release ({__version__}) understands: {why.rstrip('.')}",
            f"its protocol {wire.PROTOCOL}", wire.REMEDY,
        )  # fmt: skip

    def _check(self, response: httpx.Response) -> None:
        if response.status_code == httpx.codes.OK:
            return
        if response.headers.get("content-type", "").partition(";")[0] != "application/problem+json":
            raise self._strange(f"it answers {response.status_code} without a reason")
        raise self._error(response.json())

    def _error(self, problem: Json) -> LvmError:
        """Return a problem of the service as the error that it was there, with the same words."""
        detail, kind = str(problem.get("detail", "")), problem.get("kind")
        given, expected, remedy = (str(problem.get(part, "")) for part in ("given", "expected", "to_do"))
        if problem.get("status") == httpx.codes.UNAUTHORIZED:
            return ServiceError(given, expected, f"{remedy} Give it: Studio(URL, key=KEY), or LVM_SERVICE_KEY.".strip())
        if problem.get("status") == httpx.codes.NOT_FOUND and not kind:
            return self._strange(detail)
        named = getattr(errors, str(kind), None)
        cls = named if isinstance(named, type) and issubclass(named, LvmError) else ServiceError
        with suppress(TypeError, ValueError, AttributeError, KeyError):
            error: LvmError = cls(*problem["arguments"])
            if str(error) == detail:
                return error
        return ServiceError(given or detail.rstrip("."), expected or "an answer", remedy or wire.REMEDY)


def _events(response: httpx.Response) -> Iterator[tuple[str, Json]]:
    """Yield name and body of each server-sent event."""
    name = ""
    for line in response.iter_lines():
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            yield name, json.loads(line.removeprefix("data: "))
