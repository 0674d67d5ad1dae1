"""The dial and the charts: well-formed, escaped, ids unique, statuses told by shape, fit for a PDF."""

import re
import subprocess
import sys
from xml.etree import ElementTree as ET

import pytest
from defusedxml.ElementTree import fromstring
from hypothesis import given
from hypothesis import strategies as st

from app.infra.drawing.charts import (
    HEAT,
    ON_HEAT,
    Bar,
    HeatCell,
    Line,
    bars_svg,
    heat_svg,
    line_svg,
)
from app.infra.drawing.dial import STATUSES, DialSegment, DialWords, Size, dial_svg
from tests.look.test_contrast import contrast

HOSTILE = '<script>alert("x")</script> & \' "'
SVG = "{http://www.w3.org/2000/svg}"
SIZES: tuple[Size, ...] = ("small", "card", "plan")


def eight(status: str = "completed", **more: object) -> list[DialSegment]:
    return [DialSegment(n, status, f"Step {n}", **more) for n in range(1, 9)]  # type: ignore[arg-type]  # any status


def drawings(words: str = "Words") -> list[str]:
    return [
        *(
            dial_svg(
                [DialSegment(n, "returned", words, href=f"/x?a=1&b={words}") for n in range(1, 9)],
                size=size,
                revision=2,
                words=DialWords(title=words, revision=words),
            )
            for size in SIZES
        ),
        bars_svg([Bar(words, 3, words, 2, 4)], title=words, description=words, limits=(0, 5)),
        heat_svg(
            [words],
            [(words, [HeatCell(words, 0.5, words, words)]), (words, [HeatCell("", None, words)])],
            title=words,
            description=words,
        ),
        line_svg([words, "b"], [Line(words, [1, None])], title=words, description=words, limits=(0, 2)),
    ]


def geometry(svg: str) -> str:
    """What is left of a drawing for somebody who sees no colour and reads no words."""
    bare = re.sub(r"<(title|desc)[^>]*>.*?</\1>", "", svg)
    bare = re.sub(r' (fill|stroke)="#[0-9a-f]{6}"', r' \1="ink"', bare)
    return re.sub(r' (class|id|aria-[a-z]+)="[^"]*"', "", bare)


@pytest.mark.parametrize("svg", drawings(HOSTILE))
def test_words_are_escaped_and_the_drawing_is_well_formed(svg: str) -> None:
    root = fromstring(svg)
    assert HOSTILE in "".join(root.find(f"{SVG}title").itertext())
    assert not list(root.iter(f"{SVG}script"))
    assert "<script" not in svg


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="￾￿"), max_size=60))
def test_any_label_makes_a_well_formed_dial(label: str) -> None:
    for size in SIZES:
        fromstring(dial_svg([DialSegment(1, "completed", label)], size=size))


@pytest.mark.parametrize("svg", drawings())
def test_s2_nothing_the_content_policy_refuses(svg: str) -> None:
    assert "style=" not in svg
    assert "<style" not in svg
    assert "var(" not in svg
    assert 'direction="ltr"' in svg


def test_a4_each_drawing_is_named_and_no_id_is_used_twice() -> None:
    seen: list[str] = []
    for svg in drawings() + drawings():
        root: ET.Element = fromstring(svg)
        ids = [element.attrib["id"] for element in root.iter() if "id" in element.attrib]
        assert root.attrib["aria-labelledby"].split() == ids
        assert root.attrib["role"] in {"img", "group"}
        seen += ids
    assert len(set(seen)) == len(seen)


@pytest.mark.parametrize("size", SIZES)
def test_every_status_and_staleness_differ_by_shape_alone(size: Size) -> None:
    shapes = {status: geometry(dial_svg(eight(status), size=size, labels=False)) for status in STATUSES}
    shapes["stale"] = geometry(dial_svg(eight("completed", stale=True), size=size, labels=False))
    assert len(set(shapes.values())) == 7


def test_a_small_dial_has_no_notch_and_no_dotted_edge() -> None:
    small = dial_svg(eight("submitted", stale=True), size="small")
    assert "dasharray" not in small
    assert "dasharray" in dial_svg(eight("submitted"), size="card")


def test_the_plan_dial_is_a_group_of_named_links() -> None:
    steps = [DialSegment(n, "submitted", f"Step {n}", True, f"/s/{n}") for n in range(1, 9)]
    root = fromstring(dial_svg(steps, size="plan", revision=4))
    links = list(root.iter(f"{SVG}a"))
    assert root.attrib["role"] == "group"
    assert [a.attrib["href"] for a in links] == [f"/s/{n}" for n in range(1, 9)]
    assert links[2].attrib["aria-label"] == "3 Step 3: submitted, rests on something that changed"
    assert not list(fromstring(dial_svg(steps, size="small")).iter(f"{SVG}a"))


@pytest.mark.parametrize("numbers", [[0], [9], [1, 1]])
def test_a_dial_refuses_steps_it_has_no_place_for(numbers: list[int]) -> None:
    with pytest.raises(ValueError, match="steps 1 to 8"):
        dial_svg([DialSegment(n, "completed", "x") for n in numbers])


def test_charts_refuse_figures_that_do_not_fit() -> None:
    said = {"title": "t", "description": "d"}
    with pytest.raises(ValueError, match="must rise"):
        bars_svg([], limits=(1, 1), **said)
    with pytest.raises(ValueError, match="must rise"):
        line_svg([], [], limits=(1, 0), **said)
    with pytest.raises(ValueError, match="one cell per column"):
        heat_svg(["a"], [("r", [])], **said)
    with pytest.raises(ValueError, match="every line"):
        line_svg(["a"], [Line("x", [])], limits=(0, 1), **said)


def test_bars_stay_inside_the_plot_and_show_the_figure_as_given() -> None:
    svg = bars_svg([Bar("Far", 101, "101 %")], title="t", description="d", limits=(0, 100), width=600)
    boxes = list(fromstring(svg).iter(f"{SVG}rect"))
    assert max(float(r.attrib["x"]) + float(r.attrib["width"]) for r in boxes) <= 600
    assert "101 %" in svg


def test_a_withheld_cell_shows_neither_figure_nor_link_nor_shade() -> None:
    svg = heat_svg(["1"], [("A", [HeatCell("7", None, "withheld")])], title="t", description="d")
    assert ">7<" not in svg
    assert "chart-h0" not in svg
    assert "chart-withheld" in svg


@pytest.mark.parametrize(("back", "front"), list(zip(HEAT, ON_HEAT, strict=True)))
def test_printed_figures_are_readable_on_their_marks(back: str, front: str) -> None:
    assert contrast(back, front) >= 4.5


def test_the_same_drawings_compile_into_a_pdf() -> None:
    # In a process of its own: a fork after a compile in this one would hang.
    code = (
        "import typst; from tests.look.test_drawing import drawings\n"
        "for svg in drawings('Wörter & <x>'):\n"
        '    pdf = typst.compile((\'#image(bytes(sys.inputs.svg), format: "svg", alt: "a")\').encode(),'
        " sys_inputs={'svg': svg})\n"
        "    assert pdf.startswith(b'%PDF')\n"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
