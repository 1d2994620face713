"""How many heads an attention has, said once: a width cut into equal parts."""

from collections.abc import Callable

from lvm_core.errors import SettingsError

USUAL = 64
"""Units of a head where nobody says otherwise."""


def heads(width: int, wanted: int, even: bool = False, what: str = "d_model") -> int:
    """Return `wanted`, or where it is 0 the number of heads about 64 units wide.

    Args:
        width: what is cut.
        wanted: number of heads, or 0.
        even: whether a head must have an even width, as rotary positions need.
        what: how the message calls the width.

    Raises:
        SettingsError: naming the numbers that divide `width`.
    """
    step = 2 if even else 1
    fitting = [n for n in range(1, width + 1) if width % (step * n) == 0]
    if not wanted and fitting:
        return max((n for n in fitting if n <= max(1, width // USUAL)), default=fitting[0])
    if wanted not in fitting:
        fits = ", ".join(str(n) for n in fitting if n <= 2 * max(1, wanted))
        near = f"one of {fits}" if fits else ""
        parts = " into even widths" if even else ""
        raise SettingsError(
            [f"n_heads is {wanted}, which does not divide {what} {width}{parts}; expected {near or 'another width'}."]
        )
    return wanted


def all_sizes(*sizes: Callable[[], int]) -> list[int]:
    """Return what each of `sizes` gives.

    Raises:
        SettingsError: with the problems of all of them at once.
    """
    found, problems = [], []
    for size in sizes:
        try:
            found.append(size())
        except SettingsError as error:
            problems += error.problems
    if problems:
        raise SettingsError(problems)
    return found
