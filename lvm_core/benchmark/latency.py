"""How long a person waits: for the help text, and for a warm prediction up to the snapped vector."""

import subprocess
import sys
import time

from lvm_core.benchmark.measure import Bench, Row, alternate, limit, median_ms, sample_texts
from lvm_core.errors import LvmError

HELP_S = 1.0
PREDICT_MS = 50.0
ENCODE_MS = 35.0
CONTEXT = 5


def help_text(bench: Bench) -> list[Row]:
    """Return the seconds that `python -m lvm_core --help` takes in a process of its own."""
    found = alternate({"ours": _help_s}, bench.n_rounds)
    return [limit("help", "python -m lvm_core --help", found["ours"], "s", HELP_S)]


def _help_s() -> float:
    begun = time.perf_counter()
    done = subprocess.run([sys.executable, "-m", "lvm_core", "--help"], capture_output=True, text=True, check=False)
    if done.returncode:
        raise LvmError(
            f"`--help` failed: {done.stderr.strip()[-400:]}",
            "`python -m lvm_core --help` to end without an error",
            "Run that by itself, and mend what it says.",
        )
    return time.perf_counter() - begun


def predict(bench: Bench) -> list[Row]:
    """Return the milliseconds from five chunks of text to a snapped vector, everything loaded, nothing cached."""
    import torch

    from lvm_core.predict.pipeline import Predictor
    from lvm_core.predict.settings import PredictSettings

    predictor = Predictor(bench.workspace)
    model = predictor.default_models()[0]
    settings = PredictSettings(decoder="none")
    texts, source = sample_texts(bench.workspace, 40 * CONTEXT)
    contexts = iter([texts[i : i + CONTEXT] for i in range(0, len(texts), CONTEXT)] * 3)
    n = 5 if bench.small else 80
    whole = median_ms(lambda: list(predictor.predict(next(contexts), [model], settings)), n)
    encode = median_ms(lambda: predictor.encoder.encode(next(contexts)), min(n, 30))
    corpus = predictor.corpus
    where = f"snap in {corpus.info.n_chunks:,} chunks" if corpus else "no corpus, so no snap"
    note = f"{source}, {model}, {where}, {torch.get_num_threads()} threads"
    return [
        limit("predict", "warm prediction without decode", whole, "ms", PREDICT_MS, note),
        limit("predict", "of which encoding five chunks", encode, "ms", ENCODE_MS),
    ]
