"""What became of a graduate: recorded, kept beside what was known before, and withdrawn."""

from __future__ import annotations

from datetime import date

import pytest
from flask import Flask
from sqlalchemy.exc import IntegrityError

from app.domain.errors import Conflict, Forbidden, InvalidInput, NotFound
from app.domain.outcomes import EDUCATION, FULL_TIME, SEEKING_WORK
from app.features.outcomes import queries, service
from app.features.outcomes.commands import SetGraduation
from tests.factories import World
from tests.outcomes.scene import GRADUATED, Centre


@pytest.fixture
def centre(world: World) -> Centre:
    return Centre(world)


def test_the_newest_day_counts_and_all_is_kept(centre: Centre) -> None:
    client = centre.clients[0]
    centre.graduate([client])
    centre.tell(client, status=SEEKING_WORK, known_on=date(2026, 7, 1))
    works = centre.tell(client, status=FULL_TIME, known_on=date(2026, 8, 20), employer="Harbour Ltd")
    # Entered later, known earlier.
    centre.tell(client, status=EDUCATION, known_on=date(2026, 7, 15))
    with centre.runtime.database.unit_of_work(centre.counsellor.actor) as uow:
        (of_class,) = queries.history_of(uow, client)
        assert of_class.newest is not None
        assert of_class.newest.outcome.employer == "Harbour Ltd"
        assert of_class.newest.by == centre.admin.actor.name
        assert [known.outcome.status for known in of_class.history] == [FULL_TIME, EDUCATION, SEEKING_WORK]
        service.withdraw_outcome(uow, client, works.id)
    with centre.runtime.database.unit_of_work(centre.counsellor.actor) as uow:
        (of_class,) = queries.history_of(uow, client)
        assert of_class.newest is not None
        assert of_class.newest.outcome.status == EDUCATION
        assert len(of_class.history) == 3
        service.withdraw_outcome(uow, client, works.id)
    assert centre.actions().count("outcome.withdrawn") == 1
    assert centre.actions().count("outcome.recorded") == 3


def test_on_one_day_what_was_recorded_last_counts(centre: Centre) -> None:
    client = centre.clients[0]
    centre.graduate([client])
    centre.tell(client, status=SEEKING_WORK)
    centre.runtime.database.clock.now = centre.runtime.clock().replace(minute=30)  # type: ignore[attr-defined] # the test's
    centre.tell(client, status=EDUCATION)
    with centre.runtime.database.unit_of_work(centre.admin.actor) as uow:
        newest = queries.history_of(uow, client)[0].newest
        assert newest is not None
        assert newest.outcome.status == EDUCATION


def test_an_occupation_of_the_catalogue_by_title_or_code(centre: Centre) -> None:
    client = centre.clients[0]
    centre.graduate([client])
    by_title = centre.tell(client, occupation="accountants and auditors")
    by_code = centre.tell(client, occupation=f" {by_title.occupation_code} ")
    assert (by_code.occupation_release, by_code.occupation_code) == (
        by_title.occupation_release,
        by_title.occupation_code,
    )
    with centre.runtime.database.unit_of_work(centre.admin.actor) as uow:
        assert queries.history_of(uow, client)[0].history[0].occupation == "Accountants and Auditors"
    with pytest.raises(InvalidInput) as refused:
        centre.tell(client, occupation="Wizard", status="unknown")
    assert {problem.field for problem in refused.value.problems} == {"occupation", "status"}


def test_a_day_of_graduation_put_right_takes_what_is_known_along(centre: Centre) -> None:
    client = centre.clients[0]
    centre.graduate([client])
    centre.tell(client)
    moved = SetGraduation(client_id=client, graduated_on=date(2025, 6, 1), class_year=2026)
    with centre.runtime.database.unit_of_work(centre.admin.actor) as uow:
        assert service.set_graduation(uow, moved).class_year == 2025
    assert [row.class_year for row in centre.rows("SELECT class_year FROM outcomes")] == [2025]
    centre.graduate([client])
    with centre.runtime.database.unit_of_work(centre.admin.actor) as uow, pytest.raises(Conflict):
        back = SetGraduation(client_id=client, graduated_on=GRADUATED, class_year=2025)
        service.set_graduation(uow, back)
    with centre.runtime.database.unit_of_work(centre.admin.actor) as uow:
        with pytest.raises(Conflict):
            service.remove_graduation(uow, client, 2025)
        service.remove_graduation(uow, client, 2026)
        with pytest.raises(NotFound):
            service.remove_graduation(uow, client, 2026)


def test_only_staff_who_see_somebody_record_and_read(centre: Centre) -> None:
    own, other = centre.clients[0], centre.clients[11]
    centre.graduate([own, other])
    centre.tell(own, person=centre.counsellor)
    with pytest.raises(NotFound):
        centre.tell(other, person=centre.counsellor)
    with pytest.raises(NotFound):
        centre.tell(own, year=2025)
    with pytest.raises(Forbidden):
        centre.tell(own, person=centre.analyst)
    foreign = Centre(centre.world, clients=1)
    with pytest.raises(NotFound):
        foreign.tell(own, person=foreign.admin)
    with foreign.runtime.database.unit_of_work(foreign.admin.actor) as uow:
        assert queries.count_classes(uow) == []
        assert queries.count_missing(uow) == {}


def test_a_client_without_a_plan_page_sees_nothing_of_it(centre: Centre, app: Flask) -> None:
    client = centre.world.client_person(centre.id)
    assert client.actor.client_id is not None
    centre.graduate([client.actor.client_id])
    browser = centre.world.browser(app, client)
    for path in (f"/clients/{client.actor.client_id}/outcomes", "/outcomes", "/outcomes/2026", "/outcomes.csv"):
        assert browser.get(path).status_code == 403, path


def test_the_table_keeps_its_own_rules(centre: Centre) -> None:
    client = centre.clients[0]
    with pytest.raises(IntegrityError, match="ck_graduations_class"):
        centre.rows(
            "INSERT INTO graduations (client_id, class_year, graduated_on) VALUES (:c, 2025, '2026-06-20') RETURNING 1",
            c=client,
        )
    centre.graduate([client])
    with pytest.raises(IntegrityError, match="ck_outcomes_salary"):
        centre.rows(
            "INSERT INTO outcomes (client_id, class_year, status, known_on, source, salary, currency)"
            " VALUES (:c, 2026, 'military', '2026-08-01', 'survey', 1, 'EUR') RETURNING 1",
            c=client,
        )
    with pytest.raises(IntegrityError, match="fk_outcomes_organization_id_client_id_class_year"):
        centre.rows(
            "INSERT INTO outcomes (client_id, class_year, status, known_on, source)"
            " VALUES (:c, 2024, 'military', '2026-08-01', 'survey') RETURNING 1",
            c=client,
        )


def test_pages_of_a_client(centre: Centre, app: Flask) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    client = centre.clients[0]
    browser = centre.world.browser(app, centre.counsellor)
    here = f"/clients/{client}"
    assert "No graduation is recorded." in browser.get(here).text
    assert browser.post(f"{here}/graduation", data={"graduated_on": "tomorrow"}).status_code == 422
    assert browser.post(f"{here}/graduation", data={"graduated_on": "2026-06-20"}).status_code == 302
    assert "nothing known yet" in browser.get(here).text
    given = {"status": "employed_full_time", "employment": "freelance", "employer": "<b>&", "known_on": "2026-09-01"}
    given |= {"source": "employer", "salary": "30000", "currency": "eur", "title": "工程师"}
    answer = browser.post(f"{here}/outcomes?class=2026", data=given)
    assert answer.status_code == 302, answer.text
    page = browser.get(here).text
    assert "Employed full time, freelance: 工程师, &lt;b&gt;&amp; · 30,000 EUR" in page
    bad = browser.post(f"{here}/outcomes", data=given | {"known_on": "2026-12-24", "salary": "many"})
    assert bad.status_code == 422
    late = browser.post(f"{here}/outcomes", data=given | {"known_on": "2026-12-24"})
    assert "still to come" in late.text
    (row,) = centre.rows("SELECT id FROM outcomes")
    assert browser.post(f"{here}/outcomes/{row.id}/withdraw").status_code == 302
    assert "withdrawn" in browser.get(f"{here}/outcomes").text
    assert browser.post(f"{here}/graduation", data={"class_year": "2026", "act": "remove"}).status_code == 302
    assert centre.rows("SELECT * FROM graduations") == []
