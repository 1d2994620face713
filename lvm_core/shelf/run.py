"""Train and test what a shelf still lacks, one line after the other."""

import time

import torch

from lvm_core.checkpoint import load_model
from lvm_core.errors import LvmError
from lvm_core.evaluate.rows import Row
from lvm_core.evaluate.run import evaluate
from lvm_core.evaluate.settings import EvaluateSettings
from lvm_core.nets import MODELS, build_model
from lvm_core.shelf.results import Result, add_result, read_results
from lvm_core.shelf.settings import FILTER, Line, ShelfSettings
from lvm_core.shelf.sizing import query_ms, sized, training_rate
from lvm_core.spaces import space_to_train_in
from lvm_core.train import TrainConfig, train
from lvm_core.train.opening import segment_length
from lvm_core.types import Progress
from lvm_core.vectors.matrix import open_matrix
from lvm_core.workspace import Workspace, slug


def fill(workspace: Workspace, name: str, settings: ShelfSettings, progress: Progress) -> list[Result]:
    """Measure every line of `settings` that the shelf `name` has not, and return all it has then.

    A line that fails is noted with its reason, and the next one begins. What was cut short is trained to its end first.

    Raises:
        SettingsError: for a shelf that cannot be.
        CorpusError: if the corpus is missing or not encoded.
    """
    lines = settings.lines
    encoder_id = space_to_train_in(workspace, [settings.corpus], settings.encoder)
    dim = open_matrix(workspace, settings.corpus, encoder_id).dim
    done = {result.line for result in read_results(workspace, name)}
    begun, n_before = time.monotonic(), len(done & set(lines))
    for number, line in enumerate(lines):
        if line in done:
            continue
        spent, n_new = time.monotonic() - begun, len(done & set(lines)) - n_before
        left = f", about {spent / n_new * (len(lines) - number) / 60:.0f} min left" if n_new else ""
        note = f"{line.title} ({number + 1} of {len(lines)}{left})"

        def tell(share: float, message: str, number: int = number, note: str = note) -> None:
            progress(min((number + share) / len(lines), 0.9999), f"{note}: {message}")

        try:
            result = measure(workspace, name, settings, line, encoder_id, dim, tell)
        except (LvmError, RuntimeError, MemoryError) as error:
            result = Result(line.net, line.size, line.context, left_out=f"{error}"[:300])
        add_result(workspace, name, result)
        done.add(line)
    results = read_results(workspace, name)
    progress(1.0, f"{len(results)} of {len(lines)} lines")
    return results


def measure(
    workspace: Workspace, name: str, settings: ShelfSettings, line: Line, encoder_id: str, dim: int, progress: Progress
) -> Result:
    """Train one line, or go on with it, and test it."""
    run = slug(f"{name}-{line.net}-{line.size}-{line.context}")
    rate = latency = None
    config = TrainConfig(
        model=line.net, corpus=settings.corpus, encoder=encoder_id, context=line.context, windows=line.size,
        loss="cosine", lr=settings.lr, patience=3, query=False, validation_windows=settings.validation_windows,
        epochs=max(1, min(settings.most_epochs, round(settings.most_passes / line.size))),
    )  # fmt: skip
    if line.net in MODELS:
        torch.manual_seed(0)
        config.options = sized(line.net, dim, settings.parameters, line.context)
        net = build_model(line.net, dim, None, residual=True, **config.options)
        config.batch_size = max(1, settings.windows_a_step // segment_length(config, net))
        rate = training_rate(net, line.context, settings.windows_a_step)
        latency = query_ms(net.eval(), line.context)
        affordable = int(settings.line_minutes * 60 * rate / line.size)
        if affordable < 1:
            minutes = line.size / rate / 60
            return Result(
                line.net, line.size, line.context, parameters=net.n_parameters(), windows_per_s=rate, query_ms=latency,
                left_out=f"one pass would take {minutes:.0f} CPU minutes; a line may take {settings.line_minutes:g}",
            )  # fmt: skip
        config.epochs = min(config.epochs, affordable)
    trained = train(workspace, config, run=run, resume=workspace.run_config(run).exists(), progress=progress)
    if latency is None:
        latency = query_ms(load_model(workspace, run, encoder_id, dim).model, line.context)
    asked = EvaluateSettings(twins=False, max_chunks=settings.test_chunks, context=line.context)
    row = evaluate(workspace, [run], settings.corpus, asked, encoder_id, progress).rows[0]
    best = trained.get("best_epoch", 0)
    return _result(line, run, row, trained["n_windows"], trained.get("epochs", 0), best, rate, latency)


def _result(
    line: Line, run: str, row: Row, windows: int, epochs: int, best: int, rate: float | None, latency: float | None
) -> Result:
    gain = row.vs_filter
    own = line.net == FILTER
    return Result(
        line.net, line.size, line.context, run, int(row.number("parameters") or 0), windows, epochs, best,
        rate, latency,
        row.number("cosine"), row.intervals.get("cosine"), row.number("recall_at_5"), row.intervals.get("recall_at_5"),
        None if own or gain is None else gain.cosine, None if own or gain is None else gain.ci,
        row.number("sample_recall_at_5"),
        {"windows": row.n_windows, "articles": row.n_articles, "encoder": row.encoder,
         "digest": row.key.get("corpus_digest", "")},
    )  # fmt: skip
