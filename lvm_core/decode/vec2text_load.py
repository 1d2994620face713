"""Loading a vec2text corrector by the library's own code, from folders, without its side effects.

The library (0.0.13) looks metrics up on the hub when a trainer is made, makes a folder `tmp_trainer` where it
stands, prints to stdout, and knows its backbone and embedder by hub name only. All of that is bent for the
time of loading and put back.
"""

import contextlib
import sys
import tempfile
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lvm_core.decode.vec2text_files import BACKBONE, EMBEDDER, Pair
from lvm_core.errors import DecoderError, MissingPackage

_loading = threading.Lock()


def load_corrector(pair: Pair, folders: dict[str, Path]) -> Any:
    """Return the library's `Corrector` for `pair`, both models in evaluation mode.

    Args:
        pair: which checkpoints.
        folders: where each of the pair's repositories lies.

    Raises:
        MissingPackage: if vec2text is not installed.
        DecoderError: if the checkpoints cannot be loaded.
    """
    with _loading, _bent(folders):
        vec2text = _import()
        try:
            hypothesizer = _model(vec2text.models.InversionModel, folders[pair.hypothesizer], folders)
            model = _model(vec2text.models.CorrectorEncoderModel, folders[pair.corrector], folders)
            corrector = vec2text.load_corrector(hypothesizer, model)
        except (OSError, ValueError, KeyError, RuntimeError, AttributeError, AssertionError) as error:
            raise DecoderError(
                f"The vec2text checkpoints {pair.hypothesizer} and {pair.corrector} cannot be loaded:"
                f" {type(error).__name__}: {error}",
                "checkpoints of vec2text 0.0.13",
                "Fetch them again; transformers must be 4.49.0.",
            ) from error
    corrector.model.eval()
    corrector.inversion_trainer.model.eval()
    return corrector


def _import() -> Any:
    try:
        import vec2text
    except ModuleNotFoundError as error:
        if error.name != "vec2text":
            raise
        raise MissingPackage("vec2text", "The vec2text decoder", "pip install vec2text==0.0.13") from error
    return vec2text


def _model(cls: Any, folder: Path, folders: dict[str, Path]) -> Any:
    """The checkpoint in `folder`, its backbone taken from its folder instead of by hub name.

    Raises:
        DecoderError: if weights are missing in the checkpoint: transformers would fill them with noise and go on.
    """
    config = cls.config_class.from_pretrained(str(folder))
    config.model_name_or_path = str(folders[BACKBONE])
    model, info = cls.from_pretrained(str(folder), config=config, output_loading_info=True)
    lost = [name for name in info["missing_keys"] if not name.startswith("embedder.") and not _tied(name)]
    if lost or info["mismatched_keys"]:
        raise DecoderError(
            f"{folder} lacks {len(lost)} of the net's weights ({', '.join(lost[:3])} ...), or has them in other shapes",
            "a whole checkpoint, since its text would be noise",
            "Fetch it again; transformers must be 4.49.0.",
        )
    return model


def _tied(name: str) -> bool:
    """T5 keeps its token embeddings once and shows them under three names."""
    return name.endswith(("embed_tokens.weight", "lm_head.weight"))


@contextlib.contextmanager
def _bent(folders: dict[str, Path]) -> Iterator[None]:
    import evaluate
    import torch._logging
    import transformers.trainer

    arguments = transformers.trainer.TrainingArguments

    def quiet_arguments(output_dir: str) -> Any:
        return arguments(output_dir=str(Path(scratch) / output_dir), report_to=[])

    with (
        tempfile.TemporaryDirectory() as scratch,
        warnings.catch_warnings(),
        contextlib.redirect_stdout(sys.stderr),
        _replaced(evaluate, "load", lambda *_args, **_kwargs: None),
        _replaced(torch._logging, "set_logs", lambda **_options: None),
        _replaced(transformers.trainer, "TrainingArguments", quiet_arguments),
    ):
        warnings.simplefilter("ignore")
        inversion = _import().models.inversion
        with _replaced(inversion, "load_embedder_and_tokenizer", _embedder_from(folders[EMBEDDER])):
            yield


@contextlib.contextmanager
def _replaced(module: Any, name: str, value: Any) -> Iterator[None]:
    before = getattr(module, name)
    setattr(module, name, value)
    try:
        yield
    finally:
        setattr(module, name, before)


def _embedder_from(folder: Path) -> Any:
    """What the library does for the two names of GTR, from a folder."""

    def load(name: str, torch_dtype: str, **_options: Any) -> tuple[Any, Any]:
        import transformers
        from sentence_transformers import SentenceTransformer

        if name == "gtr_base":
            net = transformers.AutoModel.from_pretrained(str(folder), low_cpu_mem_usage=True)
            return net.encoder, transformers.AutoTokenizer.from_pretrained(str(folder))
        if name in ("gtr_base_st", "sentence-transformers/gtr-t5-base"):
            model = SentenceTransformer(str(folder), local_files_only=True)
            return model, model.tokenizer
        raise DecoderError(
            f"The checkpoint inverts the embedder '{name}' ({torch_dtype})",
            "one of GTR-T5 base",
            "Choose a checkpoint of that encoder.",
        )

    return load
