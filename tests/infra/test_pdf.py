"""The press: capped children, literal text, tagged documents."""

from __future__ import annotations

import io
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
    for name, source in (("plain", PLAIN), ("hog", HOG), ("loop", LOOP)):
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


def check_accessible(pdf: bytes, *, lang: str, title: str) -> None:
    """A5: language, title, marks, structure, table headings with their scope, alternative texts."""
    opened, nodes = structure(pdf)
    assert str(opened.Root.Lang) == lang
    assert bool(opened.Root.ViewerPreferences.DisplayDocTitle)
    assert bool(opened.Root.MarkInfo.Marked)
    assert str(opened.docinfo["/Title"]) == title
    with opened.open_metadata() as metadata:
        assert metadata["{http://www.aiim.org/pdfua/ns/id/}part"] == "1"
    kinds = [str(node.S) for node in nodes]
    assert kinds.count("/H1") == 1
    assert kinds.count("/Table") == kinds.count("/THead") > 0
    assert all(str(a.Scope) == "/Column" for node in nodes if str(node.S) == "/TH" for a in _attributes(node))
    figures = [node for node in nodes if str(node.S) == "/Figure"]
    assert all(str(figure.Alt).strip() for figure in figures)
    for page in opened.pages:
        assert str(page.get("/Tabs", "/S")) == "/S"


def _attributes(node: Any) -> list[Any]:
    owned = node.get("/A", [])
    every = list(owned) if isinstance(owned, pikepdf.Array) else [owned]
    return [entry for entry in every if "/Scope" in entry]


def test_the_templates_folder_is_the_products() -> None:
    assert (TEMPLATES / "reports" / "client.typ").is_file()
