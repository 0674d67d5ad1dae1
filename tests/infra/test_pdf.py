"""The press: capped children, literal text, tagged documents."""

from __future__ import annotations

import io
import re
import time
import unicodedata
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Any

import pikepdf
import pypdf
import pytest

from app.infra.pdf import fonts
from app.infra.pdf.coverage import covered, merged
from app.infra.pdf.press import TEMPLATES, Press

PLAIN = """#let d = json(bytes(sys.inputs.data))
#set document(title: "Text")
#set text(font: json(bytes(sys.inputs.fonts)), fallback: false, lang: "en")
#for line in d.lines { par(line) }
"""
HOG = """#set document(title: "x")
#let grown = "x" * 1000
#let all = ()
#while true { grown = grown + grown; all.push(grown); if all.len() > 60 { break } }
#all.len()"""
DRAWN = (
    PLAIN
    + """
#for (n, drawn) in d.drawings.enumerate() { image(bytes(drawn), format: "svg", alt: "Drawing " + str(n)) }"""
)
LOOP = """#set document(title: "x")
#let n = 0
#for a in range(9000) { for b in range(9000) { for c in range(9000) { n += 1 } } }
#n"""
HOSTILE = [
    "#strike[x]",
    "<label>",
    "$x^2$",
    "*bold* _slanted_",
    "= Heading",
    '#import "@preview/x:1.0.0": *',
    '#read("/etc/passwd")',
    "\\u{41} \\",
    "// comment",
    "/* comment */",
    "@reference",
    "`raw`",
    "``` fence",
    "- item",
    "+ item",
    "/ Term: x",
    "https://example.org",
    "#{panic()}",
    '#eval("1")',
    "~nbsp -- --- ...",
    "'single' \"double\"",
    "Robert'); DROP TABLE clients;--",
    "<script>alert(1)</script>",
    "${jndi:ldap://x}",
    "%s %(name)s {0}",
    "Zoë Ångström-Łukasz",
    "Ελένη Παπαδοπούλου",
    "Ольга Иванова",
    "=HYPERLINK(1)",
    'O’Neill & Sons < > "',
    "[content] (call)",
    "]; #pagebreak()",
]


@pytest.fixture(scope="module")
def press(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Press]:
    folder = tmp_path_factory.mktemp("templates")
    for name, source in (("plain", PLAIN), ("drawn", DRAWN), ("hog", HOG), ("loop", LOOP)):
        (folder / f"{name}.typ").write_text(source, encoding="utf-8")
    made = Press(size=1, seconds=20, templates=folder)
    yield made
    made.close()


def text_of(pdf: bytes) -> str:
    return "\n".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf)).pages)


def packed(text: str) -> str:
    return "".join(text.split())


def test_w8_hostile_text_reaches_the_pdf_literally(press: Press) -> None:
    printed = press.print_one("plain.typ", {"lines": HOSTILE})
    assert printed.problem is None
    assert printed.missing == ()
    said = packed(text_of(printed.pdf))
    for line in HOSTILE:
        assert packed(line) in said, line


def test_a_character_no_font_has_becomes_a_box_and_is_listed(press: Press) -> None:
    printed = press.print_one("plain.typ", {"lines": ["a\U000f0000b", "c\x07d", "\\u0007 stays"]})
    assert printed.problem is None
    assert printed.missing == ("U+F0000",)
    said = packed(text_of(printed.pdf))
    assert "a□b" in said
    assert "c□d" in said
    assert r"\u0007stays" in said


def test_right_to_left_and_combined_letters_are_printed(press: Press) -> None:
    arabic = "\u0645\u062d\u0645\u062f"
    printed = press.print_one("plain.typ", {"lines": [arabic, "e\u0301", "x\u202ey"]})
    assert (printed.problem, printed.missing) == (None, ())
    said = unicodedata.normalize("NFKC", text_of(printed.pdf))
    assert set(arabic) <= set(said)
    assert "\u00e9" in said


@pytest.mark.parametrize("sample", ["\u5f20\u4f1f", "\u05e9\u05dc\u05d5\u05dd", "\U0001f600"])
def test_scripts_of_fonts_that_may_be_installed(press: Press, sample: str) -> None:
    has = any(low <= ord(sample[0]) <= high for font in fonts.extra_fonts() for low, high in covered(font))
    printed = press.print_one("plain.typ", {"lines": [sample]})
    assert printed.problem is None
    assert (printed.missing == ()) == has


def test_every_character_said_to_be_inside_typst_is(press: Press) -> None:
    letters = "".join(chr(code) for low, high in fonts._EMBEDDED for code in range(low, high + 1))
    alone = fonts._EMBEDDED
    assert merged(alone) == sorted(alone)
    # The machine's own fonts must not answer for the embedded one.
    source = PLAIN.replace("json(bytes(sys.inputs.fonts))", '("Open Sans", "DejaVu Sans Mono")')
    (press._children[0].templates / "embedded.typ").write_text(source, encoding="utf-8")
    assert press.print_one("embedded.typ", {"lines": [letters]}).problem is None


def test_w8_memory_and_time_are_capped_and_the_next_document_is_fine(press: Press) -> None:
    started = time.monotonic()
    hog = press.print_one("hog.typ", {})
    assert hog.problem is not None
    assert "memory" in hog.problem
    assert press.print_one("plain.typ", {"lines": ["after"]}).problem is None
    press.seconds = 1
    try:
        assert "longer than 1 seconds" in (press.print_one("loop.typ", {}).problem or "")
    finally:
        press.seconds = 20
    assert press.print_one("plain.typ", {"lines": ["after"]}).problem is None
    assert time.monotonic() - started < 30


def test_w8_few_wait_and_the_others_are_told_at_once(press: Press) -> None:
    press.seconds, press.patience = 2, 0.2
    try:
        with ThreadPoolExecutor(6) as asking:
            begun = time.monotonic()
            told = [asking.submit(press.print_one, "loop.typ", {}) for _ in range(6)]
            at_once = [one for one in as_completed(told) if time.monotonic() - begun < 1]
        problems = [one.result().problem or "" for one in told]
    finally:
        press.seconds, press.patience = 20, 2.0
    assert sum("Too many" in problem for problem in problems) >= len(at_once) >= 4
    assert press.print_one("plain.typ", {"lines": ["after"]}).problem is None


def test_a_bad_document_costs_its_neighbours_nothing(press: Press) -> None:
    documents: list[tuple[int, dict[str, Any]]] = [(n, {"lines": [str(n)]}) for n in range(6)]
    documents[2] = (2, {"no": "lines"})
    results = dict(press.print_each("plain.typ", iter(documents)))
    assert sorted(results) == list(range(6))
    assert [n for n, printed in results.items() if printed.problem] == [2]
    assert all(str(n) in text_of(results[n].pdf) for n in results if n != 2)


def test_a_child_that_is_killed_is_replaced(press: Press) -> None:
    press.print_one("plain.typ", {"lines": ["x"]})
    process = press._children[0].process
    assert process is not None
    process.kill()
    process.wait()
    first = press.print_one("plain.typ", {"lines": ["y"]})
    second = press.print_one("plain.typ", {"lines": ["z"]})
    assert first.problem is None or second.problem is None
    assert second.problem is None


def test_signs_that_print_nothing_stop_no_report_in_a_text_or_in_a_drawing(press: Press) -> None:
    unseen = [sign for n in range(0x80, 0xE1000) if unicodedata.category(sign := chr(n)) in ("Cf", "Zl", "Zp", "Cc")]
    unseen += [*"\u034f\u115f\u1160\u17b4\u17b5\u180b\u3164\uffa0", *map(chr, range(0xFE00, 0xFE10))]
    words = [f"a{sign}b ع{sign}ب 張{sign}偉 ❤{sign} 👩{sign}🔬" for sign in unseen]
    svg = '<svg xmlns="http://www.w3.org/2000/svg" width="90" height="9"><text x="0" y="9">{}</text></svg>'
    printed = press.print_one("drawn.typ", {"lines": words, "drawings": [svg.format(word) for word in words]})
    assert printed.problem is None


def test_the_same_document_gives_the_same_bytes(press: Press) -> None:
    document = {"lines": ["same"], "moment": 1_790_000_000}
    assert press.print_one("plain.typ", document).pdf == press.print_one("plain.typ", document).pdf


def test_templates_outside_the_folder_are_refused(press: Press) -> None:
    assert press.print_one("../../../etc/passwd", {}).problem is not None


def structure(pdf: bytes) -> tuple[pikepdf.Pdf, list[Any]]:
    opened = pikepdf.open(io.BytesIO(pdf))
    found: list[Any] = []
    waiting = [opened.Root.StructTreeRoot]
    while waiting:
        node = waiting.pop()
        if isinstance(node, pikepdf.Array):
            waiting.extend(node)
        elif isinstance(node, pikepdf.Dictionary):
            if "/S" in node:
                found.append(node)
            if "/K" in node:
                waiting.append(node.K)
    return opened, found


def check_accessible(pdf: bytes, *, lang: str, title: str | None = None) -> None:
    """A5: language, title, marks, structure, table headings with their scope, alternative texts."""
    opened, nodes = structure(pdf)
    assert str(opened.Root.Lang) == lang
    assert bool(opened.Root.ViewerPreferences.DisplayDocTitle)
    assert bool(opened.Root.MarkInfo.Marked)
    said = str(opened.docinfo["/Title"])
    assert said.strip() if title is None else said == title
    with opened.open_metadata() as metadata:
        assert metadata["{http://www.aiim.org/pdfua/ns/id/}part"] == "1"
    kinds = [str(node.S) for node in nodes]
    assert kinds.count("/H1") == 1
    assert kinds.count("/Table") == kinds.count("/THead")
    for node in nodes:
        if str(node.S) == "/TH":
            assert [str(entry.Scope) for entry in _attributes(node)] == ["/Column"]
        elif str(node.S) == "/Figure":
            assert str(node.Alt).strip()
    _check_tree(opened, nodes)
    # Each heading is a bookmark, in the order in which they are read.
    headed = [str(node.S) for node in nodes if re.fullmatch(r"/H[1-6]", str(node.S))]
    with opened.open_outline() as outline:
        marks = list(_bookmarks(outline.root))
    assert len(marks) == len(headed)
    assert marks[0][1] == 0
    assert all(title.strip() for title, _ in marks)


def _bookmarks(items: Any, depth: int = 0) -> Iterator[tuple[str, int]]:
    for item in items:
        yield str(item.title), depth
        yield from _bookmarks(item.children, depth + 1)


def _check_tree(opened: pikepdf.Pdf, nodes: list[Any]) -> None:
    """Every mark on a page is a leaf of the tree or an artifact, tables have whole rows, and links are in the tree."""
    leaves: dict[Any, set[int]] = {}
    linked = 0
    for node in nodes:
        inner = node.get("/K", [])
        for child in inner if isinstance(inner, pikepdf.Array) else [inner]:
            if isinstance(child, pikepdf.Dictionary) and str(child.get("/Type")) == "/OBJR":
                linked += 1
            elif isinstance(child, pikepdf.Dictionary) and str(child.get("/Type")) == "/MCR":
                leaves.setdefault(child.get("/Pg", node.get("/Pg")).objgen, set()).add(int(child.MCID))
            elif not isinstance(child, pikepdf.Dictionary):
                leaves.setdefault(node.Pg.objgen, set()).add(int(child))
    annotations = 0
    for page in opened.pages:
        marked, depth, strays = set(), 0, []
        for operands, operator in pikepdf.parse_content_stream(page):
            name = str(operator)
            if name in ("BMC", "BDC"):
                depth += 1
                if name == "BDC" and isinstance(operands[1], pikepdf.Dictionary) and "/MCID" in operands[1]:
                    marked.add(int(operands[1].MCID))
            elif name == "EMC":
                depth -= 1
            elif name in ("Tj", "TJ", "Do") and depth == 0:
                strays.append(name)
        assert strays == []
        assert marked == leaves.get(page.obj.objgen, set())
        annotations += len(page.get("/Annots", []))
        # Links are reached in the order in which they are read.
        assert "/Annots" not in page or str(page.Tabs) == "/S"
        assert page.get("/Annots") is None or all(str(link.get("/Contents", "")).strip() for link in page.Annots)
    assert annotations == linked
    for table in (node for node in nodes if str(node.S) == "/Table"):
        widths = {len(row.K) for part in table.K if str(part.S) in ("/THead", "/TBody") for row in part.K}
        assert len(widths) == 1, "every row of a table has as many cells as its head"


def _attributes(node: Any) -> list[Any]:
    owned = node.get("/A", [])
    every = list(owned) if isinstance(owned, pikepdf.Array) else [owned]
    return [entry for entry in every if "/Scope" in entry]


def test_the_templates_folder_is_the_products() -> None:
    assert (TEMPLATES / "reports" / "client.typ").is_file()
