"""An organization with a row in every table that is a tenant's, for tests that must not overlook one.

A new table belongs here: `fill` fails by its name until it has a row.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from uuid import UUID

from sqlalchemy import text

from app.domain import access
from app.domain.access import Role
from app.domain.instruments import parse_definition
from app.features.assignments.models import Assignment, AssignmentMember
from app.features.clients.models import (
    AttributeDefinition,
    Client,
    ClientLabel,
    ClientPair,
    Label,
    RosterChunk,
    RosterImport,
    RosterRow,
)
from app.features.cohorts.models import Cohort, CohortMember
from app.features.edits.models import DueChange
from app.features.extracts.models import Extract, ExtractRun
from app.features.figures.models import FigureExport, FigureKinds, FigureMark, FigureRelease, FigureTable
from app.features.instruments.models import (
    Assessment,
    FormerScoring,
    Instrument,
    InstrumentRequest,
    InstrumentVersion,
    Sitting,
)
from app.features.jobs.items import add_items
from app.features.jobs.models import StoredFile, WaitingItems
from app.features.jobs.service import create_job
from app.features.messaging.models import (
    ContactSlot,
    Message,
    MessageTemplate,
    Notice,
    SuppressedAddress,
    Webhook,
    WebhookDelivery,
)
from app.features.models import metadata
from app.features.moves.models import CaseloadMove, Cover
from app.features.organizations.commands import Invite, SaveTerm
from app.features.organizations.invitations import invite
from app.features.organizations.models import IdempotencyKey
from app.features.organizations.settings import save_term
from app.features.organizations.tokens import CreateToken, create_token
from app.features.outcomes.models import Graduation, Outcome, OutcomeImport, OutcomeLink, OutcomeRow
from app.features.plans.models import PlanEvent, StepComment, StepContent, StepMark
from app.features.plans.queries import find_plan
from app.features.plans.revisions import freeze_revision
from app.features.reports.models import ReportPart
from app.features.reviews.models import Prompt, Review, ReviewLink, ReviewPause, ReviewPolicy, RevisionChange
from app.features.rollouts.models import Rollout, RolloutStage
from app.features.schedules.models import Schedule, ScheduleRecipient, ScheduleRun
from app.features.scratches.models import PlanScratch
from app.features.selections.models import SavedFilter, Selection
from app.features.steps.action_plan.models import ActionEvidence, CalendarFeed
from app.features.triggers.models import ExternalEvent, TriggerFinding, TriggerRule, TriggerSettings
from app.infra.db.open import UnitOfWork
from app.infra.db.tenancy import GLOBAL_TABLES
from tests.domain.instrument_maker import definition
from tests.factories import Person, World

_DAY = date(2026, 9, 7)


@dataclass
class Filled:
    """The organization, its people (the counsellor has the client in their caseload) and a row of each table.

    `rows`: table -> the ids its row is known by: its own and those of its key. `places`: name of a place in an
    address ("client_id") -> id.
    """

    organization: UUID
    admin: Person
    counsellor: Person
    client: UUID
    rows: Mapping[str, tuple[UUID, ...]] = field(default_factory=dict)
    places: Mapping[str, UUID] = field(default_factory=dict)

    @property
    def ids(self) -> list[UUID]:
        """Every id of every row, each once."""
        return list(dict.fromkeys(found for known in self.rows.values() for found in known))

    def ids_of(self, *tables: str) -> list[UUID]:
        """The own ids of these tables' rows."""
        return [self.rows[table][-1] for table in tables]


def tenant_tables() -> list[str]:
    """Names of the tables that are a tenant's, as the models say."""
    return [table.name for table in metadata.tables.values() if table.name not in GLOBAL_TABLES]


def fill(world: World) -> Filled:
    """Make such an organization."""
    organization = world.organization()
    admin, counsellor = world.person(organization, Role.ADMIN), world.person(organization, Role.COUNSELLOR)
    client = world.clients(organization, 1)[0]
    world.caseload(counsellor, [client])
    template = world.template(organization)
    plan = world.plan(organization, client, template)
    with world.runtime.database.unit_of_work(admin.actor) as uow:
        made = _work(uow, client, template)
        changed = DueChange(job_id=made["job_id"], plans=[plan], steps=[1], was=[None], became=[_DAY])
        uow.session.add_all([changed, WaitingItems(job_id=made["job_id"], number=2, subject_ids=[plan], listed=[2])])
        made |= _instruments(uow, client, made["job_id"])
        made |= _writing(uow, client, plan)
        _moves(uow, client, _member(counsellor))
        save_term(uow, SaveTerm(name="Autumn", starts_on=_DAY, ends_on=date(2026, 12, 18)))
        invite(uow, Invite(email="new@example.org", name="New", role=Role.ANALYST))
        create_token(uow, CreateToken(name="program", scopes=("read",)))
        uow.session.add(
            IdempotencyKey(membership_id=admin.actor.membership_id, key=secrets.token_hex(4), request_hash=b"x")
        )
    rows: dict[str, tuple[UUID, ...]] = {}
    with world.runtime.database.unit_of_work(access.system(organization)) as uow:
        for name in tenant_tables():
            table = metadata.tables[name]
            keys = [c.name for c in table.primary_key.columns if c.type.python_type is UUID]
            found = uow.session.execute(text(f"SELECT {', '.join(keys)} FROM {name} LIMIT 1")).one_or_none()
            assert found is not None, f"tests/one_of_everything.py makes no row in the table {name}: add one"
            rows[name] = tuple(dict.fromkeys(found))
    of = {
        "attribute_id": "attribute_definitions",
        "cohort_id": "cohorts",
        "label_id": "labels",
        "selection_id": "selections",
        "filter_id": "saved_filters",
        "template_id": "plan_templates",
        "instrument_id": "instruments",
        "assessment_id": "assessments",
        "sitting_id": "sittings",
        "import_id": "roster_imports",
        "term_id": "terms",
        "invitation_id": "invitations",
        "token_id": "api_tokens",
        "review_id": "reviews",
        "pause_id": "review_pauses",
        "message_id": "messages",
        "notice_id": "notices",
        "assignment_id": "assignments",
        "scratch_id": "plan_scratches",
        "evidence_id": "action_evidence",
        "event_id": "external_events",
        "rollout_id": "rollouts",
        "move_id": "caseload_moves",
        "cover_id": "covers",
        "extract_id": "extracts",
        "run_id": "extract_runs",
        "outcome_id": "outcomes",
        "schedule_id": "schedules",
        "received_id": "schedule_runs",
        "export_id": "figure_exports",
    }
    places = {place: rows[table][-1] for place, table in of.items()} | {
        "client_id": client,
        "plan_id": plan,
        "job_id": made["job_id"],
        "file_id": made["file_id"],
        "membership_id": _member(counsellor),
        "counsellor_id": _member(counsellor),
        "subject_id": plan,
        "organization_id": organization,
    }
    return Filled(organization, admin, counsellor, client, rows, places)


def _moves(uow: UnitOfWork, client: UUID, member: UUID) -> None:
    """A handing over as it was previewed, and cover that goes on."""
    numbers = {
        "receivers": [{"id": str(member), "minutes": None, "takes": 1, "clients": [1, 1], "work": [1, 1]}],
        "left_out": {},
    }
    whom = {"client_ids": [client], "receiver_ids": [member], "numbers": numbers, "created_by": uow.actor.membership_id}
    plan = CaseloadMove(kind="primary", expires_at=uow.now + timedelta(days=1), **whom)
    covered = CaseloadMove(kind="cover", first_on=_DAY, last_on=_DAY, **whom)
    uow.session.add_all([covered, plan])
    uow.session.flush()
    uow.session.add(Cover(move_id=covered.id, first_on=_DAY, last_on=_DAY, state="active", begun_at=uow.now))


def _member(person: Person) -> UUID:
    assert person.actor.membership_id is not None
    return person.actor.membership_id


def _work(uow: UnitOfWork, client: UUID, template: UUID) -> dict[str, UUID]:
    """A cohort, what was given to it, a job with its file, and a roster."""
    session = uow.session
    cohort = Cohort(name="All", kind="fixed")
    session.add_all([cohort, AttributeDefinition(key="year", label="Year", kind="number")])
    session.flush()
    session.add(CohortMember(cohort_id=cohort.id, client_id=client))
    asked = {"rows": "clients", "columns": ["client.external_id"], "rule": None, "group": [], "order": []}
    extract = Extract(owner_id=uow.actor.membership_id, name="Ids", definition=asked)
    session.add(extract)
    label = Label(name="Urgent", tone="bad")
    rule = {"all": [{"field": "@active", "is": "is", "values": [True]}]}
    session.add_all([label, SavedFilter(owner_id=uow.actor.membership_id, name="Everybody", rule=rule)])
    session.flush()
    session.add(ClientLabel(label_id=label.id, client_id=client))
    job, _ = create_job(uow, "reports.cohort", {"cohort": str(cohort.id)})
    add_items(uow, job, [client])
    kept = {"owner_id": extract.owner_id, "name": "Ids", "form": "csv", "locale": "en", "definition": asked}
    session.add(ExtractRun(extract_id=extract.id, job_id=job.id, **kept))
    _schedule(uow, extract)
    assignment = Assignment(template_id=template, template_version=1, cohort_id=cohort.id, started_on=_DAY)
    session.add_all([assignment, _selection(uow, client)])
    session.flush()
    twin = {"given_folded": "a", "family_folded": "b", "external_folded": "twin"}
    other = Client(external_id="Twin", given_name="A", family_name="B", **twin)
    session.add(other)
    session.flush()
    first, second = sorted((client, other.id))
    session.add(ClientPair(first_id=first, second_id=second, state="different", decided_at=uow.now))
    session.add(AssignmentMember(assignment_id=assignment.id, client_id=client, state="given", changed_at=uow.now))
    rollout = Rollout(
        template_id=template, version=1, choice="all", seed=1, state="stopped", created_at=uow.now, ended_at=uow.now
    )
    session.add(rollout)
    session.flush()
    session.add(RolloutStage(rollout_id=rollout.id, number=1, percent=5, job_id=job.id))
    file = StoredFile(
        kind="client_report",
        name="report.pdf",
        media_type="application/pdf",
        size=1,
        sha256=b"x",
        location=f"{uow.actor.organization_id}/{secrets.token_hex(8)}.pdf",
        job_id=job.id,
        client_id=client,
    )
    session.add(file)
    session.flush()
    where = f"{uow.actor.organization_id}/{secrets.token_hex(8)}.zip"
    session.add(ReportPart(job_id=job.id, number=1, first_position=0, next_position=1, location=where, file_id=file.id))
    roster = RosterImport(file_id=file.id)
    session.add(roster)
    session.flush()
    chunk = RosterChunk(import_id=roster.id, number=0)
    session.add(chunk)
    session.flush()
    session.add(RosterRow(import_id=roster.id, line=2, chunk_id=chunk.id, outcome="bad"))
    _outcomes(uow, client, file.id)
    return {"job_id": job.id, "file_id": file.id}


def _schedule(uow: UnitOfWork, extract: Extract) -> None:
    """A schedule with its reader and a run, and figures as a file."""
    session, member = uow.session, extract.owner_id
    when = {"cadence": "weekly", "weekday": 0, "month_day": 1, "edge": "start", "at_time": time(8), "starts_on": _DAY}
    schedule = Schedule(
        owner_id=member, place=1, name="Weekly", what="extract", extract_id=extract.id, form="csv", when_empty="say",
        since=uow.now, **when,
    )  # fmt: skip
    asked = {"question": {"figure": "people"}, "form": "csv", "locale": "en", "template": "figures/1"}
    session.add_all(
        [schedule, FigureExport(owner_id=member, data_at=uow.now, threshold=10, row_count=1, sha256=b"x", **asked)]
    )
    session.flush()
    session.add(ScheduleRecipient(schedule_id=schedule.id, membership_id=member))
    session.add(ScheduleRun(schedule_id=schedule.id, membership_id=member, occurrence="2026-09-07", occurrence_on=_DAY))
    session.flush()


def _outcomes(uow: UnitOfWork, client: UUID, file: UUID) -> None:
    """A graduate, what became of them, the link they told it by, and a file of outcomes."""
    session = uow.session
    of_class = {"client_id": client, "class_year": 2026}
    session.add(Graduation(graduated_on=date(2026, 6, 20), **of_class))
    taken = OutcomeImport(file_id=file)
    session.add(taken)
    session.flush()
    session.add_all(
        [
            Outcome(status="employed_full_time", known_on=_DAY, source="survey", **of_class),
            OutcomeLink(expires_at=uow.now + timedelta(days=60), **of_class),
            OutcomeRow(import_id=taken.id, line=2, piece=0, verdict="bad"),
        ]
    )


def _selection(uow: UnitOfWork, client: UUID) -> Selection:
    return Selection(
        client_ids=[client],
        origin="clients",
        created_by=uow.actor.membership_id,
        created_at=uow.now,
        expires_at=uow.now + timedelta(days=1),
    )


def _instruments(uow: UnitOfWork, client: UUID, job: UUID) -> dict[str, UUID]:
    """A questionnaire, one that was taken and one that is being taken, scored once before."""
    session = uow.session
    raw = definition()
    items, scales = len(parse_definition(raw).items), len(parse_definition(raw).scales)
    instrument = Instrument(key=f"k{secrets.token_hex(4)}", title="Questionnaire")
    session.add(instrument)
    session.flush()
    session.add(InstrumentVersion(instrument_id=instrument.id, version=1, definition=raw, checksum="x"))
    session.flush()
    answers = {"responses": [1] * items, "scores": [1.0] * scales, "answered": [1] * scales}
    assessment = Assessment(
        client_id=client,
        instrument_id=instrument.id,
        version=1,
        taken_at=uow.now,
        source="import",
        source_key=str(job),
        **answers,
    )
    session.add(assessment)
    session.flush()
    session.add(FormerScoring(assessment_id=assessment.id, number=1, version=1, replaced_at=uow.now, **answers))
    session.add(
        Sitting(
            client_id=client,
            instrument_id=instrument.id,
            version=1,
            responses=[0] * items,
            seconds=[None] * items,
            started_at=uow.now,
            saved_at=uow.now,
        )
    )
    session.add(InstrumentRequest(client_id=client, instrument_id=instrument.id, asked_at=uow.now))
    return {}


def _writing(uow: UnitOfWork, client: UUID, plan: UUID) -> dict[str, UUID]:
    """What was written in the plan, its frozen revision, its review with link, prompt and mail."""
    session = uow.session
    author = uow.actor.membership_id
    session.add(StepContent(plan_id=plan, step=1, content={}))
    # The database refers to the occupation by itself.
    options = [{"id": "o1", "name": "Statistician", "code": "15-2041.00"}]
    session.add(StepContent(plan_id=plan, step=4, content={"options": options}))
    session.add(StepComment(plan_id=plan, step=1, author_id=author, body="A remark"))
    session.add(
        StepMark(plan_id=plan, step=4, aspect="interests", detail={"before": None, "after": None}, changed_at=uow.now)
    )
    moments = {"created_at": uow.now, "updated_at": uow.now, "expires_at": uow.now + timedelta(days=30)}
    session.add(
        PlanScratch(
            plan_id=plan,
            base={"contents": {}, "versions": {}, "statuses": {}},
            changes=[],
            created_by=author,
            **moments,
        )
    )
    session.add(
        ActionEvidence(
            plan_id=plan,
            action="a1",
            name="proof.pdf",
            media_type="application/pdf",
            size=1,
            sha256=b"x",
            location=f"{uow.actor.organization_id}/{secrets.token_hex(8)}",
            uploaded_by=author,
        )
    )
    session.add(CalendarFeed(client_id=client, token_hash=secrets.token_bytes(32), created_by=author))
    session.add(PlanEvent(plan_id=plan, step=1, kind="step.submitted", actor_id=author, actor_kind="member"))
    session.flush()
    freeze_revision(uow, find_plan(uow, plan), "A first look back")
    policy = ReviewPolicy(scope="plan", subject_id=plan, content={"cadence": {"kind": "every_months", "months": 6}})
    review = Review(plan_id=plan, occurrence_on=_DAY)
    recipient = session.get_one(Client, (uow.actor.organization_id, client)).email
    message = Message(
        dedupe_key=secrets.token_hex(4), kind="prompt", recipient=recipient, locale="en", client_id=client
    )
    gone = SuppressedAddress(address="gone@example.org", reason="asked", declined=True)
    session.add_all([policy, review, message, gone])
    session.flush()
    _triggers(uow, plan, review.id)
    session.add(ReviewPause(client_id=client, kind="leave", starts_on=_DAY, ends_on=_DAY, created_by=author))
    session.add(
        RevisionChange(
            plan_id=plan,
            revision=1,
            number=1,
            review_id=review.id,
            subject="factor:f1",
            kind="factor",
            label="Fees",
            change="stronger",
            reason="They rose.",
            controllable="no",
            at=uow.now,
        )
    )
    session.add_all(
        [
            ContactSlot(client_id=client, week=_DAY, n=1, message_id=message.id),
            Notice(membership_id=uow.actor.membership_id, dedupe_key="one", kind="mail_returned", href="/inbox"),
            Webhook(url="https://example.org/hook"),
            WebhookDelivery(dedupe_key="one", event="notice.mail_returned", data={}),
            MessageTemplate(name="digest", locale="en", subject="Hello", body="{items}"),
        ]
    )
    session.add(ReviewLink(review_id=review.id, expires_at=uow.now + timedelta(days=30)))
    session.add(
        Prompt(
            plan_id=plan,
            policy_id=policy.id,
            occurrence_on=_DAY,
            reminder=0,
            due_at=uow.now,
            review_id=review.id,
            message_id=message.id,
        )
    )
    return {}


def _triggers(uow: UnitOfWork, plan: UUID, review: UUID) -> None:
    """A rule, the settings, an event, and a reason found for the plan."""
    session = uow.session
    event = ExternalEvent(
        title="A hiring freeze",
        words="Nobody is hired this year.",
        happened_on=_DAY,
        occupations=[],
        families=["15"],
        paths=[],
        actions=[],
        created_by=uow.actor.membership_id,
        opened_at=uow.now,
    )
    rule = TriggerRule(kind="step_overdue", active=True, number=14, updated_by=uow.actor.membership_id)
    session.add_all([event, rule, TriggerSettings(a_day=25)])
    session.add_all([FigureMark(), FigureRelease(withheld=False, day=_DAY, moment=uow.now, attributes=[])])
    session.flush()
    session.add(FigureTable(withheld=False, figure="people", parts={"all": 1}))
    session.add(FigureRelease(withheld=True, day=_DAY, moment=uow.now, threshold=10, attributes=[]))
    session.flush()
    session.add(FigureKinds(content=b"kinds"))
    session.flush()
    session.add(
        TriggerFinding(
            plan_id=plan,
            kind="external_event",
            subject=str(event.id),
            severity=90,
            evidence={"title": event.title, "words": event.words, "on": _DAY.isoformat(), "by": []},
            event_id=event.id,
            found_at=uow.now,
            review_id=review,
            reviewed_at=uow.now,
            opened_on=_DAY,
        )
    )
