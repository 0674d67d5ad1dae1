"""Figures: right counts, kept while nothing changed, withheld ones of one moment a day, whose they are."""

from __future__ import annotations

import threading
import time
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from app.domain import access
from app.domain.access import Role
from app.domain.errors import NotFound
from app.features.figures.kept import sweep
from app.features.figures.layer import Answer, Question, ask
from app.infra.runtime import Runtime
from tests.factories import World
from tests.figures.scene import make_organization

_ROWS = """
    SELECT c.attributes ->> 'programme' AS programme, c.attributes ->> 'year' AS year, p.started_on,
           array_agg(s.status ORDER BY s.step) AS statuses, array_agg(s.due_on < current_date ORDER BY s.step) AS late,
           max(s.changed_at) < timestamptz '2026-08-01 00:00Z' AS still
    FROM clients c JOIN plans p ON p.client_id = c.id AND p.status = 'active' JOIN plan_steps s ON s.plan_id = p.id
    WHERE c.active GROUP BY c.organization_id, c.id, p.organization_id, p.id
"""


@pytest.fixture
def organization(runtime: Runtime, world: World) -> UUID:
    return make_organization(runtime, world, 240, 11)


def asked(runtime: Runtime, who: access.Actor, question: Question) -> Answer:
    with runtime.database.unit_of_work(who) as uow:
        return ask(uow, question)


def test_numbers_are_those_of_the_rows(runtime: Runtime, organization: UUID) -> None:
    system = access.system(organization)
    with runtime.database.unit_of_work(system) as uow:
        rows = uow.session.execute(text(_ROWS)).all()
    rules = {
        "completed": lambda r, s: r.statuses[s] == "completed",
        "overdue": lambda r, s: r.late[s] and r.statuses[s] in {"not_started", "in_progress", "returned"},
        "returned": lambda r, s: r.statuses[s] == "returned",
        "stalled": lambda r, s: (
            r.still and s == next((n for n, w in enumerate(r.statuses) if w not in {"completed", "skipped"}), 8)
        ),
    }
    for key, rule in rules.items():
        for by in ("", "year"):
            answer = asked(runtime, system, Question(key, "programme", by))
            for one in answer.numbers:
                year = None if one.second is None else str(one.second)
                group = [r for r in rows if r.programme == one.first and (not by or r.year == year)]
                assert one.people == len(group)
                assert one.number == sum(bool(rule(r, int(one.part) - 1)) for r in group), (key, one)
    finished = asked(runtime, system, Question("finished")).numbers[0]
    assert finished.number == sum(set(r.statuses) <= {"completed", "skipped"} for r in rows)
    late = asked(runtime, system, Question("late")).numbers[0]
    assert late.number == sum(any(rules["overdue"](r, s) for s in range(8)) for r in rows)
    assert late.people == 240


def make_older(runtime: Runtime, organization: UUID, days: int) -> None:
    """As if what is kept had been worked out before: an hour ago, so many days ago."""
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        uow.session.execute(
            text("UPDATE figure_releases SET moment = moment - interval '1 hour', day = day - :days"), {"days": days}
        )


def test_exact_figures_are_kept_until_something_changes(runtime: Runtime, organization: UUID) -> None:
    system = access.system(organization)
    first = asked(runtime, system, Question("completed"))
    changes = (
        "UPDATE plan_steps SET status = 'completed' WHERE step = 8",
        "UPDATE clients SET active = false WHERE external_id = 'F1'",
        "UPDATE clients SET attributes = '{}' WHERE external_id = 'F2'",
        "DELETE FROM attribute_definitions WHERE key = 'year'",
        "INSERT INTO reviews (plan_id, occurrence_on) SELECT id, '2026-06-01' FROM plans LIMIT 3",
        "INSERT INTO plan_events (plan_id, step, kind, actor_kind) SELECT id, 2, 'completed', 'client' FROM plans",
        "INSERT INTO cohorts (name, kind) VALUES ('Evening school', 'fixed')",
        "INSERT INTO cohort_members (cohort_id, client_id) SELECT o.id, c.id FROM cohorts o, clients c LIMIT 20",
    )
    for change in changes:
        make_older(runtime, organization, 0)
        assert asked(runtime, system, Question("completed", "programme")).moment < first.moment
        with runtime.database.unit_of_work(system) as uow:
            uow.session.execute(text(change))
        latest = asked(runtime, system, Question("completed"))
        assert latest.moment == first.moment, change
    assert latest.numbers[7].number == latest.numbers[7].people == 239
    make_older(runtime, organization, 1)
    assert asked(runtime, system, Question("completed")) == latest
    with runtime.database.unit_of_work(system) as uow:
        assert uow.session.scalar(text("SELECT count(*) FROM figure_marks")) == 0


@pytest.mark.committed
def test_a_change_that_is_not_committed_yet_is_counted_later(live: Runtime) -> None:
    organization = make_organization(live, World(live), 60, 12)
    system, runtime = access.system(organization), live
    with runtime.database.tenant_session(system, runtime.clock()) as other:
        other.execute(text("UPDATE plan_steps SET status = 'completed' WHERE step = 8"))
        before = asked(runtime, system, Question("completed"))
        other.commit()
    after = asked(runtime, system, Question("completed"))
    assert before.numbers[7].number != 60
    assert after.numbers[7].number == 60


def test_figures_with_groups_withheld_are_made_once_a_day(runtime: Runtime, world: World, organization: UUID) -> None:
    analyst = world.person(organization, Role.ANALYST).actor
    first = asked(runtime, analyst, Question("completed"))
    assert first.threshold == 10
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        uow.session.execute(text("UPDATE plan_steps SET status = 'completed' WHERE step = 8"))
    sweep(runtime, organization)
    assert asked(runtime, analyst, Question("completed")) == first
    # Another threshold is another set of cells.
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        uow.session.execute(text("UPDATE organizations SET small_cell_threshold = 20"))
    made = asked(runtime, analyst, Question("completed"))
    assert made.threshold == 20
    make_older(runtime, organization, 0)
    assert asked(runtime, analyst, Question("completed")).moment < made.moment
    make_older(runtime, organization, 1)
    assert asked(runtime, analyst, Question("completed")).moment == made.moment


def test_cohorts_that_would_tell_of_few_are_not_listed(runtime: Runtime, world: World, organization: UUID) -> None:
    members = """
        INSERT INTO cohort_members (cohort_id, client_id) SELECT o.id, c.id FROM cohorts o JOIN clients c
          ON substr(c.external_id, 2)::int BETWEEN 1 AND CASE o.name WHEN 'All but three' THEN 97 WHEN 'Few' THEN 4
             ELSE 100 END OR o.name = 'Evening school' AND substr(c.external_id, 2)::int > 200
    """
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        names = "('All but three', 'fixed'), ('Evening school', 'fixed'), ('Few', 'fixed'), ('Hundred', 'fixed')"
        uow.session.execute(text(f"INSERT INTO cohorts (name, kind) VALUES {names}"))
        uow.session.execute(text(members))
    exact = asked(runtime, access.system(organization), Question("people", "@cohort")).numbers
    assert [(one.first, one.people) for one in exact] == [
        ("All but three", 97), ("Evening school", 140), ("Few", 4), ("Hundred", 100), (None, 100),
    ]  # fmt: skip
    analyst = world.person(organization, Role.ANALYST).actor
    told = asked(runtime, analyst, Question("people", "@cohort")).numbers
    assert [(one.first, one.people) for one in told] == [("Evening school", 140), ("Hundred", 100), (None, 100)]
    done = asked(runtime, access.system(organization), Question("completed", "@cohort", "programme")).numbers
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        rows = uow.session.execute(
            text(
                "SELECT o.name, c.attributes ->> 'programme', count(*) FROM cohorts o"
                " JOIN cohort_members m ON m.cohort_id = o.id JOIN clients c ON c.id = m.client_id"
                " JOIN plans p ON p.client_id = c.id JOIN plan_steps s ON s.plan_id = p.id"
                " WHERE s.step = 2 AND s.status = 'completed' GROUP BY 1, 2"
            )
        ).all()
    known = {(name, programme): number for name, programme, number in rows}
    assert {(one.first, one.second): one.number for one in done if one.part == "2" and one.first} == {
        (one.first, one.second): known.get((one.first, one.second), 0) for one in done if one.first
    }


def test_a_counsellor_counts_their_caseload(runtime: Runtime, world: World, organization: UUID) -> None:
    counsellor = world.person(organization, Role.COUNSELLOR, "Lena Moreau")
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        mine = list(uow.session.scalars(text("SELECT id FROM clients ORDER BY external_id LIMIT 7")))
    world.caseload(counsellor, mine)
    assert asked(runtime, counsellor.actor, Question("people")).numbers[0].people == 7
    by_counsellor = asked(runtime, access.system(organization), Question("people", "@counsellor")).numbers
    assert {one.first: one.people for one in by_counsellor} == {"Lena Moreau": 7, None: 233}


def test_an_organization_never_reads_anothers_figures(runtime: Runtime, world: World, organization: UUID) -> None:
    asked(runtime, access.system(organization), Question("people"))
    other = world.organization()
    assert asked(runtime, access.system(other), Question("people")).numbers[0].people == 0


def test_what_is_not_offered_is_not_found(runtime: Runtime, organization: UUID) -> None:
    for question in (Question("age"), Question("people", "shoe"), Question("people", "year", "year")):
        with pytest.raises(NotFound):
            asked(runtime, access.system(organization), question)


def test_the_page_opens_by_the_first_attribute_and_by_nothing_when_asked(
    app: Flask, world: World, organization: UUID
) -> None:
    admin = world.browser(app, world.person(organization, Role.ADMIN))
    assert '<option value="programme" selected>' in admin.get("/figures").text
    alone = admin.get("/figures?figure=completed&by=").text
    assert '<option value="programme" selected>' not in alone
    assert "/figures.pdf?figure=completed&amp;by=" in alone
    assert admin.get("/figures?figure=change").status_code == 200
    assert "Nothing is measured yet" in admin.get("/figures?figure=change").text


def test_the_page_says_what_it_shows(app: Flask, world: World, organization: UUID) -> None:
    analyst = world.browser(app, world.person(organization, Role.ANALYST))
    page = analyst.get("/figures?figure=completed&by=programme&and_by=year")
    assert page.status_code == 200
    assert "a skipped step is not completed" in page.text
    assert "chart-withheld" in page.text
    assert "Show exact figures" not in page.text
    assert analyst.get("/figures?small=exact").status_code == 200
    admin = world.browser(app, world.person(organization, Role.ADMIN))
    assert "chart-withheld" not in admin.get("/figures?by=programme&and_by=year").text
    assert "chart-withheld" in admin.get("/figures?by=programme&and_by=year&small=withheld").text
    assert admin.get("/figures.csv?by=shoe").status_code == 404
    # A figure of other people is shown by what they can be asked, and the page says so.
    assert "Figures are not offered by this" in admin.get("/figures?figure=graduates&by=@started").text
    assert admin.get("/figures?figure=age").status_code == 404
    client = world.browser(app, world.client_person(organization))
    assert client.get("/figures").status_code == 403


def test_who_waits_for_figures_waits_as_long_as_that_takes(runtime: Runtime, organization: UUID) -> None:
    """Longer than a statement may otherwise wait for a lock: a page was refused while another counted."""
    engine = create_engine(make_url(runtime.settings.database_url).set(drivername="postgresql+psycopg"))
    connection = engine.connect()
    lock = text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")
    connection.execute(lock, {"name": f"figures {organization}"})
    counted: list[float] = []

    def count_slowly() -> None:
        time.sleep(6)
        counted.append(time.monotonic())
        connection.rollback()

    other = threading.Thread(target=count_slowly)
    other.start()
    assert asked(runtime, access.system(organization), Question("people")).numbers[0].people == 240
    assert counted
    other.join()
    connection.close()
    engine.dispose()
