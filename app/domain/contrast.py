"""Contrast of colours, and the tones of an organization's accent on light and dark grounds.

Formula: WCAG 2.2, relative luminance and contrast ratio.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

# The grounds text in the accent colour stands on (--card, --paper and their dark pendants).
LIGHT_GROUNDS = ("#ffffff", "#faf9f6")
DARK_GROUNDS = ("#1a222b", "#12181f")
# WCAG 2.2 AA for text of any size.
ENOUGH = 4.5
_HEX = re.compile(r"#[0-9a-f]{6}")

Channels = tuple[float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tones:
    """One scheme's accent colours as hex texts: plain, stronger, two grounds, and the text on the plain one."""

    plain: str
    strong: str
    soft: str
    faint: str
    on: str


def is_colour(text: str) -> bool:
    """Whether `text` is a colour such as #0b6b66, in small letters."""
    return _HEX.fullmatch(text) is not None


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours, from 1 to 21."""
    first, second = sorted((_luminance(_channels(one)), _luminance(_channels(other))), reverse=True)
    return (first + 0.05) / (second + 0.05)


def light_tones(accent: str) -> Tones:
    """The accent on a light ground: itself, since it was checked when it was set."""
    return Tones(
        plain=accent,
        strong=_mix(accent, "#000000", 0.22),
        soft=_ground(accent, accent, "#ffffff", 0.84),
        faint=_ground(accent, accent, "#ffffff", 0.93),
        on="#ffffff",
    )


def dark_tones(accent: str) -> Tones:
    """The accent on a dark ground: lightened until it can be read there."""
    plain = next(
        tone
        for share in range(0, 101, 5)
        if all(
            contrast(tone := _mix(accent, "#ffffff", share / 100), ground) >= ENOUGH + 1.5 for ground in DARK_GROUNDS
        )
    )
    return Tones(
        plain=plain,
        strong=_mix(plain, "#ffffff", 0.3),
        soft=_ground(plain, accent, DARK_GROUNDS[0], 0.72),
        faint=_ground(plain, accent, DARK_GROUNDS[0], 0.86),
        on="#10181f",
    )


def _ground(text: str, accent: str, towards: str, share: float) -> str:
    """A ground tinted by the accent, from `share` of `towards` on as much as `text` on it needs."""
    tints = (_mix(accent, towards, min(1.0, share + step / 50)) for step in range(51))
    return next(tint for tint in tints if contrast(text, tint) >= ENOUGH)


def can_be_accent(accent: str) -> bool:
    """Whether text in this colour can be read on the light grounds, and white text on it."""
    return all(contrast(accent, ground) >= ENOUGH for ground in LIGHT_GROUNDS)


def _channels(colour: str) -> Channels:
    return (int(colour[1:3], 16) / 255, int(colour[3:5], 16) / 255, int(colour[5:7], 16) / 255)


def _luminance(channels: Channels) -> float:
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _mix(colour: str, other: str, share: float) -> str:
    mixed = (
        round((a * (1 - share) + b * share) * 255) for a, b in zip(_channels(colour), _channels(other), strict=True)
    )
    return "#" + "".join(f"{channel:02x}" for channel in mixed)
