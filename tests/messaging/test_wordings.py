"""An organization's own words for its mails: what is refused, how they read, and what they start from."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from flask import Flask
from sqlalchemy import text

from app.composition import MESSAGE_KINDS, prompt_organization
from app.domain import access
from app.domain.access import Role
from app.domain.errors import InvalidInput
from app.features.clients.letters import WriteLetter, write_letter
from app.features.messaging.kinds import Draft, OwnWords, Wording
from app.features.messaging.wordings import check_words, own_words, save_words, wordings_of
from app.features.reviews.engine import make_due_prompts
from app.infra.locales import LANGUAGES
from app.infra.runtime import Runtime
from tests.factories import Person, World
from tests.harness import Clock
from tests.identity.helpers import send
from tests.messaging.letters import letters_in
from tests.reviews.helpers import rows

WORDINGS = wordings_of(MESSAGE_KINDS)
NAME = "<b>Ann</b> {link} {{7*7}} %s"


@pytest.fixture
def admin(world: World) -> Person:
    return world.person(world.organization(time_zone="UTC", name="Harbour & Sons"), Role.ADMIN)


def due(runtime: Runtime, world: World, organization: UUID) -> UUID:
    """A plan that is due, of somebody whose name looks like everything but a name."""
    plan = world.plan(organization, *world.clients(organization, 1, given_name=NAME))
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        uow.session.execute(
            text("UPDATE plans SET next_prompt_at = :now, next_review_on = :today WHERE id = :plan"),
            {"now": runtime.clock() - timedelta(hours=1), "today": runtime.clock().date(), "plan": plan},
        )
    return plan


def keep(runtime: Runtime, admin: Person, name: str, words: OwnWords, locale: str = "en") -> None:
    with runtime.database.unit_of_work(admin.actor) as uow:
        save_words(uow, WORDINGS[name], locale, words)


@pytest.mark.parametrize("wording", WORDINGS.values(), ids=list(WORDINGS))
@pytest.mark.parametrize("locale", LANGUAGES)
def test_the_words_that_come_with_octant_pass_their_own_check(wording: Wording, locale: str) -> None:
    words = wording.shipped(locale)
    check_words(wording, words)
    assert words.subject
    assert set(wording.needed) <= set(wording.places)


@pytest.mark.parametrize(
    ("subject", "body", "field", "said"),
    [
        ("Hello", "{link} {salary}", "body", "{salary}"),
        ("{link.url}", "{link}", "subject", "{link.url}"),
        ("Hello", "No way in", "body", "{link}"),
        ("Hello", "{link} {", "body", "brace"),
        ("", "{link}", "subject", "between 1 and"),
        ("Hello", " ", "body", "between 1 and"),
        ("x" * 201, "{link}", "subject", "between 1 and 200"),
    ],
)
def test_what_cannot_be_used_is_refused_and_nothing_kept(
    *, runtime: Runtime, admin: Person, subject: str, body: str, field: str, said: str
) -> None:
    with pytest.raises(InvalidInput) as refused, runtime.database.unit_of_work(admin.actor) as uow:
        save_words(uow, WORDINGS["review_prompt"], "en", OwnWords(subject, body))
    assert refused.value.field == field
    assert said in refused.value.problems[0].sentence
    with runtime.database.unit_of_work(admin.actor) as uow:
        assert own_words(uow) == {}


def test_a_text_cannot_make_mails_of_megabytes(runtime: Runtime) -> None:
    wording = WORDINGS["review_prompt"]
    check_words(wording, OwnWords("{why}" * 3, "{link}" + "{why}" * 3))
    for words in (OwnWords("{why}" * 4, "{link}"), OwnWords("Hello", "{link}" + "{why}" * 4)):
        with pytest.raises(InvalidInput) as refused:
            check_words(wording, words)
        assert "{why}" in str(refused.value.problems[0].sentence)
    told = {"kind": "external_event", "evidence": {"title": "t" * 200, "words": "w" * 2000, "on": "2026-09-01"}}
    draft = Draft(
        organization_id=uuid4(),
        organization_name="Harbour",
        message_id=uuid4(),
        recipient_name="Ann",
        locale="en",
        params={"link": str(uuid4()), "day": "2026-09-01", "given_name": "Ann", "why": [told] * 5},
        own_words={"review_prompt": OwnWords("Now: {why}", "{link} {why}")},
    )
    made = MESSAGE_KINDS["review_prompt"].render(runtime.settings, draft)
    assert made.subject.startswith("Now: Why we ask now")
    assert len(made.subject) <= 400


def test_mails_are_written_in_the_organizations_own_words_with_the_way_out_added(
    mailing: Runtime, world: World, admin: Person, tmp_path: Path
) -> None:
    here = admin.actor.organization_id
    own = OwnWords(
        "For {given_name}\r\nBcc: other@example.org",
        "Dear {given_name} of {organization},\n\n{link}\n\n{dial}\n\n<script>alert(1)</script>\nby {day}: {counsellor}",
    )
    keep(mailing, admin, "review_prompt", own)
    due(mailing, world, here)
    prompt_organization(mailing, here, until=mailing.clock() + timedelta(seconds=60), senders=1)
    (letter,) = letters_in(tmp_path / "sink")
    assert letter["Subject"] == f"For {NAME} Bcc: other@example.org"
    assert letter["Bcc"] is None
    plain, html = (letter.get_body((kind,)) for kind in ("plain", "html"))
    assert plain is not None
    assert html is not None
    written = plain.get_content()
    assert f"Dear {NAME} of Harbour & Sons," in written
    assert written.count("/check-in/") == 1, "a value is never read for places"
    assert "by September 7, 2026: Harbour & Sons" in written
    assert "/unsubscribe/" in written
    shown = html.get_content()
    assert "&lt;b&gt;Ann&lt;/b&gt; {link} {{7*7}} %s of Harbour &amp; Sons," in shown
    assert "&lt;script&gt;" in shown
    assert "<script>" not in shown
    assert '<a class="go" href="http://localhost/check-in/' in shown
    assert "/unsubscribe/" in shown


def test_reminders_languages_and_organizations_have_words_of_their_own(
    mailing: Runtime, world: World, admin: Person, tmp_path: Path, clock: Clock
) -> None:
    here = admin.actor.organization_id
    keep(mailing, admin, "review_reminder", OwnWords("Second time", "{link}"))
    keep(mailing, admin, "review_prompt", OwnWords("第一次", "{link}"), "zh_Hans_CN")
    due(mailing, world, here)
    prompt_organization(mailing, here, until=mailing.clock() + timedelta(seconds=60), senders=1)
    clock.now += timedelta(days=4)
    prompt_organization(mailing, here, until=mailing.clock() + timedelta(seconds=60), senders=1)
    assert [letter["Subject"] for letter in letters_in(tmp_path / "sink")] == [
        "Five minutes for your plan",
        "Second time",
    ]


def test_a_digest_can_be_written_anew(mailing: Runtime, world: World, admin: Person, tmp_path: Path) -> None:
    here = admin.actor.organization_id
    keep(mailing, admin, "digest", OwnWords("All of it", "Here, {given_name}:\n\n{items}"))
    due(mailing, world, here)
    # A client's second plan cannot be; two reviews of one plan can.
    for later in range(2):
        day = mailing.clock().date() + timedelta(days=14 + later)
        with mailing.database.unit_of_work(access.system(here)) as uow:
            uow.session.execute(
                text("UPDATE plans SET next_prompt_at = :now, next_reminder = 0, next_review_on = :day"),
                {"now": uow.now, "day": day},
            )
        make_due_prompts(mailing, here, until=mailing.clock() + timedelta(seconds=60))
    prompt_organization(mailing, here, until=mailing.clock() + timedelta(seconds=60), senders=1)
    (letter,) = letters_in(tmp_path / "sink")
    assert letter["Subject"] == "All of it"
    plain, html = (letter.get_body((kind,)) for kind in ("plain", "html"))
    assert plain is not None
    assert html is not None
    assert plain.get_content().count("/check-in/") == 2
    assert html.get_content().count("<li>") == 2
    made = rows(mailing, here, "SELECT count(*) AS n FROM prompts p JOIN messages m ON m.id = p.message_id")
    assert made[0].n == 2


def test_what_staff_write_keeps_its_paragraphs_and_is_no_markup(
    mailing: Runtime, world: World, admin: Person, tmp_path: Path
) -> None:
    here = admin.actor.organization_id
    (client,) = world.clients(here, 1)
    with mailing.database.unit_of_work(admin.actor) as uow:
        written = "Dear Ann,\nyour place is kept.\n\n<b>{link}</b> & so on"
        write_letter(uow, WriteLetter(client_id=client, subject="Your\nplace", text=written))
    prompt_organization(mailing, here, until=mailing.clock() + timedelta(seconds=60), senders=1)
    (letter,) = letters_in(tmp_path / "sink")
    assert (letter["Subject"], letter["Reply-To"]) == ("Your place", admin.email)
    assert letter["List-Unsubscribe"] is None
    html = letter.get_body(("html",))
    assert html is not None
    shown = html.get_content().replace("\r\n", "\n")
    assert "<p>Dear Ann,<br>\nyour place is kept.</p>" in shown
    assert "<p>&lt;b&gt;{link}&lt;/b&gt; &amp; so on</p>" in shown


def test_an_administrator_writes_previews_and_goes_back(
    app: Flask, runtime: Runtime, world: World, admin: Person
) -> None:
    browser = world.browser(app, admin)
    path = "/settings/messages/words/review_prompt/en"
    assert "it is time to look at your plan again" in browser.get(path).text
    tried = send(browser, path, act="preview", subject="For {given_name}", body="Dear {given_name},\n\n{link}")
    assert (tried.status_code, "For Ada" in tried.text) == (200, True)
    with runtime.database.unit_of_work(admin.actor) as uow:
        assert own_words(uow) == {}, "a preview keeps nothing"
    refused = send(browser, path, act="save", subject="For {name}", body="{link}")
    assert refused.status_code == 422
    assert "There is no place {name} here. Known places are {counsellor}, {day}" in refused.text
    assert send(browser, path, act="save", subject="For {given_name}", body="{link}").status_code == 302
    assert "your own" in browser.get("/settings/messages").text
    assert "For {given_name}" in browser.get(path).text
    with runtime.database.unit_of_work(admin.actor) as uow:
        assert own_words(uow)["review_prompt", "en"].version == 1
    send(browser, path, act="save", subject="For you", body="{link}")
    with runtime.database.unit_of_work(admin.actor) as uow:
        assert own_words(uow)["review_prompt", "en"].version == 2
    assert send(browser, f"{path}/remove", page="/settings/messages").status_code == 302
    assert "it is time to look at your plan again" in browser.get(path).text
    entries = browser.get("/audit").text
    assert "message_template.saved" in entries
    assert "message_template.removed" in entries
    for wrong in ("/settings/messages/words/nothing/en", "/settings/messages/words/review_prompt/fr"):
        assert browser.get(wrong).status_code == 404
