"""Which review policy a plan follows: the nearest of plan, cohort, template, organization, standard."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select, text

from app.domain.cadence import ReviewPolicy, parse_policy
from app.domain.pauses import Pauses, Span, joined
from app.domain.terms import Term
from app.features.organizations.models import Term as TermRow
from app.features.reviews.models import ReviewPause
from app.infra.db.open import UnitOfWork

STANDARD = ReviewPolicy()
# What the standard was before administrators were told as well. Recipes published then carry it in full, and a policy
# that leaves administrators out is read with the days `parse_policy` gives them.
_FORMER = parse_policy({"reminder_days": [0, 3, 7], "escalate_after_days": 14})

# A policy set for something wins over one set for something wider; of several cohorts' the one set last. A
# template's own recipe stands between the template's policy and the organization's; a recipe that leaves the
# standard unchanged says nothing (see `_chosen`), or the organization's policy would never be asked.
_GROUPS = text(
    """
    WITH chosen AS (
        SELECT p.id, p.client_id, p.template_id, p.template_version, p.started_on, p.next_review_on, p.next_reminder,
               p.review_set, p.next_prompt_at
        FROM plans p WHERE p.id = ANY(:plans) AND p.status = 'active'
    ), recipes AS MATERIALIZED (
        SELECT v.template_id, v.version, v.content -> 'review_policy' AS content
        FROM template_versions v
        WHERE (v.template_id, v.version) IN (SELECT template_id, template_version FROM chosen)
    ), paused AS MATERIALIZED (
        SELECT s.client_id,
               jsonb_agg(jsonb_build_array(s.starts_on, s.ends_on) ORDER BY s.starts_on, s.id)::text AS spans
        FROM review_pauses s WHERE s.client_id IS NOT NULL GROUP BY s.client_id
    ), nearest AS (
        SELECT p.id, p.started_on, p.next_review_on, p.next_reminder, p.review_set,
               CASE WHEN p.review_set THEN p.next_prompt_at END AS set_moment,
               p.next_reminder > 0 AND NOT EXISTS (
                   SELECT FROM reviews w WHERE w.plan_id = p.id AND w.occurrence_on = p.next_review_on
                   AND w.state IN ('answered', 'closed', 'lapsed')) AS begun,
               coalesce(c.time_zone, o.time_zone) AS zone,
               coalesce(pp.id, cp.id, tp.id) AS near_id,
               coalesce(pp.content, cp.content, tp.content) AS near,
               r.content AS recipe, op.id AS wide_id, op.content AS wide, s.spans,
               coalesce((SELECT max(w.occurrence_on) FROM reviews w WHERE w.plan_id = p.id), p.started_on) AS last_on
        FROM chosen p
        JOIN clients c ON c.id = p.client_id AND c.active
        CROSS JOIN organizations o
        JOIN recipes r ON r.template_id = p.template_id AND r.version = p.template_version
        LEFT JOIN paused s ON s.client_id = p.client_id
        LEFT JOIN review_policies pp ON pp.scope = 'plan' AND pp.subject_id = p.id AND pp.active
        LEFT JOIN LATERAL (
            SELECT q.id, q.content FROM cohort_members m
            JOIN review_policies q ON q.scope = 'cohort' AND q.subject_id = m.cohort_id AND q.active
            WHERE m.client_id = p.client_id ORDER BY q.updated_at DESC, q.id LIMIT 1
        ) cp ON true
        LEFT JOIN review_policies tp ON tp.scope = 'template' AND tp.subject_id = p.template_id AND tp.active
        LEFT JOIN review_policies op ON op.scope = 'organization' AND op.active
    )
    SELECT zone, started_on, last_on, next_review_on, next_reminder, review_set, set_moment, begun, spans,
           near_id, near::text AS near, recipe::text AS recipe, wide_id, wide::text AS wide, array_agg(id) AS plans
    FROM nearest
    GROUP BY zone, started_on, last_on, next_review_on, next_reminder, review_set, set_moment, begun, spans,
             near_id, near::text, recipe::text, wide_id, wide::text
    """
)


@dataclass(frozen=True, slots=True)
class PlanGroup:
    """Plans that share everything their schedule depends on.

    `policy_id` is empty when the template's recipe or the standard decides. `last_on` is the latest day a
    review was opened for, or the plan's start. `is_begun`: prompts of the review they wait for have been made, and it
    is not answered. `is_set`: a person or an event chose its day, and the moment it was to leave at.
    """

    plans: tuple[UUID, ...]
    zone: ZoneInfo
    policy_id: UUID | None
    policy: ReviewPolicy
    pauses: Pauses
    started_on: date
    last_on: date
    next_review_on: date | None
    next_reminder: int
    is_begun: bool
    is_set: bool
    set_moment: datetime | None


def groups_of(uow: UnitOfWork, plan_ids: Sequence[UUID]) -> list[PlanGroup]:
    """The active plans among these, of active clients, grouped by zone, policy, pauses and days."""
    groups = []
    holidays = holidays_of(uow)
    for row in uow.session.execute(_GROUPS, {"plans": list(plan_ids)}):
        policy_id, policy = _chosen(row.near_id, row.near, row.recipe, row.wide_id, row.wide)
        groups.append(
            PlanGroup(
                tuple(row.plans),
                ZoneInfo(row.zone),
                policy_id,
                policy,
                _pauses(row.spans, holidays),
                row.started_on,
                row.last_on,
                row.next_review_on,
                row.next_reminder,
                row.begun,
                row.review_set,
                row.set_moment,
            )
        )
    return groups


def holidays_of(uow: UnitOfWork) -> tuple[Span, ...]:
    """The organization's holidays, earliest first."""
    rows = uow.session.execute(
        select(ReviewPause.starts_on, ReviewPause.ends_on)
        .where(ReviewPause.client_id.is_(None))
        .order_by(ReviewPause.starts_on, ReviewPause.id)
    )
    return tuple((row.starts_on, row.ends_on) for row in rows)


@lru_cache(maxsize=4096)
def _pauses(spans: str | None, holidays: tuple[Span, ...]) -> Pauses:
    own = [
        (date.fromisoformat(first), date.fromisoformat(last) if last else None)
        for first, last in json.loads(spans or "[]")
    ]
    return joined([*own, *holidays])


def terms_of(uow: UnitOfWork) -> tuple[Term, ...]:
    """The organization's terms, earliest first."""
    rows = uow.session.scalars(select(TermRow).order_by(TermRow.starts_on))
    return tuple(Term(row.name, row.starts_on, row.ends_on) for row in rows)


def _chosen(
    near_id: UUID | None, near: str | None, recipe: str | None, wide_id: UUID | None, wide: str | None
) -> tuple[UUID | None, ReviewPolicy]:
    if near is not None:
        return near_id, read_policy(near)
    if recipe is not None and not _says_nothing(recipe):
        return None, read_policy(recipe)
    if wide is not None:
        return wide_id, read_policy(wide)
    return None, STANDARD


def _says_nothing(recipe: str) -> bool:
    """Whether a template's recipe leaves the standard as it is, or as it was when it was published."""
    policy = read_policy(recipe)
    return policy == STANDARD or (policy == _FORMER and "escalate_admin_after_days" not in recipe)


@lru_cache(maxsize=512)
def read_policy(content: str) -> ReviewPolicy:
    """The policy in a JSON text, as `parse_policy` reads it; remembered, for thousands of plans share a few."""
    return parse_policy(json.loads(content))
