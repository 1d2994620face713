"""A `Studio` at a service: what the network and the service do wrong is said in the house's words."""

import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

from lvm_core import Studio
from lvm_core.boundary.json_values import from_json
from lvm_core.boundary.plain import array_of, plain
from lvm_core.errors import (
    LvmError,
    MissingPackage,
    ModelError,
    ServiceError,
    SettingsError,
    SourceError,
    SpaceMismatch,
)
from lvm_core.library import wire
from lvm_core.library.backend import Ask
from lvm_core.predict.settings import PredictSettings
from lvm_core.service.problems import of_error
from lvm_core.snap import SnapSettings
from tests.app.studio import free_port


@contextmanager
def answering(status: int, kind: str, body: bytes, silent_s: float = 0.0) -> Iterator[str]:
    """Give the address of something that gives one answer to everything."""
    released = threading.Event()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            released.wait(silent_s)
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        released.set()
        server.shutdown()
        server.server_close()


def problem(**fields: Any) -> bytes:
    return json.dumps({"type": "about:blank", "title": "x", **fields}).encode()


def test_nobody_there_says_how_to_start_one() -> None:
    studio = Studio(f"http://127.0.0.1:{free_port()}")
    with pytest.raises(ServiceError, match=r"cannot be reached .*Start it with: python -m lvm_core serve"):
        studio.corpora()
    with pytest.raises(ServiceError, match="cannot be reached"):
        list(studio.watch(["a"]))


def test_silence_says_how_to_wait_longer() -> None:
    with answering(200, "application/json", b"{}", silent_s=20) as url:
        studio = Studio(url, timeout_s=0.2)
        with pytest.raises(ServiceError, match=r"said nothing for 0.2 s.*timeout_s"):
            studio.models()


@pytest.mark.parametrize(
    ("status", "kind", "body", "message"),
    [
        (200, "text/html", b"<html>a router</html>", "what it says is no JSON"),
        (200, "application/json", b'{"surprise": 1}', "corpora is missing"),
        (404, "text/html", b"nothing", "it answers 404 without a reason"),
        (404, "application/problem+json", problem(status=404, detail="There is nothing at /library/1/corpora."),
         "no service that this release"),
        (302, "text/html", b"", "it answers 302 without a reason"),
        (401, "application/problem+json",
         problem(status=401, given="The request has no API key", expected="one", to_do="Make one."),
         r"no API key; expected one\. Make one\. Give it: Studio\(URL, key=KEY\), or LVM_SERVICE_KEY"),
    ],
)  # fmt: skip
def test_what_is_no_service_of_this_release_is_named(status: int, kind: str, body: bytes, message: str) -> None:
    with answering(status, kind, body) as url, pytest.raises(ServiceError, match=message):
        Studio(url).corpora()


@pytest.mark.parametrize(
    "error",
    [
        ModelError("There is no model 'x'", "one of a, b", "Train one."),
        SpaceMismatch("Model 'x'", "one@1", "other@2", "Choose a model of this encoder."),
        SettingsError(["steps is 99; expected 0 to 50.", "k is 0; expected 1 to 9."]),
        MissingPackage("numba", "UMAP", "pip install numba"),
    ],
)
def test_an_error_keeps_its_kind_and_its_words(error: LvmError) -> None:
    body = bytes(of_error(error).body)
    with answering(422, "application/problem+json", body) as url, pytest.raises(type(error)) as raised:
        Studio(url).corpora()
    assert str(raised.value) == str(error)
    assert raised.value.args == error.args


def test_a_key_and_a_login_are_never_shown() -> None:
    studio = Studio(f"http://me:s3cret@127.0.0.1:{free_port()}", key="k-123456")
    with pytest.raises(ServiceError) as raised:
        studio.corpora()
    shown = f"{studio!r} {raised.value}"
    assert "s3cret" not in shown
    assert "k-123456" not in shown


@pytest.mark.parametrize("url", ["http://", "https://[half", "http://host:port"])
def test_half_an_address_is_refused(url: str) -> None:
    with pytest.raises(SettingsError, match="no address of a service"):
        Studio(url)


def test_a_question_comes_back_from_the_wire_as_it_was() -> None:
    ask = Ask(("a", "b"), None, "c", ("lstm",), None, None, PredictSettings(snap="both", snapping=SnapSettings(k=3)))
    sent = json.loads(json.dumps(plain(wire.Watch(ask, True))))
    assert wire.read(wire.Watch, sent) == wire.Watch(ask, True)


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "bool"])
def test_arrays_come_back_exactly(dtype: str) -> None:
    array = (np.random.default_rng(0).normal(size=(3, 4)) * 7).astype(dtype)
    back = array_of(json.loads(json.dumps(plain(array))))
    assert back.dtype == array.dtype
    np.testing.assert_array_equal(back, array)
    back[0] = 0  # it is the reader's own


@pytest.mark.parametrize(
    "value",
    [
        None, 3, "AAAA", [1.0], {"dtype": "object", "shape": [1], "base64": ""},
        {"dtype": "float32", "shape": [2], "base64": "AAAA"}, {"dtype": "float32", "shape": [-1], "base64": "AAAAAA=="},
        {"dtype": "float32", "shape": ["x"], "base64": "AAAAAA=="}, {"dtype": "float32", "shape": 1, "base64": "%"},
    ],
)  # fmt: skip
def test_what_is_no_array_is_refused(value: Any) -> None:
    with pytest.raises(SourceError, match=r"vectors is .*expected an array"):
        from_json(wire.VectorsAnswer, {"vectors": value}, "The request")
