"""Small files of each kind that may show an action, and hostile ones, made here."""

from __future__ import annotations

import io
import struct
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"
PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 40 + b"\x00\x00\x00\x00IEND\xaeB`\x82"
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF" + b"\x00" * 20 + b"\xff\xd9"
HEIC = b"\x00\x00\x00\x18ftypheic" + b"\x00" * 16


def packed(*entries: tuple[str, bytes], first_stored: bool = False) -> bytes:
    """A zip of names and contents."""
    out = io.BytesIO()
    with ZipFile(out, "w", ZIP_DEFLATED) as archive:
        for number, (name, content) in enumerate(entries):
            how = ZIP_STORED if first_stored and number == 0 else ZIP_DEFLATED
            archive.writestr(ZipInfo(name), content, how)
    return out.getvalue()


def office(folder: str, *more: tuple[str, bytes]) -> bytes:
    """A document of Word, Excel or PowerPoint as far as it is looked at."""
    return packed(("[Content_Types].xml", b"<Types/>"), (f"{folder}/document.xml", b"<x/>"), *more)


def open_document(kind: str, *more: tuple[str, bytes]) -> bytes:
    """A document of LibreOffice as far as it is looked at."""
    mark = f"application/vnd.oasis.opendocument.{kind}".encode()
    return packed(("mimetype", mark), ("content.xml", b"<x/>"), *more, first_stored=True)


GOOD: dict[str, bytes] = {
    "certificate.pdf": PDF,
    "photo.png": PNG,
    "photo.JPG": JPEG,
    "photo.jpeg": JPEG,
    "loop.gif": b"GIF89a" + b"\x00" * 20,
    "photo.webp": b"RIFF\x10\x00\x00\x00WEBPVP8 " + b"\x00" * 8,
    "IMG_0001.heic": HEIC,
    "letter.docx": office("word"),
    "hours.xlsx": office("xl"),
    "talk.pptx": office("ppt"),
    "letter.odt": open_document("text"),
    "hours.ods": open_document("spreadsheet"),
    "talk.odp": open_document("presentation"),
}


def claims_much(content: bytes, size: int) -> bytes:
    """The same zip, its list of contents claiming that the first entry unpacks to `size` bytes."""
    place = content.index(b"PK\x01\x02")
    return content[: place + 24] + struct.pack("<I", size) + content[place + 28 :]


def claims_long_list(content: bytes, length: int) -> bytes:
    """The same zip, its end claiming a list of contents of `length` bytes."""
    place = content.rindex(b"PK\x05\x06")
    return content[: place + 12] + struct.pack("<I", length) + content[place + 16 :]


def many_entries(number: int) -> bytes:
    """A zip of very many empty entries."""
    out = io.BytesIO()
    with ZipFile(out, "w") as archive:
        archive.writestr("[Content_Types].xml", b"<Types/>")
        archive.writestr("word/document.xml", b"<x/>")
        for n in range(number):
            archive.writestr(f"word/{n:07}", b"")
    return out.getvalue()


def list_told_elsewhere(content: bytes) -> bytes:
    """The same zip, its list of contents told to be short, and by the record for large archives to be as long as it is.

    Readers follow the record for large archives where there is one.
    """
    place = content.rindex(b"PK\x05\x06")
    entries, length, begin = struct.unpack_from("<HII", content, place + 10)
    record = struct.pack("<4sQHHIIQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, entries, entries, length, begin)
    locator = struct.pack("<4sIQI", b"PK\x06\x07", 0, place, 1)
    end = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 1, 1, 46, begin, 0)
    return content[:place] + record + locator + end


def hostile() -> dict[str, tuple[str, bytes]]:
    """What must be refused: by a word, its name and content."""
    word = office("word")
    return {
        "empty": ("a.pdf", b""),
        "page as pdf": ("a.pdf", b"<html><script>alert(1)</script>%PDF-1.7 %%EOF"),
        "pdf cut off": ("a.pdf", b"%PDF-1.7\n" + b"x" * 4000),
        "program as pdf": ("a.pdf", b"MZ\x90\x00" + b"\x00" * 100),
        "pdf as png": ("a.png", PDF),
        "png cut off": ("a.png", PNG[:20]),
        "png as jpg": ("a.jpg", PNG),
        "text as docx": ("a.docx", b"hello"),
        "any zip as docx": ("a.docx", packed(("a.txt", b"x"))),
        "docx as xlsx": ("a.xlsx", word),
        "docx as odt": ("a.odt", word),
        "odt as ods": ("a.ods", open_document("text")),
        "macros in docx": ("a.docx", office("word", ("word/vbaProject.bin", b"x"))),
        "macros in xlsx, other case": ("a.xlsx", office("xl", ("xl/VBAPROJECT.BIN", b"x"))),
        "macros in odt": ("a.odt", open_document("text", ("Basic/Standard/x.xml", b"x"))),
        "path out of the zip": ("a.docx", office("word", ("../../etc/cron.d/x", b"x"))),
        "absolute path in the zip": ("a.docx", office("word", ("/etc/passwd", b"x"))),
        "a bomb": ("a.docx", claims_much(word, 3_000_000_000)),
        "a real bomb": ("a.docx", office("word", *((f"word/{n}", b"\x00" * 9_000_000) for n in range(60)))),
        "a long list claimed": ("a.docx", claims_long_list(word, 2**31)),
        "a long list": ("a.docx", many_entries(30_000)),
        "a long list told elsewhere": ("a.docx", list_told_elsewhere(many_entries(60_000))),
        "a zip cut off": ("a.docx", word[:-30]),
        "a zip behind something": ("a.docx", b"#!/bin/sh\n" + word),
        "same name twice": ("a.docx", word.replace(b"word/document.xml", b"[Content_Types].x")),
        "old word": ("a.doc", b"\xd0\xcf\x11\xe0" + b"\x00" * 100),
        "page": ("a.html", b"<html>"),
        "drawing with script": ("a.svg", b"<svg onload='x'/>"),
        "program": ("a.exe", b"MZ"),
        "double ending": ("certificate.pdf.exe", PDF),
        "hidden ending": ("certificate\u202efdp.exe", PDF),
        "no ending": ("certificate", PDF),
        "only an ending": (".pdf.", b"%PDF-"),
        "macro document by name": ("a.docm", word),
        "script": ("a.js", b"x"),
        "link file": ("a.url", b"[InternetShortcut]"),
        "too large": ("a.pdf", b"%PDF-1.7\n" + b"x" * (10 * 1024 * 1024) + b"%%EOF"),
        "nul in name": ("a.pdf\x00.exe", PDF),
        "shell in name": ("a.pdf;rm -rf", PDF),
        "a sheet": ("a.csv", b"=cmd|'/C calc'!A0"),
        "an archive": ("a.zip", packed(("a.pdf", PDF))),
        "a letter": ("a.eml", b"From: x"),
    }
