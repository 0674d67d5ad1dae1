"""The tables behind each kind of rows, how they are joined, and what tells two rows apart.

Every join names the organization, because every index begins with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Date,
    Double,
    FromClause,
    Integer,
    Text,
    and_,
    bindparam,
    cast,
    column,
    func,
    literal,
    literal_column,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import JSONB, aggregate_order_by
from sqlalchemy.sql.elements import KeyedColumnElement

from app.domain.steps import OPEN_STATUSES
from app.features.clients.models import CaseloadEntry, Client
from app.features.cohorts.models import Cohort, CohortMember
from app.features.instruments.models import Assessment, Instrument, InstrumentVersion
from app.features.messaging.models import Message
from app.features.organizations.models import Membership
from app.features.plans.models import Plan, PlanStep, PlanTemplate, StepComment, StepContent
from app.features.reviews.models import Prompt, Review

CLIENT = Client.__table__
PROMPT, REVIEW = Prompt.__table__.alias("own_prompt"), Review.__table__.alias("own_review")
# Aliases, so that the criteria of filters, which ask for plans and steps too, never mean these rows.
PLAN = Plan.__table__.alias("own_plan")
STEP = PlanStep.__table__.alias("own_step")
TEMPLATE = PlanTemplate.__table__.alias("own_template")
CONTENT = StepContent.__table__.alias("own_content")
ASSESSMENT = Assessment.__table__.alias("own_assessment")
INSTRUMENT = Instrument.__table__.alias("own_instrument")
VERSION = InstrumentVersion.__table__.alias("own_version")
MESSAGE = Message.__table__.alias("own_message")
REMARK = StepComment.__table__.alias("own_remark")
AUTHOR = Membership.__table__.alias("own_author")
COUNSELLOR = Membership.__table__.alias("own_counsellor")
_PRIMARY = CaseloadEntry.__table__.alias("own_primary")
ACTION = (
    func.jsonb_path_query(CONTENT.c.content, literal_column("'$.actions[*]'::jsonpath"))
    .table_valued(column("action", JSONB()), with_ordinality="place", name="own_action")
    .render_derived()
)
SCORE = (
    func.unnest(ASSESSMENT.c.scores)
    .table_valued(column("score", Double()), with_ordinality="place", name="own_score")
    .render_derived()
)
# The organization's day, given when the statement is made.
TODAY = bindparam("own_today", None, type_=Date)


def _of(one: Any, other: Any, **keys: str) -> ColumnElement[bool]:
    """Both rows are of one organization, and each column of `one` named is that of `other`."""
    parts = [one.c[mine] == other.c[theirs] for mine, theirs in keys.items()]
    return and_(one.c.organization_id == other.c.organization_id, *parts)


@dataclass(frozen=True, slots=True)
class Table:
    """How the rows of a kind are read: the joined tables, what must hold, and their order within a person.

    `has` are the joins of `joined` that it makes itself. `in_turn` says that an index leads from a person to them; from
    a person to their plans of earlier none does.
    """

    source: FromClause
    order: tuple[KeyedColumnElement[Any], ...] = ()
    where: tuple[ColumnElement[bool], ...] = ()
    has: frozenset[str] = frozenset()
    in_turn: bool = True


_PLANNED = CLIENT.join(PLAN, and_(_of(PLAN, CLIENT, client_id="id"), PLAN.c.status == "active"))
_TAKEN = CLIENT.join(ASSESSMENT, _of(ASSESSMENT, CLIENT, client_id="id")).join(
    INSTRUMENT, _of(INSTRUMENT, ASSESSMENT, id="instrument_id")
)
TABLES: Mapping[str, Table] = {
    "clients": Table(CLIENT),
    "steps": Table(_PLANNED.join(STEP, _of(STEP, PLAN, plan_id="id")), (STEP.c.step,), has=frozenset({"plan"})),
    "actions": Table(
        _PLANNED.join(CONTENT, and_(_of(CONTENT, PLAN, plan_id="id"), CONTENT.c.step == 7)).join(ACTION, true()),
        (ACTION.c.place,),
        (ACTION.c.action["text"].astext != "",),
        frozenset({"plan"}),
    ),
    "assessments": Table(_TAKEN, (ASSESSMENT.c.taken_at, ASSESSMENT.c.id)),
    "scores": Table(
        _TAKEN.join(VERSION, _of(VERSION, ASSESSMENT, instrument_id="instrument_id", version="version")).join(
            SCORE, true()
        ),
        (ASSESSMENT.c.taken_at, ASSESSMENT.c.id, SCORE.c.place),
    ),
    "prompts": Table(
        CLIENT.join(PLAN, _of(PLAN, CLIENT, client_id="id"))
        .join(PROMPT, _of(PROMPT, PLAN, plan_id="id"))
        .join(REVIEW, _of(REVIEW, PROMPT, id="review_id")),
        (PROMPT.c.due_at, PROMPT.c.id),
        has=frozenset({"plan"}),
        in_turn=False,
    ),
    "remarks": Table(
        CLIENT.join(PLAN, _of(PLAN, CLIENT, client_id="id"))
        .join(REMARK, _of(REMARK, PLAN, plan_id="id"))
        .join(AUTHOR, _of(AUTHOR, REMARK, id="author_id")),
        (REMARK.c.created_at, REMARK.c.id),
        has=frozenset({"plan"}),
        in_turn=False,
    ),
}


def joined(rows: str, needs: set[str]) -> FromClause:
    """The tables of a kind of rows with those that its columns need beside."""
    table = TABLES[rows]
    source, wanted = table.source, needs - table.has
    if "plan" in wanted:
        source = source.outerjoin(PLAN, and_(_of(PLAN, CLIENT, client_id="id"), PLAN.c.status == "active"))
    if "template" in wanted:
        source = source.outerjoin(TEMPLATE, _of(TEMPLATE, PLAN, id="template_id"))
    if "counsellor" in wanted:
        primary = and_(_of(_PRIMARY, CLIENT, client_id="id"), _PRIMARY.c.kind == "primary")
        source = source.outerjoin(_PRIMARY, primary).outerjoin(
            COUNSELLOR, _of(COUNSELLOR, _PRIMARY, id="membership_id")
        )
    if "message" in wanted:
        source = source.outerjoin(MESSAGE, _of(MESSAGE, PROMPT, id="message_id"))
    return source


def cohort_names() -> ColumnElement[Any]:
    """The names of the cohorts somebody is in, in their order."""
    names = func.string_agg(Cohort.name, aggregate_order_by(literal("; ", Text), Cohort.name))
    return (
        select(names)
        .select_from(CohortMember)
        .join(Cohort, and_(Cohort.organization_id == CohortMember.organization_id, Cohort.id == CohortMember.cohort_id))
        .where(
            CohortMember.organization_id == Client.organization_id,
            CohortMember.client_id == Client.id,
            Cohort.archived_at.is_(None),
        )
        .correlate(CLIENT)
        .scalar_subquery()
    )


def overdue() -> ColumnElement[Any]:
    """Whether a step is open and its day past."""
    return func.coalesce(and_(STEP.c.due_on < TODAY, STEP.c.status.in_(OPEN_STATUSES)), False)


def scale_title() -> ColumnElement[Any]:
    """The title of a score's scale, in the version that it was scored with."""
    # Scores are kept in the order of the version's scales; JSON counts from 0, and lists from 1.
    scale = func.jsonb_array_element(VERSION.c.definition["scales"], cast(SCORE.c.place - 1, Integer))
    return func.jsonb_extract_path_text(scale, literal("title", Text))
