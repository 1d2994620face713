"""What every encoder must do; subclass it and give an `encoder` fixture."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from lvm_core.errors import EncoderError
from lvm_core.types import Encoder

TEXTS = [
    "river stone light",
    "copper",
    "garden winter silver engine paper salt north bridge candle river stone light copper",
    "salt. north, bridge",
]


class EncoderContract:
    tolerance = 1e-4

    def test_it_is_an_encoder_with_an_id_of_name_and_digest(self, encoder: Encoder) -> None:
        assert isinstance(encoder, Encoder)
        name, _, digest = encoder.id.rpartition("@")
        assert name
        assert len(digest) == 12
        assert int(digest, 16) >= 0

    def test_vectors_come_in_the_order_of_the_texts(self, encoder: Encoder) -> None:
        together = encoder.encode(TEXTS)
        assert together.shape == (4, encoder.dim)
        assert together.dtype == np.float32
        for text, vector in zip(TEXTS, together, strict=True):
            alone = encoder.encode([text])[0]
            cosine = alone @ vector / np.linalg.norm(alone) / np.linalg.norm(vector)
            assert cosine > 1 - self.tolerance

    def test_unit_norm_is_what_it_says(self, encoder: Encoder) -> None:
        norms = np.linalg.norm(encoder.encode(TEXTS), axis=1)
        assert encoder.unit_norm == bool(np.allclose(norms, 1, atol=1e-4))

    def test_no_text_gives_no_vector(self, encoder: Encoder) -> None:
        assert encoder.encode([]).shape == (0, encoder.dim)

    @pytest.mark.parametrize("empty", ["", "  \n\t "])
    def test_an_empty_text_is_named(self, encoder: Encoder, empty: str) -> None:
        with pytest.raises(EncoderError, match="Text 2 of 2 is empty"):
            encoder.encode(["river", empty])

    def test_one_string_is_no_list(self, encoder: Encoder) -> None:
        with pytest.raises(EncoderError, match="one string"):
            encoder.encode("river")

    def test_half_a_character_is_named(self, encoder: Encoder) -> None:
        with pytest.raises(EncoderError, match="half a surrogate pair"):
            encoder.encode(["river \ud83d"])

    def test_a_hundred_thousand_characters_are_cut_as_the_model_does(self, encoder: Encoder) -> None:
        long = "river stone " * 8_333
        twice = encoder.encode([long, long + "and then something else"])
        assert np.isfinite(twice).all()
        assert np.allclose(twice[0], twice[1], atol=1e-3)

    def test_threads_do_not_disturb_each_other(self, encoder: Encoder) -> None:
        expected = encoder.encode(TEXTS)
        with ThreadPoolExecutor(4) as pool:
            for found in pool.map(lambda _: encoder.encode(TEXTS), range(8)):
                assert np.allclose(found, expected, atol=1e-5)
