"""What each loss rewards, and that no term runs away with the gradient."""

import pytest
import torch
from torch import Tensor

from lvm_core.losses import LOSSES, BalancedLoss, LossInput, cosine, dominating, infonce, mse, same_article
from lvm_core.nets.base import unit
from lvm_core.train.config import LOSS_NAMES


def vectors(*shape: int, seed: int = 0) -> Tensor:
    return unit(torch.randn(*shape, generator=torch.Generator().manual_seed(seed)))


def given(predictions: Tensor, targets: Tensor, segment: list[int], place: list[int]) -> LossInput:
    return LossInput(predictions, targets, torch.tensor(segment), torch.tensor(place), 0.1)


def test_mse_of_unit_vectors_is_cosine_in_another_scale() -> None:
    p, y = vectors(6, 8), vectors(6, 8, seed=1)
    both = given(p, y, [0] * 6, list(range(6)))
    torch.testing.assert_close(mse(both), 2 * cosine(both) / 8)


def test_infonce_is_low_for_the_truth_and_high_for_another_chunk() -> None:
    y = vectors(8, 16)
    segment, place = [0, 0, 1, 1, 2, 2, 3, 3], [0, 1] * 4
    right = infonce(given(y, y, segment, place))
    wrong = infonce(given(y.roll(2, 0), y, segment, place))
    assert right < 0.1 < 1 < wrong


def test_infonce_leaves_chunks_of_the_same_segment_out_and_the_article_loss_takes_later_ones_in() -> None:
    y = vectors(4, 16)
    segment, place = [0, 0, 1, 1], [0, 1, 0, 1]
    # positions 0 and 2 predict the chunk after their target: in the same article, so only one loss minds
    predictions = y[[1, 1, 3, 3]]
    assert infonce(given(predictions, y, segment, place)) < same_article(given(predictions, y, segment, place)) - 1
    # positions 1 and 3 predict a chunk of their own context: no loss takes it for a negative
    back = y[[0, 0, 2, 2]]
    full = given(back, y, segment, place)
    logits = back @ y.T / 0.1
    against = ((0, [0, 1, 2, 3]), (1, [1, 2, 3]), (2, [0, 1, 2, 3]), (3, [0, 1, 3]))
    rows = torch.stack([torch.logsumexp(logits[i, keep], 0) - logits[i, i] for i, keep in against])
    torch.testing.assert_close(same_article(full), rows.mean())


def test_the_settings_name_every_loss() -> None:
    assert set(LOSS_NAMES) == set(LOSSES)


@pytest.mark.parametrize("name", LOSSES)
def test_padding_has_no_gradient(name: str) -> None:
    output = vectors(3, 4, 8).requires_grad_()
    mask = torch.tensor([[1, 1, 1, 1], [1, 1, 0, 0], [1, 0, 0, 0]]).bool()
    values, norms = BalancedLoss(LOSSES[name]).backward(output, vectors(3, 4, 8, seed=1), mask)
    assert len(values) == len(norms) == len(LOSSES[name])
    assert output.grad is not None
    assert bool((output.grad[~mask] == 0).all())
    assert bool((output.grad[mask].abs().sum(-1) > 0).all())


def test_the_gradient_is_that_of_the_plain_loss() -> None:
    a, b = vectors(3, 4, 8).requires_grad_(), vectors(3, 4, 8).requires_grad_()
    y = vectors(3, 4, 8, seed=1)
    BalancedLoss(LOSSES["mse"]).backward(a, y, torch.ones(3, 4, dtype=torch.bool))
    torch.nn.functional.mse_loss(b, y).backward()
    torch.testing.assert_close(a.grad, b.grad)


@pytest.mark.parametrize("name", ["mse+infonce", "cosine+infonce", "contrastive"])
def test_further_terms_keep_their_share_of_the_gradient(name: str) -> None:
    loss = BalancedLoss(LOSSES[name], share=0.3)
    mask = torch.ones(4, 3, dtype=torch.bool)
    for step in range(20):
        output = vectors(4, 3, 8, seed=step).requires_grad_()
        _, norms = loss.backward(output, vectors(4, 3, 8, seed=100 + step), mask)
    main, further = norms.tolist()
    assert 0.15 < further / main < 0.6


def test_unbalanced_infonce_drowns_mse_as_the_seeds_saw_and_is_flagged() -> None:
    loss = BalancedLoss(LOSSES["mse+infonce"], share=0.05, balance=False)
    output = vectors(8, 5, 384).requires_grad_()
    _, norms = loss.backward(output, vectors(8, 5, 384, seed=1), torch.ones(8, 5, dtype=torch.bool))
    warning = dominating(dict(zip(loss.terms, norms.tolist(), strict=True)))
    assert warning is not None
    assert "the gradient of 'infonce' was" in warning
    assert "validation cosine fell" in warning


def test_terms_within_five_times_of_each_other_are_not_flagged() -> None:
    assert dominating({"mse": 1.0}) is None
    assert dominating({"mse": 1.0, "infonce": 4.9}) is None
    assert dominating({"mse": 1.0, "infonce": 0.19}) is not None
