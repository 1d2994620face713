"""The controls of the Vectors page."""

from lvm_core.checkpoint import UNFITTED
from lvm_core.leaderboard.first import first_models
from lvm_core.study.map import MapSettings
from pages.shared import form, state
from pages.shared.address import Address
from pages.shared.form import Look

METHODS = {"pca": "PCA, at once", "pacmap": "PaCMAP, seconds", "umap": "UMAP, a job"}
COLOURS = {
    "role": "kind, model",
    "cosine": "cosine to true next",
    "article": "article",
    "section": "section",
    "position": "position",
    "tmd": "TMD domain",
}
LABELS = {"split": "Articles", "method": "Map", "n_dims": "Axes"}
WORDS = form.words(MapSettings, LABELS)
"""What this form calls the flags that messages name."""
FIRST = ("corpus", "models", "split", "method", "n_dims")
MORE = ("windows", "corpus_points", "n_neighbours", "min_dist", "snap", "strength")


def show(at: Address, corpora: list[str]) -> MapSettings:
    """Show the controls and return what they say.

    Raises:
        SettingsError: if a number is out of its limits.
    """
    space = state.encoder_id()
    infos = state.models(space)
    refs = [info.ref for info in infos] + list(UNFITTED)
    looks = {
        "corpus": Look(among=corpora, start=corpora[0]),
        "models": Look("multiselect", refs, first_models(infos), help="Each model is a layer of the map."),
        "split": Look(label=LABELS["split"], help="Whose windows are predicted. Models were trained on `train`."),
        "method": Look("segmented", names=lambda m: METHODS[m].partition(",")[0], label=LABELS["method"],
                       among=list(METHODS), help=", ".join(METHODS.values())),
        "n_dims": Look("segmented", names=lambda n: f"{n}-D", label=LABELS["n_dims"]),
        "windows": Look(step=500),
        "corpus_points": Look(step=2000),
        "strength": Look("slider", disabled=not at.value("snap", MapSettings().snap)),
    }  # fmt: skip
    form.fields(MapSettings, at, FIRST, looks, columns=[1.4, 2.6, 1.1, 1.5, 1.0])
    with form.more():
        return form.checked(form.fields(MapSettings, at, MORE, looks, columns=6), LABELS)
