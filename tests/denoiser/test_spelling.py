"""A sentence is written as people write it, though the encoder knows neither capitals nor spaces before marks."""

import pytest

from lvm_core.denoiser.spelling import plain, spelled, word_forms

TEXTS = [f"It was {word} who met Émile in Paris." for word in ("Ada", "Ada", "she", "he")] * 8


@pytest.mark.parametrize(
    ("pieces", "sentence"),
    [
        ("the moon land ##ing , in 1969 .", "The moon landing, in 1969."),
        ("it cost $ 1 , 250 . 50 ( half ) .", "It cost $1,250.50 (half)."),
        ('he said " yes " . she did not .', 'He said "yes". She did not.'),
        ("the king ' s well - known men don ' t", "The king's well-known men don't"),
        ("ada met emile in paris", "Ada met Émile in Paris"),
        ("from 1914 – 1918", "From 1914–1918"),
        ("##ing ends", "Ing ends"),
        ("", ""),
    ],
)
def test_pieces_become_a_sentence(pieces: str, sentence: str) -> None:
    assert spelled(pieces.split(), word_forms(TEXTS)) == sentence


def test_forms_are_those_inside_sentences() -> None:
    assert word_forms(TEXTS) == {"ada": "Ada", "emile": "Émile", "paris": "Paris"}
    assert word_forms(["Rare Word here."]) == {}
    assert plain("Éluard") == "eluard"
