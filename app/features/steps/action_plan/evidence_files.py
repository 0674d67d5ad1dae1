"""Which files may show that an action is done: by name, size and what is in them. Nothing is unpacked or run.

A file is what its first bytes say and its name agrees; documents that can carry programs of their own are refused.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from zipfile import BadZipFile, ZipFile

from app.domain.errors import FieldProblem, InvalidInput
from app.domain.file_names import safe_name
from app.domain.saying import Say
from app.infra.packed import may_list_more_than

MOST_BYTES = 10 * 1024 * 1024
# What a packed document may claim to be unpacked, and how much it may hold.
_MOST_UNPACKED = 500 * 1024 * 1024
_MOST_ENTRIES = 20_000
_OFFICE = "application/vnd.openxmlformats-officedocument."
_OPEN = "application/vnd.oasis.opendocument."


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of file: its media type and whether bytes are one."""

    media_type: str
    holds: Callable[[bytes], bool]


def check_file(name: str, content: bytes, say: Say) -> tuple[str, str]:
    """The file's safe name and media type. Raises InvalidInput (field "file") saying what is wrong and what to do."""
    safe = safe_name(name)
    ending = PurePosixPath(safe).suffix.lower().removeprefix(".")
    kind = KINDS.get(ending)
    if kind is None:
        raise _refused(
            say(
                "Files of this kind cannot be taken. Send one of: %(kinds)s. Older Word, Excel and PowerPoint files: "
                "save them anew as docx, xlsx, pptx or PDF.",
                kinds=", ".join(KINDS),
            )
        )
    if not content:
        raise _refused(say("The file is empty. Choose another, or save it again."))
    if len(content) > MOST_BYTES:
        raise _refused(
            say("The file is larger than %(most)s MB. Make it smaller, or give a link to it.", most=MOST_BYTES >> 20)
        )
    if not kind.holds(content):
        raise _refused(
            say(
                "The file is not what its name says (%(ending)s), is damaged, or holds programs of its own. Open it, "
                "save it again and send that.",
                ending=ending,
            )
        )
    return safe, kind.media_type


def _refused(sentence: str) -> InvalidInput:
    return InvalidInput([FieldProblem("file", sentence)])


def _begins(*marks: bytes) -> Callable[[bytes], bool]:
    return lambda content: content.startswith(marks)


def _pdf(content: bytes) -> bool:
    return content.startswith(b"%PDF-") and b"%%EOF" in content[-2048:]


def _png(content: bytes) -> bool:
    return content.startswith(b"\x89PNG\r\n\x1a\n") and b"IEND" in content[-64:]


def _jpeg(content: bytes) -> bool:
    return content.startswith(b"\xff\xd8\xff")


def _webp(content: bytes) -> bool:
    return content[:4] == b"RIFF" and content[8:12] == b"WEBP"


def _heic(content: bytes) -> bool:
    return content[4:8] == b"ftyp" and content[8:12] in (b"heic", b"heix", b"mif1", b"msf1", b"hevc")


def _office(folder: str) -> Callable[[bytes], bool]:
    def holds(content: bytes) -> bool:
        names = _packed(content)
        return (
            names is not None
            and "[Content_Types].xml" in names
            and any(name.startswith(f"{folder}/") for name in names)
            and not any(name.lower().rpartition("/")[2] in ("vbaproject.bin", "vbadata.xml") for name in names)
        )

    return holds


def _open_document(media_type: str) -> Callable[[bytes], bool]:
    # The first entry is the type, stored as it is, so that it stands at a fixed place.
    mark = b"mimetype" + media_type.encode()

    def holds(content: bytes) -> bool:
        names = _packed(content)
        return (
            names is not None
            and content[30 : 30 + len(mark)] == mark
            and not any(name.startswith(("Basic/", "Scripts/")) for name in names)
        )

    return holds


def _packed(content: bytes) -> frozenset[str] | None:
    """The names in a packed document; None for what is none, claims to be huge, or hides more than it lists."""
    if not content.startswith(b"PK\x03\x04") or may_list_more_than(io.BytesIO(content), _MOST_ENTRIES):
        return None
    try:
        with ZipFile(io.BytesIO(content)) as packed:
            entries = packed.infolist()
    except (BadZipFile, ValueError, NotImplementedError, OSError, UnicodeError):
        return None
    names = frozenset(entry.filename for entry in entries)
    if len(names) < len(entries) or sum(entry.file_size for entry in entries) > _MOST_UNPACKED:
        return None
    if any(name.startswith(("/", "\\")) or ".." in name.split("/") for name in names):
        return None
    return names


KINDS: Mapping[str, Kind] = {
    "pdf": Kind("application/pdf", _pdf),
    "png": Kind("image/png", _png),
    "jpg": Kind("image/jpeg", _jpeg),
    "jpeg": Kind("image/jpeg", _jpeg),
    "gif": Kind("image/gif", _begins(b"GIF87a", b"GIF89a")),
    "webp": Kind("image/webp", _webp),
    "heic": Kind("image/heic", _heic),
    "docx": Kind(f"{_OFFICE}wordprocessingml.document", _office("word")),
    "xlsx": Kind(f"{_OFFICE}spreadsheetml.sheet", _office("xl")),
    "pptx": Kind(f"{_OFFICE}presentationml.presentation", _office("ppt")),
    "odt": Kind(f"{_OPEN}text", _open_document(f"{_OPEN}text")),
    "ods": Kind(f"{_OPEN}spreadsheet", _open_document(f"{_OPEN}spreadsheet")),
    "odp": Kind(f"{_OPEN}presentation", _open_document(f"{_OPEN}presentation")),
}
