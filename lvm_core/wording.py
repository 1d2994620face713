"""Words with numbers."""

import re


def counted(n: int, what: str) -> str:
    """Return `n` of `what`, whose first plural noun is of several: "1 page that is empty" of "pages that are empty"."""
    if n == 1:
        what = re.sub(r"^((?:zero )?\w+)s\b", r"\1", what).replace(" that are ", " that is ", 1)
    return f"{n:,} {what}"
