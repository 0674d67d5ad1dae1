"""Step 3 as a form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext
from flask_babel import lazy_gettext as _
from wtforms import DateField, HiddenField, SelectField, StringField
from wtforms.validators import Optional

from app.domain.steps import StepKey
from app.features.occupations.words import EDUCATION
from app.features.plans.occupations import named_occupations
from app.features.plans.rooms import Content, Surroundings
from app.features.steps.opportunities.figures import beside
from app.features.steps.opportunities.words import area_words, control_words, state_words
from app.features.steps.rowforms import Part, RoomForm, RowForm, choices, pick, rows, scale, whole_or_none


class FactorRow(RowForm):
    """One factor; what is known of it beyond the map is folded away."""

    text = StringField(_("What is it?"))
    kind = pick(
        _("For your plan it is"),
        (
            ("opportunity", _("an opportunity around you")),
            ("threat", _("a threat around you")),
            ("strength", _("a strength of yours")),
            ("weakness", _("a weakness of yours")),
        ),
    )
    area = pick(_("Where does it come from?"), area_words(_).items())
    controllable = pick(_("Can you control it?"), control_words(_).items())
    likelihood = scale(_("How likely is it? (1 hardly, 5 certain)"))
    impact = scale(_("How much would it matter? (1 little, 5 a lot)"))
    what_i_do = StringField(_("What do you do about it?"))
    occupation = pick(_("It concerns the occupation"), ())
    source = StringField(_("Where did you read or hear of it?"))
    noted_on = DateField(_("When did you see or hear of it?"), validators=[Optional()])
    state = pick(_("Does it still hold?"), state_words(_).items())

    @classmethod
    def from_content(cls, row: Mapping[str, Any]) -> dict[str, Any]:
        """The occupation becomes one value; what Octant keeps of the factor is not typed."""
        plain = super().from_content(row)
        plain.pop("history", None)
        link = plain.pop("occupation", None) or {}
        return plain | {"occupation": _value_of(link) if link else None}

    def content(self) -> dict[str, Any]:
        """One value becomes the occupation's code and release."""
        plain = super().content()
        chosen = plain.pop("occupation")
        code, _bar, release = (chosen or "").partition("|")
        return plain | {"occupation": {"code": code, "release": release or None} if chosen else None}


class LookedUpRow(RowForm):
    """An occupation that was looked up; it is added and taken out by buttons."""

    code = HiddenField()
    release = HiddenField()
    name = HiddenField()

    def content(self) -> dict[str, Any]:
        """Without a release it is None, as one written by hand."""
        plain = super().content()
        return plain | {"release": plain["release"] or None}


class OpportunitiesForm(RoomForm):
    """Education, occupations looked up, and the factors."""

    guided = (
        Part(
            "occupations",
            ("occupations", "education"),
            _("Occupations and education"),
            "steps/opportunities_occupations.html",
        ),
        Part("factors", ("factors",), template="steps/opportunities_factors.html"),
        Part("map", title=_("Map and hints"), tools=True),
        Part("facts", title=_("What the catalogue says"), tools=True),
    )
    fixed = frozenset({"occupations"})
    education = SelectField(
        _("My highest education so far"),
        choices=choices(_("Choose"), ((str(level), word) for level, word in enumerate(EDUCATION, start=1))),
        coerce=whole_or_none,
        description=_("It shows how many jobs of an occupation ask for at most what you have."),
        validate_choice=False,
    )
    occupations = rows(LookedUpRow, _("Occupations I look at"))
    factors = rows(FactorRow, _("What is around me"), _("One thing in each box. Empty a box to remove it."))

    def choose(self, content: Content, around: Surroundings) -> None:
        """A factor may concern an occupation that was looked up or is an option of step 4."""
        contents = dict(around.contents) | {StepKey.OPPORTUNITIES: content}
        names = {each.code: each.name for each in beside(content, around)}
        known = [
            (_value_of({"code": code, "release": release}), names.get(code, code))
            for release, code in named_occupations(contents)
        ]
        for entry in self.factors:
            entry.form.occupation.choices = choices(gettext("none"), known)


def _value_of(link: Mapping[str, Any]) -> str:
    return f"{link['code']}|{link.get('release') or ''}"
