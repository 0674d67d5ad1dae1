"""What can be given beside a template: a step, a due day, a questionnaire, an action; and how it is taken back."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from flask import Flask

from app.domain.access import Role
from app.domain.errors import InvalidInput, NotFound
from app.domain.steps import StepKey
from app.features.assignments.commands import GivenAction
from app.features.audit.service import verify
from app.features.instruments.builtin import add_built_in
from app.features.organizations.service import find_actor
from app.features.plans.commands import SaveContent
from app.features.plans.service import ContentConflict, save_content
from app.features.steps.registry import ROOMS
from tests.assignments.helpers import START, Place, place
from tests.factories import World
from tests.harness import Clock

DUE = date(2026, 10, 1)


@pytest.fixture
def here(world: World) -> Place:
    """Five clients: untouched, step 3 skipped, step 3 completed, without a plan, and no longer active."""
    made = place(world, 4)
    made.clients += world.clients(made.organization, 1, active=False)
    for client, letters in zip(made.clients, ("nnnnnnnn", "nnknnnnn", "nncnnnnn"), strict=False):
        world.plans(made.organization, [client], letters)
    return made


def test_a_step_is_given_to_who_can_have_it_and_the_preview_says_the_same(here: Place) -> None:
    asked = {"what": "step", "step": 3, "due_on": DUE, "client_ids": tuple(here.clients)}
    shown = here.preview(**asked)
    assert (shown.chosen, shown.new) == (5, 2)
    assert [(r.code, r.clients) for r in shown.already] == [("step_done", 1)]
    assert {(r.code, r.clients) for r in shown.refused} == {("no_plan", 1), ("inactive", 1)}
    job = here.assign(**asked)
    items = here.items(job)
    assert [items[c][0] for c in here.clients] == ["done", "done", "skipped", "skipped", "skipped"]
    steps = here.steps(3)
    assert steps[here.clients[0]] == steps[here.clients[1]] == ("not_started", DUE)
    assert steps[here.clients[2]] == ("completed", None)
    events = here.sql("SELECT kind, actor_id FROM plan_events")
    assert [(e.kind, e.actor_id) for e in events] == [("step_given", here.admin.actor.membership_id)] * 2
    [audited] = here.sql("SELECT detail FROM audit_entries WHERE action = 'step.given' AND subject_id = :j", j=job)
    assert audited.detail == {"step": 3, "plans": 2}
    with here.runtime.database.unit_of_work(here.admin.actor) as uow:
        assert verify(uow) == []
    again = here.preview(**asked)
    assert again.new == 0
    assert ("step_open", 2) in [(r.code, r.clients) for r in again.already]


def test_undoing_a_given_step_brings_back_what_was_there_and_keeps_what_was_moved_since(here: Place) -> None:
    before = here.sql("SELECT * FROM plan_steps ORDER BY plan_id, step")
    job = here.assign(what="step", step=3, due_on=DUE, client_ids=tuple(here.clients))
    here.sql(
        "UPDATE plan_steps SET due_on = :d WHERE step = 3 AND plan_id = (SELECT id FROM plans WHERE client_id = :c)",
        d=DUE + timedelta(days=1),
        c=here.clients[0],
    )
    here.undo(job)
    items = here.items(job)
    assert items[here.clients[0]][0] == "kept"
    assert "moved since" in items[here.clients[0]][1]
    assert items[here.clients[1]][0] == "undone"
    after = here.sql("SELECT * FROM plan_steps ORDER BY plan_id, step")
    changed = [(old.step, new.due_on) for old, new in zip(before, after, strict=True) if old != new]
    assert changed == [(3, DUE + timedelta(days=1))], "all else is byte for byte as it was"


def test_a_due_day_moves_open_steps_only_and_may_count_from_today(here: Place) -> None:
    shown = here.preview(what="due", step=3, due_in_days=30, client_ids=tuple(here.clients))
    assert (shown.new, [(r.code, r.clients) for r in shown.refused if r.code == "step_closed"]) == (
        1,
        [("step_closed", 2)],
    )
    here.assign(what="due", step=3, due_in_days=30, client_ids=tuple(here.clients))
    assert here.steps(3)[here.clients[0]][1] == here.runtime.clock().date() + timedelta(days=30)
    assert here.steps(3)[here.clients[1]] == ("skipped", None)


def test_a_questionnaire_is_asked_for_once_until_it_is_answered(here: Place) -> None:
    instrument = here.instrument()
    asked = {"what": "instrument", "instrument_id": instrument, "due_on": DUE, "client_ids": tuple(here.clients)}
    job = here.assign(**asked)
    assert sum(state == "done" for state, _ in here.items(job).values()) == 4, "no plan is needed to answer"
    assert [r.code for r in here.preview(**asked).already] == ["asked"]
    here.sql(
        "INSERT INTO assessments (client_id, instrument_id, version, taken_at, source, source_key, responses, scores,"
        " answered) VALUES (:c, :i, 1, :t, 'import', 'k', '{1}', '{1}', '{1}')",
        c=here.clients[0],
        i=instrument,
        t=here.runtime.clock() + timedelta(minutes=1),
    )
    answered = here.sql("SELECT client_id FROM instrument_requests WHERE answered_at IS NOT NULL")
    assert [row.client_id for row in answered] == [here.clients[0]]
    assert ("answered", 1) in [(r.code, r.clients) for r in here.preview(**asked).refused]
    here.undo(job)
    assert here.items(job)[here.clients[0]][0] == "kept"
    assert here.sql("SELECT count(*) AS n FROM instrument_requests")[0].n == 1


def test_an_asked_for_questionnaire_stands_first_on_the_clients_step(app: Flask, here: Place, world: World) -> None:
    person = world.person(here.organization, Role.CLIENT)
    here.sql("UPDATE clients SET membership_id = :m WHERE id = :c", m=person.actor.membership_id, c=here.clients[0])
    with here.runtime.database.unit_of_work(here.admin.actor) as uow:
        add_built_in(uow, "interests")
    here.assign(what="instrument", instrument_id=here.instrument(), due_on=DUE, client_ids=(here.clients[0],))
    page = world.browser(app, person).get("/my-plan/steps/2").text
    assert "please answer by" in page
    assert page.index("please answer by") < page.index("not answered yet")


def test_an_action_becomes_a_row_of_step_7_and_leaves_what_is_there(here: Place) -> None:
    first = here.clients[0]
    here.sql(
        "INSERT INTO step_contents (plan_id, step, content, updated_at) SELECT id, 7,"
        ' \'{"actions": [{"id": "a1", "text": "My own", "kind": "work"}]}\', now() FROM plans WHERE client_id = :c',
        c=first,
    )
    action = GivenAction(kind="training", text="  Visit the open day  ", hours=3)
    asked = {"what": "action", "action": action, "due_in_days": 10, "client_ids": tuple(here.clients)}
    job = here.assign(**asked)
    assert sum(state == "done" for state, _ in here.items(job).values()) == 3
    [row] = here.sql(
        "SELECT w.content, w.version FROM step_contents w JOIN plans p ON p.id = w.plan_id WHERE p.client_id = :c",
        c=first,
    )
    assert [a["text"] for a in row.content["actions"]] == ["My own", "Visit the open day"]
    assert row.content["actions"][1]["due_on"] == (here.runtime.clock().date() + timedelta(days=10)).isoformat()
    assert ("same_action", 3) in [(r.code, r.clients) for r in here.preview(**asked).already]
    here.sql(
        "UPDATE step_contents w SET content = jsonb_set(content, '{actions,0,status}', '\"begun\"') FROM plans p"
        " WHERE p.id = w.plan_id AND p.client_id = :c",
        c=here.clients[1],
    )
    here.undo(job)
    items = here.items(job)
    assert [items[c][0] for c in here.clients[:3]] == ["undone", "kept", "undone"]
    [row] = here.sql(
        "SELECT w.content FROM step_contents w JOIN plans p ON p.id = w.plan_id WHERE p.client_id = :c", c=first
    )
    assert [a["text"] for a in row.content["actions"]] == ["My own"]


def test_who_types_while_an_action_is_given_is_shown_both(here: Place, world: World) -> None:
    """A save over the older version is a conflict with both texts: neither the action nor what was typed is lost."""
    person = world.person(here.organization, Role.CLIENT)
    here.sql("UPDATE clients SET membership_id = :m WHERE id = :c", m=person.actor.membership_id, c=here.clients[0])
    found = find_actor(here.runtime, here.organization, person.user_id)
    assert found is not None
    [plan] = here.sql("SELECT id FROM plans WHERE client_id = :c", c=here.clients[0])
    here.assign(what="action", action=GivenAction(kind="work", text="Given"), client_ids=(here.clients[0],))
    typed = {"actions": [{"id": "mine", "text": "Typed", "kind": "work"}]}
    command = SaveContent(plan_id=plan.id, step=StepKey.ACTION_PLAN, content=typed, over=0)
    with pytest.raises(ContentConflict) as caught, here.runtime.database.unit_of_work(found[0]) as uow:
        save_content(uow, command, ROOMS[StepKey.ACTION_PLAN])
    assert caught.value.theirs["actions"][0]["text"] == "Given"


def test_a_plan_with_something_more_given_is_not_taken_back(here: Place, world: World) -> None:
    template = world.template(here.organization)
    client = here.clients[3]
    job = here.assign(template_id=template, version=1, started_on=START, client_ids=(client,))
    here.assign(what="step", step=1, due_on=DUE, client_ids=(client,))
    here.undo(job)
    assert here.items(job)[client][0] == "kept"


def test_a_job_that_starts_later_works_on_who_was_previewed(here: Place, clock: Clock) -> None:
    """J1: whoever joins or leaves between preview and start, the job gives to those it named."""
    cohort = here.cohort(here.clients[:2])
    starts = here.runtime.clock() + timedelta(hours=2)
    job = here.assign(what="step", step=1, due_on=DUE, cohort_id=cohort, starts_at=starts)
    assert {state for state, _ in here.items(job).values()} == {"pending"}
    here.leave(cohort, here.clients[0])
    here.join(cohort, here.clients[2])
    clock.now = starts + timedelta(seconds=1)
    here.work()
    assert {client: state for client, (state, _) in here.items(job).items()} == dict.fromkeys(here.clients[:2], "done")


@pytest.mark.parametrize(("zone", "when"), [("Asia/Shanghai", "0001-01-01T00:00"), ("Etc/GMT+9", "9999-12-31T23:59")])
def test_a_start_at_the_edge_of_the_calendar_is_refused_in_a_sentence(
    app: Flask, world: World, zone: str, when: str
) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    organization = world.organization(time_zone=zone)
    browser = world.browser(app, world.person(organization, Role.ADMIN))
    asked = {"what": "step", "step": "3", "client": str(world.clients(organization, 1)[0]), "starts_at": when}
    answer = browser.post("/assignments/preview", data=asked)
    assert answer.status_code == 422
    assert "within a year from now" in answer.text


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"what": "step"}, "Choose one of the eight steps"),
        ({"what": "due", "step": 2}, "Give the due day"),
        ({"what": "step", "step": 2, "due_on": DUE, "due_in_days": 3}, "not both"),
        ({"what": "action"}, "what kind of action"),
        ({"what": "instrument"}, "Choose a questionnaire"),
        ({"what": "template"}, "Choose a template"),
        ({"what": "step", "step": 2, "on_leaving": "pause"}, "Only the reviews of plans"),
        ({"what": "step", "step": 2, "standing": True}, "Only an assignment to a cohort"),
    ],
)
def test_what_cannot_be_given_is_refused_in_a_sentence(here: Place, asked: dict[str, object], words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        here.preview(client_ids=tuple(here.clients), **asked)


def test_t2_foreign_targets_and_questionnaires_are_not_found(here: Place, world: World) -> None:
    other = place(world, 1)
    with pytest.raises(NotFound):
        here.preview(what="step", step=1, cohort_id=other.cohort(other.clients))
    with pytest.raises(NotFound):
        here.preview(what="instrument", instrument_id=other.instrument(), client_ids=tuple(here.clients))
    assert here.preview(what="step", step=1, client_ids=tuple(other.clients)).chosen == 0
