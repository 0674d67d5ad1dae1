"""Goal A1, measured where axe cannot see: every pair of colours the styles put together, in both themes."""

import re
from pathlib import Path

import pytest

TOKENS = Path(__file__).resolve().parents[2] / "app/static/css/tokens.css"
PAIR = re.compile(r"--([\w-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\);")
COLOURS = {name: (day, night) for name, day, night in PAIR.findall(TOKENS.read_text(encoding="utf-8"))}

GROUNDS = ("paper", "card", "sunken", "accent-faint")
# Text: WCAG 2.2 1.4.3, 4.5 to 1.
TEXT = [
    *(("ink", ground) for ground in (*GROUNDS, "accent-soft", "wait-soft", "brass-soft", "bad-soft")),
    *(("soft", ground) for ground in GROUNDS),
    *(("accent", ground) for ground in (*GROUNDS, "accent-soft")),
    *(("accent-strong", ground) for ground in (*GROUNDS, "accent-soft")),
    ("on-accent", "accent"),
    ("on-accent", "accent-strong"),
    ("on-bad", "bad"),
    *((name, f"{name}-soft") for name in ("brass", "bad", "wait")),
    *((name, ground) for name in ("brass", "bad", "wait") for ground in ("paper", "card")),
    *((f"on-h{k}", f"h{k}") for k in range(5)),
]
# Parts of controls and drawings: WCAG 2.2 1.4.11, 3 to 1. The ring must also show on every ground.
PARTS = [
    *(("edge", ground) for ground in GROUNDS),
    *(("focus", ground) for ground in (*GROUNDS, "accent-soft")),
    *((name, "card") for name in ("accent", "brass-fill", "bad", "wait", "s0", "s2", "s3", "s5")),
]


def luminance(colour: str) -> float:
    """Relative luminance, 0 to 1, as WCAG 2.2 defines it."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Contrast ratio, 1 to 21, as WCAG 2.2 defines it."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_the_measure_itself() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("front", "back"), TEXT)
def test_a1_text_is_readable(front: str, back: str, theme: int) -> None:
    assert contrast(COLOURS[front][theme], COLOURS[back][theme]) >= 4.5


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("front", "back"), PARTS)
def test_a1_edges_and_rings_are_visible(front: str, back: str, theme: int) -> None:
    assert contrast(COLOURS[front][theme], COLOURS[back][theme]) >= 3


def test_every_chart_colour_is_a_pair_of_day_and_night() -> None:
    assert {f"s{k}" for k in range(6)} | {f"h{k}" for k in range(5)} <= set(COLOURS)
