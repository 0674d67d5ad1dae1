"""The map of factors and the chart of required education: nothing hidden, told by shape, escaped, fit for a phone."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from defusedxml.ElementTree import fromstring
from hypothesis import given
from hypothesis import strategies as st

from app.infra.drawing.environment import EducationRow, FactorMark, MapWords, education_svg, factor_map_svg

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = '<script>alert("x")</script> & \' "'
WORDS = MapWords(
    "likely",
    "matters",
    {kind: kind for kind in ("opportunity", "threat", "strength", "weakness")},
    {"yes": "mine", "partly": "partly", "no": "not mine"},
)
grade = st.integers(1, 5)
marks = st.lists(
    st.builds(
        FactorMark,
        number=st.just(1),
        label=st.sampled_from(["a", HOSTILE]),
        kind=st.sampled_from(["opportunity", "threat", "strength", "weakness", None]),
        control=st.sampled_from(["yes", "partly", "no", None]),
        likelihood=grade,
        impact=grade,
    ),
    max_size=40,
).map(lambda found: [FactorMark(n, m.label, m.kind, m.control, m.likelihood, m.impact) for n, m in enumerate(found, 1)])


def numbers_of(svg: str) -> list[tuple[int, float, float]]:
    """The numbers on the marks with their places."""
    found = []
    for group in fromstring(svg).iter(f"{SVG}g"):
        text = group.find(f"{SVG}text")
        if text is not None:
            found.append((int(text.text or 0), float(text.get("x", 0)), float(text.get("y", 0))))
    return found


@given(marks)
def test_no_mark_hides_another_and_all_lie_inside(found: list[FactorMark]) -> None:
    svg = factor_map_svg(found, WORDS, heavy=12, title=HOSTILE, description=HOSTILE)
    root = fromstring(svg)
    width, height = (float(side) for side in root.get("viewBox", "").split()[2:])
    placed = numbers_of(svg)
    assert Counter(number for number, _, _ in placed) == Counter(mark.number for mark in found)
    for one, (_, x, y) in enumerate(placed):
        assert 12 <= x <= width - 12
        assert 12 <= y <= height - 12
        for _, other_x, other_y in placed[one + 1 :]:
            assert abs(x - other_x) >= 24 or abs(y - other_y) >= 24, "marks are 25 wide and their numbers never meet"
    assert "<script" not in svg
    assert "style=" not in svg
    assert {root.find(f"{SVG}{name}").text for name in ("title", "desc")} == {HOSTILE}  # type: ignore[union-attr]


@given(marks)
def test_a_mark_lies_right_of_less_likely_ones_and_above_those_that_matter_less(found: list[FactorMark]) -> None:
    places = {
        number: (x, y)
        for number, x, y in numbers_of(factor_map_svg(found, WORDS, heavy=12, title="t", description="d"))
    }
    for one in found:
        for other in found:
            if one.likelihood > other.likelihood:
                assert places[one.number][0] > places[other.number][0]
            if one.impact > other.impact:
                assert places[one.number][1] < places[other.number][1]


def test_kinds_differ_by_shape_and_control_by_fill() -> None:
    def drawn(kind: str | None, control: str | None) -> str:
        mark = FactorMark(1, "x", kind, control, 1, 1)  # type: ignore[arg-type] # of the lists below
        svg = factor_map_svg([mark], WORDS, heavy=12, title="t", description="d")
        group = re.search(r"<g>.*?</g>", svg)
        assert group
        return re.sub(r'(class|stroke|fill)="[^"]*"', "", group[0])

    shapes = {kind: drawn(kind, "yes") for kind in ("opportunity", "threat", "strength", "weakness", None)}
    assert len(set(shapes.values())) == 5
    svg = factor_map_svg([], WORDS, heavy=12, title="t", description="d")
    for look in ("factor-full", "factor-part", "factor-none"):
        assert look in svg
    assert "stroke-dasharray" in svg
    assert "fill-opacity" in svg


def test_what_is_outside_the_map_is_refused() -> None:
    with pytest.raises(ValueError, match="are 1 to 5"):
        factor_map_svg([FactorMark(1, "x", None, None, 6, 1)], WORDS, heavy=12, title="t", description="d")


@given(st.lists(st.lists(st.floats(0, 100), min_size=12, max_size=12).map(sorted), min_size=1, max_size=8), grade)
def test_bars_of_education_are_as_high_as_the_share(shares: list[list[float]], level: int) -> None:
    rows = [EducationRow(HOSTILE, "said", share) for share in shares]
    svg = education_svg(rows, level=level, mark="mine", title="t", description="d")
    bars = [bar for bar in fromstring(svg).iter(f"{SVG}rect") if bar.get("class") != "chart-track"]
    assert len(bars) == 12 * len(shares)
    flat = [share for row in shares for share in row]
    for bar, share in zip(bars, flat, strict=True):
        assert float(bar.get("height", 0)) == pytest.approx(max(54 * share / 100, 0.5), abs=0.01)
    assert sum(bar.get("class") == "chart-s0" for bar in bars) == level * len(shares)
    assert svg.count("education-mark") == len(shares) + 1
    assert "education-mark" not in education_svg(rows, level=None, mark="", title="t", description="d")
    assert "<script" not in svg


def test_rows_of_different_levels_are_refused() -> None:
    with pytest.raises(ValueError, match="the same levels"):
        education_svg(
            [EducationRow("a", "", [1.0]), EducationRow("b", "", [1.0, 2.0])],
            level=None,
            mark="",
            title="t",
            description="d",
        )
