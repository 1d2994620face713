"""evaluate: how well models predict the next chunk of articles they have not seen, or how well a decoder reads vectors.

`--decoder NAME` alone, without `--decode` or `--examples`, measures the decoder itself, on real vectors and on the
predictions of the models that are named.
"""

import argparse
from dataclasses import asdict
from typing import TYPE_CHECKING

from lvm_core.config import add_arguments as add_settings
from lvm_core.config import from_namespace
from lvm_core.errors import SettingsError
from lvm_core.evaluate.settings import EvaluateSettings
from lvm_core.jobs.kinds import Kind
from lvm_core.json_shapes import Json
from lvm_core.progress import ProgressLine
from lvm_core.workspace import Workspace

if TYPE_CHECKING:
    from lvm_core.evaluate.decoder import DecoderEvaluation

JOB = Kind(short=True, spreads=True)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    parser.add_argument("models", nargs="*", metavar="RUN", help="runs, shipped models or baselines; all for every one")
    parser.add_argument("--corpus", default="enwiki-sample", metavar="NAME", help="corpus to measure on [%(default)s]")
    parser.add_argument("--encoder", metavar="NAME", help="encoder by name or id [the models' own]")
    add_settings(parser, EvaluateSettings)


def run(namespace: argparse.Namespace, workspace: Workspace) -> "Json | DecoderEvaluation":
    """Evaluate and return the rows, ranked, with what was refused and near-duplicates."""
    from lvm_core.evaluate.run import evaluate
    from lvm_core.executors import elsewhere
    from lvm_core.leaderboard.board import ranked_rows
    from lvm_core.leaderboard.export import public
    from lvm_core.spaces import space_called

    settings = from_namespace(EvaluateSettings, namespace)
    if settings.decoder != "auto" and not settings.decode and not settings.examples:
        return _run_decoder(namespace, workspace, settings)
    if not namespace.models:
        raise SettingsError(["No model was named; expected one or more, or all: python -m lvm_core evaluate all."])
    refs = "all" if namespace.models == ["all"] else namespace.models
    space = space_called(namespace.encoder) if namespace.encoder else None
    with elsewhere(workspace, namespace.on) as executor:
        evaluation = evaluate(workspace, refs, namespace.corpus, settings, space, ProgressLine(), executor)
    return {
        "rows": [public(row, evaluation.examples.get(row.id, [])) for row in ranked_rows(evaluation.rows)],
        "refused": [asdict(refused) for refused in evaluation.refused],
        "near_duplicates": [asdict(twin) for twin in evaluation.near_duplicates],
    }


def _run_decoder(
    namespace: argparse.Namespace, workspace: Workspace, settings: EvaluateSettings
) -> "DecoderEvaluation":
    from lvm_core.encoders import encoder_for
    from lvm_core.evaluate.decoder import DecoderSettings, evaluate_decoder
    from lvm_core.spaces import space_called, space_to_measure_in

    if settings.split not in ("test", "validation"):
        raise SettingsError([f"split is {settings.split!r}; expected test or validation, as a decoder is measured on."])
    models = [name for name in namespace.models if name != "all"]
    space = namespace.encoder or space_to_measure_in(workspace, models, namespace.corpus)
    encoder = encoder_for(space_called(space))
    chosen = DecoderSettings(split=settings.split, split_seed=settings.split_seed)
    return evaluate_decoder(workspace, encoder, settings.decoder, namespace.corpus, chosen, models, ProgressLine())


def report(result: Json) -> str:
    """Return the board as a table, the windows in full below it; of a decoder its scores and texts."""
    if "decoder_id" in result:
        return _decoder_report(result)
    from lvm_core.evaluate.measures import MEASURES
    from lvm_core.evaluate.rows import Row
    from lvm_core.leaderboard.export import to_text

    first = result["rows"][0]
    lines = [
        f"{first['corpus']}, {first['split']}: {first['n_windows']:,} windows of {first['n_articles']} articles,"
        f" encoder {first['encoder']}, coherence {first['coherence']['test']:.3f}",
        to_text([Row.read(row) for row in result["rows"]]),
    ]
    lines += [f"refused: {refused['reason']}" for refused in result["refused"]]
    for twin in result["near_duplicates"]:
        share = f"{twin['share']:.0%} of its words in a row" if twin["how"] == "text" else "the same title"
        lines.append(
            f"near-duplicate: test article '{twin['test']}' and '{twin['train']}' of {twin['corpus']} ({share})"
        )
    lines += [_example(row, shown) for row in result["rows"] for shown in row.get("examples", [])]
    for row in (row for row in result["rows"] if row.get("n_decoded")):
        scores = ", ".join(f"{m.heading} {m.write(row[m.name])}" for m in MEASURES.values() if m.texts)
        lines.append(f"{row['model']}, {row['n_decoded']} windows by {row['decoder']}: {scores}")
    return "\n".join(lines)


def _example(row: Json, shown: Json) -> str:
    stages = "  ".join(f"{name} {ms:.1f}" for name, ms in shown["timings_ms"].items())
    context = "\n".join(f"    {chunk}" for chunk in shown["context"])
    return (
        f"\n{row['model']} · {shown['article']}, chunk {shown['position']}\n{context}\n  true next chunk\n"
        f"    {shown['target']}\n  predicted ({shown['method']}, {shown['steps']} steps)\n    {shown['text']}\n"
        f"  cosine {shown['cosine']:.3f}  ROUGE-1 {shown['rouge_1']:.3f}  ROUGE-2 {shown['rouge_2']:.3f}"
        f"  ROUGE-L {shown['rouge_l']:.3f}  BLEU {shown['bleu']:.3f}\n  ms: {stages}"
    )


GAINED = ("round_trip_cosine", "to_truth", "token_f1")


def _ends(ends: list[float] | None) -> str:
    return f" [{ends[0]:+.3f}, {ends[1]:+.3f}]" if ends else ""


def _decoder_report(result: Json) -> str:
    head = f"{result['decoder_id']} on {result['n']} chunks of {result['n_articles']} articles of {result['corpus']}"
    names = (
        "round_trip_cosine", "to_truth", "token_f1", "rouge_l", "bleu", "perplexity", "repeats", "name_precision",
        "name_recall", "number_precision", "number_recall", "accepted",
    )  # fmt: skip
    short = {"name_precision": "names", "name_recall": "n. found", "number_precision": "numbers",
             "number_recall": "nr. found"}  # fmt: skip
    titles = "  ".join(f"{short.get(name, name)[:10]:>10}" for name in names)
    lines = [
        head,
        f"perplexity of the true chunks: {result['true_perplexity']:.1f}",
        f"{'input':32} steps  {titles}      ms",
    ]
    for row in result["rows"]:
        scores = "  ".join(f"{row[name]:10.3f}" for name in names)
        steps = "nearest" if row["steps"] == "extractive" else str(row["steps"])
        lines.append(f"{row['input'][:32]:32} {steps:>7}{scores}  {row['ms'] or 0:6.0f}")
    for name, by_steps in result["over_extractive_of"].items():
        for steps, gains in by_steps.items():
            said = ", ".join(f"{key} {gains[key]:+.3f}{_ends(gains[f'{key}_ci'])}" for key in GAINED)
            lines.append(f"{name}, {steps} steps over the nearest chunk: {said}")
    for pair in result["pairs"]:
        said = f"({pair['steps']} steps, {pair['round_trip_cosine']:.3f}) {pair['decoded']}"
        lines.append(f"\n{pair['input']} · {pair['article']}\n  true    {pair['text']}\n  decoded {said}")
        lines.append(f"  nearest {pair['nearest']}")
    return "\n".join(lines)
