"""TMD codes are bit for bit those of existing databases, and labels say something about the text."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lvm_core.corpus.tmd.codes import by_names, label_by_encoder, label_by_endpoint, pack, tmd_vectors, unpack
from lvm_core.encoders import DEFAULT_ENCODER, load_encoder
from lvm_core.endpoint import Endpoint
from lvm_core.errors import SettingsError, SourceError


def test_the_code_of_the_existing_databases() -> None:
    assert pack(2, 5, 10) == 8852
    assert unpack(8852).names == ("engineering", "entity_extraction", "financial")
    assert by_names("engineering", "entity_extraction", "financial") == 8852


@given(st.integers(0, 15), st.integers(0, 31), st.integers(0, 63))
def test_pack_and_unpack_are_inverse(domain: int, task: int, modifier: int) -> None:
    found = unpack(pack(domain, task, modifier))
    assert (found.domain, found.task, found.modifier) == (domain, task, modifier)


def test_vectors_are_the_code_bits_by_the_fixed_matrix() -> None:
    vectors = tmd_vectors([8852, 0, 65534])
    bits = np.array([int(b) for b in f"{8852 >> 1:015b}"], dtype=np.float32)
    matrix = np.random.default_rng(1337).standard_normal((16, 15)).astype(np.float32)
    expected = matrix @ bits
    np.testing.assert_allclose(vectors[0], expected / np.linalg.norm(expected), atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), [1, 0, 1], atol=1e-6)


def test_labels_fit_texts_that_are_plainly_of_one_domain() -> None:
    encoder = load_encoder(DEFAULT_ENCODER)
    texts = [
        "The patient was treated with antibiotics for a bacterial infection of the lungs.",
        "The theorem states that every bounded sequence of real numbers has a convergent subsequence.",
        "The president lost the election and the opposition party formed a new government.",
    ]
    domains = [unpack(int(code)).names[0] for code in label_by_encoder(encoder.encode(texts), encoder)]
    assert domains == ["medicine", "mathematics", "politics"]


def test_the_label_of_a_chunk_does_not_depend_on_its_company() -> None:
    encoder = load_encoder(DEFAULT_ENCODER)
    vectors = encoder.encode(
        ["The river flows through the capital.", "Painters of the Renaissance worked in Florence."]
    )
    together = label_by_encoder(vectors, encoder)
    assert [int(label_by_encoder(v[None], encoder)[0]) for v in vectors] == together.tolist()


class Handler(BaseHTTPRequestHandler):
    answer = ""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        body = json.dumps({"choices": [{"message": {"content": self.answer}}]}).encode()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield Endpoint(f"http://127.0.0.1:{server.server_port}/v1", "m")
    server.shutdown()
    server.server_close()
    thread.join()


def test_an_endpoint_labels_and_its_nonsense_is_named(endpoint: Endpoint) -> None:
    Handler.answer = 'Sure! {"domain": "law", "task": "entailment", "modifier": "legal"}'
    assert unpack(label_by_endpoint("text", endpoint)).names == ("law", "entailment", "legal")
    Handler.answer = '{"domain": "cookery", "task": "entailment", "modifier": "legal"}'
    with pytest.raises(SourceError, match="domain 'cookery' does not exist"):
        label_by_endpoint("text", endpoint)
    Handler.answer = "I cannot do that."
    with pytest.raises(SourceError, match="gave no TMD labels for 'text'"):
        label_by_endpoint("text", endpoint)


def test_mistakes_are_named_all_at_once() -> None:
    with pytest.raises(SettingsError, match=r"domain is 16; expected 0 to 15\. modifier is 64"):
        pack(16, 0, 64)
    with pytest.raises(SettingsError, match="70000; expected 0 to 65535"):
        unpack(70000)
    with pytest.raises(SourceError, match="did not answer"):
        label_by_endpoint("text", Endpoint("http://127.0.0.1:9/v1", "m"))
