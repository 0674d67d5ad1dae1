"""Before a template is given: where nobody would get a plan, the page says so and offers no bold button."""

from __future__ import annotations

from flask import Flask

from app.domain.access import Role
from app.infra.runtime import Runtime
from tests.factories import World
from tests.reports.maker import cohort_of


def test_a_preview_of_no_new_plans_offers_nothing_to_press(app: Flask, runtime: Runtime, world: World) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    here = world.organization()
    browser = world.browser(app, world.person(here, Role.ADMIN))
    template, clients = world.template(here), world.clients(here, 2)
    cohort = cohort_of(runtime, here, clients)
    form = {"template": f"{template}:1", "started_on": "2026-09-07", "cohort": str(cohort)}
    before = browser.post("/assignments/preview", data=form).text
    assert "This will happen" in before
    world.plans(here, clients)
    after = browser.post("/assignments/preview", data=form).text
    assert "Nothing would change" in after
    assert "Has an active plan of another template." in after
    assert ">Assign</button>" not in after
    # A standing assignment is worth making for those who join later.
    standing = browser.post("/assignments/preview", data=form | {"standing": "y"}).text
    assert "For those who join later" in standing
    assert ">Assign</button>" in standing
