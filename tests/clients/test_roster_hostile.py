"""W7: hostile and broken roster files are refused quickly and by a sentence, or taken as the plain text they are."""

from __future__ import annotations

import csv
import io
import resource
import struct
import subprocess
import sys
import textwrap
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import xlsxwriter

from app.domain.errors import InvalidInput
from app.features.clients import roster_reader as reader
from app.features.clients.roster_check import Reading, clean, split_name, unpack
from app.features.clients.roster_fields import guess

_REL = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_WORKBOOK = f'<workbook xmlns:r="{_REL}"><sheets><sheet name="a" sheetId="1" r:id="r1"/></sheets></workbook>'.encode()
_LINKS = (
    f'<Relationships><Relationship Id="r1" Type="{_REL}/worksheet" Target="worksheets/s.xml"/></Relationships>'.encode()
)


def book(sheet: bytes, **more: bytes) -> bytes:
    """A workbook of parts written by hand."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        parts = {"xl/workbook.xml": _WORKBOOK, "xl/_rels/workbook.xml.rels": _LINKS, "xl/worksheets/s.xml": sheet}
        for name, content in (parts | {k.replace("__", "/"): v for k, v in more.items()}).items():
            archive.writestr(name, content)
    return out.getvalue()


def sheet_of(*rows: str, before: str = "") -> bytes:
    """A sheet with rows of cells as XML."""
    return (
        before + "<worksheet><sheetData>" + "".join(f"<row>{r}</row>" for r in rows) + "</sheetData></worksheet>"
    ).encode()


def _cells(*values: str) -> str:
    return "".join(f'<c t="inlineStr"><is><t>{v}</t></is></c>' for v in values)


def _lying_size(data: bytes) -> bytes:
    """The archive says a part is 10 bytes long, in both of its directories."""
    out = bytearray(data)
    for mark, at in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        place = 0
        while (place := data.find(mark, place)) >= 0:
            out[place + at : place + at + 4] = struct.pack("<I", 10)
            place += 4
    return bytes(out)


_BILLION = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "' + "&a;" * 10 + '">' + '<!ENTITY c "' + "&b;" * 10 + '">]>'
_OUTSIDE = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
_PLAIN = b"id,name\n1,Ann\n"
_TABLE = (_cells("id", "name"), _cells("1", "Ann"))

REFUSED: dict[str, Callable[[], bytes]] = {
    "empty": lambda: b"",
    "blanks": lambda: b" \r\n\t\n" * 1000,
    "mark only": lambda: b"\xef\xbb\xbf",
    "wide mark only": lambda: b"\xff\xfe",
    "NULs": lambda: b"\x00" * 10_000,
    "headings only": lambda: b"id,name,mail\n",
    "headings and blanks": lambda: b"id,name,mail\n\n,,\n   \n",
    "one column": lambda: b"name\nAnn\nBob\n",
    "a sentence": lambda: b"Dear all\nplease find attached\n",
    "a million columns": lambda: b",".join([b"c"] * 1_000_000) + b"\n1,2\n",
    "300 columns": lambda: b",".join([b"c"] * 300) + b"\n" + b",".join([b"c"] * 300),
    "a line of 100 MB": lambda: b"id,name\n1," + b"x" * 100_000_000 + b"\n",
    "headings of 100 MB": lambda: b"x" * 100_000_000,
    "an open quotation mark": lambda: b'id,name\n1,"Ann\n' + b"2,Bob\n" * 2_000_000,
    "ten million rows": lambda: b"i,n\n" + b"1,A\n" * 10_000_000,
    "ten million quoted rows": lambda: b"i,n\n" + b'1,"A"\n' * 3_000_000,
    "a PDF": lambda: b"%PDF-1.7\n" + _PLAIN,
    "a picture": lambda: b"\x89PNG\r\n\x1a\n" + _PLAIN,
    "another picture": lambda: b"\xff\xd8\xff\xe0" + _PLAIN,
    "an old workbook": lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 512,
    "gzip": lambda: b"\x1f\x8b\x08\x00" + _PLAIN,
    "a program": lambda: b"\x7fELF" + b"\x00" * 4096,
    "an archive that is no workbook": lambda: _archive({"../../evil.csv": _PLAIN}),
    "a cut workbook": lambda: book(sheet_of(*_TABLE))[:200],
    "only an archive's mark": lambda: b"PK\x03\x04",
    "broken XML": lambda: book(b"<worksheet><sheetData><row><c>"),
    "no sheet": lambda: book(b"", **{"xl__workbook.xml": b"<workbook><sheets/></workbook>"}),
    "an empty sheet": lambda: book(sheet_of()),
    "sheet headings only": lambda: book(sheet_of(_cells("id", "name"))),
    "a missing sheet": lambda: book(b"", **{"xl___rels__workbook.xml.rels": _LINKS.replace(b"s.xml", b"gone.xml")}),
    "entities": lambda: book(sheet_of(*_TABLE, before=_BILLION)),
    "an outside entity": lambda: book(sheet_of(*_TABLE, before=_OUTSIDE)),
    "entities in the texts": lambda: book(
        sheet_of(*_TABLE), **{"xl__sharedStrings.xml": _BILLION.encode() + b"<sst/>"}
    ),
    "a zip bomb": lambda: book(sheet_of(*_TABLE) + b" " * 200_000_000),
    "a bomb of texts": lambda: book(sheet_of(*_TABLE), **{"xl__sharedStrings.xml": b"<sst>" + b" " * 100_000_000}),
    "a bomb of styles": lambda: book(sheet_of(*_TABLE), **{"xl__styles.xml": b"<s>" + b" " * 50_000_000}),
    "a part longer than it says": lambda: _lying_size(book(sheet_of(*_TABLE, _cells("x" * 100_000)))),
    "ten thousand parts": lambda: book(sheet_of(*_TABLE), **{f"xl__p{n}.xml": b"" for n in range(10_000)}),
    "16,384 columns": lambda: book(sheet_of(_cells("id", "name"), '<c r="XFD2"><v>1</v></c>')),
    "a text that is not there": lambda: book(sheet_of(_cells("id", "name"), '<c t="s"><v>99</v></c>')),
    "a row number that is none": lambda: book(
        b'<worksheet><sheetData><row r="x"><c><v>1</v></c></row></sheetData></worksheet>'
    ),
    "a row far away": lambda: book(
        sheet_of(*_TABLE).replace(
            b"</sheetData>", b'<row r="1048576999"><c><v>1</v></c><c><v>1</v></c></row></sheetData>'
        )
    ),
    "headings in a row far away": lambda: book(
        sheet_of(*_TABLE).replace(b"<row>", b'<row r="300000000">', 1).replace(b"<row>", b'<row r="300000001">')
    ),
    "a list of half a million parts": lambda: _long_list(book(sheet_of(*_TABLE)), 500_000),
    "styles of nothing but elements": lambda: book(sheet_of(*_TABLE), **{"xl__styles.xml": _many(b"<a/>", 4 << 20)}),
    "a million formats": lambda: book(sheet_of(*_TABLE), **{"xl__styles.xml": _many(b'<xf numFmtId="1"/>', 4 << 20)}),
    "elements without an end": lambda: book(b"<a>" * 1_400_000),
    "links without an end": lambda: book(b"", **{"xl___rels__workbook.xml.rels": b"<a>" * 1_300_000}),
    "texts without an end": lambda: book(sheet_of(*_TABLE), **{"xl__sharedStrings.xml": b"<a>" * 1_300_000}),
    "many rows without a cell": lambda: book(_empty_rows(1_500_000)),
    "rows out of order": lambda: book(
        sheet_of(*_TABLE).replace(b"</sheetData>", b'<row r="1"><c><v>1</v></c></row></sheetData>')
    ),
}


def _long_list(data: bytes, entries: int) -> bytes:
    """The archive with a list of contents that names the first part over and over."""
    place, end = data.index(b"PK\x01\x02"), data.rindex(b"PK\x05\x06")
    (name,) = struct.unpack_from("<H", data, place + 28)
    one = data[place : place + 46 + name]
    listed = data[place:end] + one * entries
    return data[:place] + listed + struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 9, 9, len(listed), place, 0)


def _many(element: bytes, size: int) -> bytes:
    return b"<styleSheet><cellXfs>" + element * (size // len(element)) + b"</cellXfs></styleSheet>"


def _empty_rows(number: int) -> bytes:
    """A sheet of rows without a cell, each a little different, so that it is no bomb by its ratio."""
    rows = "".join(f'<row r="{n}" a="{n * 7919 % 9973:04}{n * 31 % 89}"/>' for n in range(1, 1 + number // 2))
    return f"<worksheet><sheetData>{rows}{rows.replace('r=', 'b=')}</sheetData></worksheet>".encode()


def _archive(parts: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return out.getvalue()


def read_all(path: Path, size: int = 2) -> list[tuple[int, list[str]]]:
    """Every record of a file, as the check would read it, `size` records a piece."""
    source = reader.examine(path)
    if reader.needs_rewriting(source):
        text = path.with_suffix(".text")
        with text.open("wb") as out:
            reader.rewrite(path, source, out)
        path, source = text, reader.as_rewritten(source)
    found: list[tuple[int, list[str]]] = []
    for piece in list(reader.pieces(path, source, size=size)):
        found += zip(*reader.read_piece(path, source, piece), strict=True)
    return found


# Seconds the fixed reading below costs on a core of the reference machine that has nothing else to do.
_QUIET = 0.032
_LINES = [f"S{n:07d},Given,Family,person@example.org\n" for n in range(100_000)]


def slowness() -> float:
    """How many times slower than when it is quiet this core reads a table now; never below 1."""
    begin = time.process_time()
    assert sum(len(row[0].strip()) for row in csv.reader(_LINES)) == 800_000
    return max(1.0, (time.process_time() - begin) / _QUIET)


@pytest.mark.parametrize("name", REFUSED)
def test_w7_refused_within_two_seconds(name: str, tmp_path: Path) -> None:
    path = tmp_path / "roster"
    path.write_bytes(REFUSED[name]())
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Processor time, the best of three, beside what a fixed reading costs at the same moment: neighbours on a busy
    # machine slow a core down, and then both.
    took = []
    while not took or (min(took) >= 2 and len(took) < 3):
        begin = time.process_time()
        with pytest.raises(InvalidInput) as refused:
            read_all(path, reader.CHUNK_ROWS)
        took.append((time.process_time() - begin) / slowness())
    assert min(took) < 2, took
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 * 1024
    (problem,) = refused.value.problems
    assert problem.field == "file"
    assert problem.sentence.endswith(".")


def _text(content: str, encoding: str) -> bytes:
    return content.encode(encoding)


_IRISH = 'id;name\r\n1;Seán Ó Sé\r\n2;"Zoë;\nB"\r\n'


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_every_encoding_reads_the_same(encoding: str, tmp_path: Path) -> None:
    path = tmp_path / "roster"
    path.write_bytes(_text(_IRISH, encoding))
    rows = [cells for _, cells in read_all(path)]
    assert [[c.replace("\n", " ") for c in row] for row in rows] == [["1", "Seán Ó Sé"], ["2", "Zoë; B"]]
    assert bool([w for w in reader.examine(path).warnings if "Windows-1252" in w]) == (encoding == "cp1252")


@pytest.mark.parametrize("sign", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_delimiter_and_line_end(sign: str, end: str, tmp_path: Path) -> None:
    path = tmp_path / "roster"
    path.write_bytes(end.join([f"id{sign}name", f"1{sign}Ann", "", f"2{sign}Bob", sign]).encode())
    assert read_all(path) == [(2, ["1", "Ann"]), (4, ["2", "Bob"])]


def test_lines_are_named_where_records_begin(tmp_path: Path) -> None:
    path = tmp_path / "roster"
    path.write_text('id,name\n1,"two\nlines"\n2,5" tall\n\n3,"a ""b"" c"\n4,d\n')
    assert read_all(path) == [(2, ["1", "two\nlines"]), (4, ["2", '5" tall']), (6, ["3", 'a "b" c']), (7, ["4", "d"])]


def test_bytes_that_are_no_text_are_bad_rows(tmp_path: Path) -> None:
    path = tmp_path / "roster"
    path.write_bytes("id,name\n1,Seán\n".encode() + b"2,\x81\x8d\n")
    rows = read_all(path)
    reading = Reading(["id", "name"], {"external_id": 0, "given_name": 1}, (), {})
    found = clean([line for line, _ in rows], [cells for _, cells in rows], reading)
    assert [(bad.line, bad.problems[0][0]) for bad in found.bad] == [(3, "name")]


def test_a_workbook_reads_as_text(tmp_path: Path) -> None:
    path = tmp_path / "roster.xlsx"
    workbook = xlsxwriter.Workbook(path)
    sheet = workbook.add_worksheet()
    day = workbook.add_format({"num_format": "dd/mm/yyyy"})
    money = workbook.add_format({"num_format": '0.00 "days"'})
    sheet.write_row(1, 0, ["id", "name", "start", "year", "rate", "active", "sum"])
    sheet.write_row(3, 0, [7, "Zoë <&>\nB"])
    sheet.write_number(3, 2, 46_266, day)
    sheet.write_number(3, 3, 2)
    sheet.write_number(3, 4, 2.5, money)
    sheet.write_boolean(3, 5, True)
    sheet.write_formula(3, 6, "=1+1", value="2")
    sheet.write_string(4, 1, "=cmd|'/c calc'!A1")
    workbook.close()
    assert read_all(path) == [
        (4, ["7", "Zoë <&> B", "2026-09-01", "2", "2.5", "TRUE", "2"]),
        (5, ["", "=cmd|'/c calc'!A1"]),
    ]


def test_headings_are_guessed_in_two_languages() -> None:
    assert guess(["Student Number", "Surname", "Forename", "E-Mail address", "Adviser’s e-mail", ""], ()) == {
        "external_id": 0,
        "family_name": 1,
        "given_name": 2,
        "email": 3,
    } | {"counsellor": 4}
    assert guess(["学号", "姓名", "邮箱", "辅导员", "是否在读"], ()) == {
        "external_id": 0,
        "full_name": 1,
        "email": 2,
        "counsellor": 3,
        "active": 4,
    }


@pytest.mark.parametrize(
    ("full", "split"),
    [
        ("Ann Lee", ("Ann", "Lee")),
        ("Lee, Ann Mary", ("Ann Mary", "Lee")),
        ("Ann Mary Lee", ("Ann Mary", "Lee")),
        ("Prince", ("", "Prince")),
        ("李小龙", ("小龙", "李")),
    ],
)
def test_full_names_are_split(full: str, split: tuple[str, str]) -> None:
    assert split_name(full) == split


def test_packed_columns_keep_empty_values() -> None:
    found = clean(
        [2, 3],
        [["1", "A", ""], ["2", "B", ""]],
        Reading(["i", "n", "m"], {"external_id": 0, "given_name": 1, "email": 2}, (), {}),
    )
    assert list(unpack(found.packed["emails"])) == ["", ""]
    assert list(unpack(found.packed["lines"])) == ["2", "3"]


def test_w7_memory_stays_flat_over_two_hundred_thousand_rows(tmp_path: Path) -> None:
    program = textwrap.dedent(
        """
        import resource, sys
        from pathlib import Path
        from app.features.clients import roster_reader as reader
        from app.features.clients.roster_check import Reading, clean

        def run(rows):
            path = Path(sys.argv[1]) / f"{rows}.csv"
            with path.open("w") as out:
                out.write("id,first name,last name,email\\n")
                out.writelines(f"S{n},Given{n},Family{n},s{n}@example.org\\n" for n in range(rows))
            source = reader.examine(path)
            reading = Reading(source.headers, dict(external_id=0, given_name=1, family_name=2, email=3), (), {})
            good = sum(clean(*reader.read_piece(path, source, p), reading).good for p in reader.pieces(path, source))
            assert good == rows
            return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

        small = run(20_000)
        print(run(200_000) - small)
        """
    )
    done = subprocess.run(  # our own interpreter and program
        [sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=True, timeout=60
    )
    assert int(done.stdout) < 10 * 1024
