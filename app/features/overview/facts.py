"""What is true of each client of a caseload today, and why they want attention: one statement's worth of SQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from sqlalchemy import (
    CTE,
    ColumnElement,
    Date,
    DateTime,
    Text,
    and_,
    bindparam,
    case,
    cast,
    distinct,
    exists,
    false,
    func,
    literal,
    null,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by

from app.domain.access import Actor
from app.features.clients.models import CaseloadEntry, Client, ClientLabel, Label
from app.features.clients.policy import visible_clients
from app.features.clients.queries import holds
from app.features.cohorts.models import CohortMember
from app.features.overview.commands import CaseloadFilter, Why
from app.features.plans.models import Plan, PlanStep
from app.features.reviews.figures import answer_by, in_time, is_counted, is_soon, months_until, soon_by
from app.features.reviews.models import Review

# A client of whom nothing was heard for so long, neither a contact nor a step, counts as silent.
SILENT_AFTER = timedelta(weeks=4)
STATUS_LETTERS = {
    "not_started": ("n",),
    "in_progress": ("i",),
    "submitted": ("s",),
    "returned": ("r",),
    "completed": ("c", "t"),
    "skipped": ("k",),
}


# What changes from one moment to the next stands in the statements by name, so that they can be kept; `moments` has
# the values.
_TODAY = bindparam("today", None, type_=Date)
_ANSWER_BY = bindparam("answer_by", None, type_=Date)
_YEAR_AGO = bindparam("year_ago", None, type_=Date)
_SINCE = bindparam("since", None, type_=Date)
_SOON_BY = bindparam("soon_by", None, type_=Date)
_SILENT_SINCE = bindparam("silent_since", None, type_=DateTime(timezone=True))
_QUIET_SINCE = bindparam("quiet_since", None, type_=DateTime(timezone=True))


def moments(wanted: CaseloadFilter, *, now: datetime, today: date) -> dict[str, date | datetime]:
    """The values of the named parameters of these statements; `today` is the organization's day."""
    return {
        "today": today,
        "answer_by": answer_by(today),
        "year_ago": today - timedelta(days=365),
        "since": months_until(today)[0],
        "soon_by": soon_by(today),
        "silent_since": now - SILENT_AFTER,
        "quiet_since": now - timedelta(weeks=wanted.quiet_weeks or 0),
    }


def facts_of(
    actor: Actor,
    wanted: CaseloadFilter,
    *,
    second_line: Sequence[tuple[str, str]] = (),
    saved: ColumnElement[bool] | None = None,
) -> CTE:
    """A row per active client the actor may see, with `why` (bits of `Why`) and `fits` (the client's own filters hold).

    `second_line` are (attribute key, words before the value) for the line under a name; `saved` is the criterion of the
    saved filter. The filters on plans are `plan_filter`; the statement is run with the parameters of `moments`.
    """
    letter = case(
        (PlanStep.status == "completed", case((PlanStep.stale, "t"), else_="c")),
        (PlanStep.status == "skipped", "k"),
        else_=func.left(PlanStep.status, 1),
    )
    undone = PlanStep.status.not_in(("completed", "skipped", "submitted"))
    late = and_(undone, PlanStep.due_on < _TODAY)
    steps = (
        select(
            func.string_agg(letter, aggregate_order_by(literal("", Text), PlanStep.step)).label("statuses"),
            func.count().filter(late).label("overdue"),
            func.min(PlanStep.due_on).filter(late).label("overdue_since"),
            func.min(PlanStep.due_on).filter(undone, PlanStep.due_on >= _TODAY).label("next_due"),
            func.min(PlanStep.step).filter(PlanStep.status == "submitted").label("waiting_step"),
            func.min(PlanStep.step).filter(PlanStep.stale, PlanStep.status == "completed").label("stale_step"),
            func.max(PlanStep.changed_at).label("changed_at"),
        )
        .where(PlanStep.organization_id == Plan.organization_id, PlanStep.plan_id == Plan.id)
        .lateral("steps")
    )
    counted = is_counted(_SINCE, _ANSWER_BY)
    # People are counted once in a month, however many reviews they had in it.
    months = func.count(distinct(func.date_trunc("month", Review.occurrence_on)))
    reviews = (
        select(
            # Answers wait for the counsellor, however long; as text, because ids have no least one.
            func.min(cast(Review.id, Text)).filter(Review.state == "answered").label("waiting_review"),
            func.bool_or(
                and_(
                    Review.escalated_at.is_not(None),
                    Review.answered_at.is_(None),
                    Review.state.in_(("open", "started")),
                )
            ).label("escalated"),
            months.filter(counted).label("asked"),
            months.filter(counted, in_time()).label("in_time"),
        )
        .where(
            Review.organization_id == Plan.organization_id,
            Review.plan_id == Plan.id,
            or_(Review.occurrence_on.between(_YEAR_AGO, _TODAY), Review.state == "answered"),
        )
        .lateral("reviews")
    )
    heard_at = func.greatest(Client.last_contact_at, steps.c.changed_at)
    reasons: tuple[tuple[Why, ColumnElement[bool]], ...] = (
        (Why.WAITING, steps.c.waiting_step.is_not(None)),
        (Why.ANSWERED, reviews.c.waiting_review.is_not(None)),
        (Why.ESCALATED, func.coalesce(reviews.c.escalated, False)),
        (Why.OVERDUE, steps.c.overdue > 0),
        (Why.STALE, steps.c.stale_step.is_not(None)),
        (Why.NEVER_MET, Client.last_contact_at.is_(None)),
        (Why.SILENT, and_(Client.last_contact_at.is_not(None), heard_at < _SILENT_SINCE)),
    )
    why: ColumnElement[int] = literal(0)
    for reason, applies in reasons:
        why = why + case((applies, int(reason)), else_=0)
    return (
        select(
            Client.id,
            (Client.given_name + " " + Client.family_name).label("name"),
            Client.family_folded,
            Client.given_folded,
            Client.external_id,
            func.concat_ws(", ", cast(null(), Text), *(_words(key, before) for key, before in second_line)).label(
                "second"
            ),
            Client.last_contact_at,
            heard_at.label("heard_at"),
            Plan.id.label("plan_id"),
            Plan.revision,
            Plan.next_review_on,
            func.coalesce(is_soon(_SOON_BY), false()).label("review_soon"),
            steps.c.statuses,
            steps.c.overdue,
            steps.c.overdue_since,
            func.least(steps.c.next_due, Plan.next_review_on).label("next_on"),
            steps.c.waiting_step,
            steps.c.stale_step,
            reviews.c.waiting_review,
            reviews.c.asked,
            reviews.c.in_time,
            why.label("why"),
            _client_filter(actor, wanted, saved).label("fits"),
        )
        .select_from(Client)
        .outerjoin(
            Plan,
            and_(Plan.organization_id == Client.organization_id, Plan.client_id == Client.id, Plan.status == "active"),
        )
        .join(steps, true())
        .join(reviews, true())
        .where(Client.active, visible_clients(actor))
        .cte("facts")
    )


def _words(key: str, before: str) -> ColumnElement[str]:
    value = func.nullif(Client.attributes[key].astext, "")
    return literal(before, Text) + value if before else value


def _client_filter(actor: Actor, wanted: CaseloadFilter, saved: ColumnElement[bool] | None) -> ColumnElement[bool]:
    parts: list[ColumnElement[bool]] = [literal(True)]
    if saved is not None:
        parts.append(saved)
    if wanted.label_id is not None:
        # Somebody else's own label is nobody's to ask for.
        parts.append(
            exists().where(
                ClientLabel.organization_id == Client.organization_id,
                ClientLabel.label_id == wanted.label_id,
                ClientLabel.client_id == Client.id,
                Label.organization_id == ClientLabel.organization_id,
                Label.id == ClientLabel.label_id,
                or_(Label.owner_id.is_(None), Label.owner_id == actor.membership_id),
            )
        )
    if wanted.search:
        parts.append(holds(wanted.search))
    if wanted.cohort_id is not None:
        parts.append(
            exists().where(
                CohortMember.organization_id == Client.organization_id,
                CohortMember.cohort_id == wanted.cohort_id,
                CohortMember.client_id == Client.id,
            )
        )
    if wanted.counsellor_id is not None:
        parts.append(
            exists().where(
                CaseloadEntry.organization_id == Client.organization_id,
                CaseloadEntry.membership_id == wanted.counsellor_id,
                CaseloadEntry.client_id == Client.id,
            )
        )
    if wanted.attribute is not None:
        key, value = wanted.attribute
        parts.append(Client.attributes[key].astext == value)
    if wanted.quiet_weeks == 0:
        parts.append(Client.last_contact_at.is_(None))
    elif wanted.quiet_weeks is not None:
        parts.append(Client.last_contact_at < _QUIET_SINCE)
    return and_(*parts)


def plan_filter(facts: CTE, wanted: CaseloadFilter) -> ColumnElement[bool]:
    """The whole filter over rows of `facts_of`: the client's own part and that on reasons and steps."""
    parts: list[ColumnElement[bool]] = [facts.c.fits]
    if wanted.why:
        parts.append(facts.c.why.op("&")(wanted.why) > 0)
    if wanted.review_soon:
        parts.append(facts.c.review_soon)
    if wanted.status is not None:
        letters = STATUS_LETTERS[wanted.status]
        if wanted.step is not None:
            parts.append(func.substr(facts.c.statuses, wanted.step, 1).in_(letters))
        else:
            parts.append(or_(*(func.strpos(facts.c.statuses, letter) > 0 for letter in letters)))
    return and_(*parts)


def order_of(facts: CTE, wanted: CaseloadFilter) -> list[ColumnElement[object]]:
    """The order asked for, always ending in name and id so that pages never overlap."""
    name = [facts.c.family_folded, facts.c.given_folded, facts.c.id]
    first: dict[str, list[ColumnElement[object]]] = {
        "why": [
            facts.c.why.desc(),
            facts.c.overdue_since.asc().nulls_last(),
            facts.c.heard_at.asc().nulls_first(),
        ],
        "name": [],
        "contact": [facts.c.last_contact_at.asc().nulls_first()],
        "next": [facts.c.next_on.asc().nulls_last()],
    }
    last: dict[str, list[ColumnElement[object]]] = {
        "why": [facts.c.why.asc(), facts.c.heard_at.desc().nulls_last()],
        "name": [facts.c.family_folded.desc(), facts.c.given_folded.desc()],
        "contact": [facts.c.last_contact_at.desc().nulls_last()],
        "next": [facts.c.next_on.desc().nulls_last()],
    }
    return [*(last if wanted.descending else first)[wanted.sort], *name]
