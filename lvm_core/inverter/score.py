"""What the language model thinks of given texts: how fluent they are, and what else could stand at each place."""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from lvm_core.inverter.generate import N_SPECIAL, Generator, Prompts
from lvm_core.inverter.net import END

LEAN_WEIGHT, PLAIN_WEIGHT = 0.5, 0.3
"""Weights of what a text lacks beside the log-probability, in which words are proposed, and of it in their order."""

SPACE = "Ġ"
"""How byte-level BPE writes the space that a token begins with."""


@dataclass(frozen=True, slots=True)
class Change:
    """Tokens `start` to before `stop` of a text give way to `put`; `tokens` and `text` are the result."""

    start: int
    stop: int
    put: tuple[int, ...]
    tokens: tuple[int, ...]
    text: str

    def beginning(self) -> tuple[int, ...]:
        """Return the changed text up to the change."""
        return self.tokens[: self.start + len(self.put)]


@torch.inference_mode()
def _states(generator: Generator, prompts: Prompts, i: int, rows: Sequence[tuple[int, ...]]) -> Tensor:
    """Return the last states (B, T + 1, W) before each place of texts (B) of at most T tokens, the end included.

    Logits are made of them a text at a time: those of all texts at once took hundreds of megabytes for a moment.
    """
    longest, n = max(len(row) for row in rows), len(rows)
    tokens = torch.full((n, longest), END)
    for line, row in zip(tokens, rows, strict=True):
        line[: len(row)] = torch.tensor(row, dtype=torch.long)
    x = generator.net.embedding[tokens.to(generator.device)]
    index = torch.full((n,), i, device=x.device)
    past = prompts.caches[0].past
    mask = torch.ones(longest, past + longest, dtype=torch.bool, device=x.device).tril(past)
    hidden = generator.hidden(x, [cache.rows(index, longest) for cache in prompts.caches], mask)
    first = prompts.last[i : i + 1].expand(n, 1, hidden.shape[-1])
    return torch.cat([first, hidden], 1)


def fluencies(generator: Generator, prompts: Prompts, i: int, rows: Sequence[tuple[int, ...]]) -> list[float]:
    """Return the mean log-probability a token, the end included, of each text under the prompt of vector `i`."""
    rows = [row or (END,) for row in rows]
    if not rows:
        return []
    states = _states(generator, prompts, i, [*rows, rows[0]])
    result = []
    for state, row in zip(states, rows, strict=False):
        wanted = torch.tensor([*row, END], device=state.device)
        log_p = torch.log_softmax(generator.logits(state[: len(wanted)]), -1)
        result.append(float(log_p.gather(1, wanted[:, None]).mean()))
    return result


def alternatives(
    generator: Generator, prompts: Prompts, i: int, tokens: tuple[int, ...], lean: Tensor, n: int, most: int
) -> list[Change]:
    """Return texts that differ from `tokens` in one word: another in its place, none, or one more before it.

    Words that the language model and the vector together find likely stand at each place; of all these changes
    those that gain most in what the text still lacks are returned. Half of the best six by re-embedding are among the
    first 50 in that order, nine of ten among the first 130.

    Args:
        generator: the language model.
        prompts: the prompts of all vectors.
        i: the vector the text is of.
        tokens: the text.
        lean: (V,) how much each token leans to what the text still lacks.
        n: other words at each place.
        most: changes to return, the most promising first.
    """
    if not tokens:
        return []
    log_p = torch.log_softmax(generator.logits(_states(generator, prompts, i, [tokens, tokens])[0]), -1)
    wanted = log_p + LEAN_WEIGHT * lean
    wanted[:, :N_SPECIAL] = -torch.inf
    gain = lean + PLAIN_WEIGHT * log_p
    top = wanted.topk(n, -1).indices
    gains = gain.gather(1, top).tolist()
    starts = _word_starts(generator, tokens)
    changes: list[tuple[float, tuple[int, int, tuple[int, ...]]]] = []
    for start, stop in zip(starts, [*starts[1:], len(tokens)], strict=True):
        old = float(gain[start, tokens[start]])
        for other, new in zip(top[start].tolist(), gains[start], strict=True):
            if (other,) != tokens[start:stop]:
                changes += [(new - old, (start, stop, (other,))), (new, (start, start, (other,)))]
        changes.append((-old, (start, stop, ())))
    likely = heapq.nlargest(most, changes)
    return [change for _, place in likely if (change := changed(generator, tokens, [place])) is not None]


def changed(
    generator: Generator, tokens: tuple[int, ...], places: Sequence[tuple[int, int, tuple[int, ...]]]
) -> Change | None:
    """Return `tokens` with all (start, stop, put) done; None where they overlap or nothing is left."""
    done, last = tokens, len(tokens) + 1
    for start, stop, put in sorted(places, reverse=True):
        if stop >= last:
            return None
        done, last = (*done[:start], *put, *done[stop:]), start
    text = " ".join(generator.tokenizer.decode(list(done)).split())
    start, stop, put = min(places)
    return Change(start, stop, put, done, text) if text else None


def _word_starts(generator: Generator, tokens: tuple[int, ...]) -> list[int]:
    """Return the places at which a word begins: a token that begins with a space, or a mark after a letter."""
    pieces = [generator.tokenizer.id_to_token(t) or "" for t in tokens]
    return [k for k, piece in enumerate(pieces) if k == 0 or piece.startswith(SPACE) or not piece[:1].isalnum()]
