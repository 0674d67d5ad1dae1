"""What a scan may have left out, in sentences: hints to think about, never a condition for handing the step in."""

from __future__ import annotations

from datetime import date

from app.domain.environment import OLD_AFTER_MONTHS
from app.domain.saying import Say
from app.features.plans.rooms import Content
from app.features.steps.opportunities.figures import coverage, numbered
from app.features.steps.opportunities.words import side_words


def hints(content: Content, today: date | None, _: Say) -> list[str]:
    """The sentences of the coverage check, what is most worth a thought first; empty before there is a factor."""
    found = coverage(content, today)
    texts = {row["id"]: row["text"] for row in numbered(content)}
    said = [
        _(
            "“%(text)s” weighs heavily, and you have not yet said what you do about it.",
            text=texts[factor],
        )
        for factor in found.unanswered
    ]
    if found.one_sided == "good":
        said.append(_("Everything here helps. What could get in the way, around you or in yourself?"))
    elif found.one_sided == "bad":
        said.append(_("Everything here stands in the way. What helps, around you or in yourself?"))
    said += _lacking(found.lacking_kinds, found.one_sided, _)
    if "no" in found.lacking_control:
        said.append(_("Nothing here is beyond your control. What will happen whether you like it or not?"))
    if {"yes", "partly"} <= set(found.lacking_control):
        said.append(_("Nothing here is in your control, not even partly. Where could you do something yourself?"))
    sides = side_words(_)
    said += [_("No factor yet comes from this side: %(side)s.", side=sides[side]) for side in found.lacking_sides]
    said += [
        _("“%(text)s” is not on the map: say how likely it is and how much it would matter.", text=texts[factor])
        for factor in found.unplaced
    ]
    said += [
        _(
            "Nobody has looked at “%(text)s” for %(months)s months. Does it still hold?",
            text=texts[factor],
            months=OLD_AFTER_MONTHS,
        )
        for factor in found.old
    ]
    if found.undated:
        names = ", ".join(f"“{texts[factor]}”" for factor in found.undated[:5])
        more = _(" and %(n)s more", n=len(found.undated) - 5) if len(found.undated) > 5 else ""
        said.append(_("Without a day when you saw or read it: %(names)s%(more)s.", names=names, more=more))
    return said


def _lacking(kinds: tuple[str, ...], one_sided: str | None, _: Say) -> list[str]:
    """A sentence for each kind that is missing and not said already by the list being one-sided."""
    sentences = {
        "opportunity": _("No opportunity is named: something around you that could help."),
        "threat": _("No threat is named: something around you that could get in the way."),
        "strength": _("No strength is named: something of yours that helps."),
        "weakness": _("No weakness is named: something of yours that you would have to work on."),
    }
    told = {"good": {"threat", "weakness"}, "bad": {"opportunity", "strength"}}.get(one_sided or "", set())
    return [sentences[kind] for kind in kinds if kind not in told]
