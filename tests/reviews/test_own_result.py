"""What came of a check-in, as its client reads it: by the link, from My plan, and as JSON."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from app.composition import MESSAGE_KINDS
from app.domain import access
from app.domain.access import Role
from app.domain.saying import plain
from app.domain.steps import StepKey
from app.features.messaging.kinds import Draft
from app.features.plans.rooms import Listing, Paragraph, Table
from app.features.reviews import decisions
from app.features.reviews.commands import AcceptChanges
from app.features.reviews.result_words import result_section
from app.infra.runtime import Runtime
from tests.factories import Person, World
from tests.harness import Clock
from tests.reviews.helpers import rows
from tests.reviews.test_check_in import KEEP, post, prompted
from tests.reviews.test_decisions import CHANGED, NEW, TAKEN, answer, lena

__all__ = ["lena", "prompted"]  # fixtures
Prompted = tuple[UUID, UUID, str]


@pytest.fixture
def me(world: World, runtime: Runtime, prompted: Prompted) -> Person:
    """The prompted client, who has an account as well."""
    organization, plan, _ = prompted
    person = world.person(organization, Role.CLIENT)
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        uow.session.execute(
            text("UPDATE clients SET membership_id = :m WHERE id = (SELECT client_id FROM plans WHERE id = :p)"),
            {"m": person.actor.membership_id, "p": plan},
        )
    return person


@pytest.fixture
def own(app: Flask, world: World, me: Person) -> FlaskClient:
    """Their browser."""
    return world.browser(app, me)


def test_after_answering_by_the_link_the_result_is_read_in_that_browser_alone_and_for_a_day(
    app: Flask, runtime: Runtime, prompted: Prompted, clock: Clock
) -> None:
    _, _, token = prompted
    phone, other = app.test_client(), app.test_client()
    result = f"/check-in/{token}/result"
    assert phone.get(result).status_code == 410
    post(phone, f"/check-in/{token}")
    assert phone.get(result).status_code == 410, "nothing was answered yet"
    post(phone, f"/check-in/{token}/answers", KEEP | NEW)
    assert f'href="{result}"' in phone.get("/check-in/done").text
    assert f'href="{result}"' in phone.get(f"/check-in/{token}").text, "the link of the mail leads there too"
    page = phone.get(result).text
    for words in (
        "What came of your check-in",
        "counsellor has your answers",
        "What you answered",
        "“A twin was born”",
    ):
        assert words in page or words.strip("“”") in page, words
    assert "Find a placement" in page
    assert "more than hoped" in page
    assert "My plan" not in page, "without a sign-in there is nothing to go back to"
    assert result not in other.get(f"/check-in/{token}").text
    for stranger in (other.get(result), app.test_client().get(f"/check-in/{token[:-1]}x/result")):
        assert stranger.status_code in (404, 410)
        assert "Find a placement" not in stranger.text
    clock.now += timedelta(hours=25)
    assert phone.get(result).status_code == 410


def test_my_plan_leads_to_what_waits_what_was_asked_and_what_was_decided(
    app: Flask, runtime: Runtime, prompted: Prompted, lena: Person, own: FlaskClient
) -> None:
    assert "waits for you" in own.get("/my-plan").text
    review = answer(app, runtime, prompted, CHANGED)
    result = f"/my-plan/check-in/{review}/result"
    mine = own.get("/my-plan").text
    assert f'href="{result}"' in mine
    assert "is with your counsellor" in mine
    assert "Check in now" not in mine
    waits = own.get(result).text
    assert "counsellor has your answers" in waits
    assert "you chose: rethink" in waits
    assert "Take this change" not in waits, "deciding is not the client's"
    with runtime.database.unit_of_work(lena.actor) as uow:
        decisions.call_meeting(uow, review, uow.now.date() + timedelta(days=6), "The time you have left")
    met = own.get(result).text
    assert "You talk about it on September 13, 2026" in met
    assert "The time you have left" in met
    with runtime.database.unit_of_work(lena.actor) as uow:
        decisions.return_review(uow, review, "What takes your time?")
    assert "asks you something about your check-in" in own.get("/my-plan").text
    back = own.get(result).text
    assert "What takes your time?" in back
    assert f'href="/my-plan/check-in/{review}"' in back
    assert own.post(f"/my-plan/check-in/{review}", data=form_of(own, review) | CHANGED).status_code == 302
    assert f'href="{result}"' in own.get("/check-in/done").text
    with runtime.database.unit_of_work(lena.actor) as uow:
        command = AcceptChanges(review_id=review, changes=TAKEN, reopen=(StepKey.GOALS,))
        decisions.accept_changes(uow, command, plain)
    assert "your plan was changed" in own.get("/my-plan").text
    changed = own.get(result).text
    for words in ("Your plan went on to revision 2", "The campus opened early.", "Less time than thought."):
        assert words in changed, words
    assert '<a href="/my-plan/steps/6">Step 6, Goals</a>' in changed
    assert "A twin was born" not in changed.split("Open again for you")[0], "what was not taken is not told as taken"
    mine = own.get("/my-plan").text
    assert "Check in now" not in mine, "this day has had its check-in"
    assert 'href="/my-plan/compare"' in mine
    link = "/my-plan/compare?before=1&amp;after=2"
    assert f'href="{link}"' in changed
    compared = own.get(link.replace("&amp;", "&")).text
    for words in ("The campus opened early.", "Goals · “Find a placement” · Level", "closed"):
        assert words in compared, words
    assert "/plans/" not in compared, "what only staff may open is not linked"
    assert own.get("/my-plan/compare.pdf?before=1&after=2").data[:5] == b"%PDF-"
    assert own.get("/my-plan/compare.pdf?before=1&after=9").status_code == 404


def form_of(browser: FlaskClient, review: UUID) -> dict[str, str]:
    """The token of the check-in's form."""
    page = browser.get(f"/my-plan/check-in/{review}").text
    return {"csrf_token": page.split('name="csrf_token" value="')[1].split('"')[0]}


def test_agreed_is_told_and_an_older_check_in_is_one_link_away(
    *, app: Flask, runtime: Runtime, world: World, prompted: Prompted, lena: Person, me: Person, clock: Clock
) -> None:
    first = answer(app, runtime, prompted, KEEP)
    with runtime.database.unit_of_work(lena.actor) as uow:
        decisions.agree_review(uow, first)
    own = world.browser(app, me)
    agreed = own.get(f"/my-plan/check-in/{first}/result").text
    assert "agrees: your plan stays as it is" in agreed
    assert "before this one" not in agreed
    clock.now += timedelta(days=30)
    own = world.browser(app, me)
    begun = own.post("/my-plan/check-in", data=form_from(own))
    second = UUID(begun.location.rsplit("/", 1)[1])
    assert own.get(f"/my-plan/check-in/{second}/result").status_code == 404, "it was not answered yet"
    assert own.post(f"/my-plan/check-in/{second}", data=form_of(own, second) | KEEP).status_code == 302
    page = own.get(f"/my-plan/check-in/{second}/result").text
    assert f'href="/my-plan/check-in/{first}/result"' in page
    assert "Your check-in before this one, of September 7, 2026" in page
    both = own.get("/my-plan").text
    assert both.index(f"{second}/result") < both.index(f"{first}/result")


def form_from(browser: FlaskClient) -> dict[str, str]:
    page = browser.get("/my-plan").text
    return {"csrf_token": page.split('name="csrf_token" value="')[1].split('"')[0]}


def test_the_json_says_the_same_to_the_client_and_to_nobody_else(
    *, app: Flask, runtime: Runtime, world: World, prompted: Prompted, lena: Person, own: FlaskClient
) -> None:
    organization, _, _ = prompted
    (open_one,) = rows(runtime, organization, "SELECT id FROM reviews")
    assert own.get(f"/api/v1/reviews/{open_one.id}/result").status_code == 404
    review = answer(app, runtime, prompted, CHANGED)
    address = f"/api/v1/reviews/{review}/result"
    waits = own.get(address).json
    assert (waits["decision"], waits["taken"], waits["reopened"], waits["before"]) == ("waits", [], [], None)
    assert waits["result"]["confidence"] == {"now": 7, "before": None}
    with runtime.database.unit_of_work(lena.actor) as uow:
        decisions.return_review(uow, review, "Why?")
    returned = own.get(address).json
    assert (returned["decision"], returned["returned_note"], returned["result"]) == ("returned", "Why?", None)
    own.post(f"/my-plan/check-in/{review}", data=form_of(own, review) | CHANGED)
    with runtime.database.unit_of_work(lena.actor) as uow:
        command = AcceptChanges(review_id=review, changes=TAKEN, reopen=(StepKey.GOALS,))
        decisions.accept_changes(uow, command, plain)
    told = own.get(address).json
    assert (told["decision"], told["reopened"]) == ("changed", ["goals"])
    assert [row["reason"] for row in told["taken"]] == [taken.reason for taken in TAKEN]
    assert told == world.browser(app, lena).get(address).json
    for stranger in (world.client_person(organization), world.person(world.organization(), Role.ADMIN)):
        assert world.browser(app, stranger).get(address).status_code == 404
    stranger = world.browser(app, world.client_person(organization))
    for which in (review, uuid4()):
        assert stranger.get(f"/my-plan/check-in/{which}/result").status_code == 404


def _match(before: float, after: float, **split: float | None) -> dict[str, Any]:
    causes = {"you": 0.0, "data": 0.0, "weights": 0.0, "together": 0.0} | split
    option = {"name": "Actuaries", "chosen": True, "split": {"before": before, "after": after} | causes}
    other = option | {"name": "Nurses", "chosen": False}
    return {"options": [option, other], "entered": [], "left": [], "first": 20}


@pytest.mark.parametrize(
    ("match", "said"),
    [
        (_match(62.0, 62.01), "“Actuaries” stays at 62.0 of 100."),
        (
            _match(62.0, 58.5, you=-3.0, weights=0.5, together=-1.0),
            "“Actuaries” went from 62.0 to 58.5 of 100. Why: you changed (-3.0), you weigh things differently (+0.5), "
            "these together (-1.0).",
        ),
        (_match(62.0, 60.0, data=-2.0), "“Actuaries” went from 62.0 to 60.0 of 100. Why: the data changed (-2.0)."),
        (
            _match(62.0, 60.0, you=None, data=None, weights=None, together=None),
            "“Actuaries” went from 62.0 to 60.0 of 100.",
        ),
    ],
)
def test_what_the_choice_did_is_told_to_the_client_with_its_causes(match: dict[str, Any], said: str) -> None:
    result: dict[str, Any] = {
        "confidence": {"now": None, "before": None},
        "goals": {"t": None, "levels": []},
        "scales": [],
        "drift": {"items": [], "compared": False, "mean": None},
        "match": match,
        "reopens": [],
    }
    own, staff = (result_section(result, [], plain, own=told).blocks for told in (True, False))
    assert [block.text for block in own if isinstance(block, Paragraph)] == [said]
    tables, theirs = ([block for block in blocks if isinstance(block, Table)] for blocks in (own, staff))
    assert [table.rows for table in tables] == [table.rows for table in theirs], "the figures are the counsellor's"
    assert ("You changed" in tables[0].columns, "They changed" in theirs[0].columns) == (True, True)
    assert all(table.folded for table in tables)


def test_what_was_measured_is_told_to_the_client_beyond_error_first() -> None:
    scales = [
        {"title": title, "change": change, "before": before, "score": score, "band": None, "least_change": 5.6}
        for title, change, before, score in (
            ("Making", "no_change", 39.0, 40.0),
            ("Doing", "higher", 27.0, 39.0),
            ("Helping", "no_change", 25.0, 22.0),
            ("Leading", "lower", 27.0, 13.0),
            ("Order", "unknown", 16.0, 18.9),
        )
    ]
    result: dict[str, Any] = {
        "confidence": {"now": None, "before": None},
        "goals": {"t": None, "levels": []},
        "scales": [{"title": "Interests", "scales": scales}],
        "drift": {"items": [], "compared": False, "mean": None},
        "match": None,
        "reopens": [],
    }
    told, table = result_section(result, [], plain, own=True).blocks
    assert isinstance(told, Listing)
    assert told.lines == (
        "Doing: higher, from 27.0 to 39.0",
        "Leading: lower, from 27.0 to 13.0",
        "no change beyond error: Making, Helping",
        "not known: Order",
    )
    assert isinstance(table, Table)
    (staff,) = result_section(result, [], plain).blocks
    assert isinstance(staff, Table)
    assert (table.rows, table.folded, staff.folded) == (staff.rows, True, False)


@pytest.mark.parametrize("taken", [True, False], ids=["changed", "agreed"])
def test_what_was_decided_is_mailed_with_a_link_that_opens_it_once(
    *, app: Flask, runtime: Runtime, prompted: Prompted, lena: Person, me: Person, clock: Clock, taken: bool
) -> None:
    organization, _, token = prompted
    review = answer(app, runtime, prompted, CHANGED)
    clock.now += timedelta(days=2)
    with runtime.database.unit_of_work(lena.actor) as uow:
        if taken:
            command = AcceptChanges(review_id=review, changes=TAKEN, reopen=(StepKey.GOALS,))
            decisions.accept_changes(uow, command, plain)
        else:
            decisions.agree_review(uow, review)
    (mail,) = rows(runtime, organization, "SELECT kind, recipient, params FROM messages WHERE kind = 'review_decided'")
    assert mail.recipient == "client1@example.org"
    kind = MESSAGE_KINDS[mail.kind]
    assert (kind.optional, kind.urgent) == (True, False), "it may be declined, and counts in the contact budget"
    words = kind.render(runtime.settings, draft_of(organization, mail.params))
    said = "It goes on as revision 2" if taken else "your plan stays as it is"
    assert all(said in form for form in (words.text, words.html))
    fresh = words.text.split("/check-in/")[1].split()[0]
    assert kind.line is not None
    assert kind.line(runtime.settings, draft_of(organization, mail.params)).url.endswith(fresh)
    phone, other = app.test_client(), app.test_client()
    assert "Read what was decided" in phone.get(f"/check-in/{fresh}").text
    assert phone.get(f"/check-in/{token}").status_code == 410, "the link of the prompt opens nothing more"
    opened = post(phone, f"/check-in/{fresh}")
    assert opened.location == f"/check-in/{fresh}/result"
    page = phone.get(opened.location).text
    assert ("Sign in to go on" in page) == taken, "steps are open again, and they have an account"
    assert ("Your plan went on to revision 2" if taken else "agrees: your plan stays as it is") in page
    assert other.get(f"/check-in/{fresh}").status_code == 410, "it works once"
    assert other.get(f"/check-in/{fresh}/result").status_code == 410


def draft_of(organization: UUID, params: dict[str, Any]) -> Draft:
    """What the mail is rendered from."""
    return Draft(
        organization_id=organization,
        organization_name="Harbour",
        message_id=uuid4(),
        recipient_name="Client One",
        locale="en",
        params=params,
    )
