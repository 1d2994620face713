"""Requests and answers as other programs write and read them; OpenAPI is made of these.

What a prediction answers is the JSON of the command `predict --json` (`lvm_core.predict.report`), and what it takes are
that command's words: chunks, models, and the settings by their names.
"""

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from typing_extensions import TypedDict

from lvm_core.boundary.values import whole_characters
from lvm_core.decode.checks import PRESETS, AdaptiveSettings
from lvm_core.predict.asking import settings_of
from lvm_core.predict.batch import PredictedContextJson
from lvm_core.predict.report import PredictionJson
from lvm_core.predict.settings import PredictSettings
from lvm_core.rollout import MAX_STEPS as MOST_ROLLED
from lvm_core.service.fields import given, shape_of
from lvm_core.snap import SnapSettings
from lvm_core.vectors.checks import MAX_BUDGET_MS, MAX_STEPS

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


class HowRequest(_Settings):
    """How it is to be predicted: by which models, on which corpus, snapped and put into words in which way."""

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

    def settings(self) -> PredictSettings:
        """Return the settings that the request gives.

        Raises:
            SettingsError: if they are out of bounds.
        """
        return settings_of(
            self.checks, given(self, _Settings), given(self.snapping, _Snapping), given(self.adaptive, _Adaptive)
        )


class PredictRequest(HowRequest):
    """What comes after `chunks`, oldest first, or after the rows of a corpus?"""

    chunks: list[Text] = Field([], description="the context, oldest first", examples=[EXAMPLE])
    rows: tuple[int, int] | None = Field(
        None, description="instead of chunks: the first and last row of the context in `corpus`; the next is the truth"
    )
    target: Text = Field("", description="the true next chunk, where it is known")
    name: Text = Field("", description="a name, given back")
    vectors: bool = Field(False, description="whether each prediction carries its vectors: raw, and as put into words")
    stream: bool = Field(False, description="answer with server-sent events, each text as it grows")


class ContextRequest(Shape):
    """One of many contexts, as a line of a file for `predict --batch`."""

    chunks: list[Text] = Field(description="oldest first", min_length=1, examples=[EXAMPLE])
    target: Text = Field("", description="the true next chunk, where it is known")
    name: Text = Field("", description="a name, given back")


class PredictBatchRequest(HowRequest):
    """What comes after each of many contexts?"""

    contexts: list[ContextRequest] = Field(description="answered in their order, computed together", min_length=1)


class VectorPredictionJson(PredictionJson, total=False):
    """A prediction, with its vectors where they were asked for."""

    raw: Numbers
    vector: Numbers


class PredictAnswer(BaseModel):
    """What `predict --json` prints: predictions after `context` chunks in the space of `encoder`."""

    context: int
    encoder: str
    predictions: list[VectorPredictionJson]


class PredictBatchAnswer(BaseModel):
    """What `predict --batch --json` prints: each context, its predictions, or the error why there are none."""

    batch: list[PredictedContextJson]


class EncodeRequest(Shape):
    """Texts to encode."""

    texts: list[Text] = Field(description="texts, in any number", min_length=1, examples=[EXAMPLE[:2]])
    encoder: Text | None = Field(None, description="encoder by name or id; null: the default one")


class EncodeAnswer(BaseModel):
    """Vectors in the order of the texts, and the id of the encoder that made them."""

    encoder: str
    dim: int
    vectors: list[Numbers]


class DecodeRequest(Shape):
    """Vectors to put into words."""

    vectors: list[Numbers] = Field(description="vectors of one encoder", min_length=1)
    encoder: Text | None = Field(None, description="whose vectors they are; null: the default encoder's")
    decoder: Text = Field("auto", description="decoder by name; auto takes the best there is")
    steps: int | None = Field(
        None, description="corrections after the first hypothesis; null: 1, or as budget_ms allows", ge=0, le=MAX_STEPS
    )
    budget_ms: int | None = Field(
        None, description="instead of steps: correct each text for so long, in ms", ge=1, le=MAX_BUDGET_MS
    )
    corpus: Text | None = Field(None, description="whose chunks the extractive decoder gives; null: the largest")


class SaidJson(TypedDict):
    """A text made of a vector."""

    text: str
    method: str
    steps: int
    round_trip_cosine: float


class DecodeAnswer(BaseModel):
    """Texts in the order of the vectors."""

    encoder: str
    decoder: str
    texts: list[SaidJson]


class InferRequest(Shape):
    """What comes after the vectors of a context?"""

    context_vectors: list[Numbers] = Field(description="(T, D), oldest first", min_length=1)
    model: Text = Field("linear-filter-5", description="model or baseline")
    encoder: Text | None = Field(None, description="whose vectors they are; null: the model's encoder")
    normalize: bool = Field(True, description="at unit norm; false: at the length that the model gives it")
    temperature: float = Field(1.0, description="taken for old clients; a net says one thing", ge=0, le=2)


class InferBatchRequest(Shape):
    """The same for many contexts, of any lengths."""

    contexts: list[list[Numbers]] = Field(description="(B, T, D)", min_length=1)
    model: Text = Field("linear-filter-5", description="model or baseline")
    encoder: Text | None = Field(None, description="whose vectors they are; null: the model's encoder")
    normalize: bool = Field(True, description="at unit norm; false: at the length that the model gives it")


class InferAnswer(BaseModel):
    """The predicted vector, the length that the model gave it, and what to search with."""

    model: str
    encoder: str
    vector: Numbers
    length: float
    query: Numbers


class InferBatchAnswer(BaseModel):
    """The predicted vectors in the order of the contexts."""

    model: str
    encoder: str
    vectors: list[Numbers]
    lengths: list[float]


class RolloutRequest(Shape):
    """Predictions fed back, from chunks or from a row of the corpus."""

    corpus: Text = Field(description="real chunks to measure by and to snap onto", examples=["enwiki-sample"])
    chunks: list[Text] = Field([], description="what comes before, oldest first", examples=[EXAMPLE])
    row: int | None = Field(None, description="instead of chunks: the row of the first chunk to predict", ge=0)
    models: list[Text] = Field([], description="none: all that come along", examples=[["linear-filter-5"]])
    steps: int = Field(10, description="predictions fed back", ge=1, le=MOST_ROLLED)
    context: int = Field(5, description="real chunks that a model reads at least", ge=1, le=100)
    snap: Literal["off", "on", "both"] = Field("both", description="what is fed back")
    snapping: _Snapping = Field(default_factory=_Snapping, description="numbers of the snap that differ")

    def snap_settings(self) -> SnapSettings:
        """Return the numbers of the snap."""
        return SnapSettings(**given(self.snapping, _Snapping))


class EmbeddingsRequest(BaseModel):
    """The request of OpenAI's embeddings; fields that it has and this service has no use for are passed over."""

    input: Text | list[Text] = Field(description="a text or several", examples=[EXAMPLE[:2]])
    model: Text = Field("", description="encoder by name or id; empty: the default one", examples=["all-MiniLM-L6-v2"])
    encoding_format: Literal["float", "base64"] = Field("float", description="numbers, or float32 in base64")
    dimensions: int | None = Field(None, description="only the encoder's own are given")


class EmbeddingJson(TypedDict):
    """One vector."""

    object: str
    index: int
    embedding: Numbers | str


class EmbeddingsAnswer(BaseModel):
    """Vectors in the order of the texts."""

    object: str = "list"
    data: list[EmbeddingJson]
    model: str
    usage: dict[str, int]
