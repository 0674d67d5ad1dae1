"""Bars of two groups: what is drawn, what is withheld, and what is refused."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from app.infra.drawing.paired_bars import ShareBar, paired_bars_svg

_SVG = "{http://www.w3.org/2000/svg}"
ROWS = [
    ("1 Ambition", [ShareBar(0.5, "50 %"), ShareBar(0.25, "25 %")]),
    ("2 <Self> & more", [ShareBar(None, "withheld"), ShareBar(0.75, "-1.2", origin=0.8, low=0.7, high=0.9)]),
]


@pytest.mark.parametrize("narrow", [False, True])
def test_each_group_has_its_bar_and_what_is_withheld_has_none(narrow: bool) -> None:
    svg = paired_bars_svg(ROWS, ["Law", "All"], title="T", description="D", narrow=narrow)
    drawn = ET.fromstring(svg)  # noqa: S314 - drawn by ourselves
    assert [one.text for one in drawn.findall(f"{_SVG}title")] == ["T"]
    words = [one.text for one in drawn.iter(f"{_SVG}text")]
    assert {"Law", "All", "50 %", "withheld", "2 <Self> & more"} <= set(words)
    bars = [one for one in drawn.iter(f"{_SVG}rect") if one.get("class") in ("chart-s0", "chart-s5")]
    track = next(float(one.get("width", 0)) for one in drawn.iter(f"{_SVG}rect") if one.get("class") == "chart-track")
    # Two of the legend, and three of the four.
    wide = [float(one.get("width", 0)) for one in bars[2:]]
    assert wide == pytest.approx([track * 0.5, track * 0.25, track * 0.05], abs=0.02)
    assert len([one for one in drawn.iter(f"{_SVG}path") if one.get("class") == "chart-withheld"]) == 1
    assert len([one for one in drawn.iter(f"{_SVG}path") if one.get("class") == "chart-band"]) == 1


def test_one_group_needs_no_legend() -> None:
    drawn = paired_bars_svg([("A", [ShareBar(1.0, "100 %")])], ["Law"], title="T", description="D")
    assert ">Law<" not in drawn


def test_rows_that_are_not_the_groups_are_refused() -> None:
    with pytest.raises(ValueError, match="one bar for each"):
        paired_bars_svg(ROWS, ["Law"], title="T", description="D")
