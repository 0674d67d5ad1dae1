"""The pages of rolling out: preview, begin, stages, conflicts, stop, and the way back."""

from __future__ import annotations

import re
from datetime import date, timedelta
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.domain.access import Role
from app.domain.steps import StepKey
from app.features.plans.commands import SetDueDate
from app.features.plans.queries import find_plan
from app.features.plans.service import set_due_date
from app.infra.runtime import Runtime
from tests.factories import Person, World
from tests.harness import Clock
from tests.plans.page_forms import fields_of
from tests.rollouts.helpers import digest, finish, plans, two_versions, version_of


@pytest.fixture(autouse=True)
def plain_forms(app: Flask) -> None:
    app.config["WTF_CSRF_ENABLED"] = False


@pytest.fixture
def admin(world: World) -> Person:
    return world.person(world.organization(), Role.ADMIN)


@pytest.fixture
def browser(world: World, app: Flask, admin: Person) -> FlaskClient:
    return world.browser(app, admin)


def _cells(page: str, step: str) -> list[str]:
    """The figures of a step's row in the preview."""
    row = re.search(rf'<span class="step-number">\d</span>{step}</th>(.*?)</tr>', page, re.S)
    assert row is not None, step
    return re.findall(r">([\d,]+)</td>", row[1])


def _hand(runtime: Runtime, admin: Person, plan: UUID) -> None:
    with runtime.database.unit_of_work(admin.actor) as uow:
        set_due_date(uow, SetDueDate(plan_id=plan, step=StepKey.GOALS, due_on=date(2027, 1, 1)))


def test_from_the_template_to_the_way_back(
    world: World, runtime: Runtime, clock: Clock, admin: Person, browser: FlaskClient
) -> None:
    organization = admin.actor.organization_id
    template = two_versions(world, organization)
    made = plans(world, organization, template, 8)
    for plan in made:
        _hand(runtime, admin, plan)
    before = digest(runtime, organization)
    shown = browser.get(f"/templates/{template}").text
    here = f"/templates/{template}/roll-out"
    assert f'href="{here}?version=2"' in shown
    page = browser.get(f"{here}?version=2&choice=all").text
    # The difference, step by step, before beside after.
    assert '<span class="step-number">3</span>Opportunities</h3>' in page
    assert 'data-label="Version 1"><div class="guidance">84 days after the start' in page
    assert _cells(page, "Opportunities") == ["0", "8", "0", "0", "0"]
    assert _cells(page, "Goals") == ["0", "0", "0", "8", "0"]
    assert _cells(page, "Review") == ["8", "0", "0", "0", "0"]
    assert "8</b> <span>6 Goals: its due day is not the one its version gives" in page
    sent = fields_of(page, 'method="post"') | {"percent": "25", "most_conflicts": "1"}
    clock.now += timedelta(minutes=10)
    begun = browser.post(f"{here}?version=2", data=sent)
    assert begun.status_code == 302
    assert browser.post(f"{here}?version=2", data=sent).location == begun.location
    assert "is open" in browser.post(f"{here}?version=2", data=sent | {"key": "other"}).text
    assert "Another roll-out of this template is open" in browser.get(here).text
    assert "under way" in browser.get(begun.location).text
    finish(runtime, organization)
    page = browser.get(begun.location).text
    assert "too many conflicts" in page
    assert page.count("6 Goals: its due day is not the one its version gives") == 2
    go_on = fields_of(page, f'action="{begun.location}/continue"')
    refused = browser.post(f"{begun.location}/continue", data=go_on)
    assert (refused.status_code, "than the 1 that are allowed" in refused.text) == (409, True)
    assert browser.post(f"{begun.location}/continue", data=go_on | {"most_conflicts": "-1"}).status_code == 422
    assert browser.post(f"{begun.location}/continue", data=go_on | {"most_conflicts": "100"}).status_code == 302
    # Sent twice it begins one stage.
    assert browser.post(f"{begun.location}/continue", data=go_on).status_code == 302
    finish(runtime, organization)
    page = browser.get(begun.location).text
    assert "Stage 2: up to 100 percent of the plans" in page
    assert "Stage 3" not in page
    assert "Begin the next stage" not in page
    assert {version_of(runtime, organization, plan) for plan in made} == {2}
    listed = browser.get(f"/templates/{template}/roll-outs").text
    assert begun.location in listed
    clock.now += timedelta(minutes=10)
    assert browser.post(f"{begun.location}/back").status_code == 302
    assert "being rolled back" in browser.get(begun.location).text
    finish(runtime, organization)
    assert ">rolled back<" in browser.get(begun.location).text
    assert digest(runtime, organization) == before
    history = browser.get(f"/clients/{_client(runtime, admin, made[0])}").text
    assert "brought back to version 1 of its template" in history


def _client(runtime: Runtime, admin: Person, plan: UUID) -> UUID:
    with runtime.database.unit_of_work(admin.actor) as uow:
        return find_plan(uow, plan).client_id


def test_only_joiners_and_stopping(world: World, runtime: Runtime, admin: Person, browser: FlaskClient) -> None:
    organization = admin.actor.organization_id
    template = two_versions(world, organization)
    plan = plans(world, organization, template, 1)[0]
    here = f"/templates/{template}/roll-out"
    page = browser.get(f"{here}?choice=joiners").text
    assert "No plan changes." in page
    begun = browser.post(f"{here}?version=2", data=fields_of(page, 'method="post"'))
    assert ">done<" in browser.get(begun.location).text
    assert version_of(runtime, organization, plan) == 1
    page = browser.get(f"{here}?choice=all").text
    begun = browser.post(f"{here}?version=2", data=fields_of(page, 'method="post"'))
    assert browser.post(f"{begun.location}/stop").status_code == 302
    finish(runtime, organization)
    assert ">stopped<" in browser.get(begun.location).text
    assert version_of(runtime, organization, plan) == 1


def test_what_is_typed_wrongly_is_said(world: World, admin: Person, browser: FlaskClient) -> None:
    template = two_versions(world, admin.actor.organization_id)
    here = f"/templates/{template}/roll-out"
    sent = fields_of(browser.get(here).text, 'method="post"')
    answer = browser.post(here, data=sent | {"most_conflicts": "many"})
    assert answer.status_code == 422
    assert "Not a valid integer value." in answer.text
    assert browser.get(f"{here}?choice=some").status_code == 422
    assert browser.get(f"{here}?version=9").status_code == 404
    assert browser.get(f"/templates/{world.organization()}/roll-out").status_code == 404


def test_counsellors_and_neighbours_have_no_hand_in_it(
    world: World, app: Flask, admin: Person, browser: FlaskClient
) -> None:
    organization = admin.actor.organization_id
    template = two_versions(world, organization)
    page = browser.get(f"/templates/{template}/roll-out").text
    begun = browser.post(f"/templates/{template}/roll-out?version=2", data=fields_of(page, 'method="post"')).location
    counsellor = world.browser(app, world.person(organization, Role.COUNSELLOR))
    neighbour = world.browser(app, world.person(world.organization(), Role.ADMIN))
    for path in (f"/templates/{template}/roll-out", f"/templates/{template}/roll-outs", begun):
        assert counsellor.get(path).status_code == 403
        assert neighbour.get(path).status_code == 404
    assert f"/templates/{template}/roll-out" not in counsellor.get(f"/templates/{template}").text
    for act in ("continue", "stop", "back"):
        assert counsellor.post(f"{begun}/{act}").status_code == 403
        assert neighbour.post(f"{begun}/{act}", data={"number": "2"}).status_code == 404
