"""What the service says of itself, of what it has, and of jobs."""

from typing import Any

from pydantic import BaseModel, Field

from lvm_core.service.shapes import Shape, Text

Anything = dict[str, Any]
"""A JSON object that another part of the studio describes."""


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


class CorpusAnswer(BaseModel):
    """A corpus, and the encoders that it has vectors of."""

    name: str
    source: str
    licence: str
    chunker: str
    ordered: bool
    n_documents: int
    n_chunks: int
    digest: str
    encoders: list[str]


class Corpora(BaseModel):
    """Every corpus of the workspace."""

    corpora: list[CorpusAnswer]


class JobRequest(Shape):
    """A command and its flags, as `python -m lvm_core` takes them."""

    argv: list[Text] = Field(description="the command first", min_length=1, examples=[["corpora"]])
    title: Text = Field("", description="a name for people", max_length=200)


class JobAnswer(BaseModel):
    """A job, as `jobs --json` shows it."""

    job: Anything


class Jobs(BaseModel):
    """Jobs: the running, the queue in order, then the newest first; and the commands that can be one."""

    jobs: list[Anything]
    commands: dict[str, str]


class JobLog(BaseModel):
    """The last lines of a job's log, and its size."""

    log: list[str]
    bytes: int


class Info(BaseModel):
    """What is behind the service, and what it takes."""

    version: str
    workspace: str
    encoder: str
    encoders: list[str]
    decoders: list[str]
    models: list[str]
    corpora: list[str]
    device: str
    limits: Anything
    uptime_s: float
