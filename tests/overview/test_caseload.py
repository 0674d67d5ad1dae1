"""The caseload: reasons, filters, what it costs, and handing chosen clients on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import Engine, event, text, update

from app.domain import access
from app.domain.access import Role
from app.features.clients.models import Client
from app.features.clients.queries import attributes
from app.features.clients.service import ClientDetails, DefineAttribute, create_client, define_attribute
from app.features.cohorts.commands import ChangeMembers, CreateCohort
from app.features.cohorts.service import add_members, create_cohort
from app.features.overview.commands import CaseloadFilter, Why
from app.features.overview.filters import filter_of, query_of
from app.features.overview.queries import CaseloadPage, caseload_page, matching
from app.features.selections.service import find_selection
from app.infra.runtime import Runtime
from tests.factories import Person, World
from tests.harness import Clock

# Sign-in and tenancy take four; a page of the caseload may take as many again.
MOST_STATEMENTS = 8


@contextmanager
def statements() -> Iterator[list[str]]:
    """Every statement sent meanwhile, savepoints of the test's own aside."""
    seen: list[str] = []

    def note(_conn: object, _cursor: object, statement: str, *_: object) -> None:
        if not statement.startswith(("SAVEPOINT", "RELEASE", "ROLLBACK", "SET LOCAL ROLE")):
            seen.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def page(runtime: Runtime, person: Person, **wanted: object) -> CaseloadPage:
    with runtime.database.unit_of_work(person.actor) as uow:
        chosen = CaseloadFilter(**wanted)  # type: ignore[arg-type] # a test's own keywords
        return caseload_page(uow, chosen, today=uow.now.date(), attributes=attributes(uow))


def contact(runtime: Runtime, here: UUID, clients: list[UUID], days: int) -> None:
    with runtime.database.unit_of_work(access.system(here)) as uow:
        at = uow.now - timedelta(days=days)
        uow.session.execute(update(Client).where(Client.id.in_(clients)).values(last_contact_at=at))


@pytest.fixture
def lena(world: World) -> Person:
    return world.person(world.organization(), Role.COUNSELLOR, "Lena")


def test_each_reason_is_told_and_ranked(runtime: Runtime, world: World, lena: Person, clock: Clock) -> None:
    here = lena.actor.organization_id
    late, today = clock.now.date() - timedelta(days=9), clock.now
    names = ["waiting", "answered", "escalated", "overdue", "stale", "never", "silent", "fine", "none"]
    ids = dict(zip(names, world.clients(here, len(names)), strict=True))
    world.caseload(lena, list(ids.values()))
    contact(runtime, here, [ids[n] for n in names if n != "never"], 1)
    contact(runtime, here, [ids["silent"]], 50)
    states = {"waiting": "ccsnnnnn", "overdue": "cinnnnnn", "stale": "ctnnnnnn"}
    plans = {}
    for name in names[:-1]:
        due = late if name in ("overdue", "waiting") else None
        changed = today - timedelta(days=40) if name == "silent" else today
        (plans[name],) = world.plans(
            here, [ids[name]], states.get(name, "cnnnnnnn" if name != "waiting" else ""), due_on=due, changed_at=changed
        )
    with runtime.database.unit_of_work(access.system(here)) as uow:
        uow.session.execute(
            text("UPDATE plan_steps SET due_on = NULL WHERE plan_id = :p AND step > 3"), {"p": plans["waiting"]}
        )
        review = text(
            "INSERT INTO reviews (plan_id, occurrence_on, state, answered_at, escalated_at) VALUES (:p, :d, :s, :a, :e)"
        )
        uow.session.execute(
            review, {"p": plans["answered"], "d": late, "s": "answered", "a": today - timedelta(days=7), "e": None}
        )
        uow.session.execute(review, {"p": plans["escalated"], "d": late, "s": "open", "a": None, "e": today})
    found = page(runtime, lena)
    why = {row.id: Why(row.why) for row in found.rows}
    assert why == {
        ids["waiting"]: Why.WAITING,
        ids["answered"]: Why.ANSWERED,
        ids["escalated"]: Why.ESCALATED,
        ids["overdue"]: Why.OVERDUE,
        ids["stale"]: Why.STALE,
        ids["never"]: Why.NEVER_MET,
        ids["silent"]: Why.SILENT,
        ids["fine"]: Why(0),
        ids["none"]: Why(0),
    }
    assert [row.id for row in found.rows][:7] == [ids[n] for n in names[:7]]
    assert (found.total, found.tiles.waiting, found.tiles.overdue, found.tiles.answered_share) == (9, 2, 1, 50)
    overdue = next(row for row in found.rows if row.id == ids["overdue"])
    assert (overdue.overdue, overdue.overdue_since, overdue.statuses) == (7, late, "cinnnnnn")
    wanted = page(runtime, lena, why=int(Why.STALE | Why.SILENT))
    assert [row.id for row in wanted.rows] == [ids["stale"], ids["silent"]]
    assert wanted.tiles == found.tiles


def test_filters_combine_and_page(runtime: Runtime, world: World, lena: Person) -> None:
    here = lena.actor.organization_id
    with runtime.database.unit_of_work(access.system(here)) as uow:
        define_attribute(uow, DefineAttribute(label="Programme", kind="choice", choices=["Law", "Economics"]))
        define_attribute(uow, DefineAttribute(label="Year", kind="number"))
        ids = [
            create_client(
                uow,
                ClientDetails(
                    external_id=f"X-{n}",
                    given_name="Mary-Jane" if n == 4 else "Ann",
                    family_name=f"Fam{n}",
                    attributes={"programme": "Law" if n % 2 else "Economics", "year": n % 3},
                ),
            ).id
            for n in range(6)
        ]
        cohort = create_cohort(uow, CreateCohort(name="C"))
        add_members(uow, ChangeMembers(cohort_id=cohort.id, clients=ids[:4]))
    world.caseload(lena, ids)
    world.plans(here, ids[1:3], "csnnnnnn")
    world.plans(here, ids[3:4], "ctsnnnnn")

    def found(**wanted: object) -> list[int]:
        return sorted(ids.index(row.id) for row in page(runtime, lena, **wanted).rows)

    assert found(cohort_id=cohort.id) == [0, 1, 2, 3]
    assert found(cohort_id=cohort.id, attribute=("programme", "Law")) == [1, 3]
    assert found(step=2, status="submitted") == [1, 2]
    assert found(status="submitted") == [1, 2, 3]
    assert found(step=2, status="completed") == [3]
    assert found(attribute=("year", "2")) == [2, 5]
    assert found(search="jane") == [4]
    world.plans(here, ids[5:], "nnnnnnnn", next_review_on=date(2026, 9, 30))
    assert found(review_soon=True) == [5]
    assert found(search="x-1 ann") == [1]
    # Any part of a name, an e-mail or an id, not only its beginning.
    assert found(search="ry-ja") == [4]
    assert found(search="-3") == [3]
    assert found(search="am5 nn") == [5]
    assert found(search="%") == []
    assert found(search="_am") == []
    assert found(quiet_weeks=0) == [0, 1, 2, 3, 4, 5]
    contact(runtime, here, ids[:2], 30)
    assert found(quiet_weeks=4) == [0, 1]
    assert found(quiet_weeks=8) == []
    second = page(runtime, lena, sort="name", size=4, page=2)
    assert ([ids.index(r.id) for r in second.rows], second.total) == ([4, 5], 6)
    assert second.rows[1].second == "Law, year 2"
    beyond = page(runtime, lena, size=50, page=9)
    assert (beyond.rows, beyond.total, beyond.tiles.clients) == ([], 6, 6)
    with runtime.database.unit_of_work(lena.actor) as uow:
        every = matching(uow, CaseloadFilter(attribute=("programme", "Law"), size=1), today=uow.now.date())
        assert sorted(ids.index(i) for i in uow.session.scalars(every)) == [1, 3, 5]


def test_the_caseload_ends_where_the_policy_says(runtime: Runtime, world: World, lena: Person) -> None:
    here = lena.actor.organization_id
    ids = world.clients(here, 3)
    world.caseload(lena, ids[:1])
    elsewhere = world.organization()
    world.clients(elsewhere, 2)
    assert [row.id for row in page(runtime, lena).rows] == ids[:1]
    assert page(runtime, world.person(here, Role.ADMIN)).total == 3
    assert page(runtime, world.person(here, Role.COUNSELLOR)).tiles.clients == 0


@pytest.mark.parametrize("path", ["/", "/caseload?size=600", "/caseload?q=fam&why=2&sort=-contact"])
def test_a_page_takes_few_statements(app: Flask, world: World, lena: Person, path: str) -> None:
    ids = world.clients(lena.actor.organization_id, 60)
    world.caseload(lena, ids)
    world.plans(lena.actor.organization_id, ids, "csinnnnn")
    browser = world.browser(app, lena)
    with statements() as seen:
        answer = browser.get(path)
    assert answer.status_code == 200
    assert answer.text.count('<tr role="row">') > 20
    assert len(seen) <= MOST_STATEMENTS, seen


def test_an_empty_caseload_says_what_to_do(app: Flask, world: World, lena: Person) -> None:
    browser = world.browser(app, lena)
    for path in ("/", "/caseload"):
        assert "Ask an administrator to assign people to you" in browser.get(path).text
    ids = world.clients(lena.actor.organization_id, 1)
    world.caseload(lena, ids)
    assert "Nobody matches" in browser.get("/caseload?q=zzz").text


def test_what_makes_no_sense_in_an_address_is_as_if_not_given(app: Flask, world: World, lena: Person) -> None:
    world.caseload(lena, world.clients(lena.actor.organization_id, 1))
    browser = world.browser(app, lena)
    odd = "?page=0&size=-3&sort=;drop&cohort=1&why=999999&step=9&status=x&contact=x&attribute=a&q=%F0%9F"
    assert browser.get(f"/caseload{odd}").status_code == 200


def test_a_filter_survives_its_address() -> None:
    wanted = CaseloadFilter(
        search="li na",
        cohort_id=UUID(int=7),
        why=int(Why.OVERDUE | Why.SILENT),
        step=4,
        status="submitted",
        attribute=("programme", "Law: old"),
        quiet_weeks=0,
        review_soon=True,
        sort="contact",
        descending=True,
        size=100,
        page=3,
    )
    assert filter_of(query_of(wanted)) == wanted
    assert query_of(CaseloadFilter()) == {}
    assert "page" not in query_of(wanted, cohort=None)


def test_hostile_names_are_only_text(app: Flask, world: World, lena: Person) -> None:
    ids = world.clients(lena.actor.organization_id, 1, given_name="<script>alert(1)</script>", family_name='"&')
    world.caseload(lena, ids)
    text_ = world.browser(app, lena).get("/caseload").text
    assert "<script>alert" not in text_
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &#34;&amp;" in text_


def test_ticked_clients_and_all_that_match_are_frozen(app: Flask, world: World, runtime: Runtime, lena: Person) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    ids, foreign = world.clients(lena.actor.organization_id, 3), world.clients(lena.actor.organization_id, 1)
    world.caseload(lena, ids)
    contact(runtime, lena.actor.organization_id, ids[2:], 1)
    browser = world.browser(app, lena)

    def frozen(**sent: object) -> set[UUID]:
        answer = browser.post("/caseload/assign", data=sent)
        address, _, selection = answer.headers["Location"].partition("?selection=")
        assert (answer.status_code, address) == (303, "/assignments/new")
        with runtime.database.unit_of_work(lena.actor) as uow:
            return set(find_selection(uow, UUID(selection)).client_ids)

    assert frozen(client=[str(ids[0]), str(foreign[0])]) == {ids[0]}
    assert frozen(every="1", client=[str(ids[2])], why=str(int(Why.NEVER_MET))) == set(ids[:2])
    assert browser.post("/caseload/assign", data={}).status_code == 422
    assert browser.post("/caseload/nothing", data={"every": "1"}).status_code == 404


@pytest.mark.parametrize("role", [Role.ADMIN, Role.COUNSELLOR])
def test_every_act_that_is_offered_leads_to_its_preview(app: Flask, world: World, lena: Person, role: Role) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    here = lena.actor.organization_id
    ids = world.clients(here, 1)
    world.caseload(lena, ids)
    browser = world.browser(app, lena if role is Role.COUNSELLOR else world.person(here, Role.ADMIN))
    offered = set(re.findall(r'formaction="(/caseload/\w+)"', browser.get("/caseload").text))
    assert len(offered) >= 2
    for act in offered:
        passed_on = browser.post(act, data={"client": [str(ids[0])]})
        assert passed_on.status_code == 303, act
        assert browser.get(passed_on.headers["Location"]).status_code == 200, act


def test_a_client_page_tells_what_happened(app: Flask, world: World, lena: Person, runtime: Runtime) -> None:
    here = lena.actor.organization_id
    own, other = world.clients(here, 2)
    world.caseload(lena, [own])
    (plan,) = world.plans(here, [own], "csnnnnnn", due_on=date(2026, 10, 1))
    with runtime.database.unit_of_work(lena.actor) as uow:
        uow.session.execute(
            text(
                "INSERT INTO plan_events (plan_id, step, kind, actor_id, actor_kind, detail)"
                " VALUES (:p, 2, 'submitted', :m, 'counsellor', '{\"to\": \"submitted\"}')"
            ),
            {"p": plan, "m": lena.actor.membership_id},
        )
        uow.session.execute(
            text("INSERT INTO step_comments (plan_id, step, author_id, body) VALUES (:p, 2, :m, '<b>Well done</b>')"),
            {"p": plan, "m": lena.actor.membership_id},
        )
    browser = world.browser(app, lena)
    answer = browser.get(f"/clients/{own}")
    assert answer.status_code == 200
    assert "Lena submitted step 2, Self-assessment" in answer.text
    assert "&lt;b&gt;Well done&lt;/b&gt;" in answer.text
    assert browser.get(f"/clients/{other}").status_code == 404


def test_two_counsellors_with_the_same_filter_each_see_their_own(world: World, runtime: Runtime) -> None:
    organization = world.organization()
    clients = world.clients(organization, 4)
    seen = []
    for mine in (clients[:1], clients[1:]):
        counsellor = world.person(organization, Role.COUNSELLOR)
        world.caseload(counsellor, mine)
        with runtime.database.unit_of_work(counsellor.actor) as uow:
            # The statement is kept from the first to the second; who asks is not.
            page = caseload_page(uow, CaseloadFilter(), today=uow.now.date(), attributes=[])
            seen.append({row.id for row in page.rows})
            every = matching(uow, CaseloadFilter(), today=uow.now.date())
            assert set(uow.session.scalars(every)) == seen[-1]
    assert [len(ids) for ids in seen] == [1, 3]
    assert not seen[0] & seen[1]
