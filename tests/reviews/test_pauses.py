"""Pauses shift and never skip, from the page to the mail; whatever a schedule rests on marks it when it changes."""

from __future__ import annotations

import shutil
import threading
import time
import zoneinfo
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy.exc import IntegrityError

from app.domain import access
from app.domain.access import Role
from app.domain.cadence import ReviewPolicy, policy_as_json
from app.domain.errors import Forbidden, InvalidInput, NotFound
from app.features.reviews import settings
from app.features.reviews.commands import AddPause, EndPause
from app.features.reviews.engine import make_due_prompts
from app.features.reviews.pauses import add_pause, end_pause, pauses_of
from app.features.reviews.schedule import schedule_stale
from app.infra.mailsink.launch import MailSink
from app.infra.runtime import Runtime
from tests.factories import Person, World
from tests.harness import Clock
from tests.reviews.helpers import make_plans, rows
from tests.reviews.test_engine import EVERY_DAY, prompts, run

START = date(2026, 9, 7)
ON_THE_DAY = policy_as_json(ReviewPolicy(reminder_days=(0, 3, 7), escalate_admin_after_days=None))


def next_of(runtime: Runtime, organization: UUID) -> Any:
    return rows(
        runtime,
        organization,
        "SELECT next_review_on, next_prompt_at, next_reminder, review_stale, review_set FROM plans",
    )[0]


def client_of(runtime: Runtime, organization: UUID) -> UUID:
    return rows(runtime, organization, "SELECT id FROM clients")[0][0]  # type: ignore[no-any-return] # the only one


def pause(runtime: Runtime, organization: UUID, first: date, last: date | None, *, holiday: bool = False) -> UUID:
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        client = None if holiday else client_of(runtime, organization)
        kind = "holiday" if holiday else "leave"
        return add_pause(uow, AddPause(client_id=client, kind=kind, starts_on=first, ends_on=last))  # type: ignore[arg-type] # one of two


def test_a_review_in_a_leave_comes_on_the_first_day_after_it_and_the_next_counts_from_there(
    runtime: Runtime, world: World
) -> None:
    organization = world.organization(time_zone="UTC")
    make_plans(runtime, organization, 1, started_on=START, recipe=ON_THE_DAY)
    pause(runtime, organization, date(2027, 3, 1), date(2027, 5, 31))
    assert next_of(runtime, organization)[:2] == (date(2027, 6, 1), datetime(2027, 6, 1, 9, tzinfo=UTC))
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        rows(runtime, organization, "UPDATE plans SET next_prompt_at = NULL, next_reminder = 0 RETURNING 1")
        rows(
            runtime,
            organization,
            "INSERT INTO reviews (plan_id, occurrence_on) SELECT id, '2027-06-01' FROM plans RETURNING 1",
        )
        settings.schedule_plans(uow, [row.id for row in rows(runtime, organization, "SELECT id FROM plans")])
    assert next_of(runtime, organization)[0] == date(2027, 12, 1)


def test_a_pause_without_an_end_holds_everything_until_it_is_ended(
    mailing: Runtime, world: World, clock: Clock, sink: MailSink
) -> None:
    organization = world.organization(time_zone="UTC")
    make_plans(mailing, organization, 1, started_on=date(2026, 3, 7), recipe=EVERY_DAY)
    clock.now = datetime(2026, 9, 7, 10, tzinfo=UTC)
    run(mailing, organization)
    leave = pause(mailing, organization, date(2026, 9, 8), None)
    assert next_of(mailing, organization)[:3] == (date(2026, 9, 7), None, 1)
    clock.now += timedelta(days=40)
    run(mailing, organization)
    assert len(prompts(mailing, organization)) == 1
    with mailing.database.unit_of_work(access.system(organization)) as uow:
        end_pause(uow, EndPause(pause_id=leave, last_on=None))
    run(mailing, organization)
    # Both missed reminders are one mail, and the pause kept its first day.
    assert [row[1:] for row in prompts(mailing, organization)] == [
        (0, None, "sent"),
        (1, None, "sent"),
        (2, "joined", None),
    ]
    assert rows(mailing, organization, "SELECT starts_on, ends_on FROM review_pauses") == [
        (date(2026, 9, 8), date(2026, 10, 16))
    ]


def test_a_mail_that_waits_does_not_leave_into_a_leave_or_at_night_where_its_reader_moved_to(
    mailing: Runtime, world: World, clock: Clock, sink: MailSink
) -> None:
    organization = world.organization(time_zone="UTC")
    make_plans(mailing, organization, 1, started_on=date(2026, 3, 7), recipe=ON_THE_DAY)
    clock.now = datetime(2026, 9, 7, 22, tzinfo=UTC)
    run(mailing, organization)
    assert rows(mailing, organization, "SELECT state, not_before FROM messages") == [
        ("queued", datetime(2026, 9, 8, 8, tzinfo=UTC))
    ]
    pause(mailing, organization, date(2026, 9, 8), date(2026, 9, 9))
    clock.now = datetime(2026, 9, 8, 8, tzinfo=UTC)
    run(mailing, organization)
    rows(mailing, organization, "UPDATE clients SET time_zone = 'America/New_York' RETURNING 1")
    clock.now = datetime(2026, 9, 10, 8, tzinfo=UTC)
    run(mailing, organization)
    assert rows(mailing, organization, "SELECT state, not_before FROM messages") == [
        ("queued", datetime(2026, 9, 10, 12, tzinfo=UTC))
    ]
    clock.now = datetime(2026, 9, 10, 12, tzinfo=UTC)
    run(mailing, organization)
    assert rows(mailing, organization, "SELECT state FROM messages") == [("sent",)]


def test_a_holiday_moves_everybody_and_only_an_administrator_sets_one(runtime: Runtime, world: World) -> None:
    organization = world.organization(time_zone="UTC")
    make_plans(runtime, organization, 3, started_on=START, recipe=ON_THE_DAY)
    counsellor = world.person(organization, Role.COUNSELLOR)
    command = AddPause(client_id=None, kind="holiday", starts_on=date(2027, 3, 5), ends_on=date(2027, 3, 9))
    with pytest.raises(Forbidden), runtime.database.unit_of_work(counsellor.actor) as uow:
        add_pause(uow, command)
    with runtime.database.unit_of_work(world.person(organization, Role.ADMIN).actor) as uow:
        add_pause(uow, command)
    assert {row.review_stale for row in rows(runtime, organization, "SELECT review_stale FROM plans")} == {True}
    make_due_prompts(runtime, organization, until=runtime.clock() + timedelta(seconds=5))
    assert {row[0] for row in rows(runtime, organization, "SELECT next_review_on FROM plans")} == {date(2027, 3, 10)}


def test_days_that_cannot_be_are_refused_with_the_remedy_and_by_the_database(runtime: Runtime, world: World) -> None:
    organization = world.organization(time_zone="UTC")
    make_plans(runtime, organization, 1, started_on=START)
    for first, last, holiday, said in (
        (date(2027, 3, 2), date(2027, 3, 1), False, "Choose a later one"),
        (date(2027, 3, 2), date(2027, 9, 1), True, "at most 92 days"),
        (date(2027, 3, 2), None, True, "has a last day"),
        (date(1027, 3, 2), None, False, "Check the year"),
    ):
        with pytest.raises(InvalidInput, match=said):
            pause(runtime, organization, first, last, holiday=holiday)
    for kind, client, last in (
        ("holiday", False, None),
        ("leave", False, "2027-03-03"),
        ("holiday", True, "2027-03-03"),
    ):
        with pytest.raises(IntegrityError):
            rows(
                runtime,
                organization,
                "INSERT INTO review_pauses (client_id, kind, starts_on, ends_on)"
                " VALUES (CASE WHEN :c THEN (SELECT id FROM clients) END, :k, '2027-03-02', CAST(:l AS date))",
                c=client,
                k=kind,
                l=last,
            )


def test_one_that_has_not_begun_goes_and_one_that_has_keeps_its_days(
    runtime: Runtime, world: World, clock: Clock
) -> None:
    organization = world.organization(time_zone="UTC")
    make_plans(runtime, organization, 1, started_on=START)
    ahead = pause(runtime, organization, date(2026, 10, 1), None)
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        end_pause(uow, EndPause(pause_id=ahead, last_on=None))
        assert pauses_of(uow) == []
        with pytest.raises(NotFound):
            end_pause(uow, EndPause(pause_id=ahead, last_on=None))
    begun = pause(runtime, organization, date(2026, 9, 1), date(2026, 9, 30))
    with (
        pytest.raises(InvalidInput, match="2026-09-06 or later"),
        runtime.database.unit_of_work(access.system(organization)) as uow,
    ):
        end_pause(uow, EndPause(pause_id=begun, last_on=date(2026, 9, 5)))
    assert rows(runtime, organization, "SELECT ends_on FROM review_pauses") == [(date(2026, 9, 30),)]


@pytest.mark.parametrize(
    ("change", "undo"),
    [
        ("UPDATE clients SET time_zone = 'Asia/Kathmandu'", "UPDATE clients SET time_zone = NULL"),
        ("UPDATE clients SET active = false", "UPDATE clients SET active = true"),
        ("UPDATE organizations SET time_zone = 'Asia/Kathmandu'", "UPDATE organizations SET time_zone = 'UTC'"),
        ("INSERT INTO terms (name, starts_on, ends_on) VALUES ('T', '2027-01-01', '2027-02-01')", "DELETE FROM terms"),
        (
            "INSERT INTO review_policies (scope, content) VALUES ('organization', '{}')",
            "UPDATE review_policies SET active = false",
        ),
        (
            "INSERT INTO review_policies (scope, subject_id, content) SELECT 'template', template_id, '{}' FROM plans",
            "UPDATE review_policies SET active = false",
        ),
        (
            "INSERT INTO review_policies (scope, subject_id, content) SELECT 'plan', id, '{}' FROM plans",
            "UPDATE review_policies SET content = '{\"escalate_after_days\": 20}'",
        ),
        (
            "INSERT INTO review_pauses (client_id, kind, starts_on) SELECT id, 'leave', '2027-01-01' FROM clients",
            "UPDATE review_pauses SET ends_on = '2027-02-01'",
        ),
        (
            "INSERT INTO review_pauses (kind, starts_on, ends_on) VALUES ('holiday', '2027-01-01', '2027-01-01')",
            "DELETE FROM review_pauses",
        ),
        (
            "INSERT INTO cohort_members (cohort_id, client_id) SELECT c.id, p.client_id FROM cohorts c, plans p",
            "DELETE FROM cohort_members",
        ),
    ],
    ids=["zone", "active", "home", "term", "for-all", "of-template", "of-plan", "leave", "holiday", "cohort"],
)
def test_whatever_a_schedule_rests_on_marks_the_plan(runtime: Runtime, world: World, change: str, undo: str) -> None:
    organization = world.organization(time_zone="UTC")
    make_plans(runtime, organization, 1, started_on=START)
    rows(runtime, organization, "INSERT INTO cohorts (name, kind) VALUES ('C', 'fixed') RETURNING 1")
    rows(
        runtime,
        organization,
        "INSERT INTO review_policies (scope, subject_id, content) SELECT 'cohort', id, '{}' FROM cohorts RETURNING 1",
    )
    elsewhere = world.organization(time_zone="UTC")
    make_plans(runtime, elsewhere, 1, started_on=START)
    for statement in (change, undo):
        rows(runtime, organization, "UPDATE plans SET review_stale = false RETURNING 1")
        rows(runtime, organization, statement + " RETURNING 1")
        assert rows(runtime, organization, "SELECT review_stale FROM plans") == [(True,)], statement
        make_due_prompts(runtime, organization, until=runtime.clock() + timedelta(seconds=5))
        assert rows(runtime, organization, "SELECT review_stale FROM plans") == [(False,)]
    assert rows(runtime, elsewhere, "SELECT review_stale FROM plans") == [(False,)]


@pytest.mark.committed
def test_a_rule_that_changes_while_a_plan_is_worked_out_marks_it_again(live: Runtime) -> None:
    organization = World(live).organization(time_zone="UTC")
    make_plans(live, organization, 1, started_on=live.clock().date(), recipe=ON_THE_DAY)
    rows(live, organization, "UPDATE plans SET review_stale = true RETURNING 1")
    day = next_of(live, organization)[0]
    put_in = threading.Thread(
        target=pause, args=(live, organization, day, day + timedelta(days=9)), kwargs={"holiday": True}
    )
    with live.database.unit_of_work(access.system(organization)) as uow:
        assert schedule_stale(uow) == 1
        put_in.start()
        time.sleep(0.5)
        assert put_in.is_alive(), "it waits for the plan"
    put_in.join()
    make_due_prompts(live, organization, until=live.clock() + timedelta(seconds=5))
    assert next_of(live, organization)[0] == day + timedelta(days=10)


def test_nothing_else_marks_a_plan(runtime: Runtime, world: World) -> None:
    organization = world.organization(time_zone="UTC")
    make_plans(runtime, organization, 1, started_on=START)
    for statement in (
        "UPDATE clients SET given_name = 'New'",
        "UPDATE organizations SET name = 'New'",
        "INSERT INTO cohorts (name, kind) VALUES ('C', 'fixed')",
        "INSERT INTO cohort_members (cohort_id, client_id) SELECT c.id, p.client_id FROM cohorts c, plans p",
        "INSERT INTO review_policies (scope, subject_id, content) VALUES ('plan', gen_random_uuid(), '{}')",
    ):
        rows(runtime, organization, statement + " RETURNING 1")
        assert rows(runtime, organization, "SELECT review_stale FROM plans") == [(False,)], statement


def test_a_policy_edited_in_the_same_breath_does_not_undo_being_asked(
    runtime: Runtime, world: World, clock: Clock
) -> None:
    organization = world.organization(time_zone="UTC")
    make_plans(runtime, organization, 1, started_on=START, recipe=EVERY_DAY)
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        assert settings.prompt_now(uow, [client_of(runtime, organization)]) == 1
    rows(
        runtime, organization, "INSERT INTO review_policies (scope, content) VALUES ('organization', '{}') RETURNING 1"
    )
    make_due_prompts(runtime, organization, until=clock.now + timedelta(seconds=5))
    assert rows(runtime, organization, "SELECT occurrence_on, reminder FROM prompts") == [(date(2026, 9, 7), 0)]


def test_who_is_on_leave_is_not_asked_by_hand(runtime: Runtime, world: World) -> None:
    organization = world.organization(time_zone="UTC")
    make_plans(runtime, organization, 1, started_on=START)
    pause(runtime, organization, date(2026, 9, 7), date(2026, 9, 7))
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        preview = settings.preview_prompts(uow, [client_of(runtime, organization)])
    assert (list(preview.plans), preview.paused) == ([], 1)


def test_who_was_asked_by_hand_and_answered_is_not_asked_again_after_a_leave(
    mailing: Runtime, world: World, clock: Clock, sink: MailSink
) -> None:
    organization = world.organization(time_zone="UTC")
    [plan] = make_plans(mailing, organization, 1, started_on=date(2026, 9, 1), recipe=EVERY_DAY)
    clock.now = datetime(2026, 9, 7, 10, tzinfo=UTC)
    with mailing.database.unit_of_work(access.system(organization)) as uow:
        settings.ask_now(uow, [plan])
    run(mailing, organization)
    answered = "UPDATE reviews SET state = 'answered', answered_at = now() RETURNING occurrence_on"
    assert [row.occurrence_on for row in rows(mailing, organization, answered)] == [date(2026, 9, 7)]
    pause(mailing, organization, date(2026, 9, 7), date(2026, 9, 20))
    run(mailing, organization)
    clock.now = datetime(2026, 9, 21, 10, tzinfo=UTC)
    run(mailing, organization)
    assert [row[0] for row in rows(mailing, organization, "SELECT count(*) FROM reviews")] == [1]
    assert next_of(mailing, organization)[0] == date(2027, 3, 1)


def test_silence_reaches_the_counsellor_and_then_the_administrators_once_each(
    mailing: Runtime, world: World, clock: Clock, sink: MailSink
) -> None:
    organization = world.organization(time_zone="UTC")
    recipe = EVERY_DAY | {"escalate_admin_after_days": 20}
    make_plans(mailing, organization, 1, started_on=date(2026, 3, 7), recipe=recipe)
    told = []
    for days in (0, 7, 13, 14, 19, 20, 30):
        clock.now = datetime(2026, 9, 7, 10, tzinfo=UTC) + timedelta(days=days)
        run(mailing, organization)
        run(mailing, organization)
        row = rows(mailing, organization, "SELECT escalated_at, escalated_admin_at FROM reviews")[0]
        told.append((row[0] is not None, row[1] is not None))
    assert told == [(False, False)] * 3 + [(True, False)] * 2 + [(True, True)] * 2
    kinds = "SELECT detail ->> 'to' AS told FROM plan_events WHERE kind = 'review_escalated' ORDER BY number"
    assert [row.told for row in rows(mailing, organization, kinds)] == [None, "admin"]
    assert next_of(mailing, organization)[::2] == (date(2027, 3, 7), 0, False)


def test_a_longer_list_of_reminders_does_not_turn_telling_into_reminding(
    mailing: Runtime, world: World, clock: Clock, sink: MailSink
) -> None:
    organization = world.organization(time_zone="UTC")
    make_plans(
        mailing, organization, 1, started_on=date(2026, 3, 7), recipe=EVERY_DAY | {"escalate_admin_after_days": 40}
    )
    clock.now = datetime(2026, 9, 22, 10, tzinfo=UTC)
    run(mailing, organization)
    run(mailing, organization)
    before = len(prompts(mailing, organization))
    rows(
        mailing,
        organization,
        "INSERT INTO review_policies (scope, subject_id, content)"
        " SELECT 'plan', id, '{\"reminder_days\": [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]}' FROM plans RETURNING 1",
    )
    run(mailing, organization)
    assert len(prompts(mailing, organization)) == before
    assert next_of(mailing, organization)[2] == 101


@pytest.fixture
def centre(world: World, runtime: Runtime) -> tuple[UUID, UUID, Person, Person]:
    organization = world.organization(time_zone="UTC")
    (plan,) = make_plans(runtime, organization, 1, started_on=START, recipe=ON_THE_DAY)
    counsellor = world.person(organization, Role.COUNSELLOR)
    world.caseload(counsellor, [client_of(runtime, organization)])
    return organization, plan, world.person(organization, Role.ADMIN), counsellor


def test_a_counsellor_puts_in_and_ends_a_pause_on_the_plans_own_page(
    app: Flask, runtime: Runtime, world: World, centre: tuple[UUID, UUID, Person, Person]
) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    organization, plan, _, counsellor = centre
    browser = world.browser(app, counsellor)
    form = {"kind": "exchange", "starts_on": "2027-03-01", "ends_on": "2027-05-31", "note": "Kyoto"}
    page = browser.post(f"/reviews/plan/{plan}/pauses", data=form, follow_redirects=True).text
    assert "Kyoto" in page
    assert "Jun 1, 2027" in page
    bad = browser.post(f"/reviews/plan/{plan}/pauses", data=form | {"ends_on": "2027-02-01"})
    assert bad.status_code == 422
    assert "Choose a later one" in bad.text
    (pause_id,) = rows(runtime, organization, "SELECT id FROM review_pauses")[0]
    done = browser.post(f"/reviews/pauses/{pause_id}/end", data={"plan": str(plan)}, follow_redirects=True).text
    assert "Kyoto" not in done
    stranger = world.browser(app, world.person(organization, Role.COUNSELLOR))
    assert stranger.get(f"/reviews/plan/{plan}").status_code == 404
    assert stranger.post(f"/reviews/plan/{plan}/pauses", data=form).status_code == 404
    actions = rows(
        runtime, organization, "SELECT action, detail::text AS said FROM audit_entries WHERE action LIKE 'pause.%'"
    )
    assert {row.action for row in actions} == {"pause.added", "pause.removed"}
    assert not any("Kyoto" in row.said or "exchange" in row.said for row in actions)


def test_an_administrator_puts_in_a_holiday_and_a_counsellor_sees_it(
    app: Flask, runtime: Runtime, world: World, centre: tuple[UUID, UUID, Person, Person]
) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    _, _, admin, counsellor = centre
    form = {"starts_on": "2026-12-24", "ends_on": "2027-01-01", "note": "Christmas"}
    assert world.browser(app, counsellor).post("/reviews/holidays", data=form).status_code == 403
    page = world.browser(app, admin).post("/reviews/holidays", data=form, follow_redirects=True).text
    assert "Christmas" in page
    long = world.browser(app, admin).post("/reviews/holidays", data=form | {"ends_on": "2028-01-01"})
    assert (long.status_code, "at most 92 days" in long.text) == (422, True)
    seen = world.browser(app, counsellor).get("/reviews/holidays").text
    assert "Christmas" in seen
    assert "Take it away" not in seen


def test_today_is_what_the_program_takes_it_for_where_the_database_knows_a_zone_otherwise(
    runtime: Runtime, world: World, clock: Clock, tmp_path: Path
) -> None:
    # As after a country changed its clock: one of the two has the newer table. Here Lisbon has the hours of Tokyo.
    shutil.copy(next(Path(root) / "Asia/Tokyo" for root in zoneinfo.TZPATH if Path(root).is_dir()), tmp_path / "Lisbon")
    (tmp_path / "Europe").mkdir()
    (tmp_path / "Lisbon").rename(tmp_path / "Europe" / "Lisbon")
    clock.now = datetime(2026, 9, 7, 20, 0, tzinfo=UTC)
    organization = world.organization(time_zone="Europe/Lisbon")
    zoneinfo.reset_tzpath([tmp_path, *zoneinfo.TZPATH])
    zoneinfo.ZoneInfo.clear_cache(only_keys=["Europe/Lisbon"])
    try:
        make_plans(runtime, organization, 1, started_on=START, recipe=ON_THE_DAY)
        client = client_of(runtime, organization)
        with runtime.database.unit_of_work(access.system(organization)) as uow:
            assert settings.prompt_now(uow, [client]) == 1
        assert next_of(runtime, organization)[0] == date(2026, 9, 8)
        pause(runtime, organization, date(2026, 9, 8), date(2026, 9, 8))
        with runtime.database.unit_of_work(access.system(organization)) as uow:
            assert settings.preview_prompts(uow, [client]).paused == 1
    finally:
        zoneinfo.reset_tzpath()
        zoneinfo.ZoneInfo.clear_cache(only_keys=["Europe/Lisbon"])
