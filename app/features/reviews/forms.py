"""The form of a review policy."""

from __future__ import annotations

from datetime import date, time
from typing import Any

from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from wtforms import (
    DateField,
    IntegerField,
    SelectChoice,
    SelectField,
    SelectMultipleField,
    StringField,
    TimeField,
)
from wtforms.validators import InputRequired, Length, Optional
from wtforms.widgets import CheckboxInput, ListWidget

from app.domain.cadence import WEEKDAYS, ReviewPolicy, parse_policy, policy_as_json
from app.domain.errors import FieldProblem, InvalidInput
from app.infra.web.words import lazy_here

_DAY_WORDS = (_("Monday"), _("Tuesday"), _("Wednesday"), _("Thursday"), _("Friday"), _("Saturday"), _("Sunday"))


class PolicyForm(FlaskForm):  # type: ignore[misc] # Flask-WTF carries no types
    """How often plans are reviewed, and how prompts for it behave."""

    kind = SelectField(
        _("Reviews are due"),
        choices=[
            SelectChoice("every_months", _("every so many months after the plan began")),
            SelectChoice("dates", _("on certain days")),
            SelectChoice("term_start", _("at the start of each term")),
            SelectChoice("term_end", _("at the end of each term")),
        ],
    )
    months = IntegerField(
        _("Months"), validators=[Optional()], description=_("3 to 60. Used with “every so many months”.")
    )
    dates = StringField(
        _("Days"), validators=[Optional()], description=_("Such as 2026-10-01, 2027-03-01. Used with “certain days”.")
    )
    offset_days = IntegerField(
        _("Days after the term's day"),
        validators=[Optional()],
        description=_("A minus sign means before, such as -14. Used with terms."),
    )
    reminder_days = StringField(
        _("Mails on these days after the due day"),
        validators=[InputRequired(_("Enter days such as -14, 0, 7."))],
        description=_(
            "Such as -14, -7, 0, 3, 7: a minus sign means before. The first mail asks, the others remind while there is"
            " no answer."
        ),
    )
    escalate_after_days = IntegerField(
        lazy_here("Tell the %(counsellor)s after this many days without an answer"),
        validators=[InputRequired(_("Enter a number of days."))],
    )
    escalate_admin_after_days = IntegerField(
        _("Tell the administrators after this many days"),
        validators=[Optional()],
        description=lazy_here("Later than the %(counsellor)s. Leave it empty to tell the %(counsellor)s alone."),
    )
    quiet_from = TimeField(
        _("Send nothing from"), validators=[Optional()], description=lazy_here("In the time zone of the %(client)s.")
    )
    quiet_until = TimeField(_("until"), validators=[Optional()], description=_("Leave both empty to send at any hour."))
    weekdays = SelectMultipleField(
        _("Send on"),
        choices=[SelectChoice(day, word) for day, word in zip(WEEKDAYS, _DAY_WORDS, strict=True)],
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
    )
    # The page names the questionnaires in use.
    retake = SelectMultipleField(
        _("Questionnaires to answer again in each check-in"),
        choices=[],
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
        description=_("Each only once its days until it may be taken again are over."),
    )

    def fill(self, policy: ReviewPolicy) -> None:
        """Show a policy."""
        raw = policy_as_json(policy)
        cadence = raw["cadence"]
        self.kind.data = f"term_{cadence['edge']}" if cadence["kind"] == "term" else cadence["kind"]
        self.months.data = cadence.get("months")
        self.dates.data = ", ".join(cadence.get("dates", []))
        self.offset_days.data = cadence.get("offset_days")
        self.reminder_days.data = ", ".join(map(str, raw["reminder_days"]))
        self.escalate_after_days.data = raw["escalate_after_days"]
        self.escalate_admin_after_days.data = raw["escalate_admin_after_days"]
        if raw["quiet_hours"]:
            self.quiet_from.data = time.fromisoformat(raw["quiet_hours"]["start"])
            self.quiet_until.data = time.fromisoformat(raw["quiet_hours"]["end"])
        self.weekdays.data = raw["weekdays"]
        self.retake.data = raw.get("retake", [])

    def policy(self) -> ReviewPolicy | None:
        """The policy typed in; None when something is wrong, said beside its field."""
        if bool(self.quiet_from.data) != bool(self.quiet_until.data):
            empty = self.quiet_until if self.quiet_from.data else self.quiet_from
            empty.errors = [*empty.errors, _("Fill in both hours, or leave both empty.")]
            return None
        try:
            return parse_policy(self._raw())
        except InvalidInput as error:
            for problem in error.problems:
                self._say(problem)
            return None

    def _raw(self) -> dict[str, Any]:
        cadence: dict[str, Any]
        if self.kind.data == "every_months":
            cadence = {"kind": "every_months", "months": self.months.data}
        elif self.kind.data == "dates":
            cadence = {"kind": "dates", "dates": _parts(self.dates.data)}
        else:
            edge = str(self.kind.data).removeprefix("term_")
            cadence = {"kind": "term", "edge": edge, "offset_days": self.offset_days.data or 0}
        quiet = None
        if self.quiet_from.data or self.quiet_until.data:
            quiet = {"start": _clock(self.quiet_from.data), "end": _clock(self.quiet_until.data)}
        days = [int(part) if part.lstrip("-").isdigit() else part for part in _parts(self.reminder_days.data)]
        return {
            "cadence": cadence,
            "reminder_days": days,
            "escalate_after_days": self.escalate_after_days.data,
            "escalate_admin_after_days": self.escalate_admin_after_days.data,
            "quiet_hours": quiet,
            "weekdays": self.weekdays.data,
            "retake": self.retake.data or [],
        }

    def _say(self, problem: FieldProblem) -> None:
        place = problem.field
        names = {
            "months": "months",
            "dates": "dates",
            "offset_days": "offset_days",
            "reminder_days": "reminder_days",
            "escalate_admin_after_days": "escalate_admin_after_days",
            "escalate_after_days": "escalate_after_days",
            "start": "quiet_from",
            "end": "quiet_until",
            "weekdays": "weekdays",
        }
        name = next((field for key, field in names.items() if key in place), "kind")
        self[name].errors = [*self[name].errors, problem.sentence]


class _Days(FlaskForm):  # type: ignore[misc] # Flask-WTF carries no types
    starts_on = DateField(_("First day"), validators=[InputRequired(_("Choose a day."))])
    note = StringField(_("Note"), validators=[Length(max=200)])


class PauseForm(_Days):
    """A time in which a person is not asked."""

    kind = SelectField(
        _("Reason"),
        choices=[
            SelectChoice("leave", _("Leave")),
            SelectChoice("exchange", _("Exchange term")),
            SelectChoice("graduation", _("Graduation")),
            SelectChoice("other", _("Something else")),
        ],
    )
    ends_on = DateField(
        _("Last day"), validators=[Optional()], description=_("Leave it empty if it is not known; end it later.")
    )


class HolidayForm(_Days):
    """Days on which nobody in the organization is asked."""

    ends_on = DateField(_("Last day"), validators=[InputRequired(_("Choose a day."))])


class SpreadForm(FlaskForm):  # type: ignore[misc] # Flask-WTF carries no types
    """How many new reviews a day are bearable."""

    most = IntegerField(
        lazy_here("At most so many a day for each %(counsellor)s"), validators=[InputRequired(_("Enter a number."))]
    )


def _parts(written: str | None) -> list[str]:
    return [part.strip() for part in (written or "").replace(";", ",").split(",") if part.strip()]


def _clock(value: time | date | None) -> str:
    return value.strftime("%H:%M") if value else ""
