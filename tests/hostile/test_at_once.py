"""The same asked several times at one moment: one effect, and for the others a sentence."""

from __future__ import annotations

from collections.abc import Callable
from threading import Barrier, Thread

import pytest
from sqlalchemy import text

from app.domain import access
from app.domain.access import Role
from app.factory import create_app
from app.features.scratches import service as scratches
from app.infra.runtime import Runtime
from tests.factories import Person, World
from tests.identity.helpers import keep_post

_TIMES = 4


def at_once(work: Callable[[int], int]) -> list[int]:
    """What each of four threads, let loose together, is answered."""
    barrier, told = Barrier(_TIMES), [0] * _TIMES

    def run(number: int) -> None:
        barrier.wait()
        told[number] = work(number)

    threads = [Thread(target=run, args=(number,)) for number in range(_TIMES)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return sorted(told)


def test_what_there_is_once_is_made_once(live: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    app = create_app(live)
    app.config["WTF_CSRF_ENABLED"] = False
    keep_post(app)
    world = World(live)
    organization = world.organization()
    admin, client = world.person(organization, Role.ADMIN), world.client_person(organization)
    assert client.actor.client_id is not None
    plan = world.plan(organization, client.actor.client_id)
    monkeypatch.setattr(scratches, "MOST_SCRATCHES", 2)

    def posted(who: Person, path: str, body: dict[str, object]) -> list[int]:
        browsers = [world.browser(app, who) for _ in range(_TIMES)]
        return at_once(lambda number: browsers[number].post(path, json=body).status_code)

    def counted(table: str) -> int:
        with live.database.unit_of_work(access.system(organization)) as uow:
            found: int = uow.session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()
            return found

    templates = counted("plan_templates")
    term = {"name": "Autumn", "starts_on": "2026-09-01", "ends_on": "2026-12-18"}
    for path, body in (("/api/v1/terms", term), ("/api/v1/templates", {"name": "Same"})):
        answers = posted(admin, path, dict(body))
        assert answers[0] == 201, (path, answers)
        assert set(answers[1:]) <= {409, 422}, (path, answers)
    assert (counted("terms"), counted("plan_templates")) == (1, templates + 1)
    invited = posted(admin, "/api/v1/invitations", {"email": "new@example.org", "name": "New", "role": "analyst"})
    assert invited == [201] * _TIMES
    assert counted("invitations") == 1
    tried = posted(client, f"/api/v1/plans/{plan}/scratches", {"title": "x"})
    assert tried == [201, 201, 409, 409]
    assert counted("plan_scratches") == 2
