"""The JSON objects that one part of the studio writes and another reads, by their keys. It imports nothing.

What only one module makes and reads has its shape there.
"""

from typing import Any

Json = dict[str, Any]
"""A JSON object as a file, a command or another program gives it: anything may stand in it."""
