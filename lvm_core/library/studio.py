"""`Studio`: the verbs, each described once, whoever answers them."""

import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from lvm_core.errors import LvmError
from lvm_core.json_shapes import Value
from lvm_core.library.backend import Ask, Backend, ModelSummary, Space
from lvm_core.library.given import ask_of, checked, contexts_of, texts_of, truths_of, vectors_of
from lvm_core.library.results import Board, Found, Predictions
from lvm_core.library.work import Work
from lvm_core.predict.prediction import Prediction
from lvm_core.predict.settings import PredictSettings
from lvm_core.predict.together import in_order
from lvm_core.types import CorpusInfo, Decoded, Progress, Vectors, no_progress

if TYPE_CHECKING:
    from lvm_core.forecast import Forecast


@checked
class Studio(Work):
    """The studio in a script or a notebook: text to vectors, vectors to the next vector, vectors to text.

        studio = Studio()                                # ./workspace, or LVM_WORKSPACE
        studio = Studio("/data/workspace")               # another one
        studio = Studio("http://127.0.0.1:9000", key=K)  # a service (`python -m lvm_core serve`), here or elsewhere

    Every verb gives the same whoever answers. Mistakes are `lvm_core.errors.LvmError` of the engine, which say what was
    given, what was expected and what to do, over HTTP too. Arrays are NumPy, float32, one vector a row.
    """

    def __init__(
        self,
        where: str | os.PathLike[str] | None = None,
        key: str = "",
        timeout_s: float = 300.0,
        progress: Progress = no_progress,
    ) -> None:
        """Say where the studio is; nothing is opened, asked or written yet.

        Args:
            where: a workspace's folder, or the address of a service.
            key: the service's API key, where it wants one.
            timeout_s: the longest silence of a service that is waited for.
            progress: told how far long work is; `lvm_core.progress.ProgressLine()` shows it.

        Raises:
            WorkspaceError: if no disk takes such a path.
            SettingsError: if the address, the key or the seconds are none.
        """
        self._backend: Backend = _backend(where, key, timeout_s)
        self._progress = progress

    def __repr__(self) -> str:
        return f"Studio({self.place!r})"

    @property
    def place(self) -> str:
        """Where it is: a folder, or an address."""
        return self._backend.place

    def load(
        self, models: Sequence[str] = (), corpus: str | None = None, encoder: str | None = None,
        settings: PredictSettings | None = None,
    ) -> None:  # fmt: skip
        """Load what predictions need, so that the first need not wait and none fails for want of it.

        A service does that by itself.

        Raises:
            EncoderError: if the encoder is not there.
            ModelError, SpaceMismatch, DecoderError: if a model or the decoder cannot be loaded.
        """
        self._backend.load(ask_of((), models, "", None, corpus, encoder, settings, {}))

    # ------------------------------------------------------------ what there is

    def space(self, encoder: str | None = None) -> Space:
        """Return the models, decoders and corpora of an encoder's space; None is the default encoder."""
        return self._backend.space(encoder)

    def models(self, encoder: str | None = None) -> list[ModelSummary]:
        """Return the models that can be asked, those that came along first; of every space unless one is named."""
        return self._backend.models() if encoder is None else self._backend.space(encoder).models

    def corpora(self) -> list[CorpusInfo]:
        """Return the corpora."""
        return self._backend.corpora()

    def leaderboard(self, corpus: str | None = None, encoder: str | None = None, by: str = "cosine") -> Board:
        """Return what was evaluated, ranked by the measure `by` within groups of rows that may be compared.

        Args:
            corpus: only rows measured on it.
            encoder: only rows of it, by name or id.
            by: a number of the rows, such as cosine or recall_at_5.

        Raises:
            ModelError: if the rows have no such number.
        """
        from lvm_core.leaderboard.board import groups, wanted

        return Board(groups(wanted(self._backend.board(), by, corpus, encoder), by))

    def search(
        self, query: str, corpus: str | None = None, k: int = 10, encoder: str | None = None, words: bool = False
    ) -> list[Found]:
        """Return the `k` chunks nearest to `query`, best first; with `words` those that hold all its words.

        Raises:
            CorpusError: if there is no such corpus, or none is encoded with the encoder.
            SettingsError: if the query is empty, or `k` is none of 1 to 1,000.
        """
        return self._backend.search(query, corpus, k, encoder, words)

    # ------------------------------------------------------------ text, vectors, text

    def encode(self, texts: Sequence[str], encoder: str | None = None) -> Vectors:
        """Return the embeddings (N, D) of N texts, in their order.

        Raises:
            EncoderError: if a text is empty or the encoder is not there.
        """
        return self._backend.encode(texts_of(texts, "texts"), encoder)

    def decode(
        self, vectors: ArrayLike, steps: int = 1, decoder: str = "auto", encoder: str | None = None,
        corpus: str | None = None,
    ) -> list[Decoded]:  # fmt: skip
        """Return a text for each of the (N, D) vectors, or of one vector (D,), after `steps` corrections.

        Args:
            vectors: of the space of `encoder`.
            steps: corrections after the first hypothesis.
            decoder: a name; auto takes the best one there is.
            encoder: name or id; None is the default one.
            corpus: whose real chunks are given where the decoder is "extractive".

        Raises:
            DecoderError: for NaN, zero or vectors of another dimension, or a decoder that is not there.
            SpaceMismatch: if the decoder says vectors of another encoder.
        """
        return self._backend.decode(np.atleast_2d(vectors_of(vectors)), steps, decoder, encoder, corpus)

    def infer(self, contexts: ArrayLike, model: str, encoder: str | None = None) -> "Forecast":
        """Return what `model` says comes after contexts (T, D), or many of one length (B, T, D), oldest first.

        Its `vectors`, (D,) or (B, D), are unit norm; `lengths` are theirs before that.

        Raises:
            ModelError: if there is no such model, or the contexts are empty, of another dimension or hold NaN.
        """
        return self._backend.infer(vectors_of(contexts), model, encoder)

    def predict(
        self,
        chunks: Sequence[str] = (),
        models: Sequence[str] = (),
        *,
        target: str = "",
        rows: Sequence[int] | None = None,
        corpus: str | None = None,
        encoder: str | None = None,
        settings: PredictSettings | None = None,
        **given: Value,
    ) -> Predictions:
        """Return what each model says comes after `chunks`, oldest first, or after the `rows` of a corpus.

        Args:
            chunks: the context.
            models: refs, baselines, or "passthrough"; none asks all that came along.
            target: the true next chunk, where it is known: predictions then say how near they are.
            rows: instead of chunks, consecutive rows of `corpus`; the row after them is the truth.
            corpus: what the snap stands on; None takes the largest of the space.
            encoder: name or id; None takes the models' own.
            settings: every choice; see `PredictSettings`.
            **given: single choices on top: snap="off", decoder="none", steps=1 ...

        Raises:
            EncoderError: if the context holds no text.
            CorpusError: if rows or a corpus are not there.
            ModelError: if a model is unknown.
            SpaceMismatch: if a model is of another encoder.
            SettingsError: for settings out of bounds.
        """
        ask = ask_of(chunks, models, target, rows, corpus, encoder, settings, given)
        return _sorted(ask, list(self._backend.watch(ask, False)))

    def predict_all(
        self,
        contexts: Sequence[Sequence[str]],
        models: Sequence[str] = (),
        *,
        targets: Sequence[str] = (),
        corpus: str | None = None,
        encoder: str | None = None,
        settings: PredictSettings | None = None,
        **given: Value,
    ) -> list[Predictions | LvmError]:
        """Return what `predict` gives for each of many contexts, computed together, which is several times quicker.

        A context that cannot be predicted has its error in its place, and the others their predictions.

        Args:
            contexts: chunks, oldest first, a list of them each.
            models: as `predict` takes them, like all that follows.
            targets: the true next chunk of each, "" where it is not known; none at all where none is.
            corpus: what the snap stands on.
            encoder: name or id.
            settings: every choice.
            **given: single choices on top.

        Raises:
            SettingsError: for settings out of bounds, or targets that are not one for each context.
        """
        contexts = contexts_of(contexts)
        truths = truths_of(targets, len(contexts))
        asks = [
            ask_of(chunks, models, truth, None, corpus, encoder, settings, given)
            for chunks, truth in zip(contexts, truths, strict=True)
        ]
        answers = zip(asks, self._backend.predict_all(asks), strict=True)
        return [said if isinstance(said, LvmError) else _sorted(ask, said) for ask, said in answers]

    def watch(
        self,
        chunks: Sequence[str] = (),
        models: Sequence[str] = (),
        *,
        target: str = "",
        rows: Sequence[int] | None = None,
        corpus: str | None = None,
        encoder: str | None = None,
        settings: PredictSettings | None = None,
        **given: Value,
    ) -> Iterator[Prediction]:
        """Yield predictions as they come: all vectors and neighbours first, then each text as it gets better.

        Takes and raises what `predict` does; the last one of each model has `done` set.
        """
        return self._backend.watch(ask_of(chunks, models, target, rows, corpus, encoder, settings, given), True)


def _sorted(ask: Ask, said: Sequence[Prediction]) -> Predictions:
    return Predictions(in_order(said, ask.models or list(dict.fromkeys(p.model for p in said))))


def _backend(where: str | os.PathLike[str] | None, key: str, timeout_s: float) -> Backend:
    if isinstance(where, str) and where.startswith(("http://", "https://")):
        from lvm_core.library.remote import Remote

        return Remote(where, key, timeout_s)
    from lvm_core.library.local import Local

    return Local(where)
