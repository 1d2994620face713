"""Many models at a glance: a row a model, raw and snapped side by side."""

import html
from collections.abc import Mapping, Sequence

from lvm_core.predict import Prediction
from pages.shared.glossary import term
from pages.views.predict import cards
from pages.views.predict.run import Card


def html_of(order: Sequence[Card], predictions: Mapping[Card, Prediction], errors: Mapping[Card, str]) -> str:
    """Return the predictions as a table; texts that are not there yet say what they wait for."""
    snapped = any(on for _, on in order)
    truth = any(p.cosine_to_target is not None for p in predictions.values())
    heads = ["model"] + ["raw"] + ([term("to true next")] if truth else [])
    if snapped:
        heads += [term("snap", "snapped")] + ([term("to true next")] if truth else [])
    rows = []
    for model in dict.fromkeys(name for name, _ in order):
        cells = [f'<td class="lvm-model">{cards.dot(model)} {html.escape(model)}</td>']
        for on in (False, True) if snapped else (False,):
            cells += _cells((model, on), order, predictions, errors, truth)
        rows.append(f"<tr>{''.join(cells)}</tr>")
    line = "".join(f"<th>{name}</th>" for name in heads)
    return f'<div class="lvm-wide"><table class="lvm-rows lvm-many"><tr>{line}</tr>{"".join(rows)}</table></div>'


def _cells(
    card: Card,
    order: Sequence[Card],
    predictions: Mapping[Card, Prediction],
    errors: Mapping[Card, str],
    truth: bool,
) -> list[str]:
    prediction = predictions.get(card)
    figure = prediction.cosine_to_target if prediction is not None else None
    end = [f'<td class="lvm-target">{figure:.3f}</td>' if figure is not None else "<td></td>"] if truth else []
    if card in errors:
        return [f'<td class="lvm-flow lvm-bad">{html.escape(errors[card])}</td>', *end]
    if prediction is None or not prediction.text:
        near = prediction.neighbours[0].chunk.text if prediction is not None and prediction.neighbours else ""
        wait = "" if card not in order else cards.WAIT if prediction is None or not prediction.done else "(no text)"
        return [
            f'<td class="lvm-flow"><span class="lvm-wait">{html.escape(wait)}</span> '
            f'<span class="lvm-near">{html.escape(near)}</span></td>',
            *end,
        ]
    tone = "" if prediction.done else ' <span class="lvm-wait">…</span>'
    return [f'<td class="lvm-flow">{html.escape(prediction.text)}{tone}</td>', *end]
