"""What a page's choices are set to: found again on coming back, and in the address so that a look can be linked.

Streamlit forgets the widgets of a page that is left, and those that a run does not show. So every widget that
shall be remembered asks for its key here, with the value it starts from:

    with address.page("corpus") as at:
        name = st.selectbox("Corpus", names, key=at.key("corpus", names[0], names))

A key is `page:name`. The address is read when a page is come to, checked as settings are, and written when the page
has run: what differs from the start values stands in it.
"""

import contextlib
import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import streamlit as st

from lvm_core.config import Field, Settings, fields_of
from lvm_core.errors import LvmError, SettingsError
from pages.shared import packed, ui

S = TypeVar("S", bound=Settings)

HERE, FRESH = "address:page", "address:fresh"
"""Session keys: the page that is shown, and whether it was just come to."""

BACK_LEAVES = """<script type="text/javascript">
if (!window.lvmBackLeaves) {
  window.lvmBackLeaves = true;
  const push = history.pushState.bind(history);
  history.pushState = (state, title, url) => new URL(url, location).pathname === location.pathname
    ? history.replaceState(state, title, url) : push(state, title, url);
}
</script>"""
"""A changed choice replaces the entry of the browser's history: Back leaves the page, it does not undo a choice."""


@dataclass(frozen=True, slots=True)
class _Text:
    """A value as it stands in the address, not read yet."""

    text: str


class Address:
    """The choices of one page, or of one part of it (`within`)."""

    def __init__(self, page: str, part: str = "") -> None:
        self.page, self.part = page, part
        session = st.session_state
        self._values: dict[str, Any] = session.setdefault(f"address:{page}:values", {})
        self._pending: dict[str, Any] = session.setdefault(f"address:{page}:pending", {})
        self._starts: dict[str, Any] = session.setdefault(f"address:{page}:starts", {})
        self._kept: set[str] = set()
        self._notices: list[str] = session.setdefault(f"address:{page}:notices", [])

    def within(self, part: str) -> "Address":
        """Return the choices of a part of the page, whose names do not meet those of another; no link holds them."""
        return Address(self.page, f"{self.part}{part}:")

    def key(
        self,
        name: str,
        start: Any,
        among: Sequence[Any] | None = None,
        low: float | None = None,
        high: float | None = None,
        linked: bool = True,
    ) -> str:
        """Return the key of a widget, set to what it was set to before, else to what the address says, else `start`.

        Args:
            name: of the choice, which is its name in the address.
            start: its value at first; its type is that of the choice. A list is several of `among`.
            among: the values there are now: anything else gives way to `start`.
            low: least value of a number.
            high: greatest value of a number.
            linked: whether it stands in the address.
        """
        kind = type(start) if start is not None else str
        field = Field(name, kind, start is None, start, low=low, high=high, choices=tuple(among or ()))
        return self.key_of(field, start, linked, clamp=True)

    def key_of(self, field: Field, start: Any, linked: bool = True, clamp: bool = False) -> str:
        """Return the key of the widget of one setting; see `key`. `clamp`: a number is brought within its limits.

        A form does not clamp, so that it can say in words what is wrong with a number.
        """
        name, key = self._name(field.name), self._key(field.name)
        value = self._value(field, start)
        value = _clamped(value, field) if clamp else value
        self._pending.pop(name, None)
        if key not in st.session_state or st.session_state[key] != value:
            st.session_state[key] = list(value) if isinstance(value, list) else value
        self._keep(name, value, start, linked)
        return key

    def value(self, name: str, start: Any, among: Sequence[Any] | None = None, linked: bool = True) -> Any:
        """Return what `name` is set to; for choices that have no widget just now."""
        return st.session_state[self.key(name, start, among, linked=linked)]

    def says(self, name: str) -> bool:
        """Return whether the address names a choice that no widget has taken yet."""
        return isinstance(self._values.get(self._name(name)), _Text)

    def value_of(self, field: Field) -> Any:
        """Return what a setting is set to, whether it has a widget just now or not."""
        return _as_kind(self._value(field, field.default), field.kind)

    def put(self, name: str, value: Any) -> None:
        """Set a choice from now on. Its widget shows it at the next run, so this may be called anywhere."""
        self._pending[self._name(name)] = value

    def keep(self, keys: Iterable[str]) -> None:
        """Keep widgets that are set by their own keys, such as boxes that come and go; before they are shown."""
        for key in keys:
            self._kept.add(key)
            if key in st.session_state:
                self._values[key] = st.session_state[key]
            elif key in self._values:
                st.session_state[key] = self._values[key]

    def settings(self, cls: type[S], **given: Any) -> S:
        """Return the settings as they stand, `given` on top; they may be impossible, as forms allow."""
        values = dict(given)
        for f in fields_of(cls):
            if f.name not in given:
                value = self._value(f, f.default)
                if self._name(f.name) not in self._starts:
                    self._keep(self._name(f.name), value, f.default, linked=True)
                values[f.name] = _as_kind(value, f.kind)
        return cls(**values)

    # ------------------------------------------------------------ reading

    def _name(self, name: str) -> str:
        return f"{self.part}{name}"

    def _key(self, name: str) -> str:
        return f"{self.page}:{self.part}{name}"

    def _keep(self, name: str, value: Any, start: Any, linked: bool) -> None:
        self._values[name] = value
        if linked and not self.part:
            self._starts[name] = start

    def _value(self, field: Field, start: Any) -> Any:
        name, key = self._name(field.name), self._key(field.name)
        value = st.session_state[key] if key in st.session_state else self._values.get(name, start)
        value = self._pending.get(name, value)
        if isinstance(value, _Text):
            value = self._from_address(field, value.text, start)
        value = _as_kind(value, type(start) if start is not None else field.kind)
        if not isinstance(value, list):
            return value if _possible(value, field) else start
        here = [one for one in value if one in field.choices]
        return here if here or not value else start

    def _from_address(self, field: Field, text: str, start: Any) -> Any:
        """Return the value that `text` stands for; what is impossible is noted and gives way to `start`."""
        try:
            value = packed.parsed(text, type(start) if start is not None else field.kind)
        except SettingsError as error:
            self._notices += [f"{field.name} is {sentence}" for sentence in error.problems]
            return start
        if isinstance(value, dict):
            return value
        several = value if isinstance(value, list) else [value]
        one = dataclasses.replace(field, kind=str) if isinstance(value, list) else field
        wrong = [sentence for word in several for sentence in one.problems(word)]
        self._notices += wrong
        return start if wrong and not isinstance(value, list) else value

    # ------------------------------------------------------------ the address

    def enter(self) -> None:
        """Take what the address says, where the page was just come to."""
        if not st.session_state.pop(FRESH, False):
            return
        for name, text in st.query_params.items():
            self._values[name] = _Text(text)
            st.session_state.pop(f"{self.page}:{name}", None)

    def write(self) -> None:
        """Put into the address what differs from the start values; what nobody has read yet stays in it."""
        self._values |= {key: st.session_state[key] for key in self._kept if key in st.session_state}
        words = {name: value.text for name, value in self._values.items() if isinstance(value, _Text)}
        for name, start in self._starts.items():
            value = st.session_state.get(f"{self.page}:{name}", self._values.get(name, start))
            if value != start and not isinstance(value, _Text):
                words[name] = packed.text_of(value)
        if st.query_params.to_dict() != words:
            st.query_params.from_dict(words)

    def notice(self) -> str:
        """Return, once, what of the address was impossible, as one line; "" where all was read."""
        wrong = " ".join(self._notices)
        self._notices.clear()
        return f"The address could not be followed in full: {wrong} The usual value stands instead." if wrong else ""


def arrive(name: str) -> None:
    """Say which page is shown, before it runs: `app.py` does, for every page."""
    st.session_state[FRESH] = st.session_state.get(HERE) != name
    st.session_state[HERE] = name


@contextlib.contextmanager
def page(name: str) -> Iterator[Address]:
    """Give the choices of the page `name`; after its widgets, write its address and say what was wrong in it."""
    at = Address(name)
    at.enter()
    line = st.empty()
    try:
        yield at
    except LvmError:
        _leave(at, line)
        raise
    _leave(at, line)


def _leave(at: Address, line: Any) -> None:
    at.write()
    if notice := at.notice():
        line.warning(ui.plain(notice), icon=":material/link_off:")


def back_leaves() -> None:
    """Make the browser's Back leave a page at once, however many choices were changed on it."""
    st.html(BACK_LEAVES, unsafe_allow_javascript=True)


# ---------------------------------------------------------------- values as widgets and settings want them


def _as_kind(value: Any, kind: type[Any]) -> Any:
    """Return names as a list or joined by commas, and whole numbers as floats, as the widget or setting wants it."""
    if kind is list and isinstance(value, str):
        return packed.parsed(value, list)
    if kind is str and isinstance(value, list):
        return ",".join(value)
    whole = isinstance(value, int) and not isinstance(value, bool)
    return float(value) if kind is float and whole else value


def _clamped(value: Any, field: Field) -> Any:
    if value is None or isinstance(value, (bool, str, list, dict)):
        return value
    low, high = field.low, field.high
    least = value if low is None else max(value, type(value)(low))
    return least if high is None else min(least, type(value)(high))


def _possible(value: Any, field: Field) -> bool:
    return not field.choices or value in field.choices or (value is None and field.optional)
