"""What OpenAPI promises holds for whatever a program sends: every endpoint, no fault of ours, errors as problems."""

import os
from collections.abc import Iterator

import pytest
import schemathesis
from fastapi.routing import APIRoute
from hypothesis import HealthCheck, given, settings
from schemathesis import BaseSchema as Schema

from lvm_core.service.endpoints import ENDPOINTS
from lvm_core.workspace import Workspace
from tests.service.conftest import serve

EXAMPLES = int(os.environ.get("LVM_SCHEMA_EXAMPLES", "5"))
"""Requests to each endpoint; some hundreds when it is run at length."""


@pytest.fixture(scope="module")
def schema(seeded_once: Workspace, module_patch: pytest.MonkeyPatch) -> Iterator[Schema]:
    """Return the schema of a service that answers with real chunks, which takes no seconds."""
    module_patch.setattr("lvm_core.predict.text.available_decoders", lambda *_: ["extractive"])
    module_patch.setattr("lvm_core.service.endpoints.jobs.check_command", refuse)
    one = serve(seeded_once, allowed_hosts="testserver", most_texts=64)
    yield schemathesis.openapi.from_asgi("/openapi.json", one.app)
    one.engine.stop()


def refuse(argv: list[str]) -> None:
    """Let no job start: what the queue says of words is tested where jobs are."""
    from lvm_core.errors import JobError

    raise JobError(f"{argv[0]} is not started here", "nothing", "Leave it.")


OPERATIONS = [
    (method, route.path)
    for router in ENDPOINTS
    for route in router.routes
    if isinstance(route, APIRoute)
    for method in sorted(route.methods)
]


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_every_endpoint_answers_whatever_is_sent(schema: Schema, method: str, path: str) -> None:
    """Errors are the asker's, and say so; none is ours."""

    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(case=schema[path][method].as_strategy())
    def ask(case: schemathesis.Case) -> None:
        response = case.call(timeout=300)
        assert response.status_code < 500, (case.as_curl_command(), response.text)
        if response.status_code >= 400:
            assert response.headers["content-type"] == ["application/problem+json"]
            said = response.json()
            assert said["status"] == response.status_code
            assert said["detail"]

    ask()
