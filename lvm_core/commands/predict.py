"""`predict`: what each model says comes after the chunks given."""

import argparse
import re
import sys
from dataclasses import replace

from lvm_core.boundary.files import read_bytes, user_path
from lvm_core.config import add_arguments as add_settings
from lvm_core.config import given_values
from lvm_core.decode.checks import PRESETS, AdaptiveSettings
from lvm_core.decode.decoders import DECODERS
from lvm_core.errors import EncoderError, SettingsError, SourceError
from lvm_core.predict.asking import settings_of, space_asked, true_next
from lvm_core.predict.batch import (
    FORMS,
    MOST_BYTES,
    BatchJson,
    Here,
    NamedContext,
    batch_json,
    batch_report,
    predict_batch,
    quick_decoder,
    read_batch,
)
from lvm_core.predict.pipeline import Predictor
from lvm_core.predict.report import PredictionsJson, to_json
from lvm_core.predict.report import report as prediction_report
from lvm_core.predict.settings import SNAPS, PredictSettings
from lvm_core.snap import SnapSettings
from lvm_core.workspace import Workspace

__all__ = ["add_arguments", "report", "run"]

JOB = None
"""It answers at once."""


MOST_SAMPLES = 64
MOST_CONTEXT_BYTES = 10_000_000
ONE_WAY = (
    "The context was given in no way or in several; expected one of --chunk TEXT (repeat it), --file FILE, --batch FILE"
    " and --corpus NAME --rows A-B. Give that alone."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    parser.add_argument("--chunk", action="append", default=[], metavar="TEXT", help="one chunk of context; repeat")
    parser.add_argument("--file", metavar="F", help="take the context from a text file, one chunk a line; - is stdin")
    parser.add_argument(
        "--batch",
        metavar="F",
        help=f"many contexts from a file ({', '.join(FORMS)}), their texts extractive unless --decoder names another",
    )
    parser.add_argument(
        "--rows", metavar="A-B", help="take the context from rows A to B of --corpus; B + 1 is the truth"
    )
    parser.add_argument(
        "--model", action="append", default=[], metavar="REF", help="model, baseline, or passthrough; repeat"
    )
    parser.add_argument(
        "--samples", type=int, default=0, metavar="N",
        help="besides the mean N samples of each net that predicts a distribution; --model REF#2 is the second alone",
    )  # fmt: skip
    parser.add_argument("--corpus", metavar="NAME", help="corpus to snap onto [the largest that is encoded]")
    parser.add_argument("--encoder", metavar="NAME", help="encoder by name or id [the model's, else the default]")
    fields = PredictSettings.__dataclass_fields__
    parser.add_argument(
        "--snap", nargs="?", const="on", choices=SNAPS, default=argparse.SUPPRESS, help=fields["snap"].metadata["help"]
    )
    parser.add_argument(
        "--no-snap", dest="snap", action="store_const", const="off", default=argparse.SUPPRESS, help="as --snap off"
    )
    parser.add_argument(
        "--decoder", metavar="NAME", default=argparse.SUPPRESS,
        help=f"{fields['decoder'].metadata['help']} [auto, none, {', '.join(DECODERS)}; default auto]",
    )  # fmt: skip
    parser.add_argument(
        "--checks", choices=list(PRESETS), default="studio",
        help="the checks of a text to start from; seeds: the first that passes, with a keyword, snapped in full"
        " [studio]",
    )  # fmt: skip
    add_settings(parser, PredictSettings, skip=("snap", "decoder", "snapping", "adaptive"))
    add_settings(parser, SnapSettings)
    add_settings(parser, AdaptiveSettings, skip=("ladder",))


def run(namespace: argparse.Namespace, workspace: Workspace) -> PredictionsJson | BatchJson:
    """Predict and return the JSON of `lvm_core.predict.to_json`, of a file of contexts that of `batch_json`."""
    from lvm_core.progress import ProgressLine

    settings = settings_of(
        namespace.checks, *(given_values(part, namespace) for part in (PredictSettings, SnapSettings, AdaptiveSettings))
    )
    if namespace.batch is not None:
        return _predict_batch(namespace, workspace, settings)
    rows, chunks = _context(namespace)
    space = space_asked(workspace, namespace.encoder, namespace.model, namespace.corpus, rows)
    predictor = Predictor(workspace, space, namespace.corpus, progress=ProgressLine())
    models = _models(namespace, workspace, predictor)
    target = true_next(predictor, rows)
    predictions = []
    for prediction in predictor.predict(chunks, models, settings, target, rows):
        print(f"{prediction.model}: {prediction.timings.total:.0f} ms", file=sys.stderr)
        predictions.append(prediction)
    predictions.sort(key=lambda p: (models.index(p.model), p.snap_on))
    return to_json(predictions, len(predictions[0].context.texts), predictor.encoder.id)


def report(result: PredictionsJson | BatchJson) -> str:
    """Return what `run` gave as text for a terminal."""
    return prediction_report(result) if "predictions" in result else batch_report(result)


def _predict_batch(namespace: argparse.Namespace, workspace: Workspace, settings: PredictSettings) -> BatchJson:
    from lvm_core.progress import ProgressLine

    _check_one_way(namespace)
    contexts = _contexts(namespace.batch)
    progress = ProgressLine()
    space = space_asked(workspace, namespace.encoder, namespace.model)
    predictor = Predictor(workspace, space, namespace.corpus, progress=progress)
    if "decoder" not in namespace:
        settings = replace(settings, decoder=quick_decoder(predictor.corpus is not None))
    models = _models(namespace, workspace, predictor)
    batch = list(predict_batch(Here(predictor), contexts, models, settings, progress))
    return batch_json(batch, predictor.encoder.id)


def _models(namespace: argparse.Namespace, workspace: Workspace, predictor: "Predictor") -> list[str]:
    from lvm_core.checkpoint import list_models
    from lvm_core.predict.model import with_samples

    if not 0 <= namespace.samples <= MOST_SAMPLES:
        raise SettingsError([f"samples is {namespace.samples}; expected 0 to {MOST_SAMPLES}."])
    models = list(dict.fromkeys(namespace.model)) or predictor.default_models()
    nets = {info.ref: info.name for info in list_models(workspace)} if namespace.samples else {}
    return with_samples(models, nets, namespace.samples)


def _contexts(file: str) -> list[NamedContext]:
    what = "The batch of contexts"
    path = user_path(file, what)
    return read_batch(read_bytes(path, what, MOST_BYTES), path.name)


def _context(namespace: argparse.Namespace) -> tuple[list[int] | None, list[str]]:
    _check_one_way(namespace)
    if namespace.rows is not None:
        return _rows(namespace), []
    return None, namespace.chunk or _lines(namespace.file)


def _check_one_way(namespace: argparse.Namespace) -> None:
    ways = [bool(namespace.chunk), *(way is not None for way in (namespace.file, namespace.batch, namespace.rows))]
    if sum(ways) != 1:
        raise SettingsError([ONE_WAY])


def _rows(namespace: argparse.Namespace) -> list[int]:
    match = re.fullmatch(r"(\d+)(?:-(\d+))?", namespace.rows.strip())
    first, last = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
    if last < first:
        raise SettingsError([f"rows is {namespace.rows!r}; expected A-B with A no larger than B, such as 120-124."])
    if not namespace.corpus:
        raise SettingsError(
            ["rows were given without a corpus; expected the one whose chunks they number. Add --corpus NAME."]
        )
    return list(range(first, last + 1))


def _lines(file: str) -> list[str]:
    what = "The context"
    try:
        if file == "-":
            text = sys.stdin.read(MOST_CONTEXT_BYTES)
        else:
            text = read_bytes(user_path(file, what), what, MOST_CONTEXT_BYTES).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SourceError(
            f"{file} is not UTF-8 text: {error}", "a text file with one chunk a line", "Save it as UTF-8."
        ) from error
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines:
        raise EncoderError(
            f"{file} holds no text",
            "a text file with one chunk a line",
            "Write the chunks into it, or give another file.",
        )
    return lines
