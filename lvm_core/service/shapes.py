"""Requests and answers as other programs write and read them; OpenAPI is made of these.

What a prediction answers is the JSON of the command `predict --json` (`lvm_core.predict.report`), and what it takes are
that command's words: chunks, models, and the settings by their names.
"""

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from lvm_core.boundary.values import whole_characters
from lvm_core.decode.checks import PRESETS, AdaptiveSettings
from lvm_core.predict.asking import settings_of
from lvm_core.predict.report import PredictionJson
from lvm_core.predict.settings import PredictSettings
from lvm_core.service.fields import given, shape_of
from lvm_core.snap import SnapSettings

if TYPE_CHECKING:
    from pydantic import BaseModel as _Adaptive
    from pydantic import BaseModel as _Settings
    from pydantic import BaseModel as _Snapping
else:
    _Settings = shape_of(PredictSettings, skip=("snapping", "adaptive"))
    _Snapping, _Adaptive = shape_of(SnapSettings), shape_of(AdaptiveSettings)

Text = Annotated[str, AfterValidator(whole_characters)]
Numbers = list[float]
EXAMPLE = ["Mount Etna erupted again.", "Lava ran down its southern side.", "Villages nearby were emptied."]


class Shape(BaseModel):
    """A request: fields that it does not have are refused."""

    model_config = ConfigDict(extra="forbid")


class PredictRequest(_Settings):
    """What comes after `chunks`, oldest first, or after the rows of a corpus?"""

    chunks: list[Text] = Field([], description="the context, oldest first", examples=[EXAMPLE])
    rows: tuple[int, int] | None = Field(
        None, description="instead of chunks: the first and last row of the context in `corpus`; the next is the truth"
    )
    target: Text = Field("", description="the true next chunk, where it is known")
    name: Text = Field("", description="a name, given back")
    models: list[Text] = Field(
        [], description="models, baselines, or passthrough; none: all that come along", examples=[["mlp"]]
    )
    corpus: Text | None = Field(None, description="corpus to snap onto; null: the largest of the encoder's")
    encoder: Text | None = Field(None, description="encoder by name or id; null: the model's, else the default one")
    checks: Annotated[str, Field(json_schema_extra={"enum": list(PRESETS)})] = Field(
        "studio", description="the checks of a text to start from", pattern=f"^({'|'.join(PRESETS)})$"
    )
    snapping: _Snapping = Field(default_factory=_Snapping, description="numbers of the snap that differ")
    adaptive: _Adaptive = Field(default_factory=_Adaptive, description="numbers of the checks that differ")
    vectors: bool = Field(False, description="whether each prediction carries its vectors: raw, and as put into words")
    stream: bool = Field(False, description="answer with server-sent events, each text as it grows")

    def settings(self) -> PredictSettings:
        """Return the settings that the request gives.

        Raises:
            SettingsError: if they are out of bounds.
        """
        return settings_of(
            self.checks, given(self, _Settings), given(self.snapping, _Snapping), given(self.adaptive, _Adaptive)
        )


class VectorPredictionJson(PredictionJson, total=False):
    """A prediction, with its vectors where they were asked for."""

    raw: Numbers
    vector: Numbers


class PredictAnswer(BaseModel):
    """What `predict --json` prints: predictions after `context` chunks in the space of `encoder`."""

    context: int
    encoder: str
    predictions: list[VectorPredictionJson]


class EncodeRequest(Shape):
    """Texts to encode."""

    texts: list[Text] = Field(description="texts, in any number", min_length=1, examples=[EXAMPLE[:2]])
    encoder: Text | None = Field(None, description="encoder by name or id; null: the default one")


class EncodeAnswer(BaseModel):
    """Vectors in the order of the texts, and the id of the encoder that made them."""

    encoder: str
    dim: int
    vectors: list[Numbers]


class Health(BaseModel):
    """Whether it lives, and since when."""

    status: str = "ok"
    version: str
    uptime_s: float
    waiting: dict[str, int] = Field(description="requests that wait, by lane")


class ModelAnswer(BaseModel):
    """A model that can be asked."""

    ref: str
    name: str
    kind: str
    encoder: str
    context: int = Field(description="the most chunks it reads")
    n_parameters: int
    shipped: bool
    validation_cosine: float | None
    created: float


class Models(BaseModel):
    """Every model that can be asked, and those that are where nobody names one."""

    models: list[ModelAnswer]
    default: list[str]
    encoder: str


Anything = dict[str, Any]
"""A JSON object that another part of the studio describes."""
