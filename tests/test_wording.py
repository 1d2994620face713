"""Words with numbers."""

import pytest

from lvm_core.wording import counted


@pytest.mark.parametrize(
    ("n", "what", "expected"),
    [
        (1, "pages of another namespace", "1 page of another namespace"),
        (2, "pages of another namespace", "2 pages of another namespace"),
        (1, "pages that are not whole XML", "1 page that is not whole XML"),
        (1, "zero vectors", "1 zero vector"),
        (1_200, "redirects", "1,200 redirects"),
    ],
)
def test_one_is_no_plural(n: int, what: str, expected: str) -> None:
    assert counted(n, what) == expected
