"""What each chunk of a context contributes to a prediction: how far its absence turns it, and where the AMN looks."""

import numpy as np
import torch

from lvm_core import forecast
from lvm_core.errors import SettingsError
from lvm_core.nets.amn import Amn
from lvm_core.nets.base import SequenceModel, unit
from lvm_core.types import Vectors
from lvm_core.vectors.geometry import Values, cosine


def influence(model: SequenceModel, context: Vectors) -> Values:
    """Return for each chunk of the context (T, D) how much the prediction turns when it is left out: 1 - cosine, (T,).

    Leave-one-out attribution (Li, Monroe and Jurafsky 2016, "Understanding neural networks through
    representation erasure", section 2). Chunks behind the one left out move up by one place.

    Raises:
        SettingsError: if there is only one chunk, so that nothing would be left.
    """
    n_chunks = len(context)
    if n_chunks < 2:
        raise SettingsError(
            ["The context has 1 chunk; expected at least 2 chunks, since leaving it out leaves nothing. Give more."]
        )
    left_out = np.stack([np.delete(context, i, axis=0) for i in range(n_chunks)])
    return 1.0 - cosine(forecast.after(model, left_out).vectors, forecast.after(model, context).vectors)


def attention(model: Amn, context: Vectors) -> Vectors:
    """Return the weight (T,) with which the AMN looks at each chunk of the context (T, D); they sum to 1."""
    with torch.inference_mode():
        weights: Vectors = model.attention(unit(torch.from_numpy(np.ascontiguousarray(context)))[None])[0, -1].numpy()
    return weights
