"""What-if: a copy that shows what a change would do and never touches what it was copied from."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, text
from sqlalchemy.engine import Engine

from app.domain.access import Role
from app.domain.errors import Conflict, Forbidden, InvalidInput, NotFound
from app.domain.routes import network
from app.domain.steps import StepKey
from app.domain.what_if import Impossible, Trouble
from app.features.models import metadata
from app.features.plans.queries import view_plan
from app.features.scratches import queries, service
from app.features.scratches.catalogue import cut_off, out_of_reach
from app.features.scratches.commands import BeginScratch, TryChange
from app.features.scratches.models import PlanScratch
from app.infra.db.tenancy import GLOBAL_TABLES
from app.infra.runtime import Runtime
from tests.domain.test_what_if import EVERY
from tests.domain.test_what_if import PLAN as WRITTEN
from tests.factories import Person, World
from tests.harness import Clock
from tests.plans.page_forms import fields_of
from tests.plans.test_marks import Desk

# What the rooms of today take of the plan the domain is tested with.
KNOWN = {"id", "text", "name", "code", "kind", "due_on", "start_on", "goal", "parent", "path"}


class Site(Desk):
    """A desk whose plan has content in steps 3 to 7."""

    def __init__(self, world: World, clock: Clock | None = None) -> None:
        super().__init__(world, clock)
        for key, content in WRITTEN.items():
            self.save(key, {name: plain(value) for name, value in content.items()})

    def begin(self, person: Person | None = None, *changes: dict[str, Any], title: str = "") -> UUID:
        with self.runtime.database.unit_of_work((person or self.client).actor) as uow:
            command = BeginScratch(plan_id=self.plan_id, title=title, changes=changes)
            return service.begin_scratch(uow, command).id

    def change(self, scratch: UUID, change: dict[str, Any], person: Person | None = None) -> None:
        with self.runtime.database.unit_of_work((person or self.client).actor) as uow:
            service.try_change(uow, TryChange(plan_id=self.plan_id, scratch_id=scratch, change=change))

    def tried(self, scratch: UUID, person: Person | None = None) -> queries.TriedCopy:
        with self.runtime.database.unit_of_work((person or self.client).actor) as uow:
            return queries.try_out(uow, queries.find_scratch(uow, self.plan_id, scratch))


def plain(value: Any) -> Any:
    """A value with the fields every version of the rooms knows."""
    if not isinstance(value, list):
        return value
    return [
        {name: one for name, one in row.items() if name in KNOWN - ({"path"} if "goal" in row else set())}
        for row in value
    ]


def digests(runtime: Runtime, actor: Any) -> dict[str, str]:
    """Of every table but the copies and the ledgers of what people did: a digest of all its rows."""
    beside = {"plan_scratches", "audit_entries", "audit_batches", "audit_heads"}
    found = {}
    with runtime.database.unit_of_work(actor) as uow:
        for table in metadata.tables.values():
            if table.name in beside or table.name in GLOBAL_TABLES:
                continue
            rows = uow.session.execute(text(f"SELECT t::text FROM {table.name} t ORDER BY 1")).scalars()
            found[table.name] = hashlib.sha256("\n".join(rows).encode()).hexdigest()
    return found


@pytest.fixture
def site(world: World, clock: Clock) -> Site:
    return Site(world, clock)


CHANGES = st.lists(st.sampled_from(EVERY), max_size=4)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(CHANGES, st.booleans())
def test_whatever_is_tried_no_other_table_changes(site: Site, changes: list[dict[str, Any]], shared: bool) -> None:
    before = digests(site.runtime, site.counsellor.actor)
    assert len(before) > 20
    scratch = site.begin(site.client, *changes[:1])
    for change in changes[1:]:
        site.change(scratch, change)
    site.tried(scratch)
    with site.runtime.database.unit_of_work(site.client.actor) as uow:
        service.share_scratch(uow, site.plan_id, scratch, shared=shared)
        service.take_off_change(uow, site.plan_id, scratch, 1)
    with site.runtime.database.unit_of_work(site.client.actor) as uow:
        service.discard_scratch(uow, site.plan_id, scratch)
    assert digests(site.runtime, site.counsellor.actor) == before


def test_trying_on_the_pages_changes_no_other_table(app: Flask, world: World, site: Site) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    before = digests(site.runtime, site.counsellor.actor)
    browser = world.browser(app, site.client)
    shown = begin_on_page(browser, site, "Another occupation")
    posted = {
        "occupation": {"option": "o2"},
        "path": {"path": "p2"},
        "action_days": {"action": "a1", "action_due_on": "2026-11-20"},
        "goal_day": {"goal": "g1", "goal_due_on": "2027-05-31"},
        "factor": {"factor": "f1", "turned": "opportunity"},
        "education": {"level": "8"},
        "hours": {"hours_week": "3"},
        "goal_dropped": {"dropped_goal": "g2"},
        "action_dropped": {"dropped_action": "a2"},
    }
    for kind, fields in posted.items():
        answer = browser.post(f"{shown}/changes/{kind}", data=fields)
        assert (answer.status_code, kind) == (302, kind)
    page = browser.get(shown).text
    for said in (
        "Another occupation: “Planner”",
        "It rests on the chosen occupation, which was “Analyst” and is now “Planner”.",
        "The factor “Hiring freeze” turns into: opportunity",
        "3 hours a week for the plan",
        "The goal “Lead a team” is due: 31 May 2027",
        "Counts again",
    ):
        assert said in page, said
    assert digests(site.runtime, site.counsellor.actor) == before


def begin_on_page(browser: FlaskClient, site: Site, title: str) -> str:
    answer = browser.post(f"/plans/{site.plan_id}/try", data={"title": title})
    assert answer.status_code == 302
    assert answer.location.startswith(f"/plans/{site.plan_id}/try/")
    return str(answer.location)


def test_a_copy_survives_and_says_when_the_plan_moved_on(site: Site) -> None:
    scratch = site.begin(site.client, {"kind": "occupation", "option": "o2"})
    assert site.tried(scratch).moved_on == []
    site.save(StepKey.GOALS, {"goals": [{"id": "g9", "text": "Something else"}]})
    site.save(StepKey.AMBITION, {"why": "new"})
    tried = site.tried(scratch)
    assert tried.moved_on == [StepKey.AMBITION, StepKey.GOALS]
    # The copy itself is as it was.
    assert tried.before[StepKey.GOALS]["goals"][0]["id"] == "g1"
    assert list(tried.outcome.stale) == [StepKey.CAREER_PATH, StepKey.GOALS, StepKey.ACTION_PLAN]


def test_what_the_copy_shows_is_what_happens(site: Site) -> None:
    tried = site.tried(site.begin(site.client, {"kind": "occupation", "option": "o2"}))
    with site.runtime.database.unit_of_work(site.counsellor.actor) as uow:
        content = view_plan(uow, site.plan_id).content(StepKey.CAREER_CHOICE)
    marked = set(site.marks())
    site.save(StepKey.CAREER_CHOICE, content | {"chosen": "o2"})
    shown = {(step, one.aspect) for step, changes in tried.outcome.stale.items() for one in changes}
    assert set(site.marks()) - marked == shown


def test_later_words_on_the_same_thing_take_the_earlier_ones_place(site: Site) -> None:
    scratch = site.begin(site.client, {"kind": "hours", "hours_week": 5})
    site.change(scratch, {"kind": "hours", "hours_week": 9})
    site.change(scratch, {"kind": "goal_day", "goal": "g1", "due_on": "2031-01-01"})
    site.change(scratch, {"kind": "goal_day", "goal": "g2", "due_on": "2028-01-01"})
    site.change(scratch, {"kind": "goal_day", "goal": "g1", "due_on": None})
    assert site.tried(scratch).row.changes == [
        {"kind": "hours", "hours_week": 9},
        {"kind": "goal_day", "goal": "g2", "due_on": "2028-01-01"},
        {"kind": "goal_day", "goal": "g1"},
    ]


def test_who_sees_a_copy_and_who_may_do_what_with_it(site: Site, world: World) -> None:
    scratch = site.begin()
    stranger, foreign = world.person(site.organization, Role.COUNSELLOR), world.person(world.organization(), Role.ADMIN)
    other = world.client_person(site.organization)
    analyst = world.person(site.organization, Role.ANALYST)
    for person in (site.counsellor, stranger, foreign, other, analyst):
        with pytest.raises(NotFound):
            site.tried(scratch, person)
    with site.runtime.database.unit_of_work(site.client.actor) as uow:
        service.share_scratch(uow, site.plan_id, scratch, shared=True)
    for person in (stranger, foreign, other, analyst):
        with pytest.raises(NotFound):
            site.tried(scratch, person)
        with pytest.raises((NotFound, Forbidden)):
            site.begin(person)
    # Together on one copy; whose it is decides of its life.
    site.change(scratch, {"kind": "hours", "hours_week": 5}, site.counsellor)
    assert len(site.tried(scratch).row.changes) == 1
    with pytest.raises(Forbidden), site.runtime.database.unit_of_work(site.counsellor.actor) as uow:
        service.discard_scratch(uow, site.plan_id, scratch)
    with pytest.raises(Forbidden), site.runtime.database.unit_of_work(site.counsellor.actor) as uow:
        service.share_scratch(uow, site.plan_id, scratch, shared=False)


def test_bounds_and_what_does_not_fit(site: Site) -> None:
    scratch = site.begin()
    with pytest.raises(InvalidInput, match="names nothing the copy has"):
        site.change(scratch, {"kind": "path", "path": "p9"})
    with pytest.raises(InvalidInput):
        site.begin(None, {"kind": "path", "path": "p2"}, {"kind": "no"})
    with pytest.raises(InvalidInput, match="120"):
        site.begin(title="x" * 121)
    with pytest.raises(NotFound):
        site.change(uuid4(), {"kind": "hours", "hours_week": 5})
    for _ in range(service.MOST_SCRATCHES - 1):
        site.begin()
    with pytest.raises(Conflict, match="Discard one"):
        site.begin()


def test_a_copy_nobody_uses_is_forgotten(site: Site, clock: Clock) -> None:
    scratch = site.begin()
    clock.now += timedelta(days=29)
    site.change(scratch, {"kind": "hours", "hours_week": 5})
    clock.now += timedelta(days=29)
    service.forget_expired(site.runtime, site.organization)
    assert site.tried(scratch).row.id == scratch
    clock.now += timedelta(days=2)
    with pytest.raises(NotFound):
        site.tried(scratch)
    service.forget_expired(site.runtime, site.organization)
    with site.runtime.database.unit_of_work(site.counsellor.actor) as uow:
        assert uow.session.get(PlanScratch, (site.organization, scratch)) is None


def test_the_catalogue_says_what_education_an_occupation_asks_for(catalogue_world: World) -> None:
    site = Site(catalogue_world)
    site.save(
        StepKey.OPPORTUNITIES, {"factors": [{"id": "f1", "text": "Hiring freeze", "kind": "threat"}], "education": 2}
    )
    lawyer = {"kind": "occupation", "name": "Lawyers", "code": "23-1011.00", "release": "onet-30.1"}
    [gap] = site.tried(site.begin(site.client, lawyer)).outcome.impossible
    assert (gap.what, gap.text) == (Trouble.EDUCATION_GAP, "Lawyers")
    assert gap.days >= 3
    # With the education it asks for nothing is in the way.
    found = site.tried(site.begin(site.client, lawyer, {"kind": "education", "level": 12})).outcome
    assert found.impossible == []


def test_no_route_is_told_only_where_the_network_has_both_ends(catalogue_world: World) -> None:
    islands = network({"a": [("b", 1)], "c": [("d", 1)]}, {"a": 1, "b": 2, "c": 3, "d": 4})
    assert cut_off(islands, "a", "d")
    assert not any(cut_off(islands, *ends) for ends in (("a", "b"), ("a", "x"), ("x", "a")))
    lawyer = {"id": "o1", "name": "Lawyers", "code": "23-1011.00", "release": "onet-30.1"}
    site = Desk(catalogue_world)

    def found(start: Any) -> list[Impossible]:
        contents = {
            StepKey.CAREER_CHOICE: {"options": [lawyer], "chosen": "o1"},
            StepKey.CAREER_PATH: {"start": start},
        }
        with catalogue_world.runtime.database.unit_of_work(site.client.actor) as uow:
            return out_of_reach(uow, {}, contents)

    # Everything of the whole catalogue is within six hops; what it does not know it says nothing of.
    for start in (None, {"name": "by hand", "code": None}, {"code": "23-2011.00"}, {"code": "99-9999.00"}, "x"):
        assert found(start) == []


def test_pages_for_both_and_what_bad_input_gets(app: Flask, world: World, site: Site) -> None:
    client, counsellor = world.browser(app, site.client), world.browser(app, site.counsellor)
    here = f"/plans/{site.plan_id}/try"
    form = fields_of(client.get(here).text, f'action="{here}"')
    shown = client.post(here, data=form | {"title": "Fewer hours"}).location
    page = client.get(shown).text
    assert "Fewer hours" in page
    assert "bar-bottom" in page
    token = {"csrf_token": form["csrf_token"]}
    for kind, fields, said in (
        ("hours", {"hours_week": "9" * 25}, "Give a whole number from 0 to 168."),
        ("hours", {}, "names nothing the copy has"),
        ("goal_day", {"goal": "g1", "goal_due_on": "9999-12-31"}, "Give a day between 1900 and 2200."),
        ("goal_day", {"goal": "g1", "goal_due_on": "soon"}, "Not a valid date value."),
        ("education", {"level": "1" * 25}, "names nothing the copy has"),
        ("path", {"path": "p9"}, "names nothing the copy has"),
        ("occupation", {"name": " "}, "names nothing the copy has"),
    ):
        answer = client.post(f"{shown}/changes/{kind}", data=token | fields)
        assert (answer.status_code, said in answer.text) == (422, True), (kind, fields)
    assert client.post(f"{shown}/changes/hours", data=token | {"hours_week": "5"}).status_code == 302
    assert counsellor.get(shown).status_code == 404
    assert client.post(f"{shown}/share", data=token).status_code == 302
    theirs = counsellor.get(shown)
    assert "5 hours a week" in theirs.text
    assert "Discard" not in theirs.text
    assert client.post(f"{shown}/discard", data=token).status_code == 302
    assert client.get(shown).status_code == 404


def test_an_occupation_typed_is_looked_up_in_the_catalogue(app: Flask, world: World, site: Site) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    browser = world.browser(app, site.client)
    shown = begin_on_page(browser, site, "")
    for typed, named in (
        ("15-1252.00", {"name": "Software Developers", "code": "15-1252.00", "release": "starter-30.1"}),
        ("software  developers", {"name": "Software Developers", "code": "15-1252.00", "release": "starter-30.1"}),
        ("Lighthouse keeper", {"name": "Lighthouse keeper"}),
    ):
        assert browser.post(f"{shown}/changes/occupation", data={"name": typed}).status_code == 302
        [change] = site.tried(UUID(shown.rsplit("/", 1)[1])).row.changes
        assert change == {"kind": "occupation"} | named


@pytest.mark.parametrize("reader", ["client", "counsellor"])
def test_a_page_asks_at_most_ten_questions(app: Flask, world: World, site: Site, reader: str) -> None:
    person = site.client if reader == "client" else site.counsellor
    scratch = site.begin(person, *EVERY[:1], {"kind": "path", "path": "p2"})
    site.save(StepKey.CAREER_CHOICE, {"options": [{"id": "o1", "name": "Baker"}], "chosen": "o1"})
    browser = world.browser(app, person)
    step = "/my-plan/steps/6" if reader == "client" else f"/plans/{site.plan_id}/steps/6"
    for path in (f"/plans/{site.plan_id}/try", f"/plans/{site.plan_id}/try/{scratch}", step):
        browser.get(path)
        asked: list[str] = []
        with listening(asked):
            assert browser.get(path).status_code == 200
        counted = [one for one in asked if one.lstrip().upper().startswith(("SELECT", "WITH")) and not outside(one)]
        assert len(counted) <= 10, (path, counted)


@contextmanager
def listening(asked: list[str]) -> Iterator[None]:
    """Note every statement of every engine."""

    def listener(*args: Any) -> None:
        asked.append(args[2])

    event.listen(Engine, "before_cursor_execute", listener)
    try:
        yield
    finally:
        event.remove(Engine, "before_cursor_execute", listener)


def outside(statement: str) -> bool:
    """What the edge asks for every page, whatever it shows: who reads, and naming the organization."""
    edge = (
        "set_config",
        "user_sessions",
        "FROM users",
        "FROM memberships",
        "FROM organizations",
        "user_places",
        "tenants",
    )
    return any(name in statement for name in edge)


def test_json(app: Flask, world: World, site: Site) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    browser = world.browser(app, site.counsellor)
    here = f"/api/v1/plans/{site.plan_id}/scratches"
    begun = browser.post(here, json={"title": "Try", "changes": [{"kind": "path", "path": "p2"}]})
    assert begun.status_code == 201
    body = begun.get_json()
    assert [one["step"] for one in body["outcome"]["stale"]] == [6, 7]
    one = f"{here}/{body['id']}"
    more = browser.post(f"{one}/changes", json={"change": {"kind": "goal_day", "goal": "g1", "due_on": "2027-01-01"}})
    # What serves the goal belongs to the way that is not taken here, so nothing clashes until that change is off.
    assert more.get_json()["outcome"]["impossible"] == []
    refused = browser.post(f"{one}/changes", json={"change": {"kind": "path", "path": "p9"}})
    assert refused.status_code == 422
    less = browser.delete(f"{one}/changes/1").get_json()
    assert [change["kind"] for change in less["changes"]] == ["goal_day"]
    assert [clash["what"] for clash in less["outcome"]["impossible"]] == ["goal_after_parent"]
    assert browser.put(f"{one}/shared", json={"shared": True}).get_json()["shared"] is True
    assert [row["id"] for row in browser.get(here).get_json()["items"]] == [body["id"]]
    assert browser.delete(one).status_code == 204
    assert browser.get(one).status_code == 404
