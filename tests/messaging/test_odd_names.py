"""Names with signs that no header can hold: whoever is called so is written to all the same."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from app.composition import MESSAGE_KINDS
from app.domain import access
from app.features.messaging.runner import send_outbox
from app.features.reviews.engine import make_due_prompts
from app.infra.runtime import Runtime
from tests.factories import World
from tests.harness import Clock
from tests.messaging.letters import letters_in
from tests.reviews.helpers import make_plans, rows
from tests.reviews.test_engine import EVERY_DAY

OWN = (
    "INSERT INTO message_templates (name, locale, subject, body) VALUES"
    " ('review_prompt', 'en', '{given_name}', 'Hello {given_name} {link}')"
)


@pytest.mark.parametrize("sign", ["\x01", "\x1b[31m", "\x7f", "\u2028"])
def test_a_name_with_signs_no_header_can_hold_is_written_without_them(
    mailing: Runtime, world: World, clock: Clock, tmp_path: Path, sign: str
) -> None:
    here = world.organization(time_zone="UTC", name=f"Har{sign}bour")
    make_plans(mailing, here, 1, started_on=date(2026, 3, 7), recipe=EVERY_DAY)
    with mailing.database.unit_of_work(access.system(here)) as uow:
        uow.session.execute(text("UPDATE clients SET given_name = :n"), {"n": f"A{sign}B"})
        uow.session.execute(text(OWN))
    clock.now = datetime(2026, 9, 7, 10, tzinfo=UTC)
    make_due_prompts(mailing, here, until=clock.now + timedelta(seconds=9))
    send_outbox(mailing, here, MESSAGE_KINDS, until=clock.now + timedelta(seconds=9))
    assert rows(mailing, here, "SELECT state, reason FROM messages") == [("sent", None)]
    (mail,) = letters_in(tmp_path / "sink")
    assert mail["To"].addresses[0].display_name.startswith("A ")
    assert mail["Subject"].startswith("A ")
