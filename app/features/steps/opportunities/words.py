"""The words of step 3 in the reader's language."""

from __future__ import annotations

from app.domain.saying import Say


def kind_words(_: Say) -> dict[str, str]:
    """What a factor does to the plan."""
    return {
        "opportunity": _("opportunity"),
        "threat": _("threat"),
        "strength": _("strength"),
        "weakness": _("weakness"),
    }


def control_words(_: Say) -> dict[str, str]:
    """Whether a factor can be changed."""
    return {"yes": _("yes"), "partly": _("partly"), "no": _("no")}


def control_legend(_: Say) -> dict[str, str]:
    """Whether a factor can be changed, where the words stand alone."""
    return {"yes": _("in my control"), "partly": _("partly in my control"), "no": _("not in my control")}


def state_words(_: Say) -> dict[str, str]:
    """Whether a factor still holds."""
    return {"holds": _("it holds"), "came_true": _("it came true"), "gone": _("it is gone")}


def area_words(_: Say) -> dict[str, str]:
    """The part of the environment a factor comes from."""
    return {
        "market": _("jobs and employers"),
        "place": _("where I live and can get to"),
        "education": _("schools, courses, certificates"),
        "technology": _("technology"),
        "policy": _("laws and politics"),
        "society": _("people and society"),
        "family": _("family and people close to me"),
        "money": _("money"),
        "health": _("health"),
        "abilities": _("my abilities and experience"),
    }


def side_words(_: Say) -> dict[str, str]:
    """The sides of the environment, as what a scan may have left out."""
    return {
        "around": _("how things are around you (jobs and employers, places, schools and courses)"),
        "changing": _("what is changing (technology, laws and politics, people and society)"),
        "mine": _("how you stand to it (family, money, health, your abilities)"),
    }
