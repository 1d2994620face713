"""What config.json of an inverter holds, and its card.md, made from it."""

from typing import TypedDict, cast

from lvm_core.json_shapes import Values

INVERTER, DENOISER, ALIGNED = "inverter", "denoiser", "aligned"
"""What an inverter's folder can hold: an adapted language model, or a masked denoiser. `kind` in config.json and
settings.json says which; without it, it is the first. An aligned inverter is one of the first kind that was carried
over from another encoder: only its settings.json calls it so."""


Scores = dict[str, float]
"""Of a checkpoint by name: samples and seconds so far, losses, round trip."""


class TextSource(TypedDict):
    """A corpus that training texts were taken from."""

    name: str
    digest: str
    licence: str
    n_documents: int


class AlignedFile(TypedDict):
    """What an inverter was carried over from: which one, whose, and how near the map comes on unseen articles.

    `held_out_cosine` is that of mapped vectors to those of the other encoder; `mean_cosine` what their mean alone has.
    """

    inverter: str
    encoder_id: str
    texts: int
    sources: list[TextSource]
    pairs: int
    ridge: float
    held_out: int
    held_out_cosine: float
    mean_cosine: float


class InverterFile(TypedDict, total=False):
    """config.json of an inverter of either kind; `size` builds its net again, `scores` are rows on test articles."""

    format: int
    name: str
    kind: str
    encoder_id: str
    language_model: str
    size: dict[str, int]
    aligned: AlignedFile
    sources: list[TextSource]
    n_texts: int
    n_parameters: int
    settings: Values
    command: str
    hardware: str
    torch: str
    samples: int
    seconds: float
    finished: bool
    history: list[Scores]
    scores: list[dict[str, str | float]]


def card(config: InverterFile) -> str:
    """Return card.md from config.json: what it is, what it was trained on, how, and how well it does."""
    of_kind = _aligned if "aligned" in config else _denoiser if config.get("kind") == DENOISER else _language_model
    what, training, scores = of_kind(config)
    derived = "" if "aligned" in config else ", their clauses and joined neighbours"
    lines = [
        f"# {config.get('kind', INVERTER).capitalize()} for `{config['encoder_id']}`",
        "",
        what,
        "",
        "## Data",
        "",
        "| corpus | training articles | licence | digest |",
        "|---|---|---|---|",
        *(f"| {s['name']} | {s['n_documents']:,} | {s['licence']} | `{s['digest'][:16]}` |" for s in config["sources"]),
        "",
        f"{config['n_texts']:,} texts: chunks of the training articles (split seed"
        f" {config['settings']['split_seed']}){derived}. No article whose title is in the"
        " validation or test split of any of these corpora was seen.",
        "",
        "## Training",
        "",
        f"{training} in {config['seconds']:,.0f} s on {config['hardware']}, torch {config['torch']}"
        f"{'' if config['finished'] else '; not finished, resume it for better ones'}.",
        "",
        "```",
        config["command"],
        "```",
        "",
        "## Scores on validation texts",
        "",
        scores,
    ]
    return "\n".join([*lines, "", *_table(config.get("scores", []))]).rstrip() + "\n"


def _language_model(config: InverterFile) -> tuple[str, str, str]:
    last: Scores = config["history"][-1] if config["history"] else {}
    apart = cast(float, config["settings"].get("word_share", 1.0)) < 1
    what = (
        f"Vectors to text: {config['language_model']} (Apache-2.0, not included) with a soft prefix, a word head and"
        f" LoRA, {config['n_parameters']:,} numbers in half precision."
    )
    training = (
        f"Word head: {config['settings']['word_epochs']} passes over all texts. Language model:"
        f" {config['samples']:,} texts{', with hints of a word head trained on other articles,' if apart else ''}"
    )
    scores = (
        f"Loss {last.get('validation_loss', float('nan')):.3f} nats a token; first hypothesis, round-trip cosine"
        f" {last.get('round_trip', float('nan')):.3f}."
    )
    return what, training, scores


def _aligned(config: InverterFile) -> tuple[str, str, str]:
    aligned = config["aligned"]
    corpora = ", ".join(source["name"] for source in aligned["sources"])
    what = (
        f"Vectors to text: `{aligned['inverter']}`, the inverter of `{aligned['encoder_id']}` (trained on"
        f" {aligned['texts']:,} texts of {corpora}; {config['language_model']}, Apache-2.0, not included), carried over"
        " by a linear map from vectors of this encoder to vectors of that one (ALGEN, Chen, Xu and Bjerva 2025). None"
        " of its weights was trained for this encoder."
    )
    training = f"Ridge of {aligned['ridge']:.2g} mean eigenvalues, fitted on {aligned['pairs']:,} pairs of vectors"
    scores = (
        f"Mapped vectors of {aligned['held_out']} texts of unseen articles have the cosine"
        f" {aligned['held_out_cosine']:.3f} to the other encoder's; the mean of its vectors has"
        f" {aligned['mean_cosine']:.3f}."
    )
    return what, training, scores


def _denoiser(config: InverterFile) -> tuple[str, str, str]:
    last: Scores = config["history"][-1] if config["history"] else {}
    what = (
        "Vectors to text: a masked denoiser on the word pieces of all-MiniLM-L6-v2 (Apache-2.0, embeddings not"
        f" included), begun as that encoder's layers, {config['n_parameters']:,} numbers in half precision."
    )
    scores = (
        f"Loss {last.get('all_hidden', float('nan')):.3f} nats a word piece with all of them hidden,"
        f" {last.get('half_hidden', float('nan')):.3f} with half of them."
    )
    return what, f"{config['samples']:,} texts", scores


def _table(scores: list[dict[str, str | float]]) -> list[str]:
    if not scores:
        return []
    names = list(scores[0])
    rows = [" | ".join(str(row.get(name, "")) for name in names) for row in scores]
    return [
        "## Scores on test articles",
        "",
        f"| {' | '.join(names)} |",
        "|---" * len(names) + "|",
        *(f"| {r} |" for r in rows),
    ]
