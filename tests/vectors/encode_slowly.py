"""Run as a program that a test kills: encodes the corpus 'tiny' in small batches, a tenth of a second each."""

import sys

from lvm_core.vectors.encode import encode_corpus
from lvm_core.workspace import Workspace
from tests.vectors.worlds import WordEncoder

encode_corpus(
    Workspace(sys.argv[1]),
    "tiny",
    WordEncoder(wait_s=0.1),
    lambda share, message: print(message, flush=True),
    batch_size=4,
)
