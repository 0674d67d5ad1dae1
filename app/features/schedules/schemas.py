"""JSON of schedules."""

from __future__ import annotations

from marshmallow import fields

from app.domain.recurrence import CADENCES
from app.features.reports.cohort_schemas import CohortFiguresQuery, CohortWithholdQuery
from app.features.reports.schemas import ReportPartsSchema
from app.features.schedules.commands import WHEN_EMPTY
from app.features.schedules.contents import BOTH, SORTS, WHATS, ZIP
from app.infra.web.api.fields import Choice, Day, Ids, Sentence, Whole
from app.infra.web.api.schemas import Strict

_AT = {"description": "Time of day where the organization is, as HH:MM."}
_FORMS = tuple(dict.fromkeys(form for sort in SORTS.values() for form in sort.forms))
_FORM = {"description": f"A cohort in figures comes as `{BOTH}` (PDF and workbook), reports of people as `{ZIP}`."}
_EMPTY = {"description": "What happens when there is nothing in it: send it, say so in the mail, or stay silent."}


class AskedFiguresSchema(Strict):
    """Figures to write: which, by what, of which periods, and whether small groups are withheld from everybody."""

    figure = Sentence(longest=60, required=True)
    by = Sentence(longest=60)
    and_by = Sentence(longest=60)
    since = Sentence(longest=200)
    until = Sentence(longest=200)
    small = Choice(("withheld",))


class AskedAggregatesSchema(CohortWithholdQuery):
    """All figures of the screen of aggregates."""


class AskedCohortSchema(CohortFiguresQuery):
    """A cohort in figures, and what to show beside it."""

    cohort_id = fields.UUID(required=True)


class AskedClientsSchema(ReportPartsSchema):
    """Reports of people: of a cohort or of a saved filter, one of the two, and what is in them."""

    cohort_id = fields.UUID()
    filter_id = fields.UUID(metadata={"description": "A saved filter; it is asked anew each time."})


class ReportScheduleSchema(Strict):
    """A schedule: what it writes, when, and for whom; `next_at` is null while nothing is to come."""

    id = fields.UUID(required=True)
    owner_id = fields.UUID(required=True)
    name = fields.String(required=True)
    what = Choice(WHATS, required=True)
    extract_id = fields.UUID(required=True, allow_none=True)
    cohort_id = fields.UUID(required=True, allow_none=True)
    filter_id = fields.UUID(required=True, allow_none=True)
    question = fields.Dict(
        required=True,
        allow_none=True,
        metadata={"description": "How it is asked, by what it writes; null for an own report."},
    )
    form = fields.String(required=True)
    cadence = Choice(CADENCES, required=True)
    at = fields.String(required=True)
    weekday = fields.Integer(required=True)
    month_day = fields.Integer(required=True)
    edge = fields.String(required=True)
    starts_on = fields.Date(required=True)
    ends_on = fields.Date(required=True, allow_none=True)
    when_empty = Choice(WHEN_EMPTY, required=True)
    state = Choice(("on", "paused", "ended"), required=True)
    why = fields.String(required=True, allow_none=True)
    next_at = fields.AwareDateTime(required=True, allow_none=True)
    recipients = fields.List(fields.UUID(), required=True)
    created_at = fields.AwareDateTime(required=True)
    changed_at = fields.AwareDateTime(required=True)


class ReportScheduleChangeSchema(Strict):
    """Another name, form, time, or other readers; fields left out stay."""

    name = Sentence(longest=120)
    form = Choice(_FORMS, metadata=_FORM)
    cadence = Choice(CADENCES)
    at = Sentence(longest=5, metadata=_AT)
    weekday = Whole(most=6, metadata={"description": "For weekly ones; Monday is 0."})
    month_day = Whole(least=1, most=31, metadata={"description": "For monthly ones; a shorter month's last day."})
    edge = Choice(("start", "end"), metadata={"description": "For those once a term: its first or its last day."})
    starts_on = Day()
    ends_on = Day(allow_none=True)
    when_empty = Choice(WHEN_EMPTY, metadata=_EMPTY)
    recipients = Ids(most=500, metadata={"description": "Memberships of those who get it."})


class NewReportScheduleSchema(Strict):
    """A schedule to keep: of exactly one of the five kinds of report."""

    name = Sentence(longest=120, required=True)
    extract_id = fields.UUID()
    question = fields.Nested(AskedFiguresSchema)
    aggregates = fields.Nested(AskedAggregatesSchema)
    cohort_figures = fields.Nested(AskedCohortSchema)
    client_reports = fields.Nested(AskedClientsSchema)
    form = Choice(_FORMS, required=True, metadata=_FORM)
    cadence = Choice(CADENCES, required=True)
    at = Sentence(longest=5, required=True, metadata=_AT)
    weekday = Whole(most=6, load_default=0, metadata={"description": "For weekly ones; Monday is 0."})
    month_day = Whole(
        least=1, most=31, load_default=1, metadata={"description": "For monthly ones; a shorter month's last day."}
    )
    edge = Choice(
        ("start", "end"),
        load_default="start",
        metadata={"description": "For those once a term: its first or its last day."},
    )
    starts_on = Day(metadata={"description": "Today by default."})
    ends_on = Day(allow_none=True, load_default=None)
    when_empty = Choice(WHEN_EMPTY, load_default="say", metadata=_EMPTY)
    recipients = Ids(most=500, required=True, metadata={"description": "Memberships of those who get it."})


class ReportScheduleRunSchema(Strict):
    """One occurrence for one reader, and what became of it.

    Of what others got, who may not see all people is told that it was written, and neither how many rows it has nor
    whether it has any.
    """

    id = fields.UUID(required=True)
    schedule_id = fields.UUID(required=True)
    membership_id = fields.UUID(required=True)
    occurrence = fields.String(required=True)
    occurrence_on = fields.Date(required=True)
    missed = fields.Integer(required=True)
    state = Choice(("making", "sent", "silent", "written", "refused", "failed"), required=True)
    reason = fields.String(required=True, allow_none=True)
    rows = fields.Integer(required=True, allow_none=True)
    job_id = fields.UUID(required=True, allow_none=True)
    created_at = fields.AwareDateTime(required=True)
    settled_at = fields.AwareDateTime(required=True, allow_none=True)


class ReportReadersSchema(Strict):
    """For how many readers a run was made."""

    readers = fields.Integer(required=True)


class ReceivedReportSchema(Strict):
    """A report that a schedule sent to you."""

    id = fields.UUID(required=True)
    schedule_id = fields.UUID(required=True)
    name = fields.String(required=True)
    occurrence_on = fields.Date(required=True)
    rows = fields.Integer(required=True)
    created_at = fields.AwareDateTime(required=True)


class ReceivedFileSchema(Strict):
    """One file of it; `href` is null once it was deleted, or where somebody in it is not yours to see any more."""

    name = fields.String(required=True)
    sha256 = fields.String(required=True)
    size = fields.Integer(required=True, allow_none=True)
    href = fields.String(required=True, allow_none=True)


class ReceivedReportFilesSchema(ReceivedReportSchema):
    """The same with the moment of its data and its files."""

    as_of = fields.AwareDateTime(required=True, allow_none=True)
    withheld = fields.Boolean(required=True)
    files = fields.List(fields.Nested(ReceivedFileSchema), required=True)
