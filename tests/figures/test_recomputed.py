"""What the page says is what anybody gets who counts the exported rows: another way from the same rows."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from datetime import datetime, timedelta
from html import unescape
from statistics import mean, stdev
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from scipy.stats import t as student
from sqlalchemy import text

from app.domain import access
from app.domain.access import Role
from app.features.figures.layer import Question, ask
from app.features.instruments.commands import LoadDefinition
from app.features.instruments.service import load_definition
from app.infra.runtime import Runtime
from tests.domain.instrument_maker import definition as instrument_definition
from tests.extracts.scene import definition, write
from tests.factories import Person, World
from tests.figures.lives import tell_lives
from tests.figures.scene import make_organization

WHO = ["client.external_id", "attribute.programme", "attribute.year", "client.cohorts", "plan.started_on"]


@pytest.fixture
def organization(runtime: Runtime, world: World) -> UUID:
    made = make_organization(runtime, world, 150, 8)
    with runtime.database.unit_of_work(access.system(made)) as uow:
        instrument = load_definition(uow, LoadDefinition(raw=instrument_definition())).instrument_id
    tell_lives(runtime, made, instrument, seed=8)
    return made


@pytest.fixture
def admin(world: World, organization: UUID) -> Person:
    return world.person(organization, Role.ADMIN)


def exported(runtime: Runtime, admin: Person, rows: str, columns: list[str]) -> list[dict[str, Any]]:
    raw = definition(rows, [*WHO, *columns])
    return [json.loads(line) for line in write(runtime, admin, raw, "jsonl", name=rows).decode().splitlines()]


def table_of(browser: FlaskClient, **asked: str) -> list[list[str]]:
    """The table below the chart, cell by cell."""
    page = browser.get("/figures", query_string=asked)
    assert page.status_code == 200
    body = re.search(r"<tbody>(.*?)</tbody>", page.text, re.DOTALL)
    assert body is not None
    return [
        [unescape(cell) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row)]
        for row in re.findall(r"<tr>(.*?)</tr>", body[1])
    ]


def groups_of(row: dict[str, Any], by: str) -> list[str]:
    if by == "@cohort":
        return row["client.cohorts"].split("; ") if row["client.cohorts"] else ["in none of them"]
    if by == "@started":
        return [f"{row['plan.started_on'][:4]}-Q{(int(row['plan.started_on'][5:7]) + 2) // 3}"]
    value = row[f"attribute.{by}"]
    return ["not given" if value is None else f"{value:g}" if isinstance(value, int | float) else value]


@pytest.mark.parametrize("by", ["programme", "year", "@cohort", "@started"])
def test_numbers_on_the_page_are_those_of_the_exported_steps(
    app: Flask, runtime: Runtime, world: World, admin: Person, by: str
) -> None:
    people: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in exported(runtime, admin, "steps", ["step", "status", "overdue", "changed_at"]):
        people[row["client.external_id"]].append(row)
    assert len(people) == 150
    # Files say moments in the organization's zone; a day more or less changes nothing here.
    still = runtime.clock().replace(tzinfo=None) - timedelta(days=30)

    def stalls_at(steps: list[dict[str, Any]]) -> int:
        changed = max(datetime.fromisoformat(row["changed_at"]) for row in steps)
        began = datetime.fromisoformat(steps[0]["plan.started_on"]).date()
        if changed >= still or began >= still.date():
            return 0
        return next((row["step"] for row in steps if row["status"] not in {"completed", "skipped"}), 0)

    rules = {
        "completed": lambda steps, n: steps[n - 1]["status"] == "completed",
        "returned": lambda steps, n: steps[n - 1]["status"] == "returned",
        "overdue": lambda steps, n: steps[n - 1]["overdue"],
        "stalled": lambda steps, n: stalls_at(steps) == n,
        "finished": lambda steps, _: {row["status"] for row in steps} <= {"completed", "skipped"},
        "late": lambda steps, _: any(row["overdue"] for row in steps),
    }
    counted: dict[tuple[str, str], int] = defaultdict(int)
    for steps in people.values():
        for group in groups_of(steps[0], by):
            counted["people", group] += 1
            for figure, rule in rules.items():
                for n in range(1, 9) if figure not in {"finished", "late"} else (0,):
                    counted[f"{figure}{n}", group] += bool(rule(steps, n))
    browser = world.browser(app, admin)
    groups = set()
    for figure in rules:
        for line in table_of(browser, figure=figure, by=by):
            part = line[0][0] if line[0][0].isdigit() else "0"
            groups.add(line[1])
            assert int(line[2]) == counted["people", line[1]], line
            assert int(line[3]) == counted[f"{figure}{part}", line[1]], line
    assert groups == {group for name, group in counted if name == "people"}
    assert {line[1]: int(line[2]) for line in table_of(browser, figure="people", by=by)} == {
        group: number for (name, group), number in counted.items() if name == "people"
    }


def test_change_on_the_page_is_that_of_the_exported_scores(
    app: Flask, runtime: Runtime, world: World, admin: Person
) -> None:
    taken: dict[tuple[str, str, str], list[tuple[str, float]]] = defaultdict(list)
    for row in exported(runtime, admin, "scores", ["instrument", "taken_at", "scale", "score"]):
        if row["score"] is not None:
            scale = f"{row['scale']} · {row['instrument']}"
            at = (row["client.external_id"], row["attribute.programme"], scale)
            taken[at].append((row["taken_at"], row["score"]))
    changes: dict[tuple[str, str], list[float]] = defaultdict(list)
    for (_, programme, scale), scores in taken.items():
        if len(scores) == 2:
            (_, first), (_, last) = sorted(scores)
            changes[scale, programme].append(last - first)
    seen = 0
    for scale, programme, people, *ends in table_of(world.browser(app, admin), figure="change", by="programme"):
        values = changes[scale, programme]
        assert int(people) == len(values)
        if len(values) > 1:
            half = student.ppf(0.975, len(values) - 1) * stdev(values) / len(values) ** 0.5
            assert [float(end) for end in ends] == pytest.approx(
                [mean(values), mean(values) - half, mean(values) + half], abs=0.006
            )
            seen += 1
    assert seen >= 6


_LIVES = """
    SELECT c.attributes ->> 'programme' AS programme, p.id, s.step, s.status, p.started_on, s.changed_at,
           e.began, e.done,
           (SELECT array_agg(DISTINCT controllable) FROM revision_changes v WHERE v.plan_id = p.id) AS why,
           r.id AS review, r.occurrence_on, r.answered_at, r.result,
           o.occupation_code,
           EXISTS (SELECT FROM step_contents x WHERE x.plan_id = p.id AND x.step = 5) AS planned
    FROM clients c JOIN plans p ON p.client_id = c.id JOIN plan_steps s ON s.plan_id = p.id
    CROSS JOIN LATERAL (
        SELECT min(at) FILTER (WHERE kind = 'started') AS began, max(at) FILTER (WHERE kind = 'completed') AS done
        FROM plan_events WHERE plan_id = p.id AND step = s.step) e
    LEFT JOIN reviews r ON r.plan_id = p.id LEFT JOIN outcomes o ON o.client_id = c.id
"""


def test_reviews_changes_goals_outcomes_and_time_are_those_of_the_rows(runtime: Runtime, organization: UUID) -> None:
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        rows = uow.session.execute(text(_LIVES)).all()

    def answer(figure: str) -> dict[tuple[str, str], Any]:
        with runtime.database.unit_of_work(access.system(organization)) as uow:
            return {(one.first, one.part): one for one in ask(uow, Question(figure, "programme")).numbers}

    one_each = {row.id: row for row in rows}.values()
    rules = {
        "due": ("people", lambda r: r.review),
        "answered": ("due", lambda r: r.answered_at),
        "in_time": (
            "answered",
            lambda r: r.answered_at and r.answered_at.date() <= r.occurrence_on + timedelta(days=7),
        ),
        "rated": ("people", lambda r: r.result),
        "attained": ("rated", lambda r: r.result and r.result["goals"]["t"] >= 50),
        # Whoever is placed is employed here.
        "employed": ("employed", lambda r: r.occupation_code),
        "working": ("employed", lambda r: r.occupation_code and r.planned),
        "matched": ("working", lambda r: r.occupation_code == "11-1011.00" and r.planned),
    }
    for figure, (of, rule) in rules.items():
        found = answer(figure)
        assert found
        for (programme, _), number in found.items():
            group = [row for row in one_each if row.programme == programme]
            assert number.number == sum(bool(rule(row)) for row in group), (figure, programme)
            whole = len(group) if of == "people" else sum(bool(rules[of][1](row)) for row in group)
            assert number.people == whole, (figure, programme)
        assert sum(number.number for number in found.values()) > 0
    for (programme, how), number in answer("changed").items():
        assert number.number == sum(how in (row.why or ()) for row in one_each if row.programme == programme)
    fell = answer("reopened")
    took = answer("days")
    for step in range(1, 9):
        for programme in {row.programme for row in rows}:
            group = [row for row in rows if row.programme == programme and row.step == step]
            back = sum(row.done is not None and row.status not in {"completed", "skipped"} for row in group)
            assert fell[programme, str(step)].number == back
            days = [
                ((row.done or row.changed_at) - (row.began or _midnight(row))).total_seconds() / 86400
                for row in group
                if row.status == "completed"
            ]
            told = took[programme, str(step)]
            assert told.people == len(days)
            assert told.mean == (pytest.approx(mean(days)) if days else None)
    assert sum(number.number for number in fell.values()) > 50


def _midnight(row: Any) -> datetime:
    # Days of a plan are told in UTC here, as the database's session does.
    return datetime.combine(row.started_on, datetime.min.time()).replace(tzinfo=row.changed_at.tzinfo)
