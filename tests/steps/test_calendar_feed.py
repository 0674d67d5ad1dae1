"""The calendar feed: what is in it, read back by the library, and who can read it (S7)."""

from __future__ import annotations

import secrets
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from icalendar import Calendar, Event
from sqlalchemy import select, text, update

from app.domain import access
from app.domain.access import Role
from app.domain.errors import Forbidden, NotFound
from app.domain.saying import plain
from app.domain.steps import StepKey
from app.features.audit.models import AuditEntry
from app.features.clients.models import Client
from app.features.identity.links import make_reset, redeem_reset
from app.features.identity.models import User
from app.features.organizations.models import Membership
from app.features.plans.models import Plan
from app.features.steps.action_plan import feeds, pages
from app.features.steps.action_plan.calendar import Source, dated_day, make_calendar
from app.features.steps.action_plan.models import CalendarFeed
from app.infra.runtime import Runtime
from app.infra.speech import speaker
from app.infra.web.throttle import Budget
from tests.factories import World
from tests.harness import Clock
from tests.identity.helpers import PASSWORD
from tests.plans.scenes import Scene
from tests.steps.action_scene import scene

__all__ = ["scene"]

PLAN = UUID("0f0e0d0c-0b0a-4908-8706-050403020100")
SAVED = datetime(2026, 9, 7, 12, 30, 15, 99, tzinfo=UTC)


def source(actions: list[dict[str, Any]], **more: Any) -> Source:
    contents = {StepKey.ACTION_PLAN: {"actions": actions}} | more.pop("contents", {})
    given: dict[str, Any] = {
        "plan_id": PLAN,
        "name": "Amara Okafor",
        "created_at": SAVED,
        "updated_at": SAVED + timedelta(seconds=90),
        "next_review_on": None,
        "steps": (),
        "contents": contents,
        "saved": {StepKey.ACTION_PLAN: (4, SAVED)},
        "home": "https://octant.example",
    }
    return Source(**(given | more))


def events_of(body: bytes) -> dict[str, Event]:
    calendar = Calendar.from_ical(body)
    assert isinstance(calendar, Calendar)
    found = {str(event["UID"]): event for event in calendar.walk("VEVENT")}
    assert len(found) == len(calendar.walk("VEVENT"))
    return found  # type: ignore[return-value] # the library walks components in general


def test_an_action_is_a_whole_day_with_a_name_that_stays() -> None:
    row = {"id": "a1", "text": "Write; the \\ thesis,\nsoon", "kind": "education", "goal": "g1",
           "start_on": "2026-10-01", "due_on": "2026-10-25"}  # fmt: skip
    goals = {StepKey.GOALS: {"goals": [{"id": "g1", "text": "Finish"}]}}
    body = make_calendar(source([row], contents=goals), plain, language="en")
    (event,) = events_of(body).values()
    assert event["UID"] == f"action-a1-{PLAN}@octant"
    assert event["SUMMARY"] == "Done by today: Write; the \\ thesis,\nsoon"
    assert event["DESCRIPTION"] == "education\nfrom 2026-10-01\nfor the goal “Finish”"
    assert (event.decoded("DTSTART"), event.decoded("DTEND")) == (date(2026, 10, 25), date(2026, 10, 26))
    # A day without a time: the end of summer time on this very day moves nothing.
    assert b"DTSTART;VALUE=DATE:20261025\r\n" in body
    assert event.decoded("DTSTAMP") == event.decoded("LAST-MODIFIED") == SAVED.replace(microsecond=0)
    assert event["SEQUENCE"] == 4
    assert event["TRANSP"] == "TRANSPARENT"
    assert str(event["URL"]) == "https://octant.example/my-plan/actions/a1"
    assert make_calendar(source([row], contents=goals), plain, language="en") == body


def test_the_file_keeps_the_rules_of_the_format() -> None:
    rows = [
        {"id": "a1", "text": "学" * 290, "due_on": "2026-10-25"},
        {"id": "a2", "text": "x" * 300, "due_on": "2026-10-26"},
    ]
    body = make_calendar(source(rows), speaker("zh_Hans_CN"), language="zh-Hans-CN")
    lines = body.split(b"\r\n")
    assert lines[0] == b"BEGIN:VCALENDAR"
    assert lines[-2:] == [b"END:VCALENDAR", b""]
    assert b"\n" not in body.replace(b"\r\n", b"")
    assert max(len(line) for line in lines) <= 75
    for name in (b"PRODID:", b"VERSION:2.0", b"CALSCALE:GREGORIAN", b"REFRESH-INTERVAL;VALUE=DURATION:PT6H"):
        assert any(line.startswith(name) for line in lines), name
    assert str(events_of(body)[f"action-a1-{PLAN}@octant"]["SUMMARY"]).endswith("学" * 290)


def test_goals_steps_and_the_review_are_in_it_while_they_are_open() -> None:
    contents = {
        StepKey.GOALS: {
            "goals": [
                {"id": "g1", "text": "Finish", "due_on": "2027-06-01", "measure": "handed in"},
                {"id": "g2", "text": "Reached", "due_on": "2027-06-01", "status": "reached"},
                {"id": "g3", "text": "Life", "due_on": None},
                {"id": "g4", "text": "Other way", "due_on": "2027-06-01", "path": "p2"},
            ]
        },
        StepKey.CAREER_PATH: {"paths": [{"id": "p1"}, {"id": "p2"}], "chosen": "p1"},
    }
    steps = ((1, "completed", date(2026, 9, 1)), (6, "returned", date(2026, 10, 1)), (7, "not_started", None))
    body = make_calendar(
        source([], contents=contents, steps=steps, next_review_on=date(2027, 3, 1)), plain, language="en"
    )
    found = {uid.partition(f"-{PLAN}")[0]: event for uid, event in events_of(body).items()}
    assert set(found) == {"goal-g1", "step-6", "review"}
    assert found["goal-g1"]["DESCRIPTION"] == "handed in"
    assert found["step-6"]["SUMMARY"] == "Step 6 is due: Goals"
    assert found["step-6"]["SEQUENCE"] == 90


_DAYS = st.dates(date(1900, 1, 1), date(2200, 12, 31)).map(date.isoformat)


@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "text": st.text(st.characters(exclude_categories=["C"]), max_size=40),
                "status": st.sampled_from(("planned", "begun", "done", "dropped")),
                "start_on": st.none() | _DAYS,
                "due_on": st.none() | _DAYS,
                "path": st.sampled_from((None, "p1", "p2")),
            }
        ),
        max_size=8,
    )
)
def test_the_feed_equals_the_dated_live_actions(rows: list[dict[str, Any]]) -> None:
    actions = [row | {"id": f"a{n}"} for n, row in enumerate(rows)]
    way = {StepKey.CAREER_PATH: {"paths": [{"id": "p1"}, {"id": "p2"}], "chosen": "p1"}}
    expected = {
        f"action-{row['id']}-{PLAN}@octant": date.fromisoformat(row["due_on"] or row["start_on"])
        for row in actions
        if row["text"]
        and row["status"] in ("planned", "begun")
        and row["path"] != "p2"
        and (row["due_on"] or row["start_on"])
    }
    found = events_of(make_calendar(source(actions, contents=way), plain, language="en"))
    assert {uid: event.decoded("DTSTART") for uid, event in found.items()} == expected


def test_a_ticked_action_of_old_content_is_not_in_it() -> None:
    assert dated_day({"id": "a", "done": True, "due_on": "2026-10-01"}) is None
    assert dated_day({"id": "a", "done": False, "due_on": "2026-10-01"}) == date(2026, 10, 1)


@pytest.fixture
def site(app: Flask) -> Flask:
    app.config["WTF_CSRF_ENABLED"] = False
    return app


def made(runtime: Runtime, scene: Scene) -> str:
    with runtime.database.unit_of_work(scene.client.actor) as uow:
        return f"/calendar/{feeds.renew_feed(uow, scene.plan_id)[1]}.ics"


def test_the_client_makes_renews_and_ends_the_address(
    world: World, site: Flask, runtime: Runtime, scene: Scene
) -> None:
    browser = world.browser(site, scene.client)
    assert "There is no address now" in browser.get("/my-plan/calendar").text
    page = browser.post("/my-plan/calendar").text
    address = page.partition("<code>")[2].partition("</code>")[0]
    assert address.startswith("http")
    path = "/calendar/" + address.rpartition("/")[2]
    # Shown this once: neither the page nor the database has it.
    assert path not in browser.get("/my-plan/calendar").text
    with runtime.database.unit_of_work(access.system(scene.organization)) as uow:
        dump = str(uow.session.execute(text("SELECT to_jsonb(f) FROM calendar_feeds f")).all())
    assert path.partition("_")[2].removesuffix(".ics") not in dump
    stranger = site.test_client()
    served = stranger.get(path)
    assert served.status_code == 200
    assert served.content_type == "text/calendar; charset=utf-8"
    assert served.headers["Cache-Control"].startswith("private")
    assert "Set-Cookie" not in served.headers
    events = events_of(served.data)
    assert {uid.partition("-" + str(scene.plan_id))[0] for uid in events} >= {
        "action-a2",
        "action-a3",
        "action-a4",
        "goal-g1",
    }
    assert "last read" in browser.get("/my-plan/calendar").text.lower()
    again = stranger.get(path, headers={"If-None-Match": served.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert stranger.head(path).status_code == 200
    second = browser.post("/my-plan/calendar").text.partition("<code>")[2].partition("</code>")[0]
    assert stranger.get(path).status_code == 404
    path = "/calendar/" + second.rpartition("/")[2]
    assert stranger.get(path).status_code == 200
    browser.post("/my-plan/calendar/end")
    assert stranger.get(path).status_code == 404
    assert "There is no address now" in browser.get("/my-plan/calendar").text


def test_the_counsellor_ends_it_and_others_do_not(world: World, site: Flask, runtime: Runtime, scene: Scene) -> None:
    path = made(runtime, scene)
    where = f"/plans/{scene.plan_id}/calendar/end"
    for person in (
        world.person(scene.organization, Role.COUNSELLOR),
        world.person(world.organization(), Role.ADMIN),
    ):
        assert world.browser(site, person).post(where).status_code == 404
    assert world.browser(site, scene.client).post(where).status_code == 403
    assert site.test_client().get(path).status_code == 200
    counsellor = world.browser(site, scene.counsellor)
    assert "A calendar may read these dates" in counsellor.get(f"/plans/{scene.plan_id}/steps/7").text
    assert counsellor.post(where).status_code == 302
    assert site.test_client().get(path).status_code == 404
    assert "A calendar may read" not in counsellor.get(f"/plans/{scene.plan_id}/steps/7").text
    with pytest.raises(Forbidden), runtime.database.unit_of_work(scene.counsellor.actor) as uow:
        feeds.renew_feed(uow, scene.plan_id)
    with runtime.database.unit_of_work(access.system(scene.organization)) as uow:
        noted = uow.session.scalars(
            select(AuditEntry.action).where(AuditEntry.action.startswith("calendar.")).order_by(AuditEntry.sequence)
        ).all()
    assert noted == ["calendar.made", "calendar.ended"]


def test_s7_unknown_ended_and_foreign_addresses_are_the_same_404(
    world: World, site: Flask, runtime: Runtime, scene: Scene
) -> None:
    path = made(runtime, scene)
    secret = path.removeprefix("/calendar/").removesuffix(".ics").partition("_")[2]
    assert len(secret) == 43, "32 random bytes"
    other = world.organization()
    ended = path
    path = made(runtime, scene)
    stranger = site.test_client()

    def answer(address: str) -> tuple[int, bytes, str | None]:
        got = stranger.get(address)
        return got.status_code, got.data, got.content_type

    unknown = answer(f"/calendar/{scene.organization.hex}_{secrets.token_urlsafe(32)}.ics")
    assert unknown[0] == 404
    live = path.removeprefix("/calendar/").removesuffix(".ics").partition("_")[2]
    for wrong in (
        ended,
        f"/calendar/{other.hex}_{live}.ics",
        f"/calendar/{scene.plan_id.hex}_{live}.ics",
        f"/calendar/{scene.organization.hex}_{live[:-1]}.ics",
        f"/calendar/{scene.organization.hex.upper()}_{live}.ics",
        f"/calendar/{scene.organization.hex}_{live}%00.ics",
        "/calendar/x.ics",
        f"/calendar/{'9' * 5000}.ics",
    ):
        status, body, kind = answer(wrong)
        assert status in (404, 422), wrong
        if "%00" not in wrong:
            assert (status, body, kind) == unknown, wrong
    assert answer(path)[0] == 200


def test_s7_mutated_addresses_open_nothing(site: Flask, runtime: Runtime, scene: Scene) -> None:
    token = made(runtime, scene).removeprefix("/calendar/").removesuffix(".ics")
    signs = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"
    opened = 0
    for place in range(33, len(token)):
        for sign in secrets.SystemRandom().sample(signs, 4):
            changed = token[:place] + sign + token[place + 1 :]
            opened += changed != token and feeds.serve_feed(runtime, changed) is not None
    assert opened == 0
    assert feeds.serve_feed(runtime, token) is not None


def test_it_closes_with_the_client_and_the_organization(runtime: Runtime, scene: Scene) -> None:
    token = made(runtime, scene).removeprefix("/calendar/").removesuffix(".ics")
    with runtime.database.unit_of_work(access.system(scene.organization)) as uow:
        uow.session.execute(update(Plan).where(Plan.id == scene.plan_id).values(status="archived"))
    served = feeds.serve_feed(runtime, token)
    assert served is not None
    assert events_of(served.body) == {}, "a client without a plan has an empty calendar"
    with runtime.database.unit_of_work(access.system(scene.organization)) as uow:
        uow.session.execute(update(Client).where(Client.id == scene.client.actor.client_id).values(active=False))
    assert feeds.serve_feed(runtime, token) is None


def test_it_closes_with_the_client_s_access_and_opens_again(runtime: Runtime, scene: Scene) -> None:
    token = made(runtime, scene).removeprefix("/calendar/").removesuffix(".ics")
    member = Membership.id == scene.client.actor.membership_id
    for active in (False, True):
        with runtime.database.unit_of_work(access.system(scene.organization)) as uow:
            uow.session.execute(update(Membership).where(member).values(active=active))
        assert (feeds.serve_feed(runtime, token) is not None) is active
    with runtime.database.identity_session() as session:
        session.get_one(User, scene.client.user_id).active = False
    assert feeds.serve_feed(runtime, token) is None


def test_a_new_password_by_a_link_ends_what_somebody_else_may_have_made(
    runtime: Runtime, scene: Scene, clock: Clock
) -> None:
    token = made(runtime, scene).removeprefix("/calendar/").removesuffix(".ics")
    assert feeds.serve_feed(runtime, token) is not None
    clock.now += timedelta(hours=1)
    with runtime.database.identity_session() as session:
        reset = make_reset(session, scene.client.email, clock.now)
    assert reset is not None
    redeem_reset(runtime, reset[1], PASSWORD, gone="Gone.")
    assert feeds.serve_feed(runtime, token) is None
    with runtime.database.unit_of_work(scene.client.actor) as uow:
        assert scene.client.actor.client_id is not None
        assert feeds.live_feed(uow, scene.client.actor.client_id) is None, "its page says so too"
    clock.now += timedelta(minutes=1)
    fresh = made(runtime, scene).removeprefix("/calendar/").removesuffix(".ics")
    assert feeds.serve_feed(runtime, fresh) is not None


def test_reading_is_noted_once_an_hour_and_counted(
    site: Flask, runtime: Runtime, scene: Scene, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = made(runtime, scene)
    token = path.removeprefix("/calendar/").removesuffix(".ics")

    def read_at() -> datetime | None:
        with runtime.database.unit_of_work(access.system(scene.organization)) as uow:
            return uow.session.scalars(select(CalendarFeed.read_at).where(CalendarFeed.revoked_at.is_(None))).one()

    feeds.serve_feed(runtime, token)
    first = read_at()
    clock.now += timedelta(minutes=59)
    feeds.serve_feed(runtime, token)
    assert read_at() == first
    clock.now += timedelta(minutes=1)
    feeds.serve_feed(runtime, token)
    assert read_at() == clock.now
    monkeypatch.setattr(pages, "_READS", Budget("calendar-feed-test", "2 per hour"))
    monkeypatch.setattr(pages, "_GUESSES", Budget("calendar-guess-test", "2 per hour"))
    stranger = site.test_client()
    assert [stranger.get(path).status_code for _ in range(3)] == [200, 200, 429]
    assert [stranger.get("/calendar/x.ics").status_code for _ in range(3)] == [404, 404, 429]
    assert int(stranger.get(path).headers["Retry-After"]) > 0


def test_only_one_address_lives_whoever_makes_it_at_once(runtime: Runtime, scene: Scene) -> None:
    made(runtime, scene)
    made(runtime, scene)
    with runtime.database.unit_of_work(access.system(scene.organization)) as uow:
        assert len(uow.session.scalars(select(CalendarFeed).where(CalendarFeed.revoked_at.is_(None))).all()) == 1
    with pytest.raises(NotFound), runtime.database.unit_of_work(scene.client.actor) as uow:
        feeds.end_feed(uow, PLAN)


def test_the_calendar_speaks_the_client_s_language(runtime: Runtime, scene: Scene) -> None:
    token = made(runtime, scene).removeprefix("/calendar/").removesuffix(".ics")
    with runtime.database.unit_of_work(access.system(scene.organization)) as uow:
        uow.session.execute(update(Client).where(Client.id == scene.client.actor.client_id).values(locale="zh_Hans_CN"))
    served = feeds.serve_feed(runtime, token)
    assert served is not None
    assert b"NAME;LANGUAGE=zh-Hans-CN:" in served.body
