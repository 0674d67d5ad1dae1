"""The form's half of a decision matrix (`app.features.steps.matrix`): criteria, ratings, comparisons of two.

A room's form inherits its option row from `RatedRow`, makes it with `rated_row(row, content)`, so that every stored
criterion is a field `rating_<id>`, and has `criteria = rows(CriterionRow, label)`, `weighting = weighting_pick()` and
`pairs = pair_rows()`; before it is built the content's pairs are those of `dealt_pairs(content)`, and `fixed` names
"pairs". The macros of `steps/matrix.html` draw them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext
from flask_babel import lazy_gettext as _
from wtforms import FieldList, HiddenField, SelectField, StringField
from wtforms.fields.choices import SelectChoice

from app.features.plans.rooms import Content
from app.features.steps.matrix import SCALE, pairs_to_compare
from app.features.steps.matrix_words import times_words
from app.features.steps.parts import written
from app.features.steps.rowforms import RowForm, pick, rows, scale

RATING = "rating_"


class CriterionRow(RowForm):
    """What a good choice must fit, and its weight."""

    name = StringField(_("It must fit"))
    weight = scale(_("Weight (0 does not count, 10 most)"), 0, 10)


class RatedRow(RowForm):
    """An option with a rating for every criterion stored so far."""

    @classmethod
    def from_content(cls, row: Mapping[str, Any]) -> dict[str, Any]:
        """Ratings become one field each."""
        plain = super().from_content({name: value for name, value in row.items() if name != "ratings"})
        return plain | {f"{RATING}{criterion}": rating for criterion, rating in (row.get("ratings") or {}).items()}

    def content(self) -> dict[str, Any]:
        """One field each becomes ratings; what is not rated is left out."""
        plain = super().content()
        ratings = {name.removeprefix(RATING): plain.pop(name) for name in list(plain) if name.startswith(RATING)}
        return plain | {"ratings": {criterion: rating for criterion, rating in ratings.items() if rating}}

    def rating_fields(self) -> list[Any]:
        """The fields of the ratings, in the order of the criteria."""
        return [field for field in self if field.short_name.startswith(RATING)]


def rated_row(row: type[RatedRow], content: Content) -> type[RatedRow]:
    """The row with a field for each named criterion of the content."""
    fields = {f"{RATING}{one['id']}": scale(one["name"]) for one in written(content, "criteria", "name")}
    made: type[RatedRow] = type(row.__name__, (row,), fields)
    return made


class PairRow(RowForm):
    """Two criteria: how many times as important the first is as the second, and why."""

    first = HiddenField()
    second = HiddenField()
    times = SelectField(_("Which matters more?"), validate_choice=False)
    why = StringField(_("Why?"))

    @classmethod
    def from_content(cls, row: Mapping[str, Any]) -> dict[str, Any]:
        """The number as the choice that stands for it."""
        return {"first": row["first"], "second": row["second"], "times": _key(row.get("times")), "why": row["why"]}

    def content(self) -> dict[str, Any]:
        """The comparison; one with nothing said is left out."""
        why = (self.why.data or "").strip()
        times = times_said(self.times.data)
        if times is None and not why:
            return {}
        return {"first": self.first.data or "", "second": self.second.data or "", "times": times, "why": why}

    def choose(self, names: Mapping[str, str]) -> None:
        """Say the choices in the names of the two criteria."""
        first, second = (names.get(field.data or "", "?") for field in (self.first, self.second))
        self.names = first, second
        self.times.choices = [
            SelectChoice("", gettext("not compared yet")),
            *(SelectChoice(_key(times), _words(times, first, second)) for times in SCALE),
        ]
        if self.times.data and self.times.data not in {choice.value for choice in self.times.choices}:
            # What came by another way than this form (4, say) is kept as it is.
            self.times.choices.append(SelectChoice(self.times.data, _between(self.times.data, first, second)))


def weighting_pick() -> SelectField:
    """How the weights are given."""
    return pick(
        _("How do you want to weigh them?"),
        (("direct", _("I give each a weight")), ("pairs", _("I compare two at a time"))),
    )


def pair_rows() -> FieldList:
    """The comparisons."""
    return rows(PairRow, _("Two criteria at a time"))


def dealt_pairs(content: Content) -> list[dict[str, Any]]:
    """Every pair of criteria as a row, with what was said of it."""
    said = {frozenset((row["first"], row["second"])): row for row in content.get("pairs", ())}
    return [
        dict(said.get(frozenset((first, second))) or {"first": first, "second": second, "times": None, "why": ""})
        for first, second in pairs_to_compare(content)
    ]


def choose_pairs(pairs: FieldList, content: Content) -> None:
    """Give the comparisons of a form their choices; called from the form's `choose`."""
    names = {row["id"]: row["name"] for row in written(content, "criteria", "name")}
    for entry in pairs:
        entry.form.choose(names)


def _key(times: float | None) -> str:
    return "" if times is None else f"{times:.6g}"


def times_said(typed: Any) -> float | None:
    """The number a choice of a comparison stands for, exactly; what is no number is none."""
    try:
        value = float(str(typed or ""))
    except ValueError:
        return None
    return next((times for times in SCALE if _key(times) == _key(value)), value)


def _words(times: float, first: str, second: str) -> str:
    if times == 1:
        return str(gettext("both matter alike"))
    more = first if times > 1 else second
    strength = {
        9: gettext("extremely much more: “%(more)s”", more=more),
        7: gettext("very much more: “%(more)s”", more=more),
        5: gettext("much more: “%(more)s”", more=more),
        3: gettext("somewhat more: “%(more)s”", more=more),
    }
    return str(strength[round(max(times, 1 / times))])


def _between(typed: str, first: str, second: str) -> str:
    value = times_said(typed)
    if value is None or not value > 0:
        return typed[:20]
    more = first if value >= 1 else second
    times = times_words(max(value, 1 / value))
    return str(gettext("%(times)s times as much: “%(more)s”", more=more, times=times))
