"""The words of step 6 in the reader's language."""

from __future__ import annotations

from app.domain.saying import Say


def horizon_words(_: Say) -> dict[str, str]:
    """How far ahead a goal lies."""
    return {
        "short": _("within a year"),
        "medium": _("one to five years"),
        "long": _("five to ten years"),
        "life": _("for life"),
    }


def horizon_heads(_: Say) -> dict[str, str]:
    """The horizons as heads of narrow columns: where each ends."""
    return {"short": _("1 year"), "medium": _("5 years"), "long": _("10 years"), "life": _("life")}


def level_words(_: Say) -> dict[int, str]:
    """What the five levels are worth, the lowest first."""
    return {
        -2: _("much less than I expect (−2)"),
        -1: _("less than I expect (−1)"),
        0: _("what I expect (0)"),
        1: _("more than I expect (+1)"),
        2: _("much more than I expect (+2)"),
    }


def smart_words(_: Say) -> dict[str, str]:
    """The five questions about a goal."""
    return {
        "specific": _("Does it say exactly what is to happen?"),
        "measurable": _("Can one see whether it is reached?"),
        "attainable": _("Can I reach it with what I have or can get?"),
        "relevant": _("Does it bring me closer to what I want?"),
        "timed": _("Does it have a day?"),
    }


def status_words(_: Say) -> dict[str, str]:
    """Where a goal stands."""
    return {"open": _("I am working towards it"), "reached": _("reached"), "dropped": _("given up")}
