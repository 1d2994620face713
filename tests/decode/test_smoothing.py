"""Smoothing by a server that answers well, badly, slowly, never; the key stays secret."""

import json
import logging
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from lvm_core.decode.smoothing import smooth_text
from lvm_core.endpoint import Endpoint, endpoint_from_environment
from lvm_core.errors import SettingsError

CONTEXT = ["Volcanoes erupt when magma rises.", "Ash covered the old town."]
ROUGH = "the lava lava flow town was cover"
CLEAN = "The lava flow covered the town."
KEY = "sk-very-secret-0123456789"


def answer(content):
    return json.dumps({"choices": [{"message": {"content": content}}]}).encode()


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        server = self.server
        server.seen.append(
            (self.path, dict(self.headers), json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        )
        how = server.how
        if how == "hang":
            server.let_go.wait(10)
            return
        status = how if isinstance(how, int) else 200
        self.send_response(status)
        if status == 302:
            self.send_header("Location", f"http://127.0.0.1:{server.server_port}/elsewhere")
        body = b"" if isinstance(how, int) else b"".join(how)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        for part in () if isinstance(how, int) else how:
            self.wfile.write(part)
            self.wfile.flush()
            if len(how) > 1 and server.let_go.wait(0.15):
                return

    def log_message(self, *args):
        pass


@pytest.fixture
def server():
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    httpd.daemon_threads = True
    httpd.seen, httpd.how, httpd.let_go = [], [answer(CLEAN)], threading.Event()
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield httpd
    httpd.let_go.set()
    httpd.shutdown()
    httpd.server_close()
    thread.join()


def smooth(server, how=None, timeout_s=5.0, key=KEY):
    if how is not None:
        server.how = how
    endpoint = Endpoint(f"http://127.0.0.1:{server.server_port}/v1", "tiny", key, timeout_s)
    return smooth_text("endpoint", ROUGH, CONTEXT, endpoint)


def test_a_good_answer_is_taken(server):
    found = smooth(server)
    assert (found.text, found.note) == (CLEAN, "")
    assert found.by == f"tiny at http://127.0.0.1:{server.server_port}"
    path, headers, body = server.seen[0]
    assert path == "/v1/chat/completions"
    assert headers["Authorization"] == f"Bearer {KEY}"
    assert body["model"] == "tiny"
    assert ROUGH in body["messages"][-1]["content"]
    assert CONTEXT[0] in body["messages"][-1]["content"]


def test_only_the_first_paragraph_without_quotes(server):
    assert smooth(server, [answer(f'"{CLEAN}"\n\nI hope that helps!')]).text == CLEAN


@pytest.mark.parametrize(
    ("how", "note"),
    [
        ([b"<html>It works!</html>"], "not that of an OpenAI-compatible server"),
        ([b'{"choices": []}'], "not that of an OpenAI-compatible server"),
        ([b'{"choices": [{"message": {"content": 7}}]}'], "not that of an OpenAI-compatible server"),
        ([b"\xff\xfe\x00"], "not that of an OpenAI-compatible server"),
        ([answer("  \n ")], "answered nothing"),
        ([answer("lava " * 50)], "repeats itself"),
        ([answer("The lava flow " + "and so on and on further still " * 40)], "characters for a sentence of"),
        ([answer("Bananas ripen quickest beside apples.")], "shares no word"),
        ([answer("The lava flow covered the")], "stops in the middle: 'The lava flow covered the'"),
        ([answer(CONTEXT[1])], "only says again what stood before"),
        ([b"x" * 1_200_000], "expected at most 1,000,000 bytes"),
        (500, "answered 500"),
        (401, "answered 401; expected 200. Check LVM_LLM_URL, LVM_LLM_KEY"),
        (302, "answered 302"),
    ],
)
def test_nonsense_leaves_the_text_as_it_was(server, how, note):
    found = smooth(server, how)
    assert found.text is None
    assert note in found.note
    assert KEY not in found.note
    assert len(server.seen) == 1, "no redirect is followed: it would carry the key elsewhere"


@pytest.mark.parametrize("how", ["hang", [b"{"] * 40])
def test_a_server_that_hangs_or_trickles_is_given_up(server, how):
    begun = time.monotonic()
    found = smooth(server, how, timeout_s=0.4)
    assert time.monotonic() - begun < 3
    assert found.text is None
    assert "0.4 s" in found.note or "not reachable" in found.note or "in time" in found.note


def test_nobody_there(server):
    endpoint = Endpoint("http://127.0.0.1:9/v1", "m", KEY, 1.0)
    found = smooth_text("endpoint", ROUGH, CONTEXT, endpoint)
    assert found.text is None
    assert "not reachable" in found.note


def test_the_key_is_shown_nowhere(server, caplog):
    caplog.set_level(logging.DEBUG)
    endpoint = Endpoint(f"http://user:{KEY}@127.0.0.1:{server.server_port}/v1?token={KEY}", "m", KEY, 1.0)
    found = smooth_text("endpoint", ROUGH, CONTEXT, endpoint)
    assert KEY not in repr(endpoint) + str(endpoint) + caplog.text + repr(found)


def test_the_address_comes_from_the_environment(monkeypatch, server):
    monkeypatch.setenv("LVM_LLM_URL", f"http://127.0.0.1:{server.server_port}/v1/")
    monkeypatch.setenv("LVM_LLM_MODEL", "mine")
    monkeypatch.setenv("LVM_LLM_KEY", KEY + "\n")
    assert endpoint_from_environment().model == "mine"
    assert smooth_text("endpoint", ROUGH, CONTEXT).text == CLEAN
    assert server.seen[0][1]["Authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "localhost:8080",
        "file:///etc/passwd",
        "ftp://x/v1",
        "foo",
        "http://h:abc/",
        "http://[::1/",
        "http://h:99999",
    ],
)
def test_an_address_that_is_none_is_refused(monkeypatch, url):
    monkeypatch.setenv("LVM_LLM_URL", url)
    with pytest.raises(SettingsError, match=r"LVM_LLM_URL is not the address.*http\(s\)://HOST/v1"):
        smooth_text("endpoint", ROUGH, CONTEXT)


def test_off_and_unknown():
    assert smooth_text("off", ROUGH, CONTEXT).text is None
    with pytest.raises(SettingsError, match="smooth is 'gpt'; expected one of off, smollm2, endpoint"):
        smooth_text("gpt", ROUGH, CONTEXT)
