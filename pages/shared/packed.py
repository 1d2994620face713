"""Values as text in an address, and back: numbers, names, lists, and what was typed, however long."""

import base64
import binascii
import hashlib
import json
import zlib
from collections import OrderedDict
from typing import Any

import streamlit as st

from lvm_core.errors import SettingsError

EXPECTED = {int: "a whole number", float: "a number", bool: "0 or 1"}
BOOLS = {"1": True, "0": False, "true": True, "false": False}

LONGEST_ADDRESS = 6_000
"""Characters of an address that every browser and server takes."""

MOST_DRAFTS = 200
LARGEST_BYTES = 4_000_000


@st.cache_resource(show_spinner=False)
def _long_drafts() -> "OrderedDict[str, str]":
    return OrderedDict()


def pack(value: Any) -> str:
    """Return `value` (JSON) as text for the address; what is too long is kept here and only named in the address."""
    packed = base64.urlsafe_b64encode(zlib.compress(json.dumps(value).encode(), 9)).decode().rstrip("=")
    if len(packed) <= LONGEST_ADDRESS:
        return packed
    name = "~" + hashlib.sha256(packed.encode()).hexdigest()[:16]
    drafts = _long_drafts()
    drafts[name] = packed
    while len(drafts) > MOST_DRAFTS:
        drafts.popitem(last=False)
    return name


def unpack(text: str) -> Any:
    """Return what `pack` made `text` of, None where it is damaged or no longer kept."""
    packed = _long_drafts().get(text, "") if text.startswith("~") else text
    try:
        raw = base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4))
        inflated = zlib.decompressobj().decompress(raw, LARGEST_BYTES)
        value = json.loads(inflated)
        json.dumps(value, ensure_ascii=False).encode()  # half a character can be shown nowhere
    except (ValueError, RecursionError, binascii.Error, zlib.error):
        return None
    return value


def text_of(value: Any) -> str:
    """Return a value as it stands in an address."""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, dict):
        return pack(value)
    return ",".join(map(str, value)) if isinstance(value, (list, tuple)) else "" if value is None else str(value)


def parsed(text: str, kind: type[Any]) -> Any:
    """Return the value of `kind` that `text` stands for.

    Raises:
        SettingsError: if it stands for none.
    """
    try:
        if kind is bool:
            return BOOLS[text.lower()]
        if kind in (list, tuple):
            return [word.strip() for word in text.split(",") if word.strip()]
        if kind is dict:
            return dict(unpack(text))
        return kind(text)
    except (KeyError, TypeError, ValueError) as error:
        raise SettingsError([f"{text!r}; expected {EXPECTED.get(kind, 'text')}."]) from error
