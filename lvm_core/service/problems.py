"""Errors over HTTP: RFC 9457 problem details in the house's words (what was given, what was expected, what to do)."""

import http
import json
import logging
import re
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import Response

from lvm_core.boundary.files import cut
from lvm_core.boundary.values import whole_characters
from lvm_core.errors import (
    CorpusError,
    EncoderError,
    JobError,
    LvmError,
    ModelError,
    SettingsError,
    WorkspaceError,
)
from lvm_core.service.lane import Busy, Late, Stopping

MEDIA_TYPE = "application/problem+json"
HUNG_UP = 499
"""Counted where a client went before its answer came; nobody reads it."""

MOST_PROBLEMS = 20

log = logging.getLogger(__name__)

STATUS: dict[type[LvmError], int] = {
    Busy: 429,
    Stopping: 503,
    Late: 504,
    JobError: 409,
    WorkspaceError: 507,
}
"""What an error is over HTTP; every other one is 422: the request cannot be served as it is."""

MAY_BE_MISSING = (ModelError, CorpusError, JobError, EncoderError)
"""What these are about may not be there (404); their messages then begin so."""

SEE = "Mend the request; what each field takes is at /docs and in /openapi.json."


class Problem(BaseModel):
    """What went wrong, by RFC 9457; `given`, `expected` and `to_do` are the parts of `detail`."""

    type: str = "about:blank"
    title: str = Field(examples=["Unprocessable Content"])
    status: int = Field(examples=[422])
    detail: str = Field(examples=["steps is 99; expected 0 to 50 steps."])
    given: str = Field("", examples=["steps is 99"])
    expected: str = Field("", examples=["0 to 50 steps"])
    to_do: str = Field("", examples=[SEE])
    problems: list[str] = Field([], description="each problem by itself, where there are several")
    kind: str = Field("", description="the error of the Python library that this is", examples=["SettingsError"])
    arguments: list[Any] = Field([], description="what that error is made of")


RESPONSES: dict[int | str, dict[str, Any]] = {
    code: {"description": text, "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}}
    for code, text in {
        400: "The request cannot be read, or comes under a name that this service does not answer to.",
        401: "An API key is needed.",
        403: "A page of another origin asks, which the settings do not allow.",
        404: "There is no such model, corpus or job.",
        408: "The request did not arrive in time.",
        409: "The job is in another state than this needs.",
        413: "The request is too large.",
        422: "The request cannot be served as it is.",
        429: "Too many requests wait; Retry-After says when to come back.",
        503: "The service is being stopped.",
        504: "The answer was not there in time.",
        507: "The workspace cannot be written.",
    }.items()
}
"""The errors that any endpoint may answer with, for OpenAPI."""


def parts(message: str) -> tuple[str, str, str]:
    """Return what was given, what was expected and what to do of a message, "" for each that it does not say."""
    match = re.match(r"(?s)(.*?)[;,:]? expected (.*?)\.(?:\s+(.*))?$", message)
    if match:
        return match[1].strip(), match[2].strip(), (match[3] or "").strip()
    first, _, rest = message.partition(". ")
    return (first.rstrip("."), "", rest.strip()) if rest else (message.rstrip("."), "", "")


def problem(
    status: int,
    detail: str,
    problems: Sequence[str] = (),
    to_do: str = "",
    headers: Mapping[str, str] | None = None,
    said: tuple[str, str, str] | None = None,
    error: LvmError | None = None,
) -> Response:
    """Return a problem as a response; `said` are its three parts and `error` what it is, where they are known."""
    given, expected, remedy = said or parts(detail)
    body = Problem(
        title=http.HTTPStatus(status).phrase, status=status, detail=detail, given=given, expected=expected,
        to_do=remedy or to_do, problems=list(problems),
        kind=type(error).__name__ if error else "", arguments=list(error.args) if error else [],
    )  # fmt: skip
    return Response(as_bytes(body.model_dump()), status, headers, MEDIA_TYPE)


def as_bytes(value: Any) -> bytes:
    """Return a value as JSON in UTF-8; half characters become U+FFFD."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    try:
        return text.encode()
    except UnicodeEncodeError:
        return whole_characters(text).encode()


def of_error(error: LvmError) -> Response:
    """Return a mistake that the asker can mend, as a response."""
    status = next((code for kind, code in STATUS.items() if isinstance(error, kind)), 422)
    if isinstance(error, MAY_BE_MISSING):
        status = 404 if str(error).startswith("There is no ") else status
    headers = {"Retry-After": str(error.retry_after_s)} if isinstance(error, Busy) else {}
    if isinstance(error, SettingsError):
        return problem(status, str(error), error.problems if len(error.problems) > 1 else [], SEE, error=error)
    return problem(status, str(error), (), SEE, headers, error.parts, error)


def of_http(error: HTTPException) -> Response:
    """Return an error that names its status, as a response."""
    return problem(error.status_code, str(error.detail), headers=error.headers)


def of_validation(errors: Sequence[Any]) -> Response:
    """Return what the shape of a request says of it."""
    if any(error["type"] == "json_invalid" for error in errors):
        reason = str(errors[0].get("ctx", {}).get("error", "it ends too soon"))
        return problem(400, f"The body is no JSON: {reason}; expected a JSON object. Send the whole of it.", to_do=SEE)
    sentences = [_sentence(error) for error in errors[:MOST_PROBLEMS]]
    left = len(errors) - len(sentences)
    detail = " ".join(sentences[:3]) + (f" And {left + len(sentences) - 3} more." if len(errors) > 3 else "")
    return problem(422, detail, sentences if len(sentences) > 1 else [], SEE)


def _sentence(error: Mapping[str, Any]) -> str:
    place = ".".join(str(part) for part in error["loc"] if part not in ("body", "query", "path")) or "the body"
    kind, message = error["type"], str(error["msg"])
    if kind == "missing":
        return f"{place} is missing; expected a value."
    if kind == "extra_forbidden":
        return f"{place} is {cut(repr(error['input']))}; expected no such field."
    expected = message.removeprefix("Value error, ").removeprefix("Input should be ").rstrip(".")
    return f"{place} is {cut(repr(error['input']))}; expected {expected[:1].lower()}{expected[1:]}."


class Gone(Exception):
    """The client has hung up; nobody reads an answer."""


def install(app: FastAPI) -> None:
    """Let every error of `app` be a problem."""

    async def gone(_: Request, error: Exception) -> Response:
        assert isinstance(error, Gone)
        return Response(status_code=HUNG_UP)

    async def lvm(_: Request, error: Exception) -> Response:
        assert isinstance(error, LvmError)
        return of_error(error)

    async def validation(_: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        return of_validation(error.errors())

    async def plain(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        known = _PLAIN.get(error.status_code)
        where = {"method": request.method, "path": cut(request.url.path)}
        return problem(error.status_code, known.format(**where), headers=error.headers) if known else of_http(error)

    async def ours(request: Request, error: Exception) -> Response:
        log.error("%s %s", request.method, request.url.path, exc_info=error)
        return problem(500, f"The service failed at this request ({type(error).__name__}). Its log has the details.")

    app.add_exception_handler(Gone, gone)
    app.add_exception_handler(LvmError, lvm)
    app.add_exception_handler(RequestValidationError, validation)
    app.add_exception_handler(HTTPException, plain)
    app.add_exception_handler(Exception, ours)


_PLAIN = {
    404: "There is nothing at {path}; expected one of the paths at /docs. Look there.",
    405: "{method} is not what {path} takes; expected a method that /docs lists for it. Use that.",
    400: "The body cannot be read; expected JSON in UTF-8. Send the whole of it, as application/json.",
}
