"""Bars of a result: names that would run into the figure are cut, and stand whole in the title."""

from __future__ import annotations

import re

import pytest

from app.infra.drawing.charts import Bar
from app.infra.drawing.profile_bars import profile_bars_svg


@pytest.mark.parametrize(
    ("label", "shown"),
    [
        ("Relationships: good company, helping", "Relationships: good company, helping"),
        ("Management of everything that anybody could want", "Management of everything that anybody c…"),
        ("系" * 20, "系" * 20),
        ("系" * 25, "系" * 19 + "…"),
    ],
)
def test_a_long_name_does_not_run_into_the_figure(label: str, shown: str) -> None:
    svg = profile_bars_svg([Bar(label, 3, "3")], title="Scores", description="From 0 to 7", limits=(0, 7))
    texts = re.findall(r"<text[^>]*>([^<]*)</text>", svg)
    assert texts[0] == shown
    assert f"<title>{label}: 3</title>" in svg
