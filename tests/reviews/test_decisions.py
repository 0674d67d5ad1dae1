"""The counsellor's side of a check-in: what is read, agreed, taken into a revision, given back or talked about."""

from __future__ import annotations

import io
import re
import threading
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from pypdf import PdfReader
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.domain import access
from app.domain.access import Role
from app.domain.cadence import EveryMonths, ReviewPolicy
from app.domain.canonical import digest
from app.domain.errors import Conflict, InvalidInput
from app.domain.saying import plain
from app.domain.steps import StepKey
from app.features.instruments.commands import LoadDefinition
from app.features.instruments.models import Assessment
from app.features.instruments.service import load_definition
from app.features.plans import revisions
from app.features.plans.queries import find_plan
from app.features.reviews import decisions, service
from app.features.reviews.commands import AcceptChanges, SetPolicy, TakenChange
from app.features.reviews.engine import make_due_prompts
from app.features.reviews.links import redeem_link
from app.features.reviews.settings import set_policy
from app.infra.runtime import Runtime
from tests.domain.instrument_maker import definition
from tests.factories import Person, World
from tests.harness import Clock
from tests.infra.test_pdf import packed
from tests.reviews.helpers import make_plans, rows
from tests.reviews.test_check_in import KEEP, post, prompted, token_of
from tests.reviews.test_engine import EVERY_DAY

__all__ = ["prompted"]  # the fixture
NEW = {"new-0-text": "A twin was born", "new-0-kind": "opportunity", "new-0-control": "partly"}
CHANGED = KEEP | NEW | {"step-goals": "rethink", "why": "Less time than I thought.", "control-f1": "no"}
TAKEN = (
    TakenChange("factor:f1", "The campus opened early.", "no"),
    TakenChange("step:goals", "Less time than thought.", "yes"),
)


@pytest.fixture
def lena(world: World, runtime: Runtime, prompted: tuple[UUID, UUID, str]) -> Person:
    organization, plan, _ = prompted
    lena = world.person(organization, Role.COUNSELLOR, "Lena Moreau")
    world.caseload(lena, [rows(runtime, organization, "SELECT client_id FROM plans WHERE id = :p", p=plan)[0][0]])
    return lena


@pytest.fixture
def desk(app: Flask, world: World, lena: Person) -> FlaskClient:
    app.config["WTF_CSRF_ENABLED"] = False
    return world.browser(app, lena)


def answer(app: Flask, runtime: Runtime, prompted: tuple[UUID, UUID, str], given: dict[str, str]) -> UUID:
    """The client answers by the link; returns the review."""
    organization, _, token = prompted
    phone = app.test_client()
    post(phone, f"/check-in/{token}")
    assert post(phone, f"/check-in/{token}/answers", given).status_code == 302
    (review,) = rows(runtime, organization, "SELECT id FROM reviews WHERE state = 'answered'")
    return UUID(str(review.id))


def stored(runtime: Runtime, organization: UUID) -> dict[int, Any]:
    return {row.step: row.content for row in rows(runtime, organization, "SELECT step, content FROM step_contents")}


def test_agreeing_writes_what_was_said_and_opens_no_revision(
    app: Flask, runtime: Runtime, prompted: tuple[UUID, UUID, str], desk: FlaskClient
) -> None:
    organization, plan, _ = prompted
    review = answer(app, runtime, prompted, KEEP | NEW)
    assert f"/reviews/{review}" in desk.get("/").text, "the queue leads there"
    page = desk.get(f"/reviews/{review}").text
    assert "more than hoped" in page
    assert "“New campus”: stronger" in page
    done = desk.post(f"/reviews/{review}/agree", follow_redirects=True)
    assert "The plan stayed as it was" in done.text
    assert f"/reviews/{review}" not in desk.get("/").text
    assert rows(runtime, organization, "SELECT revision FROM plans WHERE id = :p", p=plan) == [(1,)]
    content = stored(runtime, organization)
    assert content[6]["goals"][0]["level"] == 1
    assert content[6]["goals"][0]["ratings"][-1] == {"on": "2026-09-07", "level": 1, "source": "check-in"}
    old, new = content[3]["factors"]
    assert old["history"][-1]["source"] == "check-in"
    assert (new["text"], new["kind"], new["controllable"], new["noted_on"]) == (
        "A twin was born", "opportunity", "partly", "2026-09-07",
    )  # fmt: skip
    closed = rows(runtime, organization, "SELECT state, closed_by, revision_before, revision_after FROM reviews")[0]
    assert (closed.state, closed.revision_before, closed.revision_after) == ("closed", 1, 1)
    assert rows(runtime, organization, "SELECT status FROM plan_steps WHERE step = 8") == [("completed",)]
    again = desk.post(f"/reviews/{review}/agree")
    assert again.status_code == 409


def test_taking_changes_closes_the_revision_as_it_was_and_opens_the_next(
    app: Flask, runtime: Runtime, prompted: tuple[UUID, UUID, str], desk: FlaskClient
) -> None:
    organization, plan, _ = prompted
    review = answer(app, runtime, prompted, CHANGED)
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        as_it_was = revisions.take_snapshot(uow, plan)
    form = {
        "take-0": "1", "reason-0": "The campus opened early.", "control-0": "no",
        "take-2": "1", "reason-2": "Less time than thought.", "control-2": "yes",
        "reopen-goals": "1",
    }  # fmt: skip
    missing = desk.post(f"/reviews/{review}/accept", data=form | {"reason-2": " ", "control-0": ""})
    assert missing.status_code == 422
    assert "The campus opened early." in missing.text, "what was typed is kept"
    assert "Write why it changed" in missing.text
    assert "Say whether something can be done about it." in missing.text
    assert rows(runtime, organization, "SELECT 1 FROM plan_revisions") == []
    done = desk.post(f"/reviews/{review}/accept", data=form)
    assert done.status_code == 302
    (frozen,) = rows(runtime, organization, "SELECT revision, snapshot, checksum FROM plan_revisions")
    assert frozen.revision == 1
    kept = {key: value for key, value in frozen.snapshot.items() if key not in ("reason", "review")}
    assert kept == as_it_was, "the revision is the plan as it stood before anything was taken"
    assert digest(frozen.snapshot) == frozen.checksum
    told = rows(
        runtime, organization,
        "SELECT number, subject, kind, label, change, reason, controllable FROM revision_changes ORDER BY number",
    )  # fmt: skip
    assert told == [
        (1, "factor:f1", "factor", "New campus", "stronger", "The campus opened early.", "no"),
        (2, "step:goals", "step", "goals", "rethink", "Less time than thought.", "yes"),
    ]
    content = stored(runtime, organization)
    assert [row["text"] for row in content[3]["factors"]] == ["New campus"], "what was not taken is not written"
    assert content[6]["goals"][0]["level"] == 1
    steps = dict(rows(runtime, organization, "SELECT step, status FROM plan_steps WHERE step IN (3, 6, 8)"))
    assert steps == {3: "completed", 6: "in_progress", 8: "completed"}
    compared = desk.get(done.location).text
    for words in ("Why it changed", "The campus opened early.", "uncontrollable", "Goals · “Find a placement” · Level"):
        assert words in compared, words
    with pytest.raises(DBAPIError), runtime.database.unit_of_work(access.system(organization)) as uow:
        uow.session.execute(text("UPDATE revision_changes SET reason = 'other'"))


def test_page_json_and_pdf_tell_the_same_fields(
    app: Flask, runtime: Runtime, prompted: tuple[UUID, UUID, str], desk: FlaskClient, lena: Person
) -> None:
    _, plan, _ = prompted
    review = answer(app, runtime, prompted, CHANGED)
    with runtime.database.unit_of_work(lena.actor) as uow:
        decisions.accept_changes(uow, AcceptChanges(review_id=review, changes=TAKEN, reopen=(StepKey.GOALS,)), plain)
    listed = desk.get(f"/api/v1/plans/{plan}/differences?before=1&after=2").json["items"]
    by_step = {row["step"]: row for row in listed}
    fields = {tuple(field["path"]): (field["before"], field["after"]) for field in by_step["goals"]["fields_changed"]}
    assert fields["status",] == ("completed", "in_progress")
    assert fields["content", "goals", "g1", "level"] == (None, 1)
    page = desk.get(f"/plans/{plan}/compare?before=1&after=2").text
    pdf = desk.get(f"/plans/{plan}/compare.pdf?before=1&after=2")
    assert pdf.mimetype == "application/pdf"
    said = "".join(packed(sheet.extract_text()) for sheet in PdfReader(io.BytesIO(pdf.data)).pages)
    with runtime.database.unit_of_work(lena.actor) as uow:
        differences = revisions.compare_revisions(uow, plan, 1, 2)
        told = sum(len(difference.fields) for difference in differences)
    assert told == sum(len(row["fields_changed"]) for row in listed) > 3
    for words in ("The campus opened early.", "Goals · “Find a placement” · Level"):
        assert words in page
        assert packed(words) in said
    again = desk.get(f"/api/v1/plans/{plan}/differences.pdf?before=1&after=2")
    assert again.data[:5] == b"%PDF-"
    changes = desk.get(f"/api/v1/plans/{plan}/changes").json["items"]
    assert [row["reason"] for row in changes] == [taken.reason for taken in TAKEN]


def test_a_past_revision_is_rebuilt_exactly_and_one_that_was_tampered_with_is_refused(
    app: Flask, runtime: Runtime, prompted: tuple[UUID, UUID, str], desk: FlaskClient, lena: Person
) -> None:
    organization, plan, _ = prompted
    review = answer(app, runtime, prompted, CHANGED)
    with runtime.database.unit_of_work(lena.actor) as uow:
        decisions.accept_changes(uow, AcceptChanges(review_id=review, changes=TAKEN, reopen=()), plain)
        assert revisions.snapshot_of(uow, plan, 1)["steps"]["goals"]["content"]["goals"][0].get("level") is None
    page = desk.get(f"/plans/{plan}/revisions/1").text
    assert "as it was closed, checked" in page
    assert "Find a placement" in page
    rebuilt = desk.get(f"/api/v1/plans/{plan}/revisions/1").json
    assert digest(rebuilt["snapshot"]) == rebuilt["checksum"]
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        row = uow.session.get_one(revisions.PlanRevision, (organization, plan, 1))
        uow.session.expunge(row)
        row.snapshot = row.snapshot | {"started_on": "1999-01-01"}
        assert not revisions.is_intact(row)


def test_a_check_in_is_given_back_with_words_and_answered_again(
    app: Flask, runtime: Runtime, prompted: tuple[UUID, UUID, str], desk: FlaskClient, clock: Clock
) -> None:
    organization, _, token = prompted
    review = answer(app, runtime, prompted, CHANGED)
    assert desk.post(f"/reviews/{review}/return", data={"words": " "}).status_code == 422
    first = rows(runtime, organization, "SELECT answered_at FROM reviews")[0].answered_at
    clock.now += timedelta(minutes=20)
    done = desk.post(f"/reviews/{review}/return", data={"words": "What would you rethink first?"})
    assert done.status_code == 302
    assert desk.get(f"/reviews/{review}").status_code == 404, "it does not wait any more"
    mails = rows(runtime, organization, "SELECT recipient FROM messages WHERE kind = 'review_returned'")
    assert mails == [("client1@example.org",)]
    phone = app.test_client()
    fresh = token_of(runtime, organization)
    assert fresh != token
    post(phone, f"/check-in/{fresh}")
    page = phone.get(f"/check-in/{fresh}").text
    assert "What would you rethink first?" in page
    assert 'value="A twin was born"' in page, "the answers are as they were given"
    assert post(phone, f"/check-in/{fresh}/answers", KEEP).status_code == 302
    again = rows(runtime, organization, "SELECT state, outcome, answered_at FROM reviews")[0]
    assert (again.state, again.outcome, again.answered_at) == ("answered", "confirm", first)
    assert rows(runtime, organization, "SELECT count(*) FROM plan_revisions")[0][0] == 0
    history = [row.kind for row in rows(runtime, organization, "SELECT kind FROM plan_events ORDER BY number")]
    assert history.count("review_answered") == 2
    assert "review_returned" in history


def test_a_meeting_is_noted_and_the_check_in_goes_on_waiting(
    app: Flask, runtime: Runtime, prompted: tuple[UUID, UUID, str], desk: FlaskClient
) -> None:
    organization, _, _ = prompted
    review = answer(app, runtime, prompted, CHANGED)
    for wrong in ("soon", "0001-01-01", "9999-12-31"):
        assert desk.post(f"/reviews/{review}/meeting", data={"meeting_on": wrong}).status_code == 422
    noted = {"meeting_on": "2026-09-14", "meeting_note": "The goals, one by one."}
    assert desk.post(f"/reviews/{review}/meeting", data=noted, follow_redirects=True).status_code == 200
    page = desk.get(f"/reviews/{review}").text
    assert re.search("You talk about it on (14 September|September 14,) 2026", page)
    assert "The goals, one by one." in page
    assert rows(runtime, organization, "SELECT state, meeting_on FROM reviews") == [("answered", date(2026, 9, 14))]
    assert f"/reviews/{review}" in desk.get("/").text


def test_only_who_works_on_the_plan_decides(
    app: Flask, runtime: Runtime, world: World, prompted: tuple[UUID, UUID, str], lena: Person
) -> None:
    organization, plan, _ = prompted
    review = answer(app, runtime, prompted, CHANGED)
    app.config["WTF_CSRF_ENABLED"] = False
    posts = [("agree", {}), ("accept", {}), ("return", {"words": "x"}), ("meeting", {"meeting_on": "2026-09-14"})]
    foreign = world.person(world.organization(), Role.ADMIN)
    for person, status in (
        (world.person(organization, Role.COUNSELLOR), 404),
        (foreign, 404),
        (world.person(organization, Role.ANALYST), 403),
        (world.person(organization, Role.CLIENT), 403),
    ):
        browser = world.browser(app, person)
        assert browser.get(f"/reviews/{review}").status_code == status
        for act, data in posts:
            assert browser.post(f"/reviews/{review}/{act}", data=data).status_code == status, act
    assert rows(runtime, organization, "SELECT state FROM reviews") == [("answered",)]
    assert rows(runtime, organization, "SELECT revision FROM plans WHERE id = :p", p=plan) == [(1,)]


def test_what_is_not_of_the_result_is_refused(
    app: Flask, runtime: Runtime, prompted: tuple[UUID, UUID, str], lena: Person
) -> None:
    organization, _, _ = prompted
    review = answer(app, runtime, prompted, CHANGED)
    whole = AcceptChanges(review_id=review, changes=TAKEN, reopen=())
    for changes, reopen in (
        ((), ()),
        ((TakenChange("factor:other", "x", "no"),), ()),
        ((TAKEN[0], TAKEN[0]), ()),
        ((TakenChange("factor:f1", "x", "perhaps"),), ()),
        (TAKEN, (StepKey.REVIEW,)),
    ):
        with pytest.raises(InvalidInput), runtime.database.unit_of_work(lena.actor) as uow:
            decisions.accept_changes(uow, AcceptChanges(review_id=review, changes=changes, reopen=reopen), plain)
    with runtime.database.unit_of_work(lena.actor) as uow:
        decisions.accept_changes(uow, whole, plain)
    with pytest.raises(Conflict), runtime.database.unit_of_work(lena.actor) as uow:
        decisions.accept_changes(uow, whole, plain)
    assert rows(runtime, organization, "SELECT revision FROM plan_revisions") == [(1,)]


@pytest.mark.committed
def test_of_two_decisions_at_the_same_moment_one_counts(live: Runtime) -> None:
    world = World(live)
    organization = world.organization(time_zone="UTC")
    (plan,) = make_plans(live, organization, 1, started_on=live.clock().date() - timedelta(days=200), recipe=EVERY_DAY)
    make_due_prompts(live, organization, until=live.clock() + timedelta(seconds=9))
    link = rows(live, organization, "SELECT id FROM review_links")[0].id
    client = rows(live, organization, "SELECT client_id FROM plans WHERE id = :p", p=plan)[0].client_id
    given: dict[str, Any] = {
        "goals": {}, "factors": {}, "control": {}, "confidence": 3, "steps": {}, "why": "", "words": "",
        "new_factors": [{"text": "A freeze", "kind": "threat", "controllable": "no"}],
    }  # fmt: skip
    with live.database.unit_of_work(access.review_link(organization, client)) as uow:
        redeem_link(uow, link)
        review = rows(live, organization, "SELECT id FROM reviews")[0].id
        sheet = service.view_check_in(uow, review).sheet
        service.submit_review(uow, review, given, sheet, plain)
    admin = world.person(organization, Role.ADMIN)
    command = AcceptChanges(review_id=review, changes=(TakenChange("new:0", "It is so.", "no"),), reopen=())
    gate, outcomes = threading.Barrier(6), []

    def decide(n: int) -> None:
        gate.wait()
        try:
            with live.database.unit_of_work(admin.actor) as uow:
                if n % 2:
                    decisions.agree_review(uow, review)
                else:
                    decisions.accept_changes(uow, command, plain)
            outcomes.append("done")
        except Conflict:
            outcomes.append("late")

    threads = [threading.Thread(target=decide, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["done"] + ["late"] * 5
    kept = rows(live, organization, "SELECT revision_before, revision_after FROM reviews")[0]
    frozen = rows(live, organization, "SELECT count(*) FROM plan_revisions")[0][0]
    changes = rows(live, organization, "SELECT count(*) FROM revision_changes")[0][0]
    assert (kept.revision_after - kept.revision_before) == frozen == changes


def test_the_second_check_in_measures_against_the_first(
    app: Flask, runtime: Runtime, prompted: tuple[UUID, UUID, str], lena: Person, clock: Clock
) -> None:
    organization, plan, _ = prompted
    review = answer(app, runtime, prompted, KEEP)
    with runtime.database.unit_of_work(lena.actor) as uow:
        decisions.agree_review(uow, review)
        uow.session.execute(
            text("UPDATE step_contents SET content = jsonb_set(content, '{goals,0,due_on}', '\"2027-01-10\"')"
                 " WHERE step = 6")
        )  # fmt: skip
    clock.now = datetime(2027, 3, 7, 10, tzinfo=UTC)
    make_due_prompts(runtime, organization, until=clock.now + timedelta(seconds=9))
    token = token_of(runtime, organization)
    phone = app.test_client()
    post(phone, f"/check-in/{token}")
    assert "Last time: stronger" in phone.get(f"/check-in/{token}").text
    post(phone, f"/check-in/{token}/answers", KEEP | {"goal-g1": "-1", "confidence": "4"})
    kept = rows(runtime, organization, "SELECT id, result FROM reviews ORDER BY occurrence_on DESC LIMIT 1")[0]
    assert kept.result["confidence"] == {"now": 4, "before": 7}
    assert kept.result["goals"]["levels"] == [{"id": "g1", "text": "Find a placement", "now": -1, "before": 1}]
    [item] = kept.result["drift"]["items"]
    assert (item["text"], item["was"], item["now"], item["late"]) == ("Find a placement", None, "2027-01-10", 56)
    with runtime.database.unit_of_work(lena.actor) as uow:
        found = decisions.view_answered(uow, kept.id)
        assert [value for _, value in found.confidence] == [7, 4]
    assert plan == found.plan.id


def test_questionnaires_of_the_policy_are_answered_again_within_the_check_in_but_not_too_soon(
    app: Flask, runtime: Runtime, world: World, prompted: tuple[UUID, UUID, str], clock: Clock
) -> None:
    organization, plan, token = prompted
    known = [{"scale": "A", "type": "alpha", "value": 0.9, "n": 500, "population": "students", "source": "made up"}]
    norms = [{"scale": "A", "group": "students", "mean": 4, "sd": 1, "n": 500, "source": "made up", "year": 2020}]
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        raws = [definition(id=name, title=name, retest_days=30, reliabilities=known, norms=norms) for name in "xyz"]
        loaded = [load_definition(uow, LoadDefinition(raw=raw)).instrument_id for raw in raws]
        client = find_plan(uow, plan).client_id
        for number, days in ((0, 200), (1, 3)):
            uow.session.add(
                Assessment(
                    client_id=client, instrument_id=loaded[number], version=1, taken_at=uow.now - timedelta(days=days),
                    source="portal", source_key=f"t{number}", responses=[1, 1, 5], scores=[0.0, 1.0], answered=[2, 1],
                )
            )  # fmt: skip
        policy = ReviewPolicy(cadence=EveryMonths(6), retake=("x", "y"))
        set_policy(uow, SetPolicy(scope="plan", subject_id=plan, policy=policy))
    phone = app.test_client()
    post(phone, f"/check-in/{token}")
    page = phone.get(f"/check-in/{token}").text
    assert page.count("Answer it") == 1
    assert re.search("again from (4 Oct|Oct 4,) 2026", page)
    start = f"/check-in/{token}/questionnaires/"
    assert post(phone, f"{start}{loaded[1]}").status_code == 409, "not sooner than its days of retest"
    assert post(phone, f"{start}{loaded[2]}").status_code == 404, "not one that the policy does not name"
    assert post(app.test_client(), f"{start}{loaded[0]}").status_code == 410, "only where the link was opened"
    begun = post(phone, f"{start}{loaded[0]}")
    sitting = begun.location.split("?")[0]
    shown = phone.get(begun.location)
    assert "I sort my socks." in shown.text
    answers = {"set": "1", "item-a1": "5", "item-b1": "3", "item-a2": "1"}
    typed = post(phone, sitting, answers, headers={"X-Autosave": "1"})
    assert (typed.status_code, typed.text) == (200, "")
    onward = post(phone, sitting, answers | {"do": "next"})
    assert onward.location.endswith("/finish")
    assert "go on with your check-in" in phone.get(onward.location).text
    back = post(phone, onward.location)
    assert back.location.endswith(f"/check-in/{token}")
    post(phone, f"/check-in/{token}/answers", KEEP)
    result = rows(runtime, organization, "SELECT result FROM reviews")[0].result
    [measured] = result["scales"]
    first, second = measured["scales"]
    assert (first["key"], first["before"], first["score"], first["change"]) == ("A", 0.0, 8.0, "higher")
    assert first["band"][0] < 8.0 < first["band"][1] + 1e-9
    assert second["change"] == "unknown", "no error is known of it, so nothing is claimed"
    assert "scale:x:A" in [change["key"] for change in result["changes"]]
