"""A question as somebody puts it, in a terminal, over HTTP or in a notebook: its space, its truth, its settings."""

from collections.abc import Sequence
from dataclasses import asdict

from lvm_core.config import check
from lvm_core.decode.checks import PRESETS, AdaptiveSettings
from lvm_core.json_shapes import Values
from lvm_core.predict.pipeline import Predictor
from lvm_core.predict.settings import PredictSettings
from lvm_core.snap import SEEDS, SnapSettings
from lvm_core.workspace import Workspace


def space_asked(
    workspace: Workspace,
    encoder: str | None,
    models: Sequence[str],
    corpus: str | None = None,
    rows: Sequence[int] | None = None,
) -> str | None:
    """Return the encoder id that is meant: the one named, else the first model's, else one that made the rows' vectors.

    Args:
        workspace: where models and corpora lie.
        encoder: name or id.
        models: refs; may be empty.
        corpus: the corpus that `rows` count in.
        rows: the context, where it is named by rows.
    """
    from lvm_core.spaces import space_called, space_of_models, space_to_measure_in

    if encoder:
        return space_called(encoder)
    if rows is not None and corpus:
        return space_to_measure_in(workspace, models, corpus)
    return space_of_models(workspace, models)


def true_next(predictor: Predictor, rows: Sequence[int] | None) -> int | None:
    """Return the row after the context, where it belongs to the same article."""
    corpus = predictor.corpus if rows else None
    if corpus is None or not rows:
        return None
    last = corpus.check_rows(rows)[-1]
    return last + 1 if last + 1 in corpus.article_rows(last) else None


def settings_of(checks: str, given: Values, snapping: Values, adaptive: Values) -> PredictSettings:
    """Return the settings that somebody gave, on top of a preset of checks; that of the seeds has their snap too.

    Args:
        checks: a key of `PRESETS`.
        given: settings of `PredictSettings`, by name.
        snapping: settings of `SnapSettings`.
        adaptive: settings of `AdaptiveSettings`.

    Raises:
        SettingsError: with all problems of each part.
    """
    snap = asdict(SEEDS) if checks == "seeds" else {}
    return PredictSettings(
        **given,  # type: ignore[arg-type]
        snapping=check(SnapSettings(**{**snap, **snapping})),
        adaptive=check(AdaptiveSettings(**{**asdict(PRESETS[checks]), **adaptive})),
    ).checked()
