"""Many questions answered together: one encoding, one pass of each model and one search serve all of them."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from lvm_core.errors import LvmError
from lvm_core.predict.pipeline import Predictor
from lvm_core.predict.prediction import Prediction
from lvm_core.predict.stages import Ask, Foreseen

A = TypeVar("A")
B = TypeVar("B")


def predict_all(predictor: Predictor, asks: Sequence[Ask]) -> list[tuple[Prediction, ...] | LvmError]:
    """Return the final predictions of each of `asks`, in the order of its models, raw before snapped.

    Of one that cannot be answered the error stands in its place.
    """
    found = each(predictor.foresee, asks)
    foreseen = [one for one in found if not isinstance(one, LvmError)]
    told = iter(each(lambda some: _told(predictor, some), foreseen))
    return [one if isinstance(one, LvmError) else next(told) for one in found]


def each(work: Callable[[Sequence[A]], Sequence[B]], things: Sequence[A]) -> list[B | LvmError]:
    """Return what `work` makes of each of `things` together; of one that it cannot be done for, the error.

    Where one of them fails the others are done again without it, half by half.
    """
    if not things:
        return []
    try:
        return list(work(things))
    except LvmError as error:
        if len(things) == 1:
            return [error]
    middle = len(things) // 2
    return [*each(work, things[:middle]), *each(work, things[middle:])]


def in_order(predictions: Sequence[Prediction], models: Sequence[str]) -> tuple[Prediction, ...]:
    """Return the finished predictions in the order of `models`, raw before snapped."""
    place = {model: i for i, model in enumerate(models)}
    return tuple(sorted((p for p in predictions if p.done), key=lambda p: (place[p.model], p.snap_on)))


def _told(predictor: Predictor, foreseen: Sequence[Foreseen]) -> list[tuple[Prediction, ...]]:
    said: list[list[Prediction]] = [[] for _ in foreseen]
    for i, prediction in predictor.tell(foreseen):
        said[i].append(prediction)
    return [in_order(own, one.ask.refs) for own, one in zip(said, foreseen, strict=True)]
