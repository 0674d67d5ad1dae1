"""S2: the headers of every answer, pages, files and errors alike; nothing private is kept by a browser."""

from __future__ import annotations

import pytest
from flask import Flask

from app.domain.access import Role
from app.features.jobs.queries import get_file
from app.infra.web.security import CONTENT_SECURITY_POLICY
from tests.factories import Person, World
from tests.hostile.test_pages_take_nonsense import ROLES, filled, pages, people
from tests.one_of_everything import Filled
from tests.steps.files import PDF

__all__ = ["filled", "people"]


def test_s2_every_answer_has_them(app: Flask, world: World, people: dict[Role, Person], filled: Filled) -> None:
    asked = 0
    for role in (None, *ROLES):
        browser = world.browser(app, people[role] if role else None)
        for address in (*pages(app, browser, filled), "/nothing-here", "/api/v1/nothing", "/api/v1/me"):
            answer = browser.get(address, buffered=True)
            asked += 1
            assert answer.headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY, address
            assert answer.headers["X-Content-Type-Options"] == "nosniff", address
            assert answer.headers["Referrer-Policy"] == "same-origin", address
            assert answer.headers["Cache-Control"] == "no-store", address
    assert asked > 50


@pytest.mark.parametrize("kind", ["file", "report"])
def test_s2_a_file_is_not_kept_by_the_browser(
    app: Flask, world: World, people: dict[Role, Person], filled: Filled, kind: str
) -> None:
    browser = world.browser(app, people[Role.ADMIN])
    if kind == "report":
        address = f"/clients/{filled.client}/report.pdf"
    else:
        address = f"/files/{filled.places['file_id']}"
        with world.runtime.database.unit_of_work(people[Role.ADMIN].actor) as uow:
            where = world.runtime.storage.path(get_file(uow, filled.places["file_id"]).location)
        where.parent.mkdir(parents=True, exist_ok=True)
        where.write_bytes(PDF)
    answer = browser.get(address, buffered=True, follow_redirects=True)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Content-Disposition"].startswith("attachment")
