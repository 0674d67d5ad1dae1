"""Bulk edits: what a preview says happens, to exactly those, and is taken back where it is untouched since."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask

from app.composition import MESSAGE_KINDS
from app.domain.errors import Conflict, Forbidden, InvalidInput
from app.features.clients.commands import CreateLabel, DefineAttribute
from app.features.clients.labels import create_label
from app.features.clients.service import define_attribute
from app.features.cohorts.commands import CreateCohort
from app.features.cohorts.service import create_cohort
from app.features.edits import service
from app.features.edits.registry import EDITS
from app.features.edits.service import BulkEdit
from app.features.jobs.kinds import JobKind
from app.features.organizations.commands import SaveTerm
from app.features.organizations.settings import save_term
from app.features.selections.commands import Target
from tests.edits.desk import DUE, FRIDAY, MONDAY, Desk
from tests.factories import World
from tests.harness import Clock


@pytest.fixture
def desk(world: World) -> Desk:
    return Desk(world)


def test_days_are_shifted_as_previewed_and_back(desk: Desk) -> None:
    before = desk.days()
    seen = desk.preview("due", mode="shift", by=1, steps=[1, 2, 4, 8])
    assert (seen.new, seen.chosen, seen.not_seen) == (8, 10, 0)
    assert {reason.clients for reason in seen.refused} == {1}
    assert desk.days() == before, "a preview changes nothing"
    assert len(seen.sample) == 8
    # Step 4 is completed and keeps its day.
    assert seen.sample[0].before == {n: FRIDAY.isoformat() for n in ("1", "2", "8")}
    assert seen.sample[0].after == {n: MONDAY.isoformat() for n in ("1", "2", "8")}
    job = desk.run("due", mode="shift", by=1, steps=[1, 2, 4, 8])
    assert desk.states(job) == {"done": 8, "skipped": 2}
    assert desk.reasons(job) == {"Has no active plan.": 1, "Is no longer active.": 1}
    moved = {(step, day) for _, step, day in desk.days()}
    assert moved == {(n, MONDAY if n in (1, 2, 8) else FRIDAY) for n in range(1, 9)}
    events = desk.rows("SELECT plan_id, actor_id FROM plan_events WHERE kind = 'due_moved'")
    assert sorted(row.plan_id for row in events) == sorted(desk.plans), "one line of history a plan"
    assert {row.actor_id for row in events} == {desk.admin.actor.membership_id}
    assert desk.undo(job) == {"undone": 8, "skipped": 2}
    assert desk.days() == before


def test_a_day_that_was_changed_since_stays_and_the_others_come_back(desk: Desk) -> None:
    job = desk.run("due", mode="set", day="2026-12-01", steps=range(1, 9))
    other = date(2027, 1, 15)
    desk.rows(
        "UPDATE plan_steps SET due_on = :day WHERE plan_id = :plan AND step = 1 RETURNING 1",
        day=other, plan=desk.plans[0],
    )  # fmt: skip
    assert desk.undo(job) == {"undone": 7, "kept": 1, "skipped": 2}
    mine = {step: day for plan, step, day in desk.days() if plan == desk.plans[0]}
    assert mine == {1: other} | dict.fromkeys(range(2, 9), DUE)
    assert desk.reasons(job)["Some days were changed since, so those stay."] == 1


def test_days_come_back_however_batches_fall_and_none_where_there_was_none(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.rows(
        "UPDATE plan_steps SET due_on = NULL WHERE plan_id = ANY(:plans) AND step = 1 RETURNING 1",
        plans=desk.plans[:5],
    )  # fmt: skip
    before = desk.days()
    monkeypatch.setitem(EDITS, "due", replace(EDITS["due"], batch_size=3))
    job = desk.run("due", mode="set", day="2026-12-01", steps=[1, 2])
    kept = desk.rows("SELECT cardinality(steps) AS steps FROM due_changes WHERE job_id = :job", job=job)
    assert sorted(row.steps for row in kept) == [4, 6, 6], "a row a batch"
    monkeypatch.setattr(JobKind, "size_for", lambda *_: 4)
    assert desk.undo(job) == {"undone": 8, "skipped": 2}
    assert desk.days() == before


def test_holidays_do_not_count_and_terms_do(desk: Desk) -> None:
    desk.rows(
        "INSERT INTO review_pauses (client_id, kind, starts_on, ends_on) VALUES (NULL, 'holiday', :a, :b) RETURNING 1",
        a=MONDAY, b=MONDAY + timedelta(days=1),
    )  # fmt: skip
    desk.run("due", mode="shift", by=1, steps=[1])
    assert {day for _, step, day in desk.days() if step == 1} == {date(2026, 9, 23)}
    desk.run("due", mode="shift", by=-1, steps=[1])
    assert {day for _, step, day in desk.days() if step == 1} == {FRIDAY}
    with desk.runtime.database.unit_of_work(desk.admin.actor) as uow:
        save_term(uow, SaveTerm(name="Autumn", starts_on=date(2026, 9, 7), ends_on=date(2026, 12, 18)))
    desk.run("due", mode="align", term="Autumn", edge="end", offset=-4, steps=[1])
    assert {day for _, step, day in desk.days() if step == 1} == {date(2026, 12, 14)}
    again = desk.preview("due", mode="align", term="Autumn", edge="end", offset="-4", steps=["1"])
    assert (again.new, [reason.clients for reason in again.same]) == (0, [8])


@pytest.mark.parametrize(
    ("kind", "values", "field"),
    [
        ("due", {"mode": "set", "steps": [1]}, "day"),
        ("due", {"mode": "set", "steps": [1], "day": "0001-01-01"}, "day"),
        ("due", {"mode": "set", "steps": [9], "day": "2026-10-01"}, "steps"),
        ("due", {"mode": "shift", "steps": [1], "by": 0}, "by"),
        ("due", {"mode": "shift", "steps": [1], "by": "much"}, "by"),
        ("due", {"mode": "align", "steps": [1], "term": "Never"}, "term"),
        ("due", {"mode": "odd", "steps": [1]}, "mode"),
        ("cohort", {"cohort_id": "odd"}, "cohort_id"),
        ("attribute", {"key": "odd"}, "key"),
        ("pause", {"kind": "holiday", "starts_on": "2026-10-01"}, "kind"),
        ("pause", {"kind": "leave", "starts_on": "2026-10-02", "ends_on": "2026-10-01"}, "ends_on"),
        ("message", {"subject": "", "text": "Hello"}, "subject"),
        ("message", {"subject": "Hello", "text": 7}, "text"),
    ],
)
def test_values_that_cannot_be_are_named(desk: Desk, kind: str, values: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        desk.preview(kind, **values)
    assert [problem.field for problem in refused.value.problems] == [field]


def test_cohorts_gain_and_lose_people_and_get_them_back(desk: Desk, clock: Clock) -> None:
    with desk.runtime.database.unit_of_work(desk.admin.actor) as uow:
        cohort = create_cohort(uow, CreateCohort(name="Mentoring")).id
        rule = create_cohort(
            uow, CreateCohort(name="By rule", rule={"all": [{"field": "@active", "is": "is", "values": [True]}]})
        ).id

    def members() -> set[UUID]:
        return {r.client_id for r in desk.rows("SELECT client_id FROM cohort_members WHERE cohort_id = :c", c=cohort)}

    with pytest.raises(InvalidInput):
        desk.preview("cohort", cohort_id=str(rule))
    added = desk.run("cohort", cohort_id=str(cohort))
    assert members() == set(desk.clients)
    clock.now += timedelta(hours=1)
    removed = desk.run("cohort", cohort_id=str(cohort), act="remove")
    assert members() == set()
    # Taken back one after the other: who was taken out comes back, and the first change still knows its own.
    assert desk.undo(removed) == {"undone": 10}
    assert members() == set(desk.clients)
    desk.rows(
        "UPDATE cohort_members SET since = since + interval '1 day' WHERE client_id = :c RETURNING 1", c=desk.clients[0]
    )
    assert desk.undo(added) == {"undone": 9, "kept": 1}
    assert members() == {desk.clients[0]}


def test_attributes_are_set_cleared_and_put_back(desk: Desk) -> None:
    with desk.runtime.database.unit_of_work(desk.admin.actor) as uow:
        define_attribute(uow, DefineAttribute(label="Year", kind="number"))
    desk.rows("UPDATE clients SET attributes = '{\"year\": 1}' WHERE id = :c RETURNING 1", c=desk.clients[0])

    def years() -> list[Any]:
        found = desk.rows("SELECT attributes -> 'year' AS year FROM clients ORDER BY array_position(:all, id)",
                          all=desk.clients)  # fmt: skip
        return [row.year for row in found]

    with pytest.raises(InvalidInput):
        desk.preview("attribute", key="year", value="many")
    seen = desk.preview("attribute", key="year", value="2")
    shown = {line.client_id: (line.before, line.after) for line in seen.sample}
    assert (seen.new, len(shown), shown[desk.clients[0]]) == (10, 10, (1, 2))
    job = desk.run("attribute", key="year", value="2")
    assert years() == [2] * 10
    desk.rows("UPDATE clients SET attributes = '{\"year\": 3}' WHERE id = :c RETURNING 1", c=desk.clients[1])
    cleared = desk.run("attribute", key="year", act="clear")
    assert years() == [None] * 10
    assert desk.undo(cleared) == {"undone": 10}
    assert years() == [2, 3, *[2] * 8]
    assert desk.undo(job) == {"undone": 9, "kept": 1}
    assert years() == [1, 3, *[None] * 8]


def test_pauses_are_put_in_ended_and_taken_back(desk: Desk, clock: Clock) -> None:
    def pauses() -> list[tuple[date, date | None]]:
        rows = desk.rows("SELECT starts_on, ends_on FROM review_pauses ORDER BY starts_on, ends_on")
        return [(row.starts_on, row.ends_on) for row in rows]

    first, last = date(2026, 9, 10), date(2026, 10, 10)
    job = desk.run("pause", kind="exchange", starts_on=first.isoformat(), ends_on=last.isoformat())
    assert desk.states(job) == {"done": 9, "skipped": 1}
    assert pauses() == [(first, last)] * 9
    assert desk.preview("pause", kind="leave", starts_on="2026-09-20", ends_on="2026-09-22").new == 0
    assert desk.preview("resume").new == 0, "it has not begun"
    clock.now += timedelta(days=10)
    resumed = desk.run("resume")
    assert pauses() == [(first, date(2026, 9, 16))] * 9
    assert desk.undo(resumed) == {"undone": 9, "skipped": 1}
    assert pauses() == [(first, last)] * 9
    # What a pause has shifted stays true: one that has begun is over since yesterday.
    assert desk.undo(job) == {"undone": 9, "skipped": 1}
    assert pauses() == [(first, date(2026, 9, 16))] * 9
    future = desk.run("pause", kind="leave", starts_on="2027-01-01")
    assert desk.undo(future) == {"undone": 9, "skipped": 1}
    assert pauses() == [(first, date(2026, 9, 16))] * 9


def test_a_mail_to_many_reaches_who_may_get_it_once(desk: Desk) -> None:
    statements = (
        "UPDATE clients SET email = NULL WHERE id = :c RETURNING 1",
        "INSERT INTO suppressed_addresses (address, reason, declined)"
        " SELECT lower(email), 'asked', true FROM clients WHERE id = :c RETURNING 1",
        "INSERT INTO suppressed_addresses (address, reason, bounced)"
        " SELECT lower(email), 'bounced', true FROM clients WHERE id = :c RETURNING 1",
        "INSERT INTO messages (dedupe_key, kind, recipient, locale, client_id)"
        " SELECT 'x' || n, 'staff_letter', email, 'en', id FROM clients, generate_series(1, 2) n WHERE id = :c"
        " RETURNING 1",
    )
    for statement, client in zip(statements, desk.clients, strict=False):
        desk.rows(statement, c=client)
    desk.rows(
        "INSERT INTO contact_slots (client_id, week, n, message_id)"
        " SELECT client_id, '2026-09-07', row_number() OVER (), id FROM messages RETURNING 1"
    )
    seen = desk.preview("message", subject="Open day", text="Come on Friday.\n\nIt is worth it.")
    assert seen.goes == {"new": 5, "waits": 1}
    assert {reason.sentence: reason.clients for reason in seen.refused} == {
        "Has no e-mail address.": 1,
        "Wants no mail of this kind.": 1,
        "Mail to their address came back.": 1,
        "Is no longer active.": 1,
    }
    job = desk.run("message", subject="Open day", text="Come on Friday.\n\nIt is worth it.")
    assert desk.states(job) == {"done": 6, "skipped": 4}
    sent = desk.rows("SELECT params, kind, client_id FROM messages WHERE kind = 'staff_letter_to_many'")
    assert {row.client_id for row in sent} == set(desk.clients[3:9])
    assert sent[0].params["reply_to"] == desk.admin.email
    assert MESSAGE_KINDS[sent[0].kind].optional, "who declined such mail gets none"
    with pytest.raises(Conflict):
        desk.undo(job)


def test_the_job_works_on_whom_was_previewed_and_a_key_starts_it_once(desk: Desk) -> None:
    with desk.runtime.database.unit_of_work(desk.admin.actor) as uow:
        selection, _, _ = service.preview(uow, desk.command("due", {"mode": "shift", "by": 1, "steps": [1]}))
    later = desk.world.clients(desk.id, 1)
    desk.world.plans(desk.id, later, due_on=DUE)
    target = Target(selection_id=selection.id)
    with desk.runtime.database.unit_of_work(desk.admin.actor) as uow:
        values = {"mode": "shift", "by": 1, "steps": [1]}
        command = BulkEdit(kind="due", values=values, target=target, idempotency_key="k")
        first = service.start(uow, command)
        assert service.start(uow, command).id == first.id
        other = BulkEdit(kind="due", values=values | {"by": 2}, target=target, idempotency_key="k")
        with pytest.raises(Conflict):
            service.start(uow, other)
    desk.work()
    assert desk.states(first.id) == {"done": 8, "skipped": 2}


def test_a_counsellor_edits_their_own_people_only_and_no_cohort(desk: Desk) -> None:
    strangers = desk.world.clients(desk.id, 2)
    target = Target(client_ids=(*desk.clients, *strangers))
    with desk.runtime.database.unit_of_work(desk.counsellor.actor) as uow:
        command = BulkEdit(kind="due", values={"mode": "shift", "by": 1, "steps": [1]}, target=target)
        _, _, seen = service.preview(uow, command)
        assert (seen.chosen, seen.not_seen) == (10, 2)
        with pytest.raises(Forbidden):
            service.preview(uow, BulkEdit(kind="cohort", values={}, target=target))


def test_every_kind_is_previewed_and_started_by_pages(desk: Desk, app: Flask) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    with desk.runtime.database.unit_of_work(desk.admin.actor) as uow:
        define_attribute(uow, DefineAttribute(label="Year", kind="number"))
        cohort = create_cohort(uow, CreateCohort(name="Mentoring")).id
        label = create_label(uow, CreateLabel(name="Scholarship", shared=True)).id
    browser = desk.world.browser(app, desk.admin)
    assert browser.get("/edits/new").status_code == 200
    chosen = {"client": [str(client) for client in desk.clients]}
    page = browser.post("/edits/new", data=chosen)
    assert page.status_code == 200
    typed: dict[str, dict[str, Any]] = {
        "due": {"mode": "set", "steps": ["1", "2"], "day": "2026-11-02"},
        "label": {"label_id": str(label), "act": "add"},
        "cohort": {"cohort_id": str(cohort), "act": "add"},
        "attribute": {"key": "year", "act": "set", "value": "2"},
        "pause": {"kind": "leave", "starts_on": "2026-09-07"},
        "resume": {},
        "message": {"subject": "Open day", "text": "Come on Friday."},
        "graduation": {"graduated_on": "2026-06-20"},
        "ask_outcome": {},
    }
    assert set(typed) == set(EDITS)
    for kind, values in typed.items():
        assert kind in page.text
        form = browser.post(f"/edits/{kind}", data=chosen)
        assert form.status_code == 200, kind
        shown = browser.post(f"/edits/{kind}/preview", data=chosen | values)
        assert shown.status_code == 200, kind
        assert "This will happen" in shown.text, kind
        selection = shown.text.split('name="selection" value="')[1].split('"')[0]
        key = shown.text.split('name="key" value="')[1].split('"')[0]
        started = [
            browser.post(f"/edits/{kind}/start", data={"selection": selection, "key": key} | values) for _ in range(2)
        ]
        assert {answer.status_code for answer in started} == {302}, kind
        assert started[0].location == started[1].location
        desk.work()
    states = {row.kind: row.state for row in desk.rows("SELECT kind, state FROM jobs")}
    assert states == {f"edits.{kind}": "done" for kind in EDITS}
    bad = browser.post("/edits/due/preview", data=chosen | {"mode": "shift", "steps": ["1"], "by": "0"})
    assert bad.status_code == 422
    assert "working days" in bad.text
    assert browser.get("/edits/due").location == "/edits/new"


def test_a_kind_that_cannot_be_undone_says_so(desk: Desk, app: Flask) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    browser = desk.world.browser(app, desk.admin)
    chosen = {"client": [str(client) for client in desk.clients], "subject": "Open day", "text": "Come."}
    assert "cannot be undone" in browser.post("/edits/message/preview", data=chosen).text


def test_a_label_is_put_on_many_and_taken_off_and_back(desk: Desk) -> None:
    with desk.runtime.database.unit_of_work(desk.admin.actor) as uow:
        label = str(create_label(uow, CreateLabel(name="Scholarship", shared=True)).id)
    job = desk.run("label", label_id=label, act="add")
    assert desk.states(job) == {"done": 10}
    have = "SELECT client_id, since FROM client_labels ORDER BY client_id"
    given = desk.rows(have)
    assert len(given) == 10
    assert desk.preview("label", label_id=label, act="add").new == 0
    off = desk.run("label", label_id=label, act="remove")
    assert desk.rows(have) == []
    assert desk.undo(off) == {"undone": 10}
    assert desk.rows(have) == given, "since when they have it comes back as well"
    desk.rows("DELETE FROM client_labels WHERE client_id = :c RETURNING 1", c=desk.clients[0])
    assert desk.undo(job) == {"undone": 9, "kept": 1}
    assert desk.rows(have) == []
    with pytest.raises(InvalidInput, match="Choose a label"):
        desk.preview("label", label_id=str(desk.id), act="add")
