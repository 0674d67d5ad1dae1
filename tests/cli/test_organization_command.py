"""`octant organization`: what an operator types, and what mistakes get."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

import pytest

from app.domain.access import Role
from app.factory import create_app
from app.features.organizations.commands import Invite
from app.features.organizations.invitations import invite
from app.features.organizations.tokens import CreateToken, create_token
from app.features.reviews.messages import LINK_PURPOSE
from app.features.reviews.models import Review, ReviewLink
from app.infra.links import make_token
from app.infra.runtime import Runtime
from tests.factories import World
from tests.identity.helpers import PASSWORD, send, sign_in
from tests.reviews.helpers import make_plans

ROOT = Path(__file__).resolve().parents[2]


def octant(runtime: Runtime, *words: str) -> subprocess.CompletedProcess[str]:
    environ = {k: v for k, v in os.environ.items() if not k.startswith("OCTANT_")} | runtime.settings.environ()
    return subprocess.run(
        [sys.executable, "-m", "app.cli", *words], cwd=ROOT, env=environ, capture_output=True, text=True, check=False
    )


@pytest.mark.committed
def test_an_operator_makes_an_organization_and_its_first_administrator(live: Runtime) -> None:
    words = ("--slug", "alder", "--name", "Alder", "--time-zone", "Europe/Dublin")
    made = octant(live, "organization", "create", *words)
    assert made.returncode == 0, made.stderr
    again = octant(live, "organization", "create", *words)
    assert (again.returncode, again.stderr) == (2, "There is an organization alder already.\n")
    bad = octant(live, "organization", "create", "--slug", "A b", "--name", " ", "--time-zone", "Mars")
    assert bad.returncode == 2
    assert [line.partition(":")[0] for line in bad.stderr.splitlines()] == ["slug", "name", "time_zone"]
    nobody = octant(live, "organization", "add-admin", "--slug", "birch", "--email", "a@b.example", "--name", "Ada")
    assert (nobody.returncode, nobody.stderr) == (2, "There is no organization birch.\n")
    invited = octant(live, "organization", "add-admin", "--slug", "alder", "--email", "a@b.example", "--name", "Ada")
    assert invited.returncode == 0, invited.stderr
    link = re.search(r"http://localhost(/invitation/\S+)", invited.stdout)
    assert link is not None
    app = create_app(live)
    browser = app.test_client()
    assert send(browser, link[1], name="Ada", password=PASSWORD).status_code == 302
    assert browser.get("/people").status_code == 200
    assert sign_in(app.test_client(), "a@b.example").status_code == 302


def test_a_missing_setting_is_named() -> None:
    environ = {k: v for k, v in os.environ.items() if not k.startswith("OCTANT_")}
    words = ["organization", "add-admin", "--slug", "a", "--email", "a@b.example", "--name", "A"]
    answer = subprocess.run(
        [sys.executable, "-m", "app.cli", *words], cwd=ROOT, env=environ, capture_output=True, text=True, check=False
    )
    assert answer.returncode == 2
    assert "OCTANT_DATABASE_URL is missing" in answer.stderr


@pytest.mark.committed
def test_nobody_and_nothing_gets_into_a_suspended_organization(live: Runtime) -> None:
    world = World(live)
    organization, other = world.organization(), world.organization()
    admin, stranger = world.person(organization, Role.ADMIN), world.person(other, Role.ADMIN)
    (plan,) = make_plans(live, organization, 1, started_on=date(2026, 9, 1))
    with live.database.unit_of_work(admin.actor) as uow:
        _, token = create_token(uow, CreateToken(name="program", scopes=("read",)))
        invitation = invite(uow, Invite(email="new@example.org", name="New", role=Role.COUNSELLOR))
        review = Review(plan_id=plan, occurrence_on=uow.now.date())
        uow.session.add(review)
        uow.session.flush()
        link = ReviewLink(review_id=review.id, expires_at=uow.now + timedelta(days=1))
        uow.session.add(link)
        uow.session.flush()
        check_in = make_token(live.settings, LINK_PURPOSE, organization, link.id)
    app = create_app(live)
    browser, strangers, nobody = world.browser(app, admin), world.browser(app, stranger), app.test_client()

    def answers() -> list[int]:
        return [
            browser.get("/people").status_code,
            nobody.get("/api/v1/me", headers={"Authorization": f"Bearer {token}"}).status_code,
            nobody.get(f"/invitation/{invitation}").status_code,
            nobody.get(f"/check-in/{check_in}").status_code,
            strangers.get("/people").status_code,
        ]

    assert answers() == [200, 200, 200, 200, 200]
    assert octant(live, "organization", "suspend", "--slug", "org-1").returncode == 0
    assert answers() == [302, 401, 410, 404, 200]
    assert browser.get("/people").location == "/organization"
    assert organization not in live.database.organization_ids()
    assert octant(live, "organization", "suspend", "--slug", "org-1").stderr == "There is no organization org-1.\n"
    assert octant(live, "organization", "resume", "--slug", "org-1").returncode == 0
    assert answers() == [200, 200, 200, 200, 200]
