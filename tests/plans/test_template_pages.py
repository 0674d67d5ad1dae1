"""Pages of templates as administrator and counsellor."""

from __future__ import annotations

import re

import pytest
from flask import Flask

from app.domain.access import Role
from app.domain.steps import StepKey
from app.domain.template_content import checksum, parse_content
from app.features.plans import templates
from app.infra.runtime import Runtime
from tests.factories import Person, World
from tests.plans.page_forms import fields_of


@pytest.fixture
def admin(world: World) -> Person:
    return world.person(world.organization(), Role.ADMIN)


@pytest.fixture
def site(app: Flask) -> Flask:
    app.config["WTF_CSRF_ENABLED"] = False
    return app


def test_a_template_from_first_draft_to_second_version(
    world: World, runtime: Runtime, site: Flask, admin: Person
) -> None:
    browser = world.browser(site, admin)
    assert "No templates yet" in browser.get("/templates").text
    sent = fields_of(browser.get("/templates/new").text, 'method="post"') | {"name": "Autumn"}
    made = browser.post("/templates/new", data=sent)
    assert made.status_code == 302, re.findall(r"<li>.*?</li>", made.text)
    here = made.location
    assert "Set three goals" not in browser.get(here).text
    assert browser.post(f"{here}/publish").status_code == 302
    unchanged = fields_of(browser.get(f"{here}/edit").text, 'method="post"')
    browser.post(f"{here}/edit", data=unchanged)
    assert "Version 2" not in browser.get(here).text
    changed = unchanged | {
        "goals-guidance": "Set three goals.",
        "goals-least_goals": "3",
        "policy-months": "12",
        "policy-reminder_days": "0, 5",
    }
    assert browser.post(f"{here}/edit", data=changed).status_code == 302
    page = browser.get(here).text
    assert "Set three goals." in page
    assert "Reviewed every 12 months." in page
    compared = browser.get(f"{here}/compare?before=1&after=2").text
    # Step by step, with the field, the words of before and those of after in one row.
    goals = compared[compared.index('<span class="step-number">6</span>Goals') :]
    row = re.search(
        r'<th scope="row">guidance</th><td data-label="Version 1">(.*?)</td><td data-label="Version 2">(.*?)</td>',
        goals,
        re.S,
    )
    assert row is not None
    assert "Set three goals." not in row[1]
    assert "Set three goals." in row[2]
    assert '<th scope="row">Goals, at least</th>' in goals
    stale = browser.post(f"{here}/edit", data=unchanged)
    assert stale.status_code == 409
    assert "Somebody else changed this template" in stale.text
    browser.post(f"{here}/publish")
    copied = browser.post(f"{here}/duplicate", data={"name": "Winter"}).location
    assert "Winter" in browser.get(copied).text
    browser.post(f"{copied}/archive")
    assert "Winter" not in browser.get("/templates").text
    assert "Winter" in browser.get("/templates?archived=1").text
    with runtime.database.unit_of_work(admin.actor) as uow:
        row = templates.list_templates(uow)[0]
        assert (row.template.name, row.published, row.draft) == ("Autumn", 2, None)
        version = templates.find_version(uow, row.template.id, 2)
        assert version.checksum == checksum(parse_content(version.content))


def test_a_template_without_steps_or_with_wrong_numbers_keeps_what_was_typed(
    world: World, site: Flask, admin: Person
) -> None:
    browser = world.browser(site, admin)
    sent = fields_of(browser.get("/templates/new").text, 'method="post"') | {"name": "Empty", "description": "keep me"}
    none = {name: value for name, value in sent.items() if not name.endswith("-enabled")}
    answer = browser.post("/templates/new", data=none)
    assert answer.status_code == 422
    assert "This template has no steps. Switch on at least one of the eight." in answer.text
    assert "keep me" in answer.text
    for wrong, sentence in (
        ({"ambition-days": "-3"}, "days is not possible"),
        ({"ambition-due_kind": "term"}, "Give a text"),
        ({"policy-reminder_days": "soon"}, "is not a whole number of days"),
        ({"policy-quiet_start": ""}, "Give a text"),
        ({"goals-least_goals": "900"}, "Number must be between"),
    ):
        answer = browser.post("/templates/new", data=sent | wrong)
        assert answer.status_code == 422, wrong
        assert sentence in answer.text, wrong


def test_counsellors_read_templates_and_administrators_change_them(world: World, site: Flask, admin: Person) -> None:
    template = world.template(admin.actor.organization_id)
    counsellor = world.browser(site, world.person(admin.actor.organization_id, Role.COUNSELLOR))
    here = f"/templates/{template}"
    assert counsellor.get("/templates").status_code == 200
    assert counsellor.get(here).status_code == 200
    assert counsellor.get(f"{here}/compare").status_code == 200
    for page in ("/templates/new", f"{here}/edit"):
        assert counsellor.get(page).status_code == 403
    assert counsellor.post(f"{here}/publish").status_code == 403
    assert "New template" not in counsellor.get("/templates").text
    foreign = world.browser(site, world.person(world.organization(), Role.ADMIN))
    for page in (here, f"{here}/edit", f"{here}/compare"):
        assert foreign.get(page).status_code == 404
    assert len(StepKey) == 8
