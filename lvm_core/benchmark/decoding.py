"""Vectors to text: one warm decode, one that is in the cache, and sixteen together against one by one."""

import tempfile

from lvm_core.benchmark.measure import Bench, Row, alternate, limit, median_ms, rate, sample_texts
from lvm_core.encoders import load_encoder
from lvm_core.errors import DecoderError
from lvm_core.types import Decoder, Vectors

DECODE_MS = 1_500.0
CACHED_MS = 5.0
BATCH = 16
BATCH_LEAST = 3.0


def decode(bench: Bench) -> list[Row]:
    """Return the rows of the embedded encoder's inverter.

    Raises:
        DecoderError: if it is not there.
    """
    from lvm_core.decode.decoders import available_decoders, load_decoder

    encoder = load_encoder(device="cpu")
    if "inverter" not in available_decoders(bench.workspace, encoder.id):
        raise DecoderError(
            f"There is no inverter for '{encoder.id}' yet",
            "one in the workspace or shipped",
            "Train one with: python -m lvm_core train-inverter",
        )
    decoder = load_decoder(bench.workspace, "inverter", encoder)
    texts, _ = sample_texts(bench.workspace, 200)
    vectors = encoder.encode(texts)
    n = 2 if bench.small else 10
    singles = iter(range(len(vectors)))

    def one() -> object:
        i = next(singles)
        return decoder.decode_all(vectors[i : i + 1], 1)

    rows = [limit("decode", "warm decode at 1 step", median_ms(one, n), "ms", DECODE_MS, decoder.id)]
    rows.append(_cached(decoder, vectors))
    rows.append(_together(decoder, vectors, bench))
    return rows


def _cached(decoder: Decoder, vectors: Vectors) -> Row:
    from lvm_core.decode.cache import DecodeCache
    from lvm_core.workspace import Workspace

    with tempfile.TemporaryDirectory() as folder:
        cache = DecodeCache(Workspace(folder))
        (texts,) = decoder.decode_all(vectors[:1], 0)
        cache.put(decoder.id, 1, vectors[0], texts)
        took = median_ms(lambda: cache.get(decoder.id, 1, vectors[0]), 50)
    return limit("decode", "decode found in the cache", took, "ms", CACHED_MS)


def _together(decoder: Decoder, vectors: Vectors, bench: Bench) -> Row:
    import time

    n_batch = 4 if bench.small else BATCH
    fresh = iter(range(len(vectors) - n_batch, 0, -n_batch))  # a vector seen before may be remembered

    def rate_of(size: int) -> float:
        first = next(fresh)
        begun = time.perf_counter()
        for i in range(first, first + n_batch, size):
            decoder.decode_all(vectors[i : i + size], 1)
        return n_batch / (time.perf_counter() - begun)

    ways = {"ours": lambda: rate_of(n_batch), "theirs": lambda: rate_of(1)}
    found = alternate(ways, 1 if bench.small else 3)
    return rate("decode", f"{n_batch} vectors together", found["ours"], found["theirs"], "texts/s", BATCH_LEAST)
