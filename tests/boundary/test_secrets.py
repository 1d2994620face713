"""No form of an address shows its password."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lvm_core.boundary.secrets import has_secret, shown_address, shown_words, without

FORMS = (
    "postgresql://u:{}@h/db",
    "postgres://u:{}@h:5432/db?sslmode=require",
    "postgresql:/u:{}@h/db",
    "u:{}@h/db",
    "postgresql://h/db?user=u&password={}",
    "host=h user=u password={} dbname=d",
    "host = h password = '{}' dbname=d",
    "host=h sslpassword={}",
    "http://u:{}@llm.example/v1",
    "https://llm.example/v1?api_key={}",
)

WHOLE = (
    "S3cret",
    "S3cret/x",
    "service=S3cret",
    "passfile=S3cret host=h",
    "options=S3cret dbname=d",
    "dbname='postgresql://u:S3cret@h/db'",
    "dbname=postgresql://u:S3cret@h/db",
    "host=u:S3cret@h",
    "host=h S3cret",
    "postgresql://h:S3cret/db",
    "postgresql://S3cret@/db",
    "S3cret://h/db",
    "https://llm.example/v1/S3cret",
    "https://llm.example/v1#S3cret",
)
"""Forms that may hide a secret where nothing says so."""


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("password", ["S3cretPw", "S3cret/Pw", "S3cret@Pw", "S3cret:Pw", "S3cret%40Pw"])
def test_a_password_is_seen_and_not_shown(form: str, password: str) -> None:
    address = form.format(password)
    assert has_secret(address, is_address=True)
    assert "S3cret" not in shown_address(address)
    assert "S3cret" not in " ".join(shown_words(["import-postgres", "--url", address, f"--url={address}"]))


@pytest.mark.parametrize("address", WHOLE)
def test_what_may_be_a_secret_is_not_shown(address: str) -> None:
    assert "S3cret" not in shown_address(address)


@pytest.mark.parametrize("address", ["S3cret", "service=S3cret", "host=h S3cret"])
def test_no_job_keeps_an_address_of_no_known_form(address: str) -> None:
    assert has_secret(address, is_address=True)


def test_what_is_no_secret_is_shown() -> None:
    assert shown_address("postgresql://h:5432/db") == "postgresql://h:5432/db"
    assert shown_address("postgresql://me:pw@h:5432/db?x=y") == "postgresql://•••@h:5432/db"
    assert shown_address("host=h dbname=d password=x") == "host=h dbname=d password=••••••"
    words = ["ingest", "hf:wikimedia/wikipedia:20231101.en@train", "--title", "What is a token?"]
    assert shown_words(["train", "--vary", "lr=0.1", "--option", "d_model=3"]) == [
        "train", "--vary", "lr=0.1", "--option", "d_model=3",
    ]  # fmt: skip
    assert shown_words(words) == words


@given(st.text(max_size=60))
def test_any_text_is_shown_or_hidden(text: str) -> None:
    shown_address(text)
    shown_words([text, f"--url={text}"])


@given(st.text(alphabet="abcXYZ0123456789!$%&/@:", min_size=4, max_size=20))
def test_a_secret_is_blotted_out_as_written_and_as_encoded(secret: str) -> None:
    from urllib.parse import quote

    assert secret not in without(f"said {secret}: {quote(secret, safe='')}!", [secret, quote(secret, safe="")])
