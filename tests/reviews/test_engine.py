"""Main job 2: who is due is prompted once, whatever died or slept meanwhile."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import SMTP
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from app import composition
from app.domain import access
from app.domain.access import Role
from app.domain.cadence import ReviewPolicy, policy_as_json
from app.features.reviews import engine
from app.features.reviews.engine import make_due_prompts
from app.infra.mailsink.launch import MailSink
from app.infra.runtime import Runtime
from tests.factories import World
from tests.harness import Clock
from tests.reviews.helpers import make_plans, rows

EVERY_DAY = policy_as_json(
    ReviewPolicy(reminder_days=(0, 3, 7), escalate_admin_after_days=None, weekdays=tuple(range(7)), quiet_hours=None)
)


def run(runtime: Runtime, organization: UUID) -> None:
    until = runtime.clock() + timedelta(seconds=30)
    composition.prompt_organization(runtime, organization, until=until, senders=1)


def prompts(runtime: Runtime, organization: UUID) -> list[Any]:
    return rows(
        runtime,
        organization,
        "SELECT r.occurrence_on, r.reminder, r.reason, m.state FROM prompts r"
        " LEFT JOIN messages m ON m.id = r.message_id ORDER BY r.occurrence_on, r.reminder, r.id",
    )


def test_reminders_go_out_on_their_days_and_silence_reaches_the_counsellor(
    mailing: Runtime, world: World, clock: Clock, sink: MailSink
) -> None:
    organization = world.organization(time_zone="UTC")
    make_plans(mailing, organization, 1, started_on=date(2026, 3, 7), recipe=EVERY_DAY)
    due = date(2026, 9, 7)
    for days, sent in ((-1, 0), (0, 1), (1, 1), (3, 2), (7, 3), (13, 3), (14, 3), (15, 3)):
        clock.now = datetime(2026, 9, 7, 10, tzinfo=UTC) + timedelta(days=days)
        run(mailing, organization)
        run(mailing, organization)
        assert len(prompts(mailing, organization)) == sent, f"day {days}"
        (escalated,) = [
            *rows(mailing, organization, "SELECT escalated_at FROM reviews WHERE occurrence_on = :d", d=due),
            None,
        ][:1]
        assert (escalated is not None and escalated[0] is not None) == (days >= 14)
    assert prompts(mailing, organization) == [(due, n, None, "sent") for n in range(3)]
    assert rows(mailing, organization, "SELECT next_review_on, next_reminder FROM plans") == [(date(2027, 3, 7), 0)]
    assert [kind for (kind,) in rows(mailing, organization, "SELECT kind FROM plan_events ORDER BY at")] == [
        "review_prompted",
        "review_prompted",
        "review_prompted",
        "review_escalated",
    ]


def test_after_ten_days_without_a_scheduler_each_due_prompt_is_sent_once_oldest_first(
    mailing: Runtime, world: World, clock: Clock, sink: MailSink, tmp_path: Path
) -> None:
    organization = world.organization(time_zone="UTC")
    starts = [date(2026, 3, 1) + timedelta(days=n) for n in (6, 2, 9, 0, 4)]
    for start in starts:
        make_plans(mailing, organization, 1, started_on=start, recipe=EVERY_DAY)
    clock.now = datetime(2026, 9, 11, 10, tzinfo=UTC)
    run(mailing, organization)
    run(mailing, organization)
    sent = rows(mailing, organization, "SELECT id, due_at FROM messages ORDER BY due_at")
    assert [due.date() for _, due in sent] == sorted(date(2026, 9, s.day) for s in starts)
    arrived = [line.split('"')[3] for line in (tmp_path / "sink" / "ledger.jsonl").read_text().splitlines()]
    assert arrived == [f"<{message}@example.org>" for message, _ in sent]
    # 1 September is ten days ago: its reminders of the 1st, 4th and 8th became the one mail.
    assert [row for row in prompts(mailing, organization) if row[0] == date(2026, 9, 1)] == [
        (date(2026, 9, 1), 0, None, "sent"),
        (date(2026, 9, 1), 1, "joined", None),
        (date(2026, 9, 1), 2, "joined", None),
    ]


def test_late_prompts_respect_quiet_hours_and_working_days(
    mailing: Runtime, world: World, clock: Clock, sink: MailSink
) -> None:
    organization = world.organization(time_zone="America/New_York")
    make_plans(mailing, organization, 1, started_on=date(2026, 4, 30))
    # Friday 30 October 22:00 in New York; clocks go back on Sunday, so Monday 08:00 is 13:00 UTC, not 12:00.
    clock.now = datetime(2026, 10, 31, 2, tzinfo=UTC)
    run(mailing, organization)
    assert rows(mailing, organization, "SELECT state, not_before FROM messages") == [
        ("queued", datetime(2026, 11, 2, 13, tzinfo=UTC))
    ]
    clock.now = datetime(2026, 11, 2, 12, 59, tzinfo=UTC)
    run(mailing, organization)
    assert rows(mailing, organization, "SELECT state FROM messages") == [("queued",)]
    clock.now = datetime(2026, 11, 2, 13, 0, tzinfo=UTC)
    run(mailing, organization)
    assert rows(mailing, organization, "SELECT state FROM messages") == [("sent",)]


def test_quiet_hours_that_began_while_the_mail_waited_hold_too(
    mailing: Runtime, world: World, clock: Clock, sink: MailSink
) -> None:
    organization = world.organization(time_zone="UTC")
    make_plans(mailing, organization, 1, started_on=date(2026, 3, 7))
    clock.now = datetime(2026, 9, 7, 19, 59, tzinfo=UTC)
    make_due_prompts(mailing, organization, until=clock.now + timedelta(seconds=9))
    clock.now = datetime(2026, 9, 7, 20, 0, tzinfo=UTC)
    run(mailing, organization)
    assert rows(mailing, organization, "SELECT state, not_before FROM messages") == [
        ("queued", datetime(2026, 9, 8, 8, tzinfo=UTC))
    ]


def test_a_client_without_an_address_gets_a_reason_and_the_counsellor_hears(
    mailing: Runtime, world: World, clock: Clock
) -> None:
    organization = world.organization(time_zone="UTC")
    make_plans(mailing, organization, 1, started_on=date(2026, 3, 7), recipe=EVERY_DAY, client={"email": None})
    clock.now = datetime(2026, 9, 7, 10, tzinfo=UTC)
    run(mailing, organization)
    assert prompts(mailing, organization) == [(date(2026, 9, 7), 0, "no_email", None)]
    clock.now += timedelta(days=20)
    run(mailing, organization)
    run(mailing, organization)
    assert rows(mailing, organization, "SELECT count(escalated_at) FROM reviews") == [(1,)]


def test_a_client_who_left_is_not_prompted(mailing: Runtime, world: World, clock: Clock) -> None:
    organization = world.organization(time_zone="UTC")
    make_plans(mailing, organization, 1, started_on=date(2026, 3, 7), recipe=EVERY_DAY)
    rows(mailing, organization, "UPDATE clients SET active = false RETURNING 1")
    clock.now = datetime(2026, 9, 7, 10, tzinfo=UTC)
    run(mailing, organization)
    assert prompts(mailing, organization) == []
    assert rows(mailing, organization, "SELECT next_prompt_at FROM plans") == [(None,)]
    rows(mailing, organization, "UPDATE clients SET active = true RETURNING 1")
    composition.sweep_organization(mailing, organization)
    run(mailing, organization)
    assert [row[3] for row in prompts(mailing, organization)] == ["sent"]


def test_a_prompt_names_the_counsellor_and_can_be_ended_with_one_click(
    mailing: Runtime, world: World, clock: Clock, sink: MailSink, tmp_path: Path
) -> None:
    organization = world.organization(time_zone="UTC", name="Carrière centre")
    make_plans(mailing, organization, 1, started_on=date(2026, 3, 7), recipe=EVERY_DAY)
    counsellor = world.person(organization, Role.COUNSELLOR, "Nora Blake")
    (client,) = rows(mailing, organization, "SELECT id FROM clients")[0]
    world.caseload(counsellor, [client])
    clock.now = datetime(2026, 9, 7, 10, tzinfo=UTC)
    run(mailing, organization)
    (path,) = (tmp_path / "sink" / "messages").glob("*.eml")
    message = BytesParser(EmailMessage, policy=SMTP).parsebytes(path.read_bytes())
    assert message["From"].addresses[0].display_name == "Carrière centre"
    assert message["Reply-To"] == counsellor.email
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    for kind in ("plain", "html"):
        part = message.get_body((kind,))
        assert part is not None
        assert "Nora Blake" in part.get_content()
        assert "/check-in/" in part.get_content()


def test_a_batch_that_dies_before_its_commit_leaves_nothing_and_is_made_again(
    mailing: Runtime, world: World, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    organization = world.organization(time_zone="UTC")
    make_plans(mailing, organization, 3, started_on=date(2026, 3, 7), recipe=EVERY_DAY)
    clock.now = datetime(2026, 9, 7, 10, tzinfo=UTC)
    for name in ("queue_messages", "record"):
        with monkeypatch.context() as patch:

            def die(*_: object, **__: object) -> None:
                raise KeyboardInterrupt

            patch.setattr(engine, name, die)
            with pytest.raises(KeyboardInterrupt):
                run(mailing, organization)
        assert rows(mailing, organization, "SELECT 1 FROM prompts UNION ALL SELECT 1 FROM messages") == []
    run(mailing, organization)
    assert [row[3] for row in prompts(mailing, organization)] == ["sent"] * 3


@pytest.mark.committed
def test_m8_two_engines_at_once_prompt_each_plan_once(live: Runtime, sink: MailSink) -> None:
    organization = World(live).organization(time_zone="UTC")
    started = live.clock().date() - timedelta(days=200)
    make_plans(live, organization, 600, started_on=started, recipe=EVERY_DAY)
    settings = replace(
        live.settings, smtp_url=f"smtp://127.0.0.1:{sink.smtp_port}", mail_lookup_url=sink.url + "/lookup"
    )
    sending = replace(live, settings=settings)
    faults: list[BaseException] = []

    def work() -> None:
        try:
            until = sending.clock() + timedelta(seconds=60)
            composition.prompt_organization(sending, organization, until=until)
        except BaseException as error:
            faults.append(error)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert rows(live, organization, "SELECT state, count(*) FROM messages GROUP BY 1") == [("sent", 600)]
    found = rows(live, organization, "SELECT id FROM messages")
    assert {sink.times_seen(f"<{row.id}@example.org>") for row in found} == {1}
    with live.database.unit_of_work(access.system(organization)) as uow:
        made = uow.session.execute(text("SELECT count(*), count(DISTINCT plan_id) FROM prompts")).one()
    assert made[1] == 600
