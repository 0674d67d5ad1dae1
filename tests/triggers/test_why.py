"""What a client reads of why they are asked: in the mail, in the check-in, in its JSON, in kind words."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from app.composition import prompt_organization
from app.domain import access
from app.domain.saying import plain
from app.domain.triggers import Trigger
from app.features.messaging.kinds import OwnWords
from app.features.messaging.wordings import save_words, wordings_of
from app.features.reviews.engine import make_due_prompts
from app.features.reviews.messages import KINDS, LINK_PURPOSE
from app.features.reviews.reasons import reason_to_client
from app.features.triggers import events
from app.features.triggers.commands import RecordEvent
from app.infra.links import make_token
from app.infra.runtime import Runtime
from tests.factories import World
from tests.mail_fixture import mailing, sink
from tests.messaging.letters import letters_in
from tests.triggers.scenes import Centre, make_centre

__all__ = ["mailing", "sink"]  # fixtures
TODAY = date(2026, 9, 7)
LAW = RecordEvent(title="New law & more", words="Read it.", happened_on=TODAY, paths=("technical",))
WHY = "Something changed that your plan rests on: New law & more (7 September 2026). Read it."


@pytest.fixture
def centre(world: World) -> Centre:
    """Two plans on the technical way, nobody asked yet."""
    centre = make_centre(world, 2)
    for plan in centre.plans:
        centre.write(plan, 5, {"chosen": "p1", "paths": [{"id": "p1", "kind": "technical"}]})
    return centre


def happen(centre: Centre, command: RecordEvent = LAW) -> UUID:
    """Record an event and open its reviews."""
    with centre.runtime.database.unit_of_work(centre.admin.actor) as uow:
        event = events.record_event(uow, command).id
        events.open_event(uow, event)
    return event


def send(mailing: Runtime, centre: Centre) -> None:
    prompt_organization(mailing, centre.organization, until=mailing.clock() + timedelta(seconds=60), senders=1)


def make(mailing: Runtime, centre: Centre) -> None:
    make_due_prompts(mailing, centre.organization, until=mailing.clock() + timedelta(seconds=60))


def by_calendar(centre: Centre, plan: UUID, day: date = TODAY) -> None:
    """Have the plan's day come."""
    with centre.runtime.database.unit_of_work(access.system(centre.organization)) as uow:
        uow.session.execute(
            text("UPDATE plans SET next_prompt_at = :now, next_reminder = 0, next_review_on = :day WHERE id = :plan"),
            {"now": uow.now - timedelta(hours=1), "day": day, "plan": plan},
        )


def parts(folder: Path) -> list[tuple[str, str]]:
    """Text and HTML of every mail, on one line each, the oldest first."""
    found = []
    for letter in letters_in(folder):
        plain_part, html = (letter.get_body((kind,)) for kind in ("plain", "html"))
        assert plain_part is not None
        assert html is not None
        found.append((" ".join(plain_part.get_content().split()), " ".join(html.get_content().split())))
    return found


def token_of(centre: Centre, plan: UUID) -> str:
    """The token of the plan's link."""
    (link,) = centre.rows(
        "SELECT l.id FROM review_links l JOIN reviews r ON r.id = l.review_id WHERE r.plan_id = :p", p=plan
    )
    return make_token(centre.runtime.settings, LINK_PURPOSE, centre.organization, link.id)


def begin(app: Flask, centre: Centre, plan: UUID) -> tuple[FlaskClient, str]:
    """Open the plan's check-in by its link; a phone and the address."""
    app.config["WTF_CSRF_ENABLED"] = False
    address = f"/check-in/{token_of(centre, plan)}"
    phone = app.test_client()
    assert "Something changed" not in phone.get(address).text, "whoever only follows the link reads nothing of the plan"
    assert phone.post(address).status_code == 302
    return phone, address


def test_the_mail_the_check_in_and_its_json_say_why_a_trigger_asks(
    app: Flask, mailing: Runtime, centre: Centre, tmp_path: Path
) -> None:
    happen(centre)
    send(mailing, centre)
    for said, html in parts(tmp_path / "sink"):
        assert f"Why we ask now: * {WHY} " in said
        assert f"<p>Why we ask now:</p> <ul> <li>{WHY.replace('&', '&amp;')}</li> </ul>" in html
    phone, address = begin(app, centre, centre.plans[0])
    page = phone.get(address).text
    assert "Why we ask you now" in page
    assert WHY.replace("&", "&amp;") in page
    opened = app.test_client().post(f"/api/v1/check-ins/{token_of(centre, centre.plans[1])}/open").json
    assert opened is not None
    assert opened["reasons"] == [WHY]


def test_the_calendar_says_nothing_extra_until_a_reason_joins(
    app: Flask, mailing: Runtime, centre: Centre, tmp_path: Path
) -> None:
    by_calendar(centre, centre.plans[0])
    send(mailing, centre)
    ((said, html),) = parts(tmp_path / "sink")
    assert "Why" not in said + html
    phone, address = begin(app, centre, centre.plans[0])
    assert "Why we ask" not in phone.get(address).text
    happen(centre)
    assert [row.review_id for row in centre.rows("SELECT review_id FROM trigger_findings WHERE opened_on IS NULL")]
    assert WHY.replace("&", "&amp;") in phone.get(address).text


def test_an_event_taken_back_while_its_mail_waits_is_not_told_of(
    app: Flask, mailing: Runtime, centre: Centre, tmp_path: Path
) -> None:
    event = happen(centre)
    make(mailing, centre)
    with centre.runtime.database.unit_of_work(centre.admin.actor) as uow:
        assert events.withdraw_event(uow, event).stay == 2
    send(mailing, centre)
    told = parts(tmp_path / "sink")
    assert len(told) == 2
    assert all("New law" not in said + html and "Why" not in said + html for said, html in told)
    phone, address = begin(app, centre, centre.plans[0])
    assert "New law" not in phone.get(address).text


def test_a_digest_says_it_in_the_line_of_the_check_in_it_is_about(
    mailing: Runtime, centre: Centre, tmp_path: Path
) -> None:
    happen(centre)
    make(mailing, centre)
    by_calendar(centre, centre.plans[0], TODAY + timedelta(days=14))
    make(mailing, centre)
    send(mailing, centre)
    (said,) = (said for said, _ in parts(tmp_path / "sink") if said.count("/check-in/") == 2)
    assert said.count("Why we ask now") == 1
    assert f"the check-in of 7 September 2026 waits for your answer. Why we ask now: {WHY}" in said


def test_own_words_have_a_place_for_it(mailing: Runtime, centre: Centre, tmp_path: Path) -> None:
    with centre.runtime.database.unit_of_work(centre.admin.actor) as uow:
        wording = wordings_of({kind.name: kind for kind in KINDS})["review_prompt"]
        save_words(uow, wording, "en", OwnWords("Come", "Dear {given_name},\n\n{why}\n\n{link}"))
    by_calendar(centre, centre.plans[0])
    send(mailing, centre)
    happen(centre)
    send(mailing, centre)
    (calm, calm_html), (told, told_html) = parts(tmp_path / "sink")
    assert "Why" not in calm + calm_html
    assert f"Why we ask now: * {WHY} http" in told
    assert f"<li>{WHY.replace('&', '&amp;')}</li>" in told_html


# What each kind saw, and what of it the client must read.
SEEN: dict[Trigger, tuple[dict[str, Any], str]] = {
    Trigger.GOAL_MISSED: ({"text": "Find a placement", "on": "2026-09-01"}, "Find a placement"),
    Trigger.STEP_OVERDUE: ({"step": 3, "on": "2026-08-01"}, "Step 3, Opportunities"),
    Trigger.ASSESSMENT_OLD: ({"title": "Interests", "on": "2024-09-01"}, "“Interests” on 2024-09-01"),
    Trigger.INTERESTS_CHANGED: (
        {"letters": {"I": "lower"}, "since": "2025-09-01", "on": "2026-09-01"},
        "2025-09-01 and 2026-09-01: I lower",
    ),
    Trigger.MATCH_LEFT_BAND: ({"title": "Actuaries", "before": 7, "after": 61}, "number 7 of your matches"),
    Trigger.ATTAINMENT_LOW: ({"mark": 40, "on": "2026-09-01", "value": 36.2}, "last on 2026-09-01"),
    Trigger.CONFIDENCE_DOWN: (
        {"before": 8, "after": 3, "since": "2026-03-01", "on": "2026-09-01"},
        "than on 2026-03-01: 3 of 10 after 8",
    ),
    Trigger.FACTOR_CHANGED: ({"text": "New campus", "on": "2026-09-01"}, "“New campus”"),
    Trigger.CATALOGUE_MOVED: (
        {"title": "Actuaries", "release": "31.0", "what": ["zone", "pay"]},
        "“Actuaries” (job zone, pay)",
    ),
    Trigger.EXTERNAL_EVENT: ({"title": "New law", "words": "Read it.", "on": "2026-09-01"}, "2026-09-01). Read it."),
}


@pytest.mark.parametrize("kind", list(Trigger))
def test_every_kind_of_reason_is_said_to_the_client_with_what_it_is_about(kind: Trigger) -> None:
    evidence, part = SEEN[kind]
    said = reason_to_client(kind.value, evidence, plain, str)
    assert part in said
    assert "you" in said.lower(), "the client is spoken to"
    assert reason_to_client(kind.value, {}, plain, str) == "Something changed that your plan rests on."
