"""Step 4 as a form: the criteria stored so far are the columns of every option's ratings, and make the pairs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext
from flask_babel import lazy_gettext as _
from wtforms import StringField, TextAreaField

from app.features.plans.rooms import Content, Surroundings
from app.features.steps.career_choice.content import FACTS, fact_of, usual_criteria
from app.features.steps.career_choice.words import fact_words
from app.features.steps.matrix_forms import (
    CriterionRow,
    RatedRow,
    choose_pairs,
    dealt_pairs,
    pair_rows,
    rated_row,
    weighting_pick,
)
from app.features.steps.parts import written
from app.features.steps.rowforms import Part, RoomForm, choices, pick, rows


class FactRow(CriterionRow):
    """A criterion with the facts from which a rating may be suggested."""

    fact = pick(_("Facts that may suggest a rating"), ((fact, fact) for fact in FACTS))

    @classmethod
    def from_content(cls, row: Mapping[str, Any]) -> dict[str, Any]:
        """With the fact that belongs to a usual criterion."""
        return dict(row) | {"fact": fact_of(row)}


class OptionRow(RatedRow):
    """An option, rated on every criterion stored so far."""

    name = StringField(_("Occupation or field"))


class CareerChoiceForm(RoomForm):
    """Criteria, pairs, options, the choice."""

    guided = (
        Part("find", (), _("Find options"), tools=True),
        Part("criteria", ("criteria",), template="steps/choice_criteria.html", title=_("What a good choice must fit")),
        Part("pairs", ("pairs", "weighting"), _("Two criteria at a time"), "steps/choice_pairs.html"),
        Part("options", ("options",), _("Rate my options"), "steps/choice_options.html"),
        Part("look", (), _("How the options compare"), tools=True),
        Part("chosen", ("chosen", "runner_up"), _("My choice"), "steps/choice_decision.html"),
        Part("reason", ("reason",)),
    )
    fixed = frozenset({"pairs"})

    criteria = rows(
        FactRow,
        _("What a good choice must fit"),
        _("For example your personality, interests, specialties, abilities, and the world around you."),
    )
    weighting = weighting_pick()
    pairs = pair_rows()
    options = rows(OptionRow, _("My options"), _("Rate each from 1 (fits badly) to 5 (fits very well)."))
    chosen = pick(_("My first choice"), (), _("Options appear here once they are saved."))
    runner_up = pick(_("My runner-up"), ())
    reason = TextAreaField(_("The reason for my choice"))

    @classmethod
    def make(cls, content: Content, around: Surroundings, version: int, *, extra: str = "") -> RoomForm:
        """A form class with the stored criteria as rating fields; while there are none the five usual criteria."""
        stored = content
        shown = {name: value for name, value in content.items() if name not in _KEPT}
        shown["criteria"] = written(content, "criteria", "name") or usual_criteria(gettext)
        shown["weighting"] = content.get("weighting") or "direct"
        shown["pairs"] = dealt_pairs(shown)
        options = rows(rated_row(OptionRow, shown), cls.options.args[1], cls.options.kwargs["description"])
        made: type[RoomForm] = type("CareerChoiceForm", (cls,), {"options": options})
        form = made.build(shown, around, version, extra)
        # What Octant keeps is no field.
        form.stored = stored
        return form

    def choose(self, content: Content, around: Surroundings) -> None:
        """The stored options are what can be chosen; each pair says its two criteria in words."""
        options = [(row["id"], row["name"]) for row in written(content, "options", "name")]
        for field in (self.chosen, self.runner_up):
            field.choices = choices(gettext("Choose"), options)
        facts = fact_words(gettext)
        for entry in self.criteria:
            entry.form.fact.choices = choices(gettext("none"), facts.items())
        choose_pairs(self.pairs, content)

    def content(self) -> dict[str, Any]:
        """What was typed. What Octant keeps of an option stays with it."""
        typed = super().content()
        stored = {row["id"]: row for row in self.stored.get("options", ())}
        for row in typed["options"]:
            row.update({name: stored.get(row["id"], {}).get(name) for name in ("code", "release", "match")})
        # A page without enough criteria to compare does not ask.
        typed["weighting"] = typed["weighting"] or self.stored.get("weighting")
        return typed | {name: self.stored[name] for name in _KEPT if name in self.stored}


# What Octant keeps in the content and no field shows.
_KEPT = ("decided_on", "earlier", "recommendations")
