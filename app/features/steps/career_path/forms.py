"""Step 5 as a form: criteria, ways rated on them, the choice, start and target, milestones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext
from flask_babel import lazy_gettext as _
from wtforms import BooleanField, DateField, Form, FormField, HiddenField, StringField, TextAreaField
from wtforms.validators import Optional

from app.features.plans.rooms import Content, Surroundings
from app.features.steps.career_path.ways import way_of, ways_of
from app.features.steps.matrix_forms import (
    CriterionRow,
    RatedRow,
    choose_pairs,
    dealt_pairs,
    pair_rows,
    rated_row,
    weighting_pick,
)
from app.features.steps.parts import aside, path_name, way_words
from app.features.steps.rowforms import Part, RoomForm, RowForm, choices, pick, rows

_POSITION = ("name", "code", "release", "none")


class PathRow(RatedRow):
    """A way up, rated on every criterion stored so far."""

    kind = pick(_("Kind of way"), way_words(_).items())
    name = StringField(_("What I call it"))
    advantages = TextAreaField(_("What speaks for it"))
    drawbacks = TextAreaField(_("What speaks against it"))
    # Of older plans: kept, and not asked for any more.
    fit = HiddenField()

    @classmethod
    def from_content(cls, row: Mapping[str, Any]) -> dict[str, Any]:
        """The way; its old figure as text."""
        return super().from_content(row) | {"fit": str(row.get("fit") or "")}

    def content(self) -> dict[str, Any]:
        """The way; its old figure as a number again."""
        plain = super().content()
        fit = str(plain["fit"] or "")
        return plain | {"fit": int(fit) if fit in ("1", "2", "3", "4", "5") else None}


class MilestoneRow(RowForm):
    """A stage on the way; one of a route keeps its occupation."""

    text = StringField(_("Position or stage"))
    due_on = DateField(_("By about"), validators=[Optional()])
    path = pick(_("It belongs to the way"), ())
    code = HiddenField()
    release = HiddenField()

    def content(self) -> dict[str, Any]:
        """The milestone; one without a text and a day is empty, whatever way it was meant for."""
        plain = super().content()
        if not plain["text"] and not plain["due_on"]:
            return {}
        return plain | {"code": plain["code"] or None, "release": plain["release"] or None}


class StartForm(Form):  # type: ignore[misc] # WTForms carries no types
    """Where the client stands: own words, an occupation of the catalogue, or no position yet."""

    none = BooleanField(_("I have no position yet: I study, or I am looking for the first one"))
    name = StringField(_("Where I stand now"))


class TargetForm(Form):  # type: ignore[misc] # WTForms carries no types
    """Where the client wants to get, where that is not the occupation chosen in step 4."""

    name = StringField(_("Where I want to get"))


class CareerPathForm(RoomForm):
    """Criteria, ways, the choice, the route, milestones."""

    guided = (
        Part("criteria", ("criteria", "weighting", "pairs"), _("What a good way must fit"), "steps/path_criteria.html"),
        Part("paths", ("paths",), _("Ways to compare"), "steps/path_ways.html"),
        Part("look", (), _("What the ways come to"), tools=True),
        Part("chosen", ("chosen", "reason"), _("The way I choose"), "steps/path_choice.html"),
        Part("route", ("start", "target"), _("The route there"), "steps/path_route.html"),
        Part("milestones", ("milestones",), _("Milestones on the way"), "steps/path_milestones.html"),
    )
    fixed = frozenset({"pairs"})

    criteria = rows(CriterionRow, _("What a good way must fit"))
    weighting = weighting_pick()
    pairs = pair_rows()
    paths = rows(
        PathRow,
        _("Ways to compare"),
        _("Three ways stand here to begin with; change them, add your own, or empty one to take it out."),
    )
    chosen = pick(_("The way I choose"), (), _("Ways appear here once they are saved."))
    reason = TextAreaField(_("Why this way"))
    start = FormField(StartForm)
    target = FormField(TargetForm)
    milestones = rows(MilestoneRow, _("Milestones on the way"))
    # Whether a way is chosen, so that another one is taken on its own page, with its preview.
    settled = False

    @classmethod
    def make(cls, content: Content, around: Surroundings, version: int, *, extra: str = "") -> RoomForm:
        """The form with a rating for each criterion; three ways and the usual criteria where there are none yet."""
        stored = content
        content = dict(content)
        content["paths"] = content.get("paths") or _ready_ways()
        content["criteria"] = content.get("criteria") or _usual_criteria()
        content["weighting"] = content.get("weighting") or "direct"
        content["pairs"] = dealt_pairs(content)
        row = rated_row(PathRow, content)
        made: type[RoomForm] = type(
            "CareerPathForm", (cls,), {"paths": rows(row, cls.paths.args[1], cls.paths.kwargs["description"])}
        )
        form = made.build(content, around, version, extra)
        # What is no field stays as it is stored, never as it is offered; and only stored ways can be chosen.
        form.stored = stored
        form.chosen.choices = choices(gettext("Choose"), _names(stored))
        return form

    def choose(self, content: Content, around: Surroundings) -> None:
        """Stored ways are what can be chosen; milestones of a way that is not taken are marked."""
        ways, chosen, contents = _names(content), content.get("chosen"), around.contents
        self.settled = way_of(content, chosen) is not None
        paths = choices(gettext("whichever way I take"), ways)
        for entry in self.milestones:
            form = entry.form
            form.path.choices = list(paths)
            if not form.text.data and not self.is_submitted():
                form.path.data = chosen
            if form.path.data and form.path.data not in dict(ways):
                form.path.choices += choices("", [(form.path.data, gettext("a way that is no longer listed"))])[1:]
            form.aside = bool(form.text.data) and aside({"path": form.path.data}, contents) is not None
        choose_pairs(self.pairs, content)

    def content(self) -> dict[str, Any]:
        """What was typed; the kept routes are given by buttons, and a way that is chosen is changed on its own page."""
        typed = super().content()
        stored = self.stored
        for name in ("start", "target"):
            typed[name] = _position(typed[name], stored.get(name))
        if way_of(typed, stored.get("chosen")) is not None:
            typed["chosen"] = stored.get("chosen")
        return typed | {"routes": list(stored.get("routes", ()))}


def _names(content: Content) -> list[tuple[str, str]]:
    return [(row["id"], path_name(row, gettext)) for row in ways_of(content)]


def _position(typed: Mapping[str, Any], stored: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """A position as it is stored: an occupation stays one while its name is not typed over."""
    name, none = " ".join((typed.get("name") or "").split()), bool(typed.get("none"))
    if not name and not none:
        return None
    if stored and stored.get("code") and stored.get("name") == name and not none:
        return {key: stored.get(key) for key in _POSITION}
    return {"name": name, "code": None, "release": None, "none": none}


def _ready_ways() -> list[dict[str, Any]]:
    """The three usual ways. Fixed ids: what is typed together with them names them before anything is stored."""
    return [
        {"id": kind, "kind": kind, "name": "", "advantages": "", "drawbacks": "", "fit": None, "ratings": {}}
        for kind in ("administration", "technical", "entrepreneurship")
    ]


def _usual_criteria() -> list[dict[str, Any]]:
    names = (
        gettext("What I like doing"),
        gettext("What I am good at"),
        gettext("Security and income"),
        gettext("Deciding for myself"),
        gettext("Time for life beside work"),
    )
    return [{"id": f"usual{number}", "name": name, "weight": 5} for number, name in enumerate(names, start=1)]
