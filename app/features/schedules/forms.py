"""The form of a schedule."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, time
from uuid import UUID

from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from wtforms import (
    DateField,
    IntegerField,
    RadioField,
    SelectChoice,
    SelectField,
    SelectMultipleField,
    StringField,
    TimeField,
)
from wtforms.validators import InputRequired, Optional
from wtforms.widgets import CheckboxInput, ListWidget

from app.domain.errors import InvalidInput
from app.domain.recurrence import Recurrence
from app.domain.saying import Say
from app.features.schedules.commands import SaveSchedule
from app.features.schedules.contents import Content
from app.features.schedules.models import Schedule
from app.features.schedules.words import empty_words, form_words, weekday_words


class ScheduleForm(FlaskForm):  # type: ignore[misc] # Flask-WTF carries no types
    """When a report is written, in which form, for whom."""

    name = StringField(_("Name"), validators=[InputRequired(_("Give it a name."))])
    form = RadioField(_("Form"))
    cadence = RadioField(
        _("How often"),
        choices=[
            SelectChoice("daily", _("every day")),
            SelectChoice("weekly", _("every week")),
            SelectChoice("monthly", _("every month")),
            SelectChoice("term", _("once a term")),
        ],
    )
    weekday = SelectField(_("Weekday, for every week"), coerce=int, validators=[Optional()])
    month_day = IntegerField(
        _("Day of the month, for every month"),
        validators=[Optional()],
        description=_("1 to 31; in a shorter month its last day."),
    )
    edge = SelectField(
        _("Day of the term, for once a term"),
        choices=[SelectChoice("start", _("its first day")), SelectChoice("end", _("its last day"))],
    )
    at = TimeField(
        _("Time"),
        validators=[InputRequired(_("Enter a time such as 08:00."))],
        description=_("Where your organization is. The mail leaves between 08:00 and 20:00."),
    )
    starts_on = DateField(_("First day"), validators=[InputRequired(_("Enter the day, such as 2026-10-01."))])
    ends_on = DateField(_("Last day"), validators=[Optional()], description=_("Leave it empty to go on without end."))
    when_empty = RadioField(_("When there is nothing in it"))
    recipients = SelectMultipleField(
        _("Who gets it"),
        coerce=str,
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
        description=_("Each gets their own, with what they may see. The mail has a link and no report in it."),
    )

    def offer(self, forms: tuple[str, ...], members: Mapping[UUID, str], say: Say) -> None:
        """Put in what can be chosen."""
        self.form.choices = [SelectChoice(one, form_words(say)[one]) for one in forms]
        self.weekday.choices = [SelectChoice(number, word) for number, word in enumerate(weekday_words(say))]
        self.when_empty.choices = [SelectChoice(*pair) for pair in empty_words(say).items()]
        self.recipients.choices = [SelectChoice(str(one), name) for one, name in members.items()]

    def begin(self, name: str, form: str, today: date, me: UUID | None) -> None:
        """Show what a new one begins with."""
        self.name.data, self.form.data, self.cadence.data, self.when_empty.data = name, form, "weekly", "say"
        self.weekday.data, self.month_day.data, self.edge.data = 0, 1, "start"
        self.at.data, self.starts_on.data = time(8), today
        self.recipients.data = [str(me)] if me else []

    def fill(self, schedule: Schedule, recipients: Mapping[UUID, str]) -> None:
        """Show a kept one."""
        for name in ("name", "form", "cadence", "weekday", "month_day", "edge", "starts_on", "ends_on", "when_empty"):
            self[name].data = getattr(schedule, name)
        self.at.data = schedule.at_time
        self.recipients.data = [str(one) for one in recipients]

    def command(self, content: Content) -> SaveSchedule:
        """What was typed in, for a schedule that writes this. Raises InvalidInput for days that cannot be."""
        return SaveSchedule(
            name=self.name.data or "",
            recurrence=Recurrence(
                cadence=self.cadence.data or "",
                at=self.at.data,
                starts_on=self.starts_on.data,
                ends_on=self.ends_on.data,
                weekday=self.weekday.data or 0,
                month_day=1 if self.month_day.data is None else self.month_day.data,
                edge="end" if self.edge.data == "end" else "start",
            ),
            content=content,
            form=self.form.data or "",
            recipients=tuple(UUID(one) for one in self.recipients.data or ()),
            when_empty=self.when_empty.data or "",
        )


def put_problems(form: FlaskForm, error: InvalidInput) -> None:
    """Say each problem beside its field."""
    for problem in error.problems:
        name = problem.field if problem.field in form else "name"
        form[name].errors = [*form[name].errors, problem.sentence]
