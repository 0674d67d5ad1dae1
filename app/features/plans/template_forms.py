"""The form of a template: eight steps and the review policy, to and from the recipe's plain JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import time
from typing import Any

from flask_babel import gettext
from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    Field,
    Form,
    FormField,
    HiddenField,
    IntegerField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
    TimeField,
)
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, NumberRange, Optional
from wtforms.widgets import CheckboxInput, ListWidget

from app.domain.cadence import WEEKDAYS
from app.domain.errors import FieldProblem
from app.domain.steps import StepKey
from app.domain.template_content import COMPLETION_PARAMETERS
from app.infra.web.words import lazy_here

_EDGES = [SelectChoice("start", _("the start of the term")), SelectChoice("end", _("the end of the term"))]
# What each number of a completion rule is called in the editor and in differences.
PARAMETER_WORDS = {
    "least_words": _("Words, at least"),
    "least_ranked_values": _("Work values in order, at least"),
    "days_valid": _("Days for which a questionnaire's answers count"),
    "least_factors": _("Factors, at least"),
    "least_threats": _("Threats, at least"),
    "least_uncontrollable": _("Factors beyond control, at least"),
    "least_options": _("Options, at least"),
    "least_criteria": _("Criteria with a weight, at least"),
    "least_paths": _("Ways compared, at least"),
    "least_milestones": _("Milestones, at least"),
    "least_goals": _("Goals, at least"),
    "least_horizons": _("Different horizons, at least"),
    "least_actions": _("Actions, at least"),
    "least_goals_rated": _("Goals rated in a review, at least"),
}


class CheckboxListField(SelectMultipleField):  # type: ignore[misc] # WTForms carries no types
    """Several of the choices, as boxes to tick; the form macro draws it by its name."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()


class StepForm(Form):  # type: ignore[misc] # WTForms carries no types
    """One step; its completion parameters are added as fields named after them."""

    enabled = BooleanField(_("This step is part of the plan"))
    guidance = TextAreaField(_("Guidance"), description=_("What the reader sees above the step."))
    due_kind = SelectField(
        _("Due"),
        choices=[
            SelectChoice("", _("no due day")),
            SelectChoice("after_start", _("days after the plan starts")),
            SelectChoice("term", _("around a term")),
        ],
    )
    days = IntegerField(_("Days after the start"), validators=[Optional()])
    term = SelectField(_("Term"), validate_choice=False)
    edge = SelectField(_("Counted from"), choices=_EDGES)
    offset_days = IntegerField(
        _("Days after it"), validators=[Optional()], description=_("A negative number is before it.")
    )
    instruments = CheckboxListField(_("Questionnaires to answer"), validate_choice=False)


class PolicyForm(Form):  # type: ignore[misc] # WTForms carries no types
    """When plans of this template are reviewed, and how prompts behave."""

    kind = SelectField(
        _("Plans are reviewed"),
        choices=[
            SelectChoice("every_months", _("every so many months")),
            SelectChoice("dates", _("on these days")),
            SelectChoice("term", _("around every term")),
        ],
    )
    months = IntegerField(_("Every how many months"), validators=[Optional(), NumberRange(1, 120)])
    dates = TextAreaField(_("Days"), description=_("One a line, as 2027-01-15, the earliest first."))
    edge = SelectField(_("Counted from"), choices=_EDGES)
    offset_days = IntegerField(_("Days after it"), validators=[Optional()])
    reminder_days = StringField(
        _("Reminders on day"),
        description=_("Days after the review is due, such as -14, 0, 7. A minus sign means before it."),
    )
    escalate_after_days = IntegerField(lazy_here("Tell the %(counsellor)s after so many days"), validators=[Optional()])
    escalate_admin_after_days = IntegerField(
        _("Tell the administrators after so many days"),
        validators=[Optional()],
        description=_("Leave it empty to tell them nothing."),
    )
    quiet = BooleanField(_("Send nothing during quiet hours"))
    quiet_start = TimeField(_("Quiet from"), validators=[Optional()])
    quiet_end = TimeField(_("Quiet until"), validators=[Optional()])
    weekdays = CheckboxListField(
        _("Send on"),
        choices=[
            SelectChoice(key, word)
            for key, word in zip(
                WEEKDAYS,
                (_("Monday"), _("Tuesday"), _("Wednesday"), _("Thursday"), _("Friday"), _("Saturday"), _("Sunday")),
                strict=True,
            )
        ],
    )


class TemplateForm(FlaskForm):  # type: ignore[misc] # Flask-WTF carries no types
    """A template whole. `over` names the checksum it is typed over."""

    name = StringField(_("Name"), validators=[InputRequired(_("Give the template a name."))])
    description = TextAreaField(_("Description"), validators=[Optional()])
    over = HiddenField()
    policy = FormField(PolicyForm)

    def content(self) -> dict[str, Any]:
        """The recipe as `app.domain.template_content` reads it."""
        steps = {key.value: _step_content(key, self[key.value].form) for key in StepKey}
        return {"steps": steps, "review_policy": _policy_content(self.policy.form)}

    def take(self, problems: Iterable[FieldProblem]) -> None:
        """Show problems of the recipe at the fields they are about, the rest above the form."""
        for problem in problems:
            parts = problem.field.replace("[", ".").split(".")
            field: Field | None = None
            if parts[0] == "name":
                field = self.name
            elif parts[0] == "steps" and len(parts) > 2 and parts[1] in self:
                field = self[parts[1]].form._fields.get(
                    {"due": parts[-1], "completion": parts[-1]}.get(parts[2], parts[2])
                )
            elif parts[0] == "review_policy":
                inner = {"cadence": parts[-1], "quiet_hours": f"quiet_{parts[-1]}"}
                field = self.policy.form._fields.get(inner.get(parts[1], parts[1]) if len(parts) > 1 else "")
            if field is None:
                self.form_errors.append(problem.sentence)
            else:
                field.errors = (*field.errors, problem.sentence)


def make_form(
    content: Mapping[str, Any] | None = None,
    *,
    terms: Sequence[str],
    instruments: Sequence[tuple[str, str]],
    **values: Any,
) -> TemplateForm:
    """The form filled from what was posted, else from a recipe.

    `terms` are the names of the organization's terms, `instruments` its loaded questionnaires as (key, title).
    """
    fields: dict[str, Any] = {}
    for key in StepKey:
        numbers = {
            parameter.name: IntegerField(
                PARAMETER_WORDS[parameter.name], validators=[Optional(), NumberRange(parameter.low, parameter.high)]
            )
            for parameter in COMPLETION_PARAMETERS[key]
        }
        fields[key.value] = FormField(type("StepForm", (StepForm,), numbers))
    data: dict[str, Any] = dict(values)
    if content is not None:
        data |= {key.value: _step_data(content["steps"][key.value]) for key in StepKey}
        data["policy"] = _policy_data(content["review_policy"])
    form: TemplateForm = type("TemplateForm", (TemplateForm,), fields)(data=data)
    for key in StepKey:
        step = form[key.value].form
        named = dict.fromkeys((*terms, *((step.term.data,) if step.term.data else ())))
        step.term.choices = [SelectChoice("", gettext("Choose")), *(SelectChoice(name, name) for name in named)]
        step.instruments.choices = [SelectChoice(name, title) for name, title in instruments]
    return form


def _step_data(step: Mapping[str, Any]) -> dict[str, Any]:
    due = step["due"] or {}
    data = {
        "enabled": step["enabled"],
        "guidance": step["guidance"],
        "due_kind": due.get("kind", ""),
        "days": due.get("days"),
        "term": due.get("term"),
        "edge": due.get("edge"),
        "offset_days": due.get("offset_days"),
        "instruments": step["instruments"],
    }
    return data | dict(step["completion"])


def _step_content(key: StepKey, form: Form) -> dict[str, Any]:
    due: dict[str, Any] | None = None
    if form.due_kind.data == "after_start":
        due = {"kind": "after_start", "days": form.days.data}
    elif form.due_kind.data == "term":
        due = {
            "kind": "term",
            "term": form.term.data,
            "edge": form.edge.data,
            "offset_days": form.offset_days.data or 0,
        }
    numbers = {p.name: form[p.name].data for p in COMPLETION_PARAMETERS[key]}
    return {
        "enabled": form.enabled.data,
        "guidance": (form.guidance.data or "").replace("\r\n", "\n"),
        "instruments": form.instruments.data or [],
        "completion": {name: number for name, number in numbers.items() if number is not None},
        "due": due,
    }


def _policy_data(policy: Mapping[str, Any]) -> dict[str, Any]:
    cadence, quiet = policy["cadence"], policy["quiet_hours"]
    return {
        "kind": cadence["kind"],
        "months": cadence.get("months"),
        "dates": "\n".join(cadence.get("dates", ())),
        "edge": cadence.get("edge"),
        "offset_days": cadence.get("offset_days"),
        "reminder_days": ", ".join(str(day) for day in policy["reminder_days"]),
        "escalate_after_days": policy["escalate_after_days"],
        "escalate_admin_after_days": policy.get("escalate_admin_after_days", 2 * policy["escalate_after_days"]),
        "quiet": quiet is not None,
        "quiet_start": time.fromisoformat(quiet["start"]) if quiet else None,
        "quiet_end": time.fromisoformat(quiet["end"]) if quiet else None,
        "weekdays": policy["weekdays"],
    }


def _policy_content(form: Form) -> dict[str, Any]:
    cadence: dict[str, Any] = {"kind": form.kind.data}
    if form.kind.data == "every_months":
        cadence["months"] = form.months.data
    elif form.kind.data == "dates":
        cadence["dates"] = (form.dates.data or "").split()
    else:
        cadence |= {"edge": form.edge.data, "offset_days": form.offset_days.data or 0}
    quiet = None
    if form.quiet.data:
        quiet = {"start": _clock(form.quiet_start), "end": _clock(form.quiet_end)}
    content = {
        "cadence": cadence,
        "reminder_days": [_number(part) for part in (form.reminder_days.data or "").replace(",", " ").split()],
        "quiet_hours": quiet,
        "weekdays": form.weekdays.data or [],
    }
    if form.escalate_after_days.data is not None:
        content["escalate_after_days"] = form.escalate_after_days.data
    content["escalate_admin_after_days"] = form.escalate_admin_after_days.data
    return content


def _clock(field: Field) -> str:
    return field.data.strftime("%H:%M") if field.data else ""


def _number(text: str) -> int | str:
    """A whole number, or the text as it is: the recipe's reader then says what is wrong with it."""
    try:
        return int(text)
    except ValueError:
        return text


class CopyForm(FlaskForm):  # type: ignore[misc] # Flask-WTF carries no types
    """The name of a copy."""

    name = StringField(_("Name of the copy"), validators=[InputRequired(_("Give the copy a name."))])
