"""A phase in the past: those who began first have looked at their plans once, each on a day of the last weeks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import exists, select, update

from app.demo.build import Build, PastClock
from app.demo.review_work import answers_to
from app.domain import access
from app.domain.saying import plain
from app.features.clients.models import Client
from app.features.messaging.models import Message
from app.features.plans.models import Plan
from app.features.reviews import decisions, service
from app.features.reviews.messages import DECIDED_KIND
from app.features.reviews.models import Review
from app.infra.runtime import Runtime, make_runtime

# Who began at least so long ago, and the days on which they check in: long enough ago that a week to answer is over.
_BEGUN, _FIRST, _LAST = 30, 34, 12
# How many days each takes to answer, in turn; None: begun and never sent.
_TAKES = (0, 3, 0, 9, 1, 6, None, 0, 2, 4)
_COUNSELLOR_TAKES = 2
_WORDS = ("", "I have only begun, but I like where it goes.", "", "Could we talk about the timetable?")


@dataclass(frozen=True, slots=True)
class _Turn:
    """Whose turn it is, when they check in and how they answer."""

    client_id: UUID
    number: int
    days_ago: int
    takes: int | None


def check_in_before(build: Build) -> dict[str, Any]:
    """Let them check in, answer and be agreed with, on days of their own; the clock of this runtime alone is set back.

    A start that goes on where the last one stopped leaves out who has checked in.
    """
    clock = PastClock(build.runtime.clock)
    runtime = make_runtime(build.runtime.settings, doorbell=build.runtime.doorbell, clock=clock)
    answered = 0
    try:
        for turn in _turns(build):
            build.check()
            answered += _check_in(build, runtime, clock, turn)
    finally:
        runtime.database.dispose()
    return {"answered": answered}


def _turns(build: Build) -> list[_Turn]:
    with build.runtime.database.unit_of_work(access.system(build.organization())) as uow:
        ids = uow.session.scalars(
            select(Client.id)
            .join(Plan, Plan.client_id == Client.id)
            .where(
                Client.active,
                Plan.status == "active",
                Plan.started_on <= uow.now.date() - timedelta(days=_BEGUN),
                ~exists().where(Review.plan_id == Plan.id),
            )
            .order_by(Client.external_id)
            .limit(max(4, build.keep.size // 12))
        ).all()
    span = _FIRST - _LAST + 1
    return [
        _Turn(client_id, number, _FIRST - (number * 5) % span, _TAKES[number % len(_TAKES)])
        for number, client_id in enumerate(ids)
    ]


def _check_in(build: Build, runtime: Runtime, clock: PastClock, turn: _Turn) -> int:
    """One person's check-in from its first page to the counsellor's word; how many were answered."""
    client = access.review_link(build.organization(), turn.client_id)
    clock.days = turn.days_ago
    with runtime.database.unit_of_work(client) as uow:
        review_id = service.start_review(uow, turn.client_id)
    if turn.takes is None:
        return 0
    clock.days = turn.days_ago - turn.takes
    with runtime.database.unit_of_work(client) as uow:
        sheet = service.view_check_in(uow, review_id).sheet
        answers = answers_to(sheet, confidence=5 + turn.number % 4)
        answers["words"] = _WORDS[turn.number % len(_WORDS)]
        service.submit_review(uow, review_id, answers, sheet, plain)
    clock.days -= _COUNSELLOR_TAKES
    with runtime.database.unit_of_work(build.actor()) as uow:
        decisions.agree_review(uow, review_id)
        # The mail that says so left in that week: it neither leaves now nor counts as one of this week.
        told = update(Message).where(Message.kind == DECIDED_KIND, Message.client_id == turn.client_id)
        uow.session.execute(told.values(state="sent", sent_at=uow.now))
    return 1
