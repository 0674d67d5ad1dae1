"""`octant rollout` and `octant template`, as a member of an organization."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import text

from app.domain import access
from app.domain.access import Role
from app.features.organizations.commands import SaveTerm
from app.features.organizations.settings import save_term
from app.infra.runtime import Runtime
from tests.cli.test_organization_command import octant
from tests.factories import World
from tests.rollouts.helpers import finish, plans, two_versions, version_of

pytestmark = pytest.mark.committed


def test_a_roll_out_from_its_preview_to_its_way_back(live: Runtime) -> None:
    world = World(live)
    organization = world.organization()
    admin = world.person(organization, Role.ADMIN)
    template = two_versions(world, organization)
    made = plans(world, organization, template, 8)
    with live.database.unit_of_work(access.system(organization)) as uow:
        name = uow.session.execute(text("SELECT name FROM plan_templates")).scalar_one()
        slug = uow.session.execute(text("SELECT slug FROM tenants WHERE id = :o"), {"o": organization}).scalar_one()

    def rollout(act: str, *more: str, email: str = admin.email) -> str:
        words = ("--organization", slug, "--as", email, "--template", name, *more)
        done = octant(live, "rollout", act, *words)
        return done.stdout + done.stderr

    dry = rollout("start", "--choice", "all", "--dry-run")
    assert "8 plans follow an older version; 8 have a step that changes." in dry
    assert "step 3: 8 lose it" in dry
    assert "No version of" in rollout("status")
    assert "stage 1, 25 %" in rollout("start", "--choice", "all", "--percent", "25")
    finish(live, organization)
    assert "2 plans brought over, 6 of older versions, 0 conflicts." in rollout("status")
    assert "stage 2, 100 %" in rollout("continue")
    finish(live, organization)
    assert {version_of(live, organization, plan) for plan in made} == {2}
    assert ": done." in rollout("stop")
    assert "being rolled back" in rollout("back")
    finish(live, organization)
    assert {version_of(live, organization, plan) for plan in made} == {1}
    assert "rolled back already" in rollout("back")
    counsellor = world.person(organization, Role.COUNSELLOR)
    assert "may not do this" in rollout("start", email=counsellor.email)


def test_a_template_as_a_file_and_for_next_year(live: Runtime, tmp_path: Path) -> None:
    world = World(live)
    organization, there = world.organization(), world.organization()
    admin, other = world.person(organization, Role.ADMIN), world.person(there, Role.ADMIN)
    due = {"kind": "term", "term": "Autumn 2026", "edge": "end"}
    world.template(organization, raw={"steps": {"ambition": {"guidance": "x", "due": due}}})
    with live.database.unit_of_work(admin.actor) as uow:
        for year in (2026, 2027):
            save_term(uow, SaveTerm(name=f"Autumn {year}", starts_on=date(year, 9, 7), ends_on=date(year, 12, 18)))
        name = uow.session.execute(text("SELECT name FROM plan_templates")).scalar_one()
        slugs = dict(map(tuple, uow.session.execute(text("SELECT id, slug FROM tenants"))))
    here = ("--organization", slugs[organization], "--as", admin.email)
    file = tmp_path / "template.json"
    saved = octant(live, "template", "export", *here, "--template", name, str(file))
    assert saved.returncode == 0, saved.stderr
    assert json.loads(file.read_text())["checksum"] in saved.stdout
    over = ("--organization", slugs[there], "--as", other.email)
    taken = octant(live, "template", "import", *over, "--name", "Theirs", str(file))
    assert taken.stdout.splitlines()[0] == "Theirs is there as a draft."
    assert "steps.ambition.due.term" in taken.stdout
    file.write_text(file.read_text().replace('"x"', '"y"'))
    broken = octant(live, "template", "import", *over, str(file))
    assert (broken.returncode, "its checksum differs" in broken.stderr) == (2, True)
    copied = octant(live, "template", "next-year", *here, "--template", name, "--name", "Next")
    assert copied.stdout.splitlines() == ["Autumn 2026 -> Autumn 2027", "Next is there as a draft."]
