"""The words of step 8, which reports and workbooks use too, in the reader's language."""

from __future__ import annotations

from app.domain.saying import Say


def review_words(_: Say) -> dict[str, str]:
    """What became of a review: its state, or the outcome of one that was answered."""
    return {
        "open": _("open"),
        "started": _("begun"),
        "answered": _("answered"),
        "closed": _("closed"),
        "lapsed": _("not answered"),
        "confirm": _("answered: the plan is kept"),
        "revise": _("answered: the plan changes"),
    }
