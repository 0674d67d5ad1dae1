"""A filter's rule as one criterion over `Client`, in a form that PostgreSQL joins as sets.

Conditions on plans become at most two questions, whether the client has an active plan that meets some and has none
that meets others, whatever their number. Steps and reviews are asked for as sets of plans that an index holds alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import (
    ColumnElement,
    TextClause,
    Uuid,
    and_,
    any_,
    cast,
    column,
    exists,
    false,
    func,
    intersect,
    literal,
    or_,
    select,
    table,
    text,
    true,
)
from sqlalchemy.orm import InstrumentedAttribute

from app.domain.rules import (
    ANY_STEP,
    ATTENTION,
    COHORT,
    CONTACT,
    DUE,
    OVERDUE,
    PLAN,
    REVIEW,
    SEARCH,
    SILENT,
    STEPS,
    TEMPLATE,
    Condition,
    Rule,
)
from app.features.clients.models import Client
from app.features.clients.queries import holds
from app.features.cohorts.models import CohortMember
from app.features.cohorts.queries import criterion_of_condition, ids_of
from app.features.plans.models import Plan, PlanStep

# A client of whom nothing was heard for so long counts as silent where nobody says how long.
SILENT_WEEKS = 4
# By name, because reviews stand above. Row security keeps it to the organization.
_REVIEWS = table(
    "reviews",
    column("organization_id", Uuid()),
    column("plan_id", Uuid()),
    column("state"),
    column("escalated_at"),
    column("answered_at"),
)
# Written out, so that the planner knows the partial indexes to hold every row that is asked for.
_BEGUN = text("plan_steps.status <> 'not_started'")
_UNDONE = text("plan_steps.status NOT IN ('completed', 'skipped', 'submitted') AND plan_steps.due_on IS NOT NULL")
_TOLD = text("plan_steps.changed_at IS NOT NULL")
_WAITING = text("reviews.state IN ('open', 'started', 'answered')")
# Every step is named, so that the index of steps and statuses is used.
_ANY_STEP = (_BEGUN, PlanStep.step.in_(range(1, 9)))


@dataclass(frozen=True, slots=True)
class Moment:
    """When a filter is asked: the moment, and the organization's day then."""

    now: datetime
    today: date


Criteria = tuple[ColumnElement[bool] | TextClause, ...]


@dataclass(frozen=True, slots=True)
class _Part:
    """What one condition asks: of the client, of their active plan, or of either; `negated` of neither.

    `step` says it again where all that is asked of the plan is that some step of it meets these.
    """

    client: ColumnElement[bool] | None = None
    plan: ColumnElement[bool] | None = None
    negated: bool = False
    step: Criteria = ()

    @property
    def of_plan_alone(self) -> bool:
        return self.client is None and self.plan is not None

    def whole(self) -> ColumnElement[bool]:
        """The condition by itself."""
        parts = [] if self.client is None else [self.client]
        if self.plan is not None:
            parts.append(_followed(self.plan))
        return ~or_(*parts) if self.negated else or_(*parts)


def criterion_of_filter(rule: Rule, moment: Moment) -> ColumnElement[bool]:
    """The rule as one criterion over `Client`; like a cohort's, it never holds for a value the client has not."""
    parts = [_part(condition, moment) for condition in rule.conditions]
    every = rule.match == "all"
    positive = [part for part in parts if part.of_plan_alone and not part.negated and part.plan is not None]
    of_steps = [part.step for part in positive if part.step]
    together = every and len(of_steps) > 1
    wanted = [part.plan for part in positive if part.plan is not None and not (together and part.step)]
    if together:
        # Few plans meet all of them; to look for the client of each that meets one takes longer than to compare sets.
        wanted.append(Plan.id.in_(intersect(*(select(PlanStep.plan_id).where(*step) for step in of_steps))))
    unwanted = [part.plan for part in parts if part.of_plan_alone and part.negated and part.plan is not None]
    merged = [part.whole() for part in parts if not part.of_plan_alone]
    if wanted:
        merged.append(_followed((and_ if every else or_)(*wanted)))
    if unwanted:
        # Not one and not the other is not (one or the other).
        merged.append(~_followed((or_ if every else and_)(*unwanted)))
    return and_(*merged) if every else or_(*merged)


def _followed(criterion: ColumnElement[bool]) -> ColumnElement[bool]:
    """Whether the client's active plan meets the criterion; of the client alone, whatever is read around it."""
    return (
        exists()
        .where(
            Plan.organization_id == Client.organization_id,
            Plan.client_id == Client.id,
            text("plans.status = 'active'"),
            criterion,
        )
        .correlate(Client)
    )


def _some_step(*criteria: ColumnElement[bool] | TextClause) -> ColumnElement[bool]:
    """Whether the plan has a step that meets the criteria."""
    of_plan = and_(PlanStep.organization_id == Plan.organization_id, PlanStep.plan_id == Plan.id)
    return exists().where(of_plan, *criteria).correlate(Plan)


def _of_some_step(*criteria: ColumnElement[bool] | TextClause, negated: bool = False) -> _Part:
    return _Part(plan=_some_step(*criteria), negated=negated, step=criteria)


def _part(condition: Condition, moment: Moment) -> _Part:
    negated = condition.operator in ("is_not", "is_empty")
    if condition.field in STEPS:
        return _of_step(STEPS.index(condition.field) + 1, condition.values, negated=negated)
    if condition.field == ANY_STEP:
        return _Part(plan=_of_any_step(condition.values), negated=negated)
    if condition.field == ATTENTION:
        reasons = [_REASONS[str(value)](moment) for value in condition.values]
        clients = [part.client for part in reasons if part.client is not None]
        plans = [part.plan for part in reasons if part.plan is not None]
        return _Part(or_(*clients) if clients else None, or_(*plans) if plans else None, negated)
    if condition.field == COHORT:
        belongs = exists().where(
            CohortMember.organization_id == Client.organization_id,
            CohortMember.client_id == Client.id,
            CohortMember.cohort_id == any_(ids_of(condition)),
        )
        return _Part(client=belongs.correlate(Client), negated=negated)
    made = _OTHERS.get(condition.field)
    return made(condition, moment) if made is not None else _Part(client=criterion_of_condition(condition))


def _has_plan(condition: Condition, _: Moment) -> _Part:
    return _Part(plan=true(), negated=condition.values[0] is not True)


def _template(condition: Condition, _: Moment) -> _Part:
    ways = []
    for value in condition.values:
        template, _colon, version = str(value).partition(":")
        follows = Plan.template_id == cast(literal(template), Uuid)
        ways.append(and_(follows, Plan.template_version == int(version)) if version else follows)
    return _Part(plan=or_(*ways), negated=condition.operator == "is_not")


def _overdue(condition: Condition, moment: Moment) -> _Part:
    number = int(condition.values[0])
    at_least = number if condition.operator == "at_least" else number + 1
    if at_least == 0:
        return _Part(client=true())
    # "At most" holds for whoever has no plan too: nothing of theirs is late.
    negated = condition.operator == "at_most"
    late = (_UNDONE, PlanStep.due_on < moment.today)
    if at_least == 1:
        return _of_some_step(*late, negated=negated)
    counted = select(PlanStep.plan_id).where(*late).group_by(PlanStep.plan_id)
    return _Part(plan=Plan.id.in_(counted.having(func.count() >= at_least)), negated=negated)


def _due(condition: Condition, moment: Moment) -> _Part:
    until = moment.today + timedelta(days=int(condition.values[0]))
    return _of_some_step(_UNDONE, PlanStep.due_on.between(moment.today, until))


def _review(condition: Condition, moment: Moment) -> _Part:
    if condition.operator == "is_empty":
        return _Part(plan=Plan.next_review_on.is_not(None), negated=True)
    if condition.operator == "before":
        return _Part(plan=Plan.next_review_on < date.fromisoformat(str(condition.values[0])))
    # As pages count what is due soon: nobody was asked for it yet.
    until = moment.today + timedelta(days=int(condition.values[0]))
    return _Part(plan=and_(Plan.next_review_on <= until, Plan.next_reminder == 0))


def _contact(condition: Condition, moment: Moment) -> _Part:
    if condition.operator == "is_empty":
        return _Part(client=Client.last_contact_at.is_(None))
    if condition.operator == "is_not_empty":
        return _Part(client=Client.last_contact_at.is_not(None))
    return _Part(client=Client.last_contact_at < moment.now - timedelta(weeks=int(condition.values[0])))


def _silent(condition: Condition, moment: Moment) -> _Part:
    return _silent_for(int(condition.values[0]), moment)


def _silent_for(weeks: int, moment: Moment) -> _Part:
    since = moment.now - timedelta(weeks=weeks)
    heard = _followed(_some_step(_TOLD, PlanStep.changed_at >= since))
    # Told in full, so that "is not" holds for whoever was never met.
    return _Part(client=and_(Client.last_contact_at.is_not(None), Client.last_contact_at < since, ~heard))


def _search(condition: Condition, _: Moment) -> _Part:
    return _Part(client=holds(str(condition.values[0])))


def _of_step(step: int, statuses: Sequence[object], *, negated: bool) -> _Part:
    """Plans whose step has one of the statuses. Most rows are not begun, so those are found by what is begun."""
    begun = [str(status) for status in statuses if status != "not_started"]
    has = (_BEGUN, PlanStep.step == step, _any_of(PlanStep.status, begun))
    if "not_started" not in statuses:
        return _of_some_step(*has, negated=negated)
    none = ~_some_step(_BEGUN, PlanStep.step == step)
    return _Part(plan=or_(_some_step(*has), none) if begun else none, negated=negated)


def _of_any_step(statuses: Sequence[object]) -> ColumnElement[bool]:
    begun = [str(status) for status in statuses if status != "not_started"]
    parts: list[ColumnElement[bool]] = []
    if begun:
        parts.append(_some_step(*_ANY_STEP, _any_of(PlanStep.status, begun)))
    if "not_started" in statuses:
        whole = select(PlanStep.plan_id).where(*_ANY_STEP).group_by(PlanStep.plan_id)
        parts.append(Plan.id.not_in(whole.having(func.count() == len(STEPS))))
    return or_(*parts) if parts else false()


def _any_of(asked: InstrumentedAttribute[str], values: Sequence[str]) -> ColumnElement[bool]:
    return asked == values[0] if len(values) == 1 else asked.in_(values)


def _reviews(criterion: ColumnElement[bool]) -> _Part:
    of_plan = and_(_REVIEWS.c.organization_id == Plan.organization_id, _REVIEWS.c.plan_id == Plan.id)
    return _Part(plan=exists().where(of_plan, _WAITING, criterion).correlate(Plan))


def _stale(_: Moment) -> _Part:
    return _Part(plan=_some_step(text("plan_steps.stale"), PlanStep.status == "completed"))


def _submitted(_: Moment) -> _Part:
    return _Part(plan=_some_step(*_ANY_STEP, PlanStep.status == "submitted"))


def _unanswered(_: Moment) -> _Part:
    state, escalated, answered = _REVIEWS.c.state, _REVIEWS.c.escalated_at, _REVIEWS.c.answered_at
    return _reviews(and_(state.in_(("open", "started")), escalated.is_not(None), answered.is_(None)))


# Why somebody wants attention, as the caseload has it (`app.features.overview.facts`).
_REASONS: dict[str, Callable[[Moment], _Part]] = {
    "waiting": _submitted,
    "answered": lambda _: _reviews(_REVIEWS.c.state == "answered"),
    "unanswered": _unanswered,
    "overdue": lambda moment: _overdue(Condition(OVERDUE, "at_least", (1,)), moment),
    "stale": _stale,
    "never_met": lambda _: _Part(client=Client.last_contact_at.is_(None)),
    "silent": lambda moment: _silent_for(SILENT_WEEKS, moment),
}
_OTHERS: dict[str, Callable[[Condition, Moment], _Part]] = {
    PLAN: _has_plan,
    TEMPLATE: _template,
    OVERDUE: _overdue,
    DUE: _due,
    REVIEW: _review,
    CONTACT: _contact,
    SILENT: _silent,
    SEARCH: _search,
}
