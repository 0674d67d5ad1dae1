"""Words of step 4: shares, facts of a match, what a counsellor's word is."""

from __future__ import annotations

from app.domain.saying import Say


def percent(share: float) -> str:
    """A share of 1 as whole percent; more than nothing is never told as 0, less than all never as 100."""
    shown = round(share * 100)
    if shown == 0 and share > 0:
        return "< 1"
    return "> 99" if shown == 100 and share < 1 else str(shown)


def fact_words(_: Say) -> dict[str, str]:
    """The facts of a match from which a rating can be suggested."""
    return {
        "interests": _("interests: how far the work fits my profile"),
        "values": _("work values: how far they fit mine"),
        "skills": _("skills: how much of what is asked I bring"),
        "education": _("education: whether mine is enough"),
        "environment": _("outlook: growth and openings"),
    }


def kind_words(_: Say) -> dict[str, str]:
    """What a counsellor's word on the choice is."""
    return {"recommended": _("recommended"), "decided": _("held as decided")}
