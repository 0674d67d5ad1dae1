"""Phases of reassessment: those who are due get their mail, and some answer by the link in it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from email import policy as email_policy
from email.parser import BytesParser
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, text

from app.demo.build import Build
from app.demo.cohort import EVERYONE, FINAL_YEARS
from app.domain import access
from app.domain.cadence import OnDates, ReviewPolicy
from app.domain.errors import Gone
from app.domain.saying import plain
from app.features.cohorts.models import Cohort, CohortMember
from app.features.messaging.models import Message
from app.features.plans.models import Plan
from app.features.reviews import links, service
from app.features.reviews.commands import AddPause, SetPolicy
from app.features.reviews.messages import LINK_PURPOSE
from app.features.reviews.models import Prompt
from app.features.reviews.pauses import add_pause
from app.features.reviews.settings import set_policy
from app.infra.db.open import Bell, UnitOfWork
from app.infra.links import read_token

_ADDRESS = re.compile(r"/check-in/([A-Za-z0-9_-]{64})")
_ANY_DAY = tuple(range(7))
_DUE = text(
    "SELECT EXISTS (SELECT FROM plans WHERE status = 'active' AND next_prompt_at <= :now)"
    " OR EXISTS (SELECT FROM messages WHERE state IN ('queued', 'handed', 'unknown') AND not_before <= :now)"
)


def prompt_the_due(build: Build) -> dict[str, Any]:
    """Set a policy by which a cohort was due yesterday, and wait until workers have sent what that asks for."""
    admin = build.actor()
    with build.runtime.database.unit_of_work(admin) as uow:
        name = EVERYONE if build.inputs.roster is not None else FINAL_YEARS
        cohort_id = uow.session.scalars(select(Cohort.id).where(Cohort.name == name)).one()
        today = uow.now.date()
        # Quiet hours and working days are off here alone, so that a demonstration at night shows its mails too.
        policy = ReviewPolicy(
            cadence=OnDates((today - timedelta(days=1), today + timedelta(days=182))),
            quiet_hours=None,
            weekdays=_ANY_DAY,
        )
        set_policy(uow, SetPolicy(scope="cohort", subject_id=cohort_id, policy=policy))
        in_cohort = (
            select(Plan.id)
            .join(CohortMember, CohortMember.client_id == Plan.client_id)
            .where(CohortMember.cohort_id == cohort_id, Plan.status == "active")
        )
        plans = list(uow.session.scalars(in_cohort.order_by(Plan.started_on, Plan.id)))
        late = plans[:3] if len(plans) > 10 else []
        for plan_id in late:
            # Due long enough ago that every reminder has passed: the counsellor is told.
            missed = replace(policy, cadence=OnDates((today - timedelta(days=16),)))
            set_policy(uow, SetPolicy(scope="plan", subject_id=plan_id, policy=missed))
        _pause_some(uow, today, plans)
        uow.ring(Bell.PROMPT)
    seconds = 120 + len(plans) * 0.05
    build.wait_until(lambda: not _anything_due(build), "the mails to leave", seconds)
    with build.runtime.database.unit_of_work(admin) as uow:
        made = uow.session.execute(select(func.count()).select_from(Prompt)).scalar_one()
        by_state = uow.session.execute(select(Message.state, func.count()).group_by(Message.state)).all()
    return {"due": len(plans), "prompts": made, "messages": dict(by_state)}


def _pause_some(uow: UnitOfWork, today: date, plans: Sequence[UUID]) -> None:
    """A holiday of everybody, and a client on an exchange term, both ahead: the pages then show what they shift."""
    first = today + timedelta(days=40)
    add_pause(
        uow,
        AddPause(
            client_id=None,
            kind="holiday",
            starts_on=first,
            ends_on=first + timedelta(days=4),
            note="The house is closed",
        ),
    )
    if plans:
        client_id = uow.session.scalars(select(Plan.client_id).where(Plan.id == plans[-1])).one()
        leave = today + timedelta(days=150)
        add_pause(
            uow,
            AddPause(
                client_id=client_id, kind="exchange", starts_on=leave, ends_on=leave + timedelta(days=120), note="Kyoto"
            ),
        )


def _anything_due(build: Build) -> bool:
    with build.runtime.database.unit_of_work(access.system(build.organization())) as uow:
        return bool(uow.session.execute(_DUE, {"now": uow.now}).scalar_one())


def answer_some(build: Build) -> dict[str, Any]:
    """Some clients open the link in their mail and answer: most keep their plan, some change it."""
    kept = revised = 0
    for path in sorted((build.folder / "mail" / "messages").glob("*.eml")):
        if kept + revised >= min(40, max(4, build.keep.size // 6)):
            break
        build.check()
        found = _link_in(build, path.read_bytes())
        if found is None or found[0] != build.organization():
            continue
        outcome = _answer(build, *found, changing=revised * 3 <= kept)
        kept += outcome == "confirm"
        revised += outcome == "revise"
    return {"answered": kept + revised, "revised": revised}


def _link_in(build: Build, raw: bytes) -> tuple[UUID, UUID] | None:
    message = BytesParser(policy=email_policy.default).parsebytes(raw)
    part = message.get_body(("plain",))
    address = _ADDRESS.search(part.get_content()) if part is not None else None
    return address and read_token(build.runtime.settings, LINK_PURPOSE, address[1])


def _answer(build: Build, organization_id: UUID, link_id: UUID, *, changing: bool) -> str:
    """Open the link and answer everything it asks; "" for one that was answered before the last stop."""
    database = build.runtime.database
    with database.unit_of_work(access.system(organization_id)) as uow:
        view = links.view_link(uow, link_id)
    if view is None or view.review.state not in ("open", "started"):
        return ""
    with database.unit_of_work(access.review_link(organization_id, view.client.id)) as uow:
        if view.link.used_at is None:
            try:
                links.redeem_link(uow, link_id)
            except Gone:
                return ""
        sheet = service.view_check_in(uow, view.review.id).sheet
        choices = {step.value: "keep" for step in sheet.steps}
        if changing and sheet.steps:
            choices[sheet.steps[-1].value] = "adjust"
        answers = {
            "goals": {goal: (-1, 0, 0, 1)[number % 4] for number, (goal, _) in enumerate(sheet.goals)},
            "factors": {
                factor: ("same", "stronger", "weaker")[number % 3] for number, (factor, _) in enumerate(sheet.factors)
            },
            "new_factors": [],
            "confidence": 5 + link_id.int % 5,
            "steps": choices,
            "words": "Going well; let us talk about the internship." if changing else "",
        }
        return str(service.submit_review(uow, view.review.id, answers, sheet, plain))
