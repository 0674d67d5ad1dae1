"""The words of step 5 in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.domain.saying import Say
from app.features.occupations.words import zone_words


def zone_name(zone: int | None, _: Say) -> str:
    """A job zone, with what it means."""
    return zone_words(_).get(zone or 0, _("job zone not known"))


def begin_words(zone: int | None, _: Say) -> str:
    """In which job zone somebody without a position begins a route."""
    if zone is None:
        return _("It is not known in which job zone you begin.")
    return _("You begin in job zone %(zone)s.", zone=zone_name(zone, _))


def lack_words(lack: Mapping[str, Any], _: Say) -> list[str]:
    """What a hop lacks in education and skills, in sentences; what is not known is said to be so."""
    said = []
    share, steps = lack.get("asking_at_most"), lack.get("education_steps")
    if share is None:
        said.append(_("Education: not known. Either the catalogue or step 3 does not say."))
    else:
        said.append(_education_lack(share, steps or 0, _))
    skills = lack.get("skills")
    if skills is None:
        said.append(_("Skills: not known. There is nothing to compare on one of the two sides."))
    elif not skills:
        said.append(_("Skills: nothing lacks by half a level or more."))
    else:
        named = "; ".join(
            _("%(skill)s %(own)s of %(required)s", skill=one["name"], own=f"{one['own']:.1f}",
              required=f"{one['required']:.1f}")
            for one in skills
        )  # fmt: skip
        said.append(_("Skills to grow (own level of the level asked for, 0 to 7): %(named)s.", named=named))
    return said


def zone_lack(zones: int | None, _: Say) -> str:
    """How many job zones a hop goes up (None: not known)."""
    if zones is None:
        return _("Preparation: not known how many job zones it goes up.")
    if zones == 0:
        return _("Preparation: no higher job zone.")
    if zones == 1:
        return _("Preparation: one job zone up.")
    return _("Preparation: %(zones)s job zones up at once.", zones=zones)


def _education_lack(share: float, steps: int, _: Say) -> str:
    percent = f"{share:.0f}"
    if steps == 0:
        return _("Education: %(percent)s%% of its jobs ask for at most what you have.", percent=percent)
    if steps == 1:
        return _(
            "Education: %(percent)s%% of its jobs ask for at most what you have; the typical job asks for one level "
            "more.",
            percent=percent,
        )
    return _(
        "Education: %(percent)s%% of its jobs ask for at most what you have; the typical job asks for %(steps)s "
        "levels more.",
        percent=percent,
        steps=steps,
    )
