"""The fonts reports are set in, and what to do about characters none of them has.

Open Sans comes with its package and typst brings DejaVu Sans Mono. Neither has Chinese, Hebrew or emoji, so
that fonts of the machine are added where they are installed: Noto Sans CJK (Debian: fonts-noto-cjk) and DejaVu
Sans (fonts-dejavu-core). A character that no font has becomes a hollow box, and the report lists its code, since
PDF/UA allows no missing glyph.
"""

from __future__ import annotations

import os
import re
import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Iterable
from pathlib import Path

import ttf_opensans

from app.infra.pdf.coverage import Ranges, covered, merged

# In the order in which a character looks for its font.
FAMILIES = ("Open Sans", "Noto Sans CJK SC", "Noto Sans SC", "Noto Sans Thai", "DejaVu Sans", "DejaVu Sans Mono")
_WANTED = (
    "NotoSansCJK-Regular.ttc",
    "NotoSansCJK-Bold.ttc",
    "NotoSansCJKsc-Regular.otf",
    "NotoSansCJKsc-Bold.otf",
    "NotoSansSC-Regular.otf",
    "NotoSansSC-Bold.otf",
    "NotoSansThai-Regular.ttf",
    "NotoSansThai-Bold.ttf",
    "DejaVuSans.ttf",
    "DejaVuSans-Bold.ttf",
)
_ROOTS = ("/usr/share/fonts", "/usr/local/share/fonts", "/Library/Fonts", "~/.fonts", "~/.local/share/fonts")
# Blocks of DejaVu Sans Mono 2.37 as it is inside typst; tests/infra/test_pdf.py prints every one of them.
_EMBEDDED: Ranges = [
    *((0x531, 0x556), (0x561, 0x587), (0x621, 0x63A), (0x640, 0x655), (0x10D0, 0x10FC)),
    *((0x2074, 0x208E), (0x20A0, 0x20B5), (0x2190, 0x2213), (0x2241, 0x2269), (0x226D, 0x228B)),
    *((0x228D, 0x22A5), (0x2500, 0x262F), (0x2638, 0x268B), (0x270C, 0x2727), (0x2729, 0x274B)),
    *((0x2761, 0x2775), (0x2798, 0x27AF)),
]
# Direction marks, joiners and variation selectors have no glyph and need none.
_INVISIBLE: Ranges = [(0x200B, 0x200F), (0x2060, 0x2064)]
# Signs that print nothing and that PDF/UA refuses: fillers, the byte order mark, and those that choose a picture for
# the sign before them, of which no font here has a second one. What parts lines or paragraphs becomes a space.
_DROPPED: dict[int, str | None] = dict.fromkeys((0x34F, 0x115F, 0x1160, 0x3164, 0xFEFF, 0xFFA0, *range(0xFE00, 0xFE10)))
# What turns the direction of all that follows would turn words that are not its writer's; marks of one place stay.
_DROPPED |= dict.fromkeys((*range(0x202A, 0x202F), *range(0x2066, 0x206A)))
_DROPPED |= {0x2028: " ", 0x2029: " "}
_HAS_DROPPED = re.compile("[" + "".join(map(chr, _DROPPED)) + "]")
# A joiner between two signs prints nothing either, but in a drawing it is refused where no font joins them.
_JOINER = "\u200d"
_DRAWING = re.compile(r"<svg\b.*?</svg>", re.S)
BOX = "□"
# JSON writes control characters as escapes; an even number of backslashes before one makes it literal text.
_CONTROL_ESCAPES = ("\\u00", "\\b", "\\f", "\\r")
_BEYOND_ASCII = re.compile(r"[^\x00-\x7e]")
_CONTROL = re.compile(r"(?<!\\)((?:\\\\)*)\\(?:u00[01][0-9a-f]|u007f|[bfr])")


def font_folders(fonts: Iterable[Path]) -> list[str]:
    """The folders typst is to look for fonts in: that of Open Sans, and those of the fonts found."""
    return [str(Path(ttf_opensans.__file__).parent / "ttf"), *sorted({str(font.parent) for font in fonts})]


def extra_fonts(roots: Iterable[str] = _ROOTS) -> list[Path]:
    """The wanted fonts found on this machine, each once."""
    found: dict[str, Path] = {}
    for root in roots:
        for folder, _, names in os.walk(Path(root).expanduser()):
            for name in names:
                if name in _WANTED:
                    found.setdefault(name, Path(folder) / name)
    return list(found.values())


def substituter(fonts: Iterable[Path]) -> Callable[[str], tuple[str, tuple[str, ...]]]:
    """A function from JSON text to (the same with boxes for unprintable characters, their codes as U+…).

    It works on the text as written, not on the values: every sign of JSON's own is printable.
    """
    regular = Path(ttf_opensans.__file__).parent / "ttf" / "OpenSans-Regular.ttf"
    ranges: Ranges = [*covered(regular), *_EMBEDDED, *_INVISIBLE, (0x20, 0x7E)]
    for font in fonts:
        ranges += covered(font)
    known = merged(ranges)
    starts = [low for low, _ in known]
    printable: dict[str, bool] = {}

    def has(sign: str) -> bool:
        """Whether a font has the sign; each is looked for once."""
        if sign not in printable:
            at = bisect_right(starts, ord(sign)) - 1
            printable[sign] = at >= 0 and ord(sign) <= known[at][1]
        return printable[sign]

    def substitute(text: str) -> tuple[str, tuple[str, ...]]:
        if any(escape in text for escape in _CONTROL_ESCAPES):
            text = _CONTROL.sub(lambda found: found[1] + BOX, text)
        if text.isascii():
            return text.replace("\x7f", BOX), ()
        if not unicodedata.is_normalized("NFC", text):
            text = unicodedata.normalize("NFC", text)
        if _HAS_DROPPED.search(text):
            text = text.translate(_DROPPED)
        if _JOINER in text:
            text = _DRAWING.sub(lambda drawing: drawing[0].replace(_JOINER, ""), text)
        # Most of a document is plain ASCII; only what is not is looked at sign by sign.
        missing = [sign for sign in dict.fromkeys(_BEYOND_ASCII.findall(text)) if not has(sign)]
        if missing:
            text = text.translate(dict.fromkeys(map(ord, missing), BOX))
        return text, tuple(f"U+{ord(sign):04X}" for sign in missing)

    return substitute
