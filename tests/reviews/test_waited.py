"""A prompt that waited for the morning is not sent when what it asks for was done in the night."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import text

from app.composition import MESSAGE_KINDS
from app.domain import access
from app.features.messaging.budget import POINTLESS
from app.features.messaging.runner import send_outbox
from app.features.reviews.engine import make_due_prompts
from app.infra.runtime import Runtime
from tests.factories import World
from tests.harness import Clock
from tests.reviews.helpers import make_plans, rows

QUIET = {"reminder_days": [0, 3], "quiet_hours": {"start": "20:00", "end": "08:00"}, "weekdays": ["mon", "tue", "wed"]}


@pytest.mark.parametrize(("state", "left"), [("answered", "suppressed"), ("started", "sent")])
def test_what_was_answered_overnight_is_not_asked_for_in_the_morning(
    mailing: Runtime, world: World, clock: Clock, state: str, left: str
) -> None:
    here = world.organization(time_zone="UTC")
    make_plans(mailing, here, 1, started_on=date(2026, 3, 7), recipe=QUIET)
    clock.now = datetime(2026, 9, 7, 23, tzinfo=UTC)
    make_due_prompts(mailing, here, until=clock.now + timedelta(seconds=9))
    send_outbox(mailing, here, MESSAGE_KINDS, until=clock.now + timedelta(seconds=9))
    assert [row.state for row in rows(mailing, here, "SELECT state FROM messages")] == ["queued"]
    with mailing.database.unit_of_work(access.system(here)) as uow:
        uow.session.execute(text("UPDATE reviews SET state = :s"), {"s": state})
    clock.now = datetime(2026, 9, 8, 8, 1, tzinfo=UTC)
    send_outbox(mailing, here, MESSAGE_KINDS, until=clock.now + timedelta(seconds=9))
    [message] = rows(mailing, here, "SELECT state, reason FROM messages")
    assert (message.state, message.reason) == (left, POINTLESS if left == "suppressed" else None)
