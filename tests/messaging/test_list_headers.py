"""What mail that may be declined says of itself (RFC 2919, RFC 8058), and that one click ends it without a session."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from flask import Flask
from sqlalchemy import text

from app.composition import prompt_organization
from app.domain.access import Role
from app.features.clients.letters import WriteLetter, write_letter
from app.infra.runtime import Runtime
from tests.factories import World
from tests.messaging.letters import letters_in
from tests.reviews.helpers import make_plans, rows


def test_a_prompt_names_its_list_and_a_letter_is_of_none(mailing: Runtime, world: World, tmp_path: Path) -> None:
    here = world.organization(time_zone="UTC", name='Harbour, "Careers" 海港')
    admin = world.person(here, Role.ADMIN)
    make_plans(mailing, here, 1, started_on=mailing.clock().date())
    (client,) = rows(mailing, here, "SELECT id FROM clients")[0]
    with mailing.database.unit_of_work(admin.actor) as uow:
        uow.session.execute(
            text("UPDATE plans SET next_prompt_at = :now, next_review_on = :today"),
            {"now": uow.now, "today": uow.now.date()},
        )
        write_letter(uow, WriteLetter(client_id=client, subject="Hello", text="Come by."))
    prompt_organization(mailing, here, until=mailing.clock() + timedelta(seconds=60), senders=1)
    by_subject = {letter["Subject"]: letter for letter in letters_in(tmp_path / "sink")}
    prompt, written = by_subject["Five minutes for your plan"], by_subject["Hello"]
    name, _, list_id = str(prompt["List-Id"]).rpartition("<")
    assert list_id == f"review-prompt.{here.hex}.example.org>"
    assert 'Harbour, "Careers" 海港' in name.replace("\\", "")
    assert str(prompt["List-Unsubscribe"]).startswith("<http")
    assert prompt["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    for header in ("List-Id", "List-Unsubscribe", "List-Unsubscribe-Post"):
        assert written[header] is None
    assert {letter["Auto-Submitted"] for letter in by_subject.values()} == {"auto-generated"}


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "multipart/form-data"])
def test_one_click_needs_no_cookie_and_follows_no_redirect(
    app: Flask, mailing: Runtime, world: World, tmp_path: Path, kind: str
) -> None:
    here = world.organization(time_zone="UTC")
    make_plans(mailing, here, 1, started_on=mailing.clock().date())
    with mailing.database.unit_of_work(world.person(here, Role.ADMIN).actor) as uow:
        uow.session.execute(
            text("UPDATE plans SET next_prompt_at = :now, next_review_on = :today"),
            {"now": uow.now, "today": uow.now.date()},
        )
    prompt_organization(mailing, here, until=mailing.clock() + timedelta(seconds=60), senders=1)
    (letter,) = letters_in(tmp_path / "sink")
    path = urlsplit(str(letter["List-Unsubscribe"]).strip("<>")).path
    program = app.test_client(use_cookies=False)
    assert program.get(path).status_code == 200
    assert rows(mailing, here, "SELECT 1 FROM suppressed_addresses") == [], "looking ends nothing"
    answer = program.post(path, data={"List-Unsubscribe": "One-Click"}, content_type=kind)
    assert answer.status_code == 200
    (ended,) = rows(mailing, here, "SELECT address, bounced FROM suppressed_addresses")
    assert (ended.address, ended.bounced) == ("client1@example.org", False)
