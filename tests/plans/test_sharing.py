"""Templates that go further: as a file to another organization, and as a copy for next year."""

from __future__ import annotations

import io
import json
import re
from datetime import date
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select

from app.domain.access import Role
from app.domain.errors import Forbidden, InvalidInput
from app.domain.template_files import parse_file
from app.features.audit.models import AuditEntry
from app.features.instruments.builtin import add_built_in
from app.features.organizations.commands import SaveTerm
from app.features.organizations.settings import save_term
from app.features.plans import sharing, templates
from app.infra.runtime import Runtime
from tests.factories import Person, World
from tests.plans.page_forms import fields_of

RAW: dict[str, Any] = {
    "steps": {
        "ambition": {"guidance": "What for?", "due": {"kind": "term", "term": "Autumn 2026", "edge": "end"}},
        "self_assessment": {"guidance": "Answer.", "instruments": ["octant-interests"]},
        "goals": {"guidance": "Which?", "due": {"kind": "after_start", "days": 30}},
    },
    "review_policy": {"cadence": {"kind": "dates", "dates": ["2026-12-01"]}},
}


def _terms(runtime: Runtime, person: Person, *years: int) -> None:
    with runtime.database.unit_of_work(person.actor) as uow:
        for year in years:
            save_term(
                uow,
                SaveTerm(name=f"Autumn {year}", starts_on=date(year, 9, 7), ends_on=date(year, 12, 18)),
            )


@pytest.fixture(autouse=True)
def plain_forms(app: Flask) -> None:
    app.config["WTF_CSRF_ENABLED"] = False


@pytest.fixture
def admin(world: World, runtime: Runtime) -> Person:
    person = world.person(world.organization(), Role.ADMIN)
    _terms(runtime, person, 2026)
    return person


def test_a_file_becomes_a_draft_elsewhere_and_says_what_is_missing(
    world: World, runtime: Runtime, app: Flask, admin: Person
) -> None:
    template = world.template(admin.actor.organization_id, raw=RAW)
    saved = world.browser(app, admin).get(f"/templates/{template}/file?version=1")
    assert saved.mimetype == "application/json"
    assert "attachment" in saved.headers["Content-Disposition"]
    there = world.person(world.organization(), Role.ADMIN)
    browser = world.browser(app, there)
    page = browser.get("/templates/from-file")
    sent = fields_of(page.text, 'enctype="multipart/form-data"') | {"name": "Taken over"}

    def take(content: bytes) -> Any:
        file = (io.BytesIO(content), "template.json")
        return browser.post("/templates/from-file", data=sent | {"file": file}, content_type="multipart/form-data")

    changed = json.loads(saved.data)
    changed["content"]["steps"]["goals"]["guidance"] = "Another"
    refused = take(json.dumps(changed).encode())
    assert refused.status_code == 422
    assert "its checksum differs" in refused.text
    assert "<code>checksum</code>" in refused.text
    made = take(saved.data)
    assert made.status_code == 302
    shown = browser.get(made.location).text
    assert "Taken over" in shown
    assert "draft" in shown
    assert "Autumn 2026" in shown[shown.index("Named here and missing") :]
    assert "“octant-interests” is not here" in shown
    # Publishing waits for the term, not for the questionnaire.
    assert "Autumn 2026" in browser.post(f"{made.location}/publish").text
    _terms(runtime, there, 2026)
    with runtime.database.unit_of_work(there.actor) as uow:
        add_built_in(uow, "interests")
    assert "Named here and missing" not in browser.get(made.location).text
    assert browser.post(f"{made.location}/publish").status_code == 302
    again = take(saved.data)
    assert (again.status_code, "There is a template" in again.text) == (422, True)
    with runtime.database.unit_of_work(there.actor) as uow:
        taken = templates.versions_of(uow, UUID(made.location.rpartition("/")[2]))[0]
        assert taken.content == json.loads(saved.data)["content"]
        noted = uow.session.scalars(select(AuditEntry.detail).where(AuditEntry.action == "template.imported")).one()
        assert noted["checksum"] == json.loads(saved.data)["checksum"]


def test_who_only_uses_templates_saves_files_and_takes_none(
    world: World, runtime: Runtime, app: Flask, admin: Person
) -> None:
    organization = admin.actor.organization_id
    template = world.template(organization, raw=RAW)
    counsellor = world.person(organization, Role.COUNSELLOR)
    browser = world.browser(app, counsellor)
    saved = browser.get(f"/templates/{template}/file")
    assert saved.status_code == 200
    assert browser.get("/templates/from-file").status_code == 403
    assert browser.get(f"/templates/{template}/next-year").status_code == 403
    with pytest.raises(Forbidden), runtime.database.unit_of_work(counsellor.actor) as uow:
        sharing.import_template(uow, parse_file(saved.data), name="Mine")
    other = world.person(world.organization(), Role.ADMIN)
    assert world.browser(app, other).get(f"/templates/{template}/file").status_code == 404


def test_a_copy_for_next_year_guesses_its_terms_and_moves_its_days(
    world: World, runtime: Runtime, app: Flask, admin: Person
) -> None:
    organization = admin.actor.organization_id
    template = world.template(organization, raw=RAW)
    with runtime.database.unit_of_work(admin.actor) as uow:
        templates.find_template(uow, template).name = "Final years 2026/27"
    browser = world.browser(app, admin)
    here = f"/templates/{template}/next-year"
    sent = fields_of(browser.get(here).text, 'method="post"')
    assert sent["name"] == "Final years 2027/28"
    # Nothing follows the term yet: it has to be chosen.
    assert browser.post(here, data=sent).status_code == 422
    _terms(runtime, admin, 2027)
    sent = fields_of(browser.get(here).text, 'method="post"')
    assert sent["term-0"] == "Autumn 2027"
    made = browser.post(here, data=sent)
    assert made.status_code == 302
    with runtime.database.unit_of_work(admin.actor) as uow:
        draft = templates.versions_of(uow, UUID(made.location.rpartition("/")[2]))[0]
        assert (draft.version, draft.state) == (1, "draft")
        assert draft.content["steps"]["ambition"]["due"]["term"] == "Autumn 2027"
        assert draft.content["steps"]["goals"]["due"] == {"kind": "after_start", "days": 30}
        assert draft.content["review_policy"]["cadence"]["dates"] == ["2027-12-01"]
        assert templates.find_template(uow, draft.template_id).name == "Final years 2027/28"
        # Once more: the name is taken, so another is offered.
        assert sharing.plan_next_year(uow, template).name == "Final years 2027/28 (2)"
    assert re.search("There is a template", browser.post(here, data=sent).text)


def test_a_term_that_is_no_choice_is_refused(world: World, runtime: Runtime, admin: Person) -> None:
    template = world.template(admin.actor.organization_id, raw=RAW)
    with pytest.raises(InvalidInput, match="no term Never"), runtime.database.unit_of_work(admin.actor) as uow:
        sharing.copy_for_next_year(uow, template, name="Copy", terms={"Autumn 2026": "Never"})
