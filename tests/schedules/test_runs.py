"""Runs of schedules: each reader their own, once, whatever happens to workers, clocks, zones and people."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from app.composition import MESSAGE_KINDS, prompt_organization, sweep_organization
from app.domain import access
from app.domain.access import Role
from app.domain.errors import Conflict, InvalidInput, NotFound
from app.features.extracts.service import delete_extract
from app.features.figures.layer import Question
from app.features.messaging.kinds import Draft
from app.features.messaging.runner import send_outbox
from app.features.schedules import service
from app.features.schedules.commands import RunNow
from app.features.schedules.making import check_all, make_due_runs, make_runs
from app.features.schedules.queries import get_received, get_schedule
from app.infra.mailsink.launch import MailSink
from app.infra.runtime import Runtime
from tests.factories import Person, World
from tests.harness import Clock
from tests.schedules.scene import (
    NOBODY,
    daily,
    member_of,
    pass_time,
    report,
    rows,
    runs,
    schedule,
)
from workers.sweeper import wanted

FIGURES = Question("people")


@pytest.fixture
def admin(world: World) -> Person:
    return world.person(world.organization(), Role.ADMIN)


@pytest.fixture
def scheduled(world: World, runtime: Runtime, admin: Person) -> tuple[World, Runtime, Person]:
    """All that a schedule needs."""
    return world, runtime, admin


def day(clock: Clock, number: int, hour: int = 9) -> None:
    """Set the clock to a day of September 2026, Dublin being an hour ahead."""
    clock.now = datetime(2026, 9, 1, hour, tzinfo=UTC) + timedelta(days=number - 1)


def file_of(world: World, app: Any, person: Person, run_id: Any) -> bytes:
    with world.browser(app, person).get(f"/schedules/received/{run_id}/file") as answer:
        assert answer.status_code == 200
        return bytes(answer.data)


def test_each_reader_gets_their_own_people(
    world: World, runtime: Runtime, admin: Person, clock: Clock, app: Any
) -> None:
    here = admin.actor.organization_id
    counsellor = world.person(here, Role.COUNSELLOR)
    mine, _other = world.clients(here, 2)
    world.caseload(counsellor, [mine])
    schedule(runtime, admin, [admin, counsellor])
    day(clock, 8)
    pass_time(runtime, here)
    made = {run.membership_id: run for run in runs(runtime, here)}
    assert {run.state for run in made.values()} == {"sent"}
    assert made[member_of(admin)].row_count == 2
    assert made[member_of(counsellor)].row_count == 1
    content = file_of(world, app, counsellor, made[member_of(counsellor)].id)
    assert len(content.decode("utf-8-sig").splitlines()) == 2
    # Nobody opens what was sent to somebody else, whatever they may.
    for person in (admin, counsellor):
        strange = made[member_of(counsellor if person is admin else admin)]
        assert world.browser(app, person).get(f"/schedules/received/{strange.id}").status_code == 404
    # Who loses somebody in the file has it no more.
    with runtime.database.unit_of_work(access.system(here)) as uow:
        uow.session.execute(text("DELETE FROM caseload_entries"))
    run = made[member_of(counsellor)].id
    assert world.browser(app, counsellor).get(f"/schedules/received/{run}/file").status_code == 404


def test_who_may_no_longer_see_it_gets_nothing_and_the_owner_reads_why(
    world: World, runtime: Runtime, admin: Person, clock: Clock, app: Any
) -> None:
    here = admin.actor.organization_id
    world.clients(here, 2)
    gone, analyst = world.person(here, Role.COUNSELLOR, name="Gone Away"), world.person(here, Role.ANALYST)
    made = schedule(runtime, admin, [admin, gone, analyst])
    with runtime.database.unit_of_work(access.system(here)) as uow:
        uow.session.execute(text("UPDATE memberships SET active = false WHERE id = :m"), {"m": member_of(gone)})
    day(clock, 8)
    pass_time(runtime, here)
    states = {run.membership_id: (run.state, run.reason) for run in runs(runtime, here)}
    assert states[member_of(admin)] == ("sent", None)
    assert states[member_of(gone)] == ("refused", "Does not work here any more.")
    state, reason = states[member_of(analyst)]
    # An analyst never gets rows of persons.
    assert state == "refused"
    assert reason is not None
    assert "counts" in reason
    assert rows(runtime, here, "SELECT recipient FROM messages") == [(admin.email,)]
    page = world.browser(app, admin).get(f"/schedules/{made}").text
    assert "Gone Away" in page
    assert "Does not work here any more." in page


@pytest.mark.parametrize(
    ("when_empty", "expected"), [("send", ("sent", ["0"])), ("say", ("sent", ["1"])), ("silent", ("silent", []))]
)
def test_the_owner_chooses_what_happens_when_there_is_nothing(
    scheduled: tuple[World, Runtime, Person], clock: Clock, when_empty: str, expected: tuple[str, list[str]]
) -> None:
    world, runtime, admin = scheduled
    here = admin.actor.organization_id
    world.clients(here, 2)
    schedule(runtime, admin, [admin], extract_id=report(runtime, admin, NOBODY), when_empty=when_empty)
    day(clock, 8)
    pass_time(runtime, here)
    (run,) = runs(runtime, here)
    mails = [row[0] for row in rows(runtime, here, "SELECT params ->> 'empty' FROM messages")]
    assert (run.state, mails, run.row_count) == (*expected, 0)


def test_the_mail_has_a_link_and_no_report(
    world: World, mailing: Runtime, sink: MailSink, admin: Person, clock: Clock
) -> None:
    here = admin.actor.organization_id
    world.clients(here, 1, given_name="Secretive")
    schedule(mailing, admin, [admin])
    day(clock, 8)
    pass_time(mailing, here)
    send_outbox(mailing, here, MESSAGE_KINDS, until=clock() + timedelta(minutes=1))
    (run,) = runs(mailing, here)
    assert sink.times_seen(f"<{run.message_id}@example.org>") == 1
    (params,) = rows(mailing, here, "SELECT params FROM messages")[0]
    draft = Draft(
        organization_id=here,
        organization_name="Centre",
        message_id=run.id,
        recipient_name="A",
        locale="en",
        params=params,
    )
    words = MESSAGE_KINDS["schedule_ready"].render(mailing.settings, draft)
    for written in (words.text, words.html):
        assert f"/schedules/received/{run.id}" in written
        assert "Secretive" not in written
    assert words.subject == "Every morning is ready"


def test_the_mail_waits_for_the_morning(world: World, runtime: Runtime, admin: Person, clock: Clock) -> None:
    here = admin.actor.organization_id
    world.clients(here, 1)
    schedule(runtime, admin, [admin], recurrence=daily(at=time(2)))
    day(clock, 8, hour=1)
    pass_time(runtime, here)
    assert [run.state for run in runs(runtime, here)] == ["sent"]
    send_outbox(runtime, here, MESSAGE_KINDS, until=clock() + timedelta(minutes=1))
    ((state, leaves),) = rows(runtime, here, "SELECT state, not_before FROM messages")
    assert state == "queued"
    assert leaves == datetime(2026, 9, 8, 7, tzinfo=UTC)


def test_a_mail_that_waited_does_not_go_to_who_left_meanwhile(
    world: World, runtime: Runtime, admin: Person, clock: Clock
) -> None:
    here = admin.actor.organization_id
    world.clients(here, 1)
    leaver = world.person(here, Role.COUNSELLOR)
    schedule(runtime, admin, [admin, leaver], recurrence=daily(at=time(2)))
    day(clock, 8, hour=1)
    pass_time(runtime, here)
    with runtime.database.unit_of_work(access.system(here)) as uow:
        uow.session.execute(text("UPDATE memberships SET active = false WHERE id = :m"), {"m": member_of(leaver)})
    day(clock, 8, hour=10)
    send_outbox(runtime, here, MESSAGE_KINDS, until=clock() + timedelta(minutes=1))
    states = dict(rows(runtime, here, "SELECT recipient, state FROM messages"))
    assert states[leaver.email] == "suppressed"
    assert states[admin.email] != "suppressed"


def test_days_that_were_missed_are_one_run(world: World, runtime: Runtime, admin: Person, clock: Clock) -> None:
    here = admin.actor.organization_id
    world.clients(here, 1)
    schedule(runtime, admin, [admin])
    day(clock, 20)
    pass_time(runtime, here)
    pass_time(runtime, here)
    (run,) = runs(runtime, here)
    assert (run.occurrence, run.missed) == ("2026-09-20", 12)
    day(clock, 21)
    pass_time(runtime, here)
    assert [run.missed for run in runs(runtime, here)] == [12, 0]


def test_a_clock_that_was_ahead_sends_nothing_twice_and_stops_nothing(
    world: World, runtime: Runtime, admin: Person, clock: Clock
) -> None:
    here = admin.actor.organization_id
    world.clients(here, 1)
    made = schedule(runtime, admin, [admin])
    day(clock, 60)
    pass_time(runtime, here)
    day(clock, 8)
    check_all(runtime, here)
    for number in range(8, 12):
        day(clock, number)
        pass_time(runtime, here)
    day(clock, 60)
    pass_time(runtime, here)
    occurrences = [run.occurrence for run in runs(runtime, here)]
    assert sorted(occurrences) == sorted(set(occurrences))
    assert {"2026-09-09", "2026-09-10", "2026-09-11", "2026-10-30"} <= set(occurrences)
    with runtime.database.unit_of_work(admin.actor) as uow:
        following = get_schedule(uow, made).next_at
    assert following is not None
    assert following > clock()


def test_another_zone_and_other_terms_move_the_next_time(
    world: World, runtime: Runtime, admin: Person, clock: Clock
) -> None:
    here = admin.actor.organization_id
    by_day = schedule(runtime, admin, [admin])
    by_term = schedule(runtime, admin, [admin], recurrence=daily(cadence="term"))

    def following(one: Any) -> datetime | None:
        with runtime.database.unit_of_work(admin.actor) as uow:
            return get_schedule(uow, one).next_at

    assert following(by_day) == datetime(2026, 9, 8, 7, tzinfo=UTC)
    assert following(by_term) is None
    with runtime.database.unit_of_work(access.system(here)) as uow:
        uow.session.execute(text("UPDATE organizations SET time_zone = 'America/New_York'"))
        uow.session.execute(
            text("INSERT INTO terms (name, starts_on, ends_on) VALUES ('Autumn', '2026-09-14', '2026-12-18')")
        )
    assert wanted(runtime, here)
    make_due_runs(runtime, here, until=clock() + timedelta(minutes=1))
    assert following(by_day) == datetime(2026, 9, 7, 12, tzinfo=UTC)
    assert following(by_term) == datetime(2026, 9, 14, 12, tzinfo=UTC)
    assert runs(runtime, here) == []


def test_the_sweeper_wakes_for_it_and_only_then(world: World, runtime: Runtime, admin: Person, clock: Clock) -> None:
    here = admin.actor.organization_id
    schedule(runtime, admin, [admin])
    sweep_organization(runtime, here)
    wanted(runtime, here)
    clock.now += timedelta(seconds=10)
    wanted(runtime, here)
    assert here not in runtime.database.organizations_to_wake(clock.now)
    day(clock, 8, hour=7)
    assert here in runtime.database.organizations_to_wake(clock.now)
    assert wanted(runtime, here)
    prompt_organization(runtime, here, until=clock() + timedelta(minutes=1), senders=1)
    assert len(runs(runtime, here)) == 1


def test_the_database_refuses_a_second_run_of_an_occurrence(
    world: World, runtime: Runtime, admin: Person, clock: Clock
) -> None:
    here = admin.actor.organization_id
    made = schedule(runtime, admin, [admin])
    day(clock, 8)
    make_due_runs(runtime, here, until=clock() + timedelta(minutes=1))
    # As if a worker had not seen that it was made.
    with runtime.database.unit_of_work(access.system(here)) as uow:
        uow.session.execute(
            text("UPDATE schedules SET since = :was, next_at = :was, state = 'on'"),
            {"was": datetime(2026, 9, 8, 6, tzinfo=UTC)},
        )
    make_due_runs(runtime, here, until=clock() + timedelta(minutes=1))
    with runtime.database.unit_of_work(admin.actor) as uow:
        held = get_schedule(uow, made)
        assert make_runs(uow, held, "2026-09-08", date(2026, 9, 8)) == 0
    assert len(runs(runtime, here)) == 1


def test_paused_ended_and_run_by_hand(world: World, runtime: Runtime, admin: Person, clock: Clock) -> None:
    here = admin.actor.organization_id
    world.clients(here, 1)
    made = schedule(runtime, admin, [admin])
    with runtime.database.unit_of_work(admin.actor) as uow:
        service.pause_schedule(uow, made)
    day(clock, 10)
    pass_time(runtime, here)
    assert runs(runtime, here) == []
    with runtime.database.unit_of_work(admin.actor) as uow:
        service.resume_schedule(uow, made)
    pass_time(runtime, here)
    assert runs(runtime, here) == []
    for _ in range(2):
        with runtime.database.unit_of_work(admin.actor) as uow:
            service.run_now(uow, RunNow(schedule_id=made, key="once"))
    pass_time(runtime, here)
    assert [(run.occurrence, run.state) for run in runs(runtime, here)] == [("now:once", "sent")]
    with runtime.database.unit_of_work(admin.actor) as uow:
        service.end_schedule(uow, made)
    day(clock, 20)
    pass_time(runtime, here)
    assert len(runs(runtime, here)) == 1
    with pytest.raises(Conflict), runtime.database.unit_of_work(admin.actor) as uow:
        service.resume_schedule(uow, made)


def test_a_deleted_report_and_an_owner_who_left_pause_it(
    world: World, runtime: Runtime, admin: Person, clock: Clock
) -> None:
    here = admin.actor.organization_id
    kept, leaving = report(runtime, admin), world.person(here, Role.COUNSELLOR)
    first = schedule(runtime, admin, [admin], extract_id=kept)
    second = schedule(runtime, leaving, [admin], question=FIGURES)
    with runtime.database.unit_of_work(admin.actor) as uow:
        delete_extract(uow, kept)
        uow.session.execute(text("UPDATE memberships SET active = false WHERE id = :m"), {"m": member_of(leaving)})
    day(clock, 8)
    pass_time(runtime, here)
    assert runs(runtime, here) == []
    with runtime.database.unit_of_work(admin.actor) as uow:
        found = [get_schedule(uow, one) for one in (first, second)]
    assert [one.state for one in found] == ["paused", "paused"]
    assert [one.why for one in found] == ["The own report was deleted.", "Whose it is does not work here any more."]


def test_a_report_of_one_s_own_is_for_nobody_else(world: World, runtime: Runtime, admin: Person) -> None:
    other = world.person(admin.actor.organization_id, Role.ADMIN)
    own = report(runtime, admin, shared=False)
    with pytest.raises(InvalidInput, match="everybody"):
        schedule(runtime, admin, [admin, other], extract_id=own)
    schedule(runtime, admin, [admin], extract_id=own)
    with pytest.raises(InvalidInput, match="not yours"):
        schedule(runtime, other, [other], extract_id=own)
    client = world.client_person(admin.actor.organization_id)
    with pytest.raises(InvalidInput, match="work here"):
        schedule(runtime, admin, [client], question=FIGURES)


def test_figures_are_withheld_from_who_may_not_see_people(
    world: World, runtime: Runtime, admin: Person, clock: Clock, app: Any
) -> None:
    here = admin.actor.organization_id
    analyst = world.person(here, Role.ANALYST)
    world.plans(here, world.clients(here, 3))
    schedule(runtime, admin, [admin, analyst], question=FIGURES)
    day(clock, 8)
    pass_time(runtime, here)
    made = {run.membership_id: run for run in runs(runtime, here)}
    assert made[member_of(admin)].state == "sent"
    exact = file_of(world, app, admin, made[member_of(admin)].id).decode("utf-8-sig")
    withheld = file_of(world, app, analyst, made[member_of(analyst)].id).decode("utf-8-sig")
    assert re.search(r",3\b", exact)
    assert "withheld" in withheld
    assert not re.search(r",3\b", withheld)


def test_a_reader_gets_no_more_of_them(world: World, runtime: Runtime, admin: Person, clock: Clock, app: Any) -> None:
    here = admin.actor.organization_id
    reader = world.person(here, Role.COUNSELLOR)
    schedule(runtime, admin, [reader], question=FIGURES)
    day(clock, 8)
    pass_time(runtime, here)
    (run,) = runs(runtime, here)
    if run.state == "sent":
        with runtime.database.unit_of_work(reader.actor) as uow:
            service.get_no_more(uow, run.id)
    day(clock, 9)
    pass_time(runtime, here)
    assert len(runs(runtime, here)) == 1
    with pytest.raises(NotFound), runtime.database.unit_of_work(admin.actor) as uow:
        get_received(uow, run.id)


def test_the_same_moment_gives_the_same_bytes(
    world: World, runtime: Runtime, admin: Person, clock: Clock, app: Any
) -> None:
    here = admin.actor.organization_id
    world.plans(here, world.clients(here, 12))
    for form in ("csv", "xlsx"):
        made = schedule(runtime, admin, [admin], question=FIGURES, form=form)
        own = schedule(runtime, admin, [admin], form=form)
        for key in ("first", "second"):
            for one in (made, own):
                with runtime.database.unit_of_work(admin.actor) as uow:
                    service.run_now(uow, RunNow(schedule_id=one, key=key))
        pass_time(runtime, here)
    kept = rows(
        runtime, here,
        "SELECT coalesce(e.form, f.form), e.id IS NULL, count(*), count(DISTINCT coalesce(e.sha256, f.sha256))"
        " FROM schedule_runs r LEFT JOIN extract_runs e ON e.id = r.extract_run_id"
        " LEFT JOIN figure_exports f ON f.id = r.figure_export_id GROUP BY 1, 2 ORDER BY 1, 2",
    )  # fmt: skip
    assert kept == [("csv", False, 2, 1), ("csv", True, 2, 1), ("xlsx", False, 2, 1), ("xlsx", True, 2, 1)]
