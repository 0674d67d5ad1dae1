"""Graduates are asked by mail, and answer once by the link in it."""

from __future__ import annotations

import threading
from datetime import date, timedelta
from uuid import UUID

import pytest
from flask import Flask

from app.composition import JOB_KINDS, MESSAGE_KINDS
from app.domain import access
from app.domain.access import Role
from app.domain.errors import Gone, InvalidInput
from app.features.edits import service as edits
from app.features.edits.service import BulkEdit
from app.features.jobs.runner import undo_job
from app.features.messaging.kinds import Draft
from app.features.outcomes import links, queries
from app.features.outcomes.commands import SetGraduation
from app.features.outcomes.models import OutcomeLink
from app.features.outcomes.service import set_graduation
from app.features.selections.commands import Target
from app.infra.runtime import Runtime
from tests.factories import World
from tests.outcomes.scene import WORK, Centre


@pytest.fixture
def centre(world: World) -> Centre:
    return Centre(world)


def _edit(centre: Centre, kind: str, clients: list[UUID], **values: object) -> tuple[edits.Preview, UUID]:
    command = BulkEdit(kind=kind, values=values, target=Target(client_ids=tuple(clients)))
    with centre.runtime.database.unit_of_work(centre.admin.actor) as uow:
        seen = edits.preview(uow, command)[2]
        job = edits.start(uow, command).id
    centre.work()
    return seen, job


def _link(centre: Centre, client: UUID, *, days: int = 60) -> UUID:
    with centre.runtime.database.unit_of_work(access.system(centre.id)) as uow:
        link = OutcomeLink(client_id=client, class_year=2026, created_at=uow.now)
        link.expires_at = uow.now + timedelta(days=days)
        uow.session.add(link)
        uow.session.flush()
        return link.id


def test_a_graduation_for_many_and_back(centre: Centre) -> None:
    centre.graduate(centre.clients[:1], date(2026, 6, 1))
    seen, job = _edit(centre, "graduation", centre.clients[:4], graduated_on="2026-06-20")
    assert (seen.new, seen.sample[0].before, seen.sample[0].after) == (4, "2026-06-01", "2026-06-20")
    centre.tell(centre.clients[1])
    undo_job(centre.runtime, centre.admin.actor, JOB_KINDS, job)
    centre.work()
    left = {row.client_id: row.graduated_on for row in centre.rows("SELECT client_id, graduated_on FROM graduations")}
    assert left == {centre.clients[0]: date(2026, 6, 1), centre.clients[1]: date(2026, 6, 20)}
    for bad in ("", "tomorrow", "9999-01-01", None, 7):
        with pytest.raises(InvalidInput):
            _edit(centre, "graduation", centre.clients[:1], graduated_on=bad)


def test_who_is_asked_and_why_others_are_not(centre: Centre) -> None:
    people = centre.clients
    centre.graduate(people[:6])
    centre.tell(people[0])
    centre.rows("UPDATE clients SET email = NULL WHERE id = :c RETURNING 1", c=people[1])
    centre.rows("UPDATE clients SET active = false WHERE id = :c RETURNING 1", c=people[2])
    centre.rows(
        "INSERT INTO suppressed_addresses (address, reason, declined)"
        " SELECT lower(email), 'asked', true FROM clients WHERE id = :c RETURNING 1",
        c=people[3],
    )
    seen, _ = _edit(centre, "ask_outcome", people[:7])
    assert seen.new == 3
    assert {str(reason.sentence): reason.clients for reason in seen.refused} == {
        "Something is known already.": 1,
        "Has no e-mail address.": 1,
        "Wants no mail of this kind.": 1,
        "No graduation is recorded.": 1,
    }
    made = centre.rows("SELECT l.client_id, m.kind, m.params FROM outcome_links l JOIN messages m USING (client_id)")
    # Who has left the roster is asked too.
    assert {row.client_id for row in made} == {people[2], people[4], people[5]}
    assert {row.kind for row in made} == {"outcome_asked"}
    with centre.runtime.database.unit_of_work(centre.admin.actor) as uow:
        asked = {one.client_id: one.asked_at for one in queries.missing_page(uow, 2026)}
    assert asked[people[4]] is not None
    assert asked[people[1]] is None


def test_mail_is_written_in_each_language_with_its_link(centre: Centre) -> None:
    centre.graduate(centre.clients[:1])
    _edit(centre, "ask_outcome", centre.clients[:1])
    (row,) = centre.rows("SELECT id, params FROM messages")
    for locale, word in (("en", "class of 2026"), ("zh_Hans_CN", "2026")):
        draft = Draft(
            organization_id=centre.id,
            organization_name="Harbour",
            message_id=row.id,
            recipient_name="A",
            locale=locale,
            params=row.params,
            unsubscribe_url="http://localhost/u",
        )
        words = MESSAGE_KINDS["outcome_asked"].render(centre.runtime.settings, draft)
        assert word in words.text
        assert "http://localhost/first-destination/" in words.text
        assert "http://localhost/u" in words.html


def test_the_form_of_a_link_takes_one_answer(centre: Centre, app: Flask) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    client = centre.clients[0]
    centre.graduate([client])
    link = _link(centre, client)
    here = f"/first-destination/{links.link_token(centre.runtime.settings, centre.id, link)}"
    browser = app.test_client()
    for _ in range(2):
        page = browser.get(here)
        assert page.status_code == 200
    # What is known of the graduate is not shown, nor their family name.
    assert "Family" not in page.text
    assert browser.post(here, data={"status": "unknown"}).status_code == 422
    odd = {"status": "employed_full_time", "employer": "x" * 201}
    assert browser.post(here, data=odd).status_code == 422
    told = {"status": "employed_full_time", "employment": "freelance", "title": "<script>", "salary": "10"}
    assert browser.post(here, data=told).status_code == 422
    # What the form does not ask for cannot be put in.
    more = {"currency": "eur", "known_on": "2020-01-01", "source": "employer", "occupation": "Actors"}
    assert "Thank you" in browser.post(here, data=told | more).text
    assert browser.post(here, data=told | more).status_code == 410
    assert browser.get(here).status_code == 410
    (row,) = centre.rows("SELECT * FROM outcomes")
    assert (row.source, row.known_on, row.recorded_by, row.occupation_code) == (
        "survey",
        centre.runtime.clock().date(),
        None,
        None,
    )
    assert centre.actions().count("outcome.told") == 1


def test_links_that_open_nothing(centre: Centre, app: Flask) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    client = centre.clients[0]
    centre.graduate([client])
    settings = centre.runtime.settings
    good = links.link_token(settings, centre.id, _link(centre, client))
    browser = app.test_client()
    foreign = Centre(centre.world, clients=1)
    elsewhere = links.link_token(settings, foreign.id, _link(centre, client))
    flipped = ("A" if good[0] != "A" else "B") + good[1:]
    for token in (flipped, "x", elsewhere, "%00", "Ａ" * 64):
        for answer in (browser.get(f"/first-destination/{token}"), browser.post(f"/first-destination/{token}")):
            assert answer.status_code in (404, 422), token
    old = links.link_token(settings, centre.id, _link(centre, client, days=-1))
    assert browser.post(f"/first-destination/{old}", data={"status": "military"}).status_code == 410
    centre.rows("DELETE FROM graduations RETURNING 1")
    assert browser.get(f"/first-destination/{good}").status_code == 404
    assert centre.rows("SELECT * FROM outcomes") == []


def test_of_browsers_at_once_one_answer_is_kept(live: Runtime) -> None:
    world = World(live)
    organization = world.organization()
    admin = world.person(organization, Role.ADMIN)
    (client,) = world.clients(organization, 1)
    with live.database.unit_of_work(admin.actor) as uow:
        set_graduation(uow, SetGraduation(client_id=client, graduated_on=date(2026, 6, 20)))
        link = OutcomeLink(client_id=client, class_year=2026, expires_at=uow.now + timedelta(days=1))
        uow.session.add(link)
        uow.session.flush()
        link_id = link.id
    gone, together = [], threading.Barrier(4)

    def answer() -> None:
        together.wait()
        try:
            with live.database.unit_of_work(access.review_link(organization, client)) as uow:
                links.tell_by_link(uow, link_id, WORK)
        except Gone:
            gone.append(1)

    threads = [threading.Thread(target=answer) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(gone) == 3
    with live.database.unit_of_work(admin.actor) as uow:
        assert len(queries.history_of(uow, client)[0].history) == 1


def test_all_of_whom_nothing_is_known_are_chosen(centre: Centre, app: Flask) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    centre.graduate(centre.clients)
    centre.tell(centre.clients[0])
    browser = centre.world.browser(app, centre.counsellor)
    page = browser.get("/outcomes/2026").text
    assert "Nothing known yet</h2>" in page or "Nothing known yet (9)" in page
    chosen = browser.post("/outcomes/2026/chosen")
    assert chosen.status_code == 302
    assert len(centre.rows("SELECT unnest(client_ids) FROM selections")) == 9
    assert browser.get(chosen.location).status_code == 200
    ticked = browser.post("/edits/ask_outcome", data={"client": [str(centre.clients[1])]})
    assert ticked.status_code == 200
