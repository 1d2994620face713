"""Every choice of a prediction."""

import dataclasses
from dataclasses import dataclass

from lvm_core.config import check, setting
from lvm_core.corpus.tmd.codes import read_code
from lvm_core.decode.checks import AdaptiveSettings, check_ladder
from lvm_core.decode.smoothing import SMOOTHERS
from lvm_core.snap import SnapSettings
from lvm_core.vectors.checks import MAX_BUDGET_MS, MAX_STEPS, check_budget

NO_DECODER = "none"
"""The decoder that leaves the text out."""

SNAPS = ("off", "on", "both")


@dataclass(frozen=True, slots=True)
class PredictSettings:
    """What is done to a prediction before it is shown."""

    snap: str = setting(
        "on", "pull the prediction onto the corpus before it is decoded; both: with and without", choices=SNAPS
    )
    decoder: str = setting("auto", "decoder by name; auto takes the best one there is, none leaves the text out")
    steps: int | None = setting(
        None,
        "decode exactly this many corrections; without it the ladder 1, 3, 5, nearest chunk",
        "steps",
        0,
        MAX_STEPS,
    )
    budget_ms: int | None = setting(
        None,
        "instead of steps: correct each text for so long, then the nearest chunk if it fails its checks; a text may"
        " take one step longer",
        "ms",
        1,
        MAX_BUDGET_MS,
    )
    exclude: str = setting(
        "auto",
        "what must not be a neighbour: the context's chunks, or its whole article; auto takes the article where the"
        " true next chunk is known, because the snap would read the answer",
        choices=("auto", "context", "article"),
    )
    smooth: str = setting(
        "off", "rewrite the text as one clean sentence by a language model, both shown", choices=SMOOTHERS
    )
    tmd: str = setting(
        "", "what kind of chunk comes next, for nets trained with --tmd: DOMAIN/TASK/MODIFIER such as"
        " history/fact_retrieval/temporal, or a code of 16 bits",
    )  # fmt: skip
    use_cache: bool = setting(True, "take texts that were decoded before from the cache")
    snapping: SnapSettings = dataclasses.field(default_factory=SnapSettings)
    adaptive: AdaptiveSettings = dataclasses.field(default_factory=AdaptiveSettings)

    def checked(self) -> "PredictSettings":
        """Return the settings unchanged.

        Raises:
            SettingsError: with all problems of each part.
        """
        check(self)
        check_budget(self.steps, self.budget_ms)
        read_code(self.tmd)
        check(self.snapping)
        check_ladder(check(self.adaptive))
        return self
