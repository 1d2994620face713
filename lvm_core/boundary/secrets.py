"""Passwords and keys: what of an address may be shown, and which words of a command line carry one."""

import re
from collections.abc import Iterable, Sequence
from urllib.parse import unquote, urlsplit

HIDDEN = "••••••"
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:/{1,2}", re.IGNORECASE)
_LOGIN = re.compile(r"^(postgres(ql)?|https?):/{0,2}[^\s:/@]*:[^\s]+@", re.IGNORECASE)
_BARE_LOGIN = re.compile(r"^[^\s:/@]*:[^\s]+@")
"""Only where an address is expected: elsewhere `hf:NAME@SPLIT` looks the same."""

ADDRESS_FLAGS = ("--url",)
_KEYWORD = re.compile(
    r"\b(\w*(?:password|passwd|pwd|secret|token|api_?key|access_?key))\s*=\s*('(?:\\.|[^'])*'|[^\s&]+)", re.I
)
_HARMLESS = ("host", "hostaddr", "port", "dbname", "user", "sslmode", "connect_timeout", "application_name")
_KEYWORDS = re.compile(r"(\w+)\s*=\s*('(?:\\.|[^'])*'|\S+)")


def has_secret(text: str, is_address: bool = False) -> bool:
    """Return whether a setting, or an address in whichever form, carries a password or a key."""
    text = text.strip()
    return bool(_LOGIN.match(text) or _KEYWORD.search(text) or (is_address and _BARE_LOGIN.match(text)))


def shown_address(text: str) -> str:
    """Return an address as it may be shown: host, port and path of a URL, harmless keywords of a DSN, else nothing."""
    text = text.strip()
    if _SCHEME.match(text) and "://" in text:
        return _shown_url(text)
    keywords = [(key.lower(), value) for key, value in _KEYWORDS.findall(text)]
    if keywords and not _KEYWORDS.sub("", text).strip():
        return " ".join(f"{key}={value if key in _HARMLESS else HIDDEN}" for key, value in keywords)
    return HIDDEN if has_secret(text, is_address=True) or not re.fullmatch(r"[\w.\-/]*", text) else text


def _shown_url(text: str) -> str:
    try:
        parts = urlsplit(text)
        port, host = f":{parts.port}" if parts.port else "", parts.hostname or ""
    except ValueError:
        return HIDDEN
    login = "•••@" if "@" in parts.netloc else ""
    # an unescaped @ or / in a password moves a part of it behind the host
    return HIDDEN if "@" in parts.path or "@" in host else f"{parts.scheme}://{login}{host}{port}{parts.path}"


def words_with_secrets(argv: Sequence[str]) -> list[int]:
    """Return the places of the words of a command line that carry a password or a key."""
    places = []
    for i, word in enumerate(argv):
        flag, _, value = word.partition("=") if word.startswith("--") else (argv[i - 1] if i else "", "", word)
        if has_secret(value, is_address=flag in ADDRESS_FLAGS):
            places.append(i)
    return places


def shown_words(argv: Sequence[str]) -> list[str]:
    """Return the words of a command line with what carries a secret hidden."""
    words = list(argv)
    for i in words_with_secrets(argv):
        flag, equals, value = words[i].partition("=") if words[i].startswith("--") else ("", "", words[i])
        words[i] = f"{flag}{equals}{shown_address(value)}"
    return words


def without(text: str, secrets: Iterable[str]) -> str:
    """Return `text` with each of `secrets` blotted out, as it is written and as it is encoded in addresses."""
    spellings = {spelling for secret in secrets if secret for spelling in (secret, unquote(secret))}
    for spelling in sorted(spellings, key=len, reverse=True):
        text = text.replace(spelling, "***")
    return text
