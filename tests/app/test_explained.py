"""What a word or a figure means is told without a mouse too: no explanation stands in a tooltip alone."""

import re

import pytest

from lvm_core.predict.prediction import Timings
from pages.shared import ui
from pages.views.predict.cards import timing_html
from tests.app.studio import ROOT

SHOWN_ELSEWHERE = {
    "pages/views/predict/cards.py": 2,  # a name that is cut where there is no room; a word's others, shown by its focus
    "pages/views/train/queue.py": 1,  # the command, which is the first line of the log
    "pages/views/drift/rollout.py": 1,  # a text that stands in the row above
    "pages/views/corpus/reading.py": 2,  # the row and the cosine, which the chart of coherence shows
}
"""How many tooltips a file may have, for what is to be read elsewhere."""


@pytest.mark.parametrize("path", sorted((ROOT / "pages").rglob("*.py")), ids=lambda path: path.stem)
def test_no_page_explains_by_a_tooltip_alone(path: object) -> None:
    name = str(path).removeprefix(f"{ROOT}/")
    found = re.findall(r"<[^<>]*\btitle=", (ROOT / name).read_text())
    assert len(found) == SHOWN_ELSEWHERE.get(name, 0), found


@pytest.mark.parametrize(
    "shown",
    [
        ui.metric_html([ui.Number("windows", "12", "", "What it means.")]),
        ui.tag("level", "", "What it means."),
        ui.table_html([ui.Heading("lr", "What it means.")], []),
    ],
)
def test_an_explanation_opens_by_a_press(shown: str) -> None:
    (opener,) = re.findall(r'<button type="button" class="lvm-term" popovertarget="([^"]+)">', shown)
    assert re.search(rf'popover id="{opener}"[^>]*>What it means\.<', shown)


def test_each_stage_of_the_timing_bar_explains_itself() -> None:
    shown = timing_html(Timings(10.0, 1.0, 5.0, 84.0))
    for about in ("text to vectors", "vectors to the next vector", "neighbours searched", "vector to text"):
        assert re.search(rf"popover id=[^>]*>{about}", shown), about
