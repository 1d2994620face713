"""What a sentence-transformers folder says of itself, read without loading it, and what of that is refused.

The library imports whatever class a folder names (`modules.json`, activations, `auto_map`), from the folder's own
Python files too: here a folder names nothing but the library's and torch's own classes, or it is not loaded.
"""

import re
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from lvm_core.boundary.files import inside, is_folder
from lvm_core.boundary.json_values import from_json, read_json_file
from lvm_core.errors import EncoderError
from lvm_core.json_shapes import Json

MODULES = ("Transformer", "Pooling", "Dense", "Normalize", "LayerNorm", "Dropout", "StaticEmbedding")
"""Classes of sentence-transformers that may stand in `modules.json`: those that turn a text into one vector."""

DATA_LIST = "data_config.json"
"""What a model was trained on; no part of it."""

_MODULE = re.compile(rf"sentence_transformers(\.\w+)*\.(?:{'|'.join(MODULES)})")
_ACTIVATION = re.compile(r"torch\.nn\.modules\.(activation\.[A-Z]\w*|linear\.Identity)")
_METHODS = ("forward", "get_text_features")
_CODE_KEYS = ("auto_map", "custom_pipelines", "auto_mapping")
_POOLING_KEYS = {
    "cls_token": "cls", "max_tokens": "max", "mean_tokens": "mean", "mean_sqrt_len_tokens": "mean_sqrt_len_tokens",
    "weightedmean_tokens": "weightedmean", "lasttoken": "lasttoken",
}  # fmt: skip
_MOST_LENGTH = 1_000_000

_LENGTHS = {"53aa51172d14": 256, "78c0197b6159": 384}
"""Longest text in tokens of all-MiniLM-L6-v2 and all-mpnet-base-v2 as published, by their weights."""


@dataclass(frozen=True, slots=True)
class Module:
    """One entry of `modules.json`."""

    type: str
    path: str
    idx: int = 0
    name: str = ""
    kwargs: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Configuration:
    """What besides its weights decides what vector a text gets; the defaults are those of the shipped encoders.

    Attributes:
        pooling: how token vectors become one, several modes joined by "+".
        include_prompt: whether the prompt's tokens are pooled too.
        normalize: whether vectors come at unit norm.
        layers: other modules in their order, with their activations.
        prompt: what stands before each text.
        truncate_dim: how many dimensions are left, None for all.
        max_tokens: where texts are cut, None for the model's own length.
        lower_case: whether texts are lower-cased first.
    """

    pooling: str = "mean"
    include_prompt: bool = True
    normalize: bool = True
    layers: tuple[str, ...] = ()
    prompt: str = ""
    truncate_dim: int | None = None
    max_tokens: int | None = None
    lower_case: bool = False

    def space(self) -> "Configuration":
        """Return this without what only the published folder of an encoder of the catalogue can say is usual for it."""
        return replace(self, layers=(), max_tokens=None, lower_case=False)

    def differences(self) -> dict[str, str | bool | int | tuple[str, ...] | None]:
        """Return what is not as in the shipped encoders, by name; {} where all is."""
        usual = asdict(Configuration())
        return {name: value for name, value in asdict(self).items() if value != usual[name]}


def check_settings(folder: Path) -> None:
    """Check that no settings file of a transformers folder names code.

    Raises:
        EncoderError: naming the file and what it names, or the file that cannot be read.
    """
    for path in _settings_files(folder):
        settings = _settings(path)
        for key in _CODE_KEYS:
            if settings.get(key):
                raise _refusal(path, f"{key}: {settings[key]}", "no code of the folder's own")


def check_model_folder(folder: Path) -> None:
    """Check that nothing in a sentence-transformers folder names code.

    Raises:
        EncoderError: naming the file and the class, where something does or cannot be read.
    """
    for module in modules_of(folder):
        if not _MODULE.fullmatch(module.type):
            raise _refusal(folder / "modules.json", module.type, f"one of sentence-transformers' {', '.join(MODULES)}")
        inside(folder, folder / module.path, f"{folder / 'modules.json'} names a folder that", EncoderError)
        if not module.type.endswith(".Transformer"):  # whose activations are names of transformers' own
            _check_activation(folder / module.path / "config.json")
    check_settings(folder)
    for path in _settings_files(folder):
        _check_methods(path, _settings(path).get("modality_config", {}))


def _check_activation(path: Path) -> None:
    activation = _settings(path).get("activation_function", "torch.nn.modules.linear.Identity")
    if not isinstance(activation, str) or not _ACTIVATION.fullmatch(activation):
        raise _refusal(path, activation, "an activation of torch.nn")


def _settings_files(folder: Path) -> list[Path]:
    folders = [folder, *sorted(p for p in folder.iterdir() if is_folder(p) and p.name[:1].isdigit())]
    return [path for part in folders for path in sorted(part.glob("*config*.json")) if path.name != DATA_LIST]


def _check_methods(path: Path, modalities: Any) -> None:
    entries = modalities.values() if isinstance(modalities, dict) else [modalities]
    for entry in entries:
        method = entry.get("method", "forward") if isinstance(entry, dict) else entry
        if method not in _METHODS:
            raise _refusal(path, method, f"one of the methods {', '.join(_METHODS)}")


def _refusal(path: Path, given: object, expected: str) -> EncoderError:
    return EncoderError(
        f"{path} names {str(given)[:120]!r}",
        expected,
        "Use a model without code of its own: a model's files are data here, and never run.",
    )


def modules_of(folder: Path) -> list[Module]:
    """Return the entries of `modules.json`, [] for a bare transformers model.

    Raises:
        EncoderError: if the file is damaged.
    """
    path = folder / "modules.json"
    if not path.exists():
        return []
    entries = read_json_file(path, error=EncoderError)
    if not isinstance(entries, list):
        raise EncoderError(
            f"{path} is no list of modules", "a list, as sentence-transformers writes it", "Download the model again."
        )
    return [from_json(Module, entry, str(path), "Download the model again.", error=EncoderError) for entry in entries]


def _settings(path: Path) -> Json:
    """Return the object in a settings file, {} where there is none.

    Raises:
        EncoderError: if it is damaged.
    """
    if not path.exists():
        return {}
    settings = read_json_file(path, error=EncoderError)
    if not isinstance(settings, dict):
        raise EncoderError(
            f"{path} is no JSON object", "an object, as transformers writes it", "Download the model again."
        )
    return settings


def configuration_of(folder: Path, weights_digest: str) -> Configuration:
    """Return what besides the weights decides what vectors the model in `folder` gives.

    Raises:
        EncoderError: if one of its files is damaged.
    """
    pooling, include_prompt, normalize = "mean", True, False
    layers: list[str] = []
    for module in modules_of(folder):
        name, settings = module.type.rpartition(".")[2], _settings(folder / module.path / "config.json")
        if name == "Pooling":
            pooling, include_prompt = _pooling(settings), bool(settings.get("include_prompt", True))
        elif name == "Normalize":
            normalize = True
        elif name != "Transformer" and (name, _activation(settings)) != ("Dense", "Identity"):
            layers.append(f"{name} {_activation(settings)}".strip())
    saved = _settings(folder / "config_sentence_transformers.json")
    prompts, default = saved.get("prompts") or {}, saved.get("default_prompt_name")
    truncate = saved.get("truncate_dim")
    return Configuration(
        pooling, include_prompt, normalize, tuple(layers),
        str(prompts.get(default) or "") if isinstance(prompts, dict) and isinstance(default, str) else "",
        truncate if isinstance(truncate, int) else None,
        _max_tokens(folder, weights_digest),
        bool(_settings(folder / "sentence_bert_config.json").get("do_lower_case", False)),
    )  # fmt: skip


def _pooling(settings: Json) -> str:
    mode = settings.get("pooling_mode")
    if mode:
        return "+".join(map(str, mode)) if isinstance(mode, list) else str(mode)
    return "+".join(n for key, n in _POOLING_KEYS.items() if settings.get(f"pooling_mode_{key}")) or "mean"


def _activation(settings: Json) -> str:
    return str(settings.get("activation_function", "")).rpartition(".")[2]


def _max_tokens(folder: Path, weights_digest: str) -> int | None:
    """Return the length at which texts are cut where it is not the published or the net's own one."""
    positions = _settings(folder / "config.json").get("max_position_embeddings")
    positions = 512 if not isinstance(positions, int) or positions == 514 else positions  # RoBERTa's count two more
    given = _settings(folder / "sentence_bert_config.json").get("max_seq_length")
    if not isinstance(given, int):
        given = _settings(folder / "tokenizer_config.json").get("model_max_length")
    length = min(given, positions) if isinstance(given, (int, float)) and given < _MOST_LENGTH else positions
    return None if length == _LENGTHS.get(weights_digest[:12], positions) else int(length)
