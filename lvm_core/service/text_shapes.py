"""Requests and answers about texts and corpora."""

from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, Field
from typing_extensions import TypedDict

from lvm_core.corpus.chunks import ChunkSettings
from lvm_core.service.fields import given, shape_of
from lvm_core.service.shapes import EXAMPLE, Numbers, Shape, Text

if TYPE_CHECKING:
    from pydantic import BaseModel as _Chunking
else:
    _Chunking = shape_of(ChunkSettings)


class ChunkRequest(_Chunking):
    """A text to cut."""

    text: Text = Field(description="text to cut into chunks", examples=[" ".join(EXAMPLE)])
    encoder: Text | None = Field(None, description="for the semantic chunker; null: the default one")

    def settings(self) -> ChunkSettings:
        """Return how it is to be cut."""
        return ChunkSettings(**given(self, _Chunking))


class CutJson(TypedDict):
    """A chunk, and where it stands in the text."""

    text: str
    start: int
    end: int


class ChunkAnswer(BaseModel):
    """The chunks of a text, in order."""

    chunks: list[CutJson]


class TmdRequest(Shape):
    """Texts to label with domain, task and modifier."""

    texts: list[Text] = Field(min_length=1, examples=[EXAMPLE[:1]])
    encoder: Text | None = Field(None, description="what compares them with the labels' descriptions")


class TmdJson(TypedDict):
    """A code of 16 bits, its three labels, and its vector."""

    code: int
    domain: str
    task: str
    modifier: str
    vector: Numbers


class TmdAnswer(BaseModel):
    """Codes in the order of the texts."""

    encoder: str
    codes: list[TmdJson]


class SearchRequest(Shape):
    """Chunks near a text or a vector, or that hold words."""

    query: Text = Field("", description="a text: by its meaning, or its words", examples=["volcanic eruptions"])
    vector: Numbers | None = Field(None, description="instead of a text: a vector of the encoder")
    corpus: Text | None = Field(None, description="where to search; null: the largest of the encoder's")
    encoder: Text | None = Field(None, description="encoder by name or id; null: the default one")
    by: Literal["meaning", "words"] = Field("meaning", description="nearest in meaning, or holding all words")
    k: int = Field(10, description="hits at most", ge=1, le=1_000)


class HitJson(TypedDict):
    """A chunk that was found; `cosine` is null where words were searched."""

    chunk_id: int
    row: int
    article: str
    position: int
    text: str
    cosine: float | None


class SearchAnswer(BaseModel):
    """What was found, best first."""

    corpus: str
    hits: list[HitJson]
