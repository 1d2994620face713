"""Passwords and keys: what of an address may be shown, and which words of a command line carry one."""

import re
from collections.abc import Iterable, Sequence
from urllib.parse import unquote, urlsplit

HIDDEN = "••••••"
NOT_SHOWN = "(set, not shown)"
_SCHEMES = ("postgres", "postgresql", "http", "https")
_HOSTS = re.compile(r"[\w.,:\[\]-]*", re.ASCII)
_PATHS = {"postgres": r"/[\w.-]*", "http": r"(/(v\d+\w*|api|openai|compatible-mode|chat|completions|models))*/?"}
"""Paths that hold no key: the name of a database, and the words of OpenAI-compatible servers."""
_LOGIN = re.compile(r"^(postgres(ql)?|https?):/{0,2}[^\s:/@]*:[^\s]+@", re.IGNORECASE)
_BARE_LOGIN = re.compile(r"^[^\s:/@]*:[^\s]+@")
"""Only where an address is expected: elsewhere `hf:NAME@SPLIT` looks the same."""

ADDRESS_FLAGS = ("--url",)
_KEYWORD = re.compile(
    r"\b(\w*(?:password|passwd|pwd|secret|token|api_?key|access_?key))\s*=\s*('(?:\\.|[^'])*'|[^\s&]+)", re.I
)
_HARMLESS = ("host", "hostaddr", "port", "dbname", "user", "sslmode", "connect_timeout", "application_name")
_KEYWORDS = re.compile(r"(\w+)\s*=\s*('(?:\\.|[^'])*'|\S+)")
_PLAIN = re.compile(r"'[\w.,/: -]*'|[\w.,/:-]*")


def has_secret(text: str, is_address: bool = False) -> bool:
    """Return whether a setting, or an address in whichever form, carries a password or a key."""
    text = text.strip()
    if _LOGIN.match(text) or _KEYWORD.search(text):
        return True
    shown = shown_address(text) if is_address else ""
    return shown == NOT_SHOWN or HIDDEN in shown or (is_address and bool(_BARE_LOGIN.match(text)))


def shown_address(text: str) -> str:
    """Return an address as it may be shown: host, port and path of a URL, harmless keywords of a DSN.

    Whatever is of no such form may be a secret as a whole, and nothing of it is shown.
    """
    text = text.strip()
    if "://" in text.partition("=")[0]:
        return _shown_url(text)
    keywords = [(key.lower(), value) for key, value in _KEYWORDS.findall(text)]
    if keywords and not _KEYWORDS.sub("", text).strip():
        return " ".join(f"{key}={value if is_harmless(key, value) else HIDDEN}" for key, value in keywords)
    return NOT_SHOWN


def is_harmless(key: str, value: str) -> bool:
    """Return whether a keyword of a DSN names no secret, and its value is plain: no address within the address."""
    return key in _HARMLESS and _PLAIN.fullmatch(value) is not None and "://" not in value


def _shown_url(text: str) -> str:
    try:
        parts = urlsplit(text)
        port, host = f":{parts.port}" if parts.port else "", parts.hostname or ""
    except ValueError:
        return NOT_SHOWN
    # an unescaped @ or / in a password moves a part of it behind the host
    if parts.scheme not in _SCHEMES or "@" in parts.path or not _HOSTS.fullmatch(host):
        return NOT_SHOWN
    login = "•••@" if "@" in parts.netloc else ""
    allowed = _PATHS["http" if parts.scheme.startswith("http") else "postgres"]
    path = parts.path if re.fullmatch(allowed, parts.path, re.ASCII) or not parts.path else "/…"
    return f"{parts.scheme}://{login}{host}{port}{path}"


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
