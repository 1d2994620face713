"""The curves of a shelf as SVG: difference to the filter over the size of the training data, a panel a context."""

import html
import math
from collections.abc import Sequence

from lvm_core.shelf.results import Result

PANEL, HEIGHT, LEFT, TOP, BOTTOM, LABELS = 250, 330, 62, 34, 40, 128
GAP = 14
"""Least distance of two names at the right of a panel."""


def figure(results: Sequence[Result]) -> str:
    """Return the figure; names stand at the right end of the curves."""
    shown = [one for one in results if one.vs_filter is not None]
    contexts = sorted({one.context for one in shown})
    sizes = sorted({one.size for one in shown})
    nets = sorted({one.net for one in shown})
    values = [one.vs_filter or 0.0 for one in shown] + [0.0]
    low, high = min(values), max(values)
    room = (high - low or 0.001) * 0.08
    low, high = low - room, high + room
    width = len(contexts) * (LEFT + PANEL + LABELS) + 10
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {HEIGHT}" font-family="sans-serif"'
        ' font-size="11">',
        f'<rect width="{width}" height="{HEIGHT}" fill="#ffffff"/>',
    ]

    def y_of(value: float) -> float:
        return TOP + (high - value) / (high - low) * (HEIGHT - TOP - BOTTOM)

    for number, context in enumerate(contexts):
        left = number * (LEFT + PANEL + LABELS) + LEFT

        def x_of(size: int, left: int = left) -> float:
            spread = math.log(sizes[-1] / sizes[0]) or 1.0
            return left + (math.log(size / sizes[0]) / spread if len(sizes) > 1 else 0.5) * PANEL

        parts.append(f'<text x="{left}" y="18" font-size="13" fill="#222222">{context} chunks of context</text>')
        for tick in _ticks(low, high):
            y, colour = y_of(tick), "#888888" if tick == 0 else "#e4e4e4"
            parts.append(f'<line x1="{left}" x2="{left + PANEL}" y1="{y:.1f}" y2="{y:.1f}" stroke="{colour}"/>')
            parts.append(f'<text x="{left - 6}" y="{y + 4:.1f}" text-anchor="end" fill="#555555">{tick:+.3f}</text>')
        for size in sizes:
            text = f"{size // 1000}k" if size >= 1000 else str(size)
            parts.append(
                f'<text x="{x_of(size):.1f}" y="{HEIGHT - 18}" text-anchor="middle" fill="#555555">{text}</text>'
            )
        ends = []
        for net in nets:
            curve = sorted((r for r in shown if (r.net, r.context) == (net, context)), key=lambda one: one.size)
            if not curve:
                continue
            colour = f"hsl({nets.index(net) * 360 / len(nets):.0f} 65% 42%)"
            points = [(x_of(one.size), y_of(one.vs_filter or 0.0)) for one in curve]
            path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
            parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.6"/>')
            parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.6" fill="{colour}"/>' for x, y in points]
            ends.append((points[-1][1], net, colour))
        parts += _names(ends, left + PANEL + 8)
    return "\n".join([*parts, "</svg>"]) + "\n"


def _names(ends: list[tuple[float, str, str]], x: int) -> list[str]:
    """Return the names at their heights, moved apart where they would lie on one another."""
    parts, at = [], float("-inf")
    room = HEIGHT - 6 - GAP * len(ends)
    for number, (y, net, colour) in enumerate(sorted(ends)):
        at = max(at + GAP, min(y, room + GAP * number))
        parts.append(f'<text x="{x}" y="{at + 4:.1f}" fill="{colour}">{html.escape(net)}</text>')
    return parts


def _ticks(low: float, high: float) -> list[float]:
    step = 10 ** math.floor(math.log10((high - low) / 3))
    step = next(step * m for m in (1, 2, 5, 10) if (high - low) / (step * m) <= 6)
    return [round(k * step, 9) for k in range(math.ceil(low / step), math.floor(high / step) + 1)]
