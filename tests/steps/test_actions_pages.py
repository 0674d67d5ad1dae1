"""Step 7 on its pages: the form, one action, the schedule with a slip, the counsellor's side, how much is asked."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pypdf
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, event, text

from app.domain import access
from app.domain.errors import Conflict, Forbidden, InvalidInput, NotFound
from app.domain.steps import StepKey
from app.features.plans import service
from app.features.plans.queries import view_plan
from app.features.reports.service import write_client_report
from app.features.steps.action_plan.service import MarkAction, mark_action
from app.infra.runtime import Runtime
from tests.factories import World
from tests.harness import Clock
from tests.hostile.test_pages_take_nonsense import FORM_VALUES, HOSTILE, forms, status
from tests.infra.test_pdf import check_accessible, packed
from tests.plans.page_forms import fields_of
from tests.plans.scenes import Scene
from tests.steps.action_scene import client, scene

__all__ = ["client", "scene"]

_FORM = 'method="post" action="/my-plan/steps/'


def content(runtime: Runtime, scene: Scene) -> dict[str, Any]:
    with runtime.database.unit_of_work(scene.admin.actor) as uow:
        return dict(view_plan(uow, scene.plan_id).content(StepKey.ACTION_PLAN))


def row(runtime: Runtime, scene: Scene, action: str) -> dict[str, Any]:
    return next(one for one in content(runtime, scene)["actions"] if one["id"] == action)


def test_the_form_sent_as_it_stands_changes_nothing(client: FlaskClient, runtime: Runtime, scene: Scene) -> None:
    before = content(runtime, scene)
    sent = fields_of(client.get("/my-plan/steps/7").text, _FORM)
    assert sent["actions-2-after"] == "a2"
    assert client.post("/my-plan/steps/7", data=sent | {"do": "save"}).status_code == 302
    assert content(runtime, scene) == before


def test_an_action_is_typed_with_order_effort_and_state(client: FlaskClient, runtime: Runtime, scene: Scene) -> None:
    sent = fields_of(client.get("/my-plan/steps/7").text, _FORM)
    number = next(n for n in range(9) if not sent[f"actions-{n}-text"])
    sent |= {
        f"actions-{number}-text": "Talk to the planning office",
        f"actions-{number}-kind": "work",
        f"actions-{number}-after": ["a2", "a3"],
        f"actions-{number}-hours": "12",
        f"actions-{number}-status": "begun",
        f"actions-{number}-evidence_link": "https://example.org/a",
        "hours_a_week": "6",
        "do": "save",
    }
    assert client.post("/my-plan/steps/7", data=sent).status_code == 302
    stored = content(runtime, scene)
    new = stored["actions"][-1]
    assert (new["after"], new["hours"], new["status"]) == (["a2", "a3"], 12, "begun")
    assert new["begun_at"]
    assert stored["hours_a_week"] == 6
    page = client.get("/my-plan/steps/7").text
    assert 'href="https://example.org/a" rel="noopener noreferrer"' in page


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"actions-0-after": "a3", "actions-1-after": "a1"}, "in a circle"),
        ({"actions-0-evidence_link": "javascript:alert(1)"}, "beginning with https://"),
        ({"actions-0-hours": "many"}, "Not a valid integer"),
        ({"hours_a_week": "0"}, "at least 1"),
        ({"actions-0-due_on": "9999-12-31"}, "between 1900-01-01 and 2200-12-31"),
    ],
)
def test_bad_input_comes_back_with_a_sentence_and_nothing_is_lost(
    client: FlaskClient, runtime: Runtime, scene: Scene, typed: dict[str, str], said: str
) -> None:
    before = content(runtime, scene)
    sent = fields_of(client.get("/my-plan/steps/7").text, _FORM) | typed | {"actions-0-text": "Kept as typed"}
    answer = client.post("/my-plan/steps/7", data=sent | {"do": "save"})
    assert answer.status_code == 422
    assert "Kept as typed" in answer.text
    assert said in answer.text or "greater than or equal to 1" in answer.text
    assert content(runtime, scene) == before


def test_the_guided_way_shows_one_new_card_and_links_each_action(client: FlaskClient) -> None:
    client.get("/my-plan/steps/7?mode=guided")
    page = client.get("/my-plan/steps/7?part=1").text
    assert "1 of 3" in page
    assert page.count('class="one-row row-folded"') == 5
    assert page.count('class="one-row" role="group"') == 1
    assert 'href="/my-plan/actions/a3"' in page
    assert 'name="hours_a_week"' in client.get("/my-plan/steps/7?part=2").text


def test_where_an_action_stands_is_said_also_in_an_accepted_step(
    world: World, app: Flask, client: FlaskClient, scene: Scene, clock: Clock
) -> None:
    runtime = world.runtime
    with runtime.database.unit_of_work(scene.client.actor) as uow:
        service.submit_step(uow, scene.plan_id, StepKey.ACTION_PLAN)
    with runtime.database.unit_of_work(scene.counsellor.actor) as uow:
        service.complete_step(uow, scene.plan_id, StepKey.ACTION_PLAN)
    page = client.get("/my-plan/actions/a3").text
    assert "it waits for “Course in statistics”" in page
    sent = fields_of(page, 'method="post" action="/my-plan/actions/a3"')
    assert sent["status"] == "planned"
    assert client.post("/my-plan/actions/a3", data=sent | {"status": "done"}).status_code == 302
    assert row(runtime, scene, "a3")["done_on"] == clock.now.date().isoformat()
    with runtime.database.unit_of_work(scene.admin.actor) as uow:
        assert view_plan(uow, scene.plan_id).step(StepKey.ACTION_PLAN).status == "completed"
    counsellor = world.browser(app, scene.counsellor)
    assert "said where an action of step 7" in counsellor.get(f"/plans/{scene.plan_id}/steps/7").text
    silent = client.post("/my-plan/actions/a3", data=sent | {"status": "dropped", "evidence": "Typed"})
    assert (silent.status_code, "Write why you give it up." in silent.text) == (422, True)
    assert 'value="Typed"' in silent.text
    wrong = client.post("/my-plan/actions/a3", data=sent | {"status": "begun", "evidence_link": "x"})
    assert (wrong.status_code, "beginning with https://" in wrong.text) == (422, True)
    assert client.post("/my-plan/actions/a3", data=sent | {"status": "gone"}).status_code == 422
    assert client.get("/my-plan/actions/none").status_code == 404


def test_who_may_say_it(runtime: Runtime, scene: Scene) -> None:
    with pytest.raises(Forbidden), runtime.database.unit_of_work(scene.counsellor.actor) as uow:
        mark_action(uow, MarkAction(scene.plan_id, "a3", "done"))
    with pytest.raises(NotFound), runtime.database.unit_of_work(scene.client.actor) as uow:
        mark_action(uow, MarkAction(scene.plan_id, "none", "done"))
    with pytest.raises(InvalidInput), runtime.database.unit_of_work(scene.client.actor) as uow:
        mark_action(uow, MarkAction(scene.plan_id, "a3", "perhaps"))
    with runtime.database.unit_of_work(scene.counsellor.actor) as uow:
        service.skip_step(uow, scene.plan_id, StepKey.ACTION_PLAN, "Later")
    with pytest.raises(Conflict, match="not part"), runtime.database.unit_of_work(scene.client.actor) as uow:
        mark_action(uow, MarkAction(scene.plan_id, "a3", "done"))


def test_an_old_plan_opens_and_is_taken_over(client: FlaskClient, runtime: Runtime, scene: Scene) -> None:
    old = (
        '{"actions": [{"id": "o1", "kind": "work", "text": "Old and done", "start_on": null, "due_on": "2026-01-01",'
        ' "done": true, "evidence": "a letter", "goal": "g1"}]}'
    )
    with runtime.database.unit_of_work(access.system(scene.organization)) as uow:
        uow.session.execute(
            text("UPDATE step_contents SET content = cast(:old AS jsonb) WHERE plan_id = :plan AND step = 7"),
            {"old": old, "plan": scene.plan_id},
        )
    assert "Old and done" in client.get("/my-plan/schedule").text
    sent = fields_of(client.get("/my-plan/steps/7").text, _FORM)
    assert sent["actions-0-status"] == "done"
    assert (
        client.post("/my-plan/steps/7", data=sent | {"do": "save", "actions-0-evidence": "two letters"}).status_code
        == 302
    )
    taken = row(runtime, scene, "o1")
    assert "done" not in taken
    assert (taken["status"], taken["done_on"], taken["evidence"]) == ("done", None, "two letters")
    assert client.post("/my-plan/actions/o1", data={"status": "begun"}).status_code == 302
    assert row(runtime, scene, "o1")["status"] == "begun"


def test_a_slip_is_looked_at_and_nothing_changes(
    world: World, app: Flask, client: FlaskClient, runtime: Runtime, scene: Scene
) -> None:
    before = content(runtime, scene)
    for browser, where in (
        (client, "/my-plan/schedule"),
        (world.browser(app, scene.counsellor), f"/plans/{scene.plan_id}/schedule"),
    ):
        page = browser.get(f"{where}?action=a3&days=5").text
        moved = page[page.index("What moves") : page.index("</table>")]
        assert "Write the thesis" in moved
        assert "Two weeks in the planning office" in moved
        assert "Course in statistics" not in moved
        assert "Nothing else moves." in browser.get(f"{where}?action=a4&days=5").text
        assert "Choose an action that is not done yet." in browser.get(f"{where}?action=a1&days=5").text
        assert "Give whole days" in browser.get(f"{where}?action=a3&days=0").text
    assert content(runtime, scene) == before


def test_the_client_s_page_of_the_counsellor_counts_what_is_at_risk(
    world: World, app: Flask, scene: Scene, client: FlaskClient
) -> None:
    counsellor = world.browser(app, scene.counsellor)
    where = f"/clients/{scene.client.actor.client_id}"
    assert "1 late, 2 at risk" in counsellor.get(where).text
    for action in ("a2", "a3", "a4"):
        client.post(f"/my-plan/actions/{action}", data={"status": "done"})
    page = counsellor.get(where).text
    assert "at risk" not in page
    assert "1 late" not in page


def test_two_revisions_say_what_became_of_the_actions(
    world: World, app: Flask, scene: Scene, client: FlaskClient
) -> None:
    counsellor = world.browser(app, scene.counsellor)
    counsellor.post(f"/plans/{scene.plan_id}/freeze", data={"freeze-reason": "Round two", "revision": "2"})
    client.post("/my-plan/actions/a2", data={"status": "done"})
    page = counsellor.get(f"/plans/{scene.plan_id}/compare?before=2&after=3").text
    assert "What became of the actions" in page
    assert "done: “Course in statistics”" in page


@contextmanager
def counted() -> Iterator[list[str]]:
    """The statements sent to the database, without what opens a transaction and what only tests send."""
    sent: list[str] = []

    def note(*given: Any) -> None:
        statement = str(given[2])
        if not statement.startswith(("SAVEPOINT", "RELEASE", "ROLLBACK", "SELECT set_config", "SET LOCAL ROLE")):
            sent.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    yield sent
    event.remove(Engine, "before_cursor_execute", note)


def test_every_page_asks_at_most_ten_times(world: World, app: Flask, scene: Scene, client: FlaskClient) -> None:
    counsellor = world.browser(app, scene.counsellor)
    asked = {}
    for browser, where in (
        (client, "/my-plan/steps/7"),
        (client, "/my-plan/actions/a3"),
        (client, "/my-plan/schedule?action=a3&days=5"),
        (client, "/my-plan/calendar"),
        (counsellor, f"/plans/{scene.plan_id}/steps/7"),
        (counsellor, f"/plans/{scene.plan_id}/schedule?action=a3&days=5"),
    ):
        browser.get(where)
        with counted() as sent:
            assert browser.get(where).status_code == 200
        asked[where] = len(sent)
    assert all(number <= 10 for number in asked.values()), asked


def test_w2_no_field_of_these_forms_breaks_a_page(world: World, app: Flask, scene: Scene, client: FlaskClient) -> None:
    """The general test has no plan with actions in it; here each form of step 7 gets the same nonsense."""
    asked = 0
    for browser, pages in (
        (client, ["/my-plan/steps/7", "/my-plan/actions/a3", "/my-plan/schedule", "/my-plan/calendar"]),
        (world.browser(app, scene.counsellor), [f"/plans/{scene.plan_id}/schedule"]),
    ):
        for action, method, fields in list(forms(browser, iter(pages))):
            if action.startswith(("/sign-out", "/organization/")):
                continue
            alone = [fields | {name: FORM_VALUES[3]} for name in fields]
            for given in (*alone, *(dict.fromkeys(fields, value) for value in FORM_VALUES)):
                asked += 1
                assert status(browser, method, action, given) < 500, (action, given)
    for value in HOSTILE:
        for where in ("/my-plan/schedule", f"/plans/{scene.plan_id}/schedule"):
            browser = client if where.startswith("/my") else world.browser(app, scene.counsellor)
            asked += 1
            assert status(browser, "get", where, {"action": value, "days": value}) < 500
            assert status(browser, "get", where, {"action": "a3", "days": value}) < 500
    assert asked > 100


def test_the_pdf_shows_the_schedule_and_what_is_at_risk(runtime: Runtime, scene: Scene) -> None:
    assert scene.client.actor.client_id is not None
    report = write_client_report(runtime, scene.counsellor.actor, scene.client.actor.client_id)
    check_accessible(report.pdf, lang="en-IE", title="Career plan of Amara Okafor")
    said = "".join(packed(page.extract_text()) for page in pypdf.PdfReader(io.BytesIO(report.pdf)).pages)
    for wanted in (
        "Whattheendhangson",
        "Lateoratrisk",
        "Hoursineachmonth",
        "Twoweeksintheplanningoffice",
        "Actionsdoneforeachgoal",
        "1of4",
    ):
        assert wanted in said, wanted


def test_w7_a_form_of_very_many_rows_is_refused_at_once(client: FlaskClient) -> None:
    rows = {f"actions-{n}-text": "x" for n in range(60_000)}
    began = time.process_time()
    answer = client.post("/my-plan/steps/7", data={"over": "1", "do": "save"} | rows)
    assert answer.status_code == 422
    assert time.process_time() - began < 4
