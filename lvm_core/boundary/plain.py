"""Dataclasses and arrays as plain JSON values, exactly; `json_values.from_json` reads them again."""

import base64
import dataclasses
from typing import Any

import numpy as np
from numpy.typing import NDArray


def plain(value: Any) -> Any:
    """Return a value as JSON has it: dataclasses as objects of their fields, arrays as shape, type and base64."""
    if isinstance(value, np.ndarray):
        return _of_array(value)
    if isinstance(value, np.generic):
        return value.item()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value) if f.init}
    if isinstance(value, dict):
        return {str(key): plain(inner) for key, inner in value.items()}
    return [plain(inner) for inner in value] if isinstance(value, (list, tuple)) else value


def _of_array(array: NDArray[Any]) -> dict[str, Any]:
    little = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
    data = base64.b64encode(little.tobytes()).decode("ascii")
    return {"dtype": array.dtype.name, "shape": list(array.shape), "base64": data}


KINDS = ("float32", "float64", "int64", "bool")


def array_of(value: Any) -> NDArray[Any]:
    """Return the array of what `plain` made.

    Raises:
        ValueError: if it is something else, or its bytes are not as many as its shape says.
    """
    if not isinstance(value, dict) or set(value) != {"dtype", "shape", "base64"} or value["dtype"] not in KINDS:
        raise ValueError("no array")
    dtype = np.dtype(value["dtype"])
    data = np.frombuffer(base64.b64decode(str(value["base64"]), validate=True), dtype=dtype.newbyteorder("<"))
    shape = [int(length) for length in value["shape"]]
    if min(shape, default=0) < 0:
        raise ValueError("a length is below 0")
    return data.reshape(shape).astype(dtype)
