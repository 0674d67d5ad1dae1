"""`octant filter`: what a member's filters select, from the command line."""

from __future__ import annotations

import json

import pytest

from app.domain.access import Role
from app.features.selections.commands import SaveFilter
from app.features.selections.filters import create_filter
from app.infra.runtime import Runtime
from tests.cli.test_organization_command import octant
from tests.factories import World

NEVER_MET = {"all": [{"field": "@contact", "is": "is_empty"}]}


@pytest.mark.committed
def test_a_member_s_filters_are_listed_and_counted(live: Runtime) -> None:
    world = World(live)
    here = world.organization()
    lena = world.person(here, Role.COUNSELLOR, "Lena")
    world.caseload(lena, world.clients(here, 3))
    world.clients(here, 2)
    with live.database.unit_of_work(lena.actor) as uow:
        kept = create_filter(uow, SaveFilter(name="Never met", rule=NEVER_MET)).id
    who = ("--organization", "org-1", "--as", lena.email)
    listed = octant(live, "filter", "list", *who)
    assert listed.stdout == f"{kept}  Never met (own)  {json.dumps(NEVER_MET, sort_keys=True)}\n", listed.stderr
    assert octant(live, "filter", "size", *who).stdout == "3  Never met\n"
    assert octant(live, "filter", "size", *who, "--filter", str(kept)).stdout == "3  Never met\n"
    nobody = octant(live, "filter", "size", *who, "--rule", json.dumps({"all": [NEVER_MET["all"][0] | {"is": "is"}]}))
    assert nobody.returncode == 2
    assert octant(live, "filter", "size", *who, "--rule", json.dumps({"any": NEVER_MET["all"]})).stdout == "3\n"
    assert octant(live, "filter", "size", *who, "--filter", "Other").returncode == 2
    assert octant(live, "filter", "list", "--organization", "org-1", "--as", "x@example.org").returncode == 2
