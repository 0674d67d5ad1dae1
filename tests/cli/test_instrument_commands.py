"""`octant organization add-instrument` and `load-instrument`: built-in questionnaires and files, as an operator."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from app.domain import access
from app.features.instruments.builtin import built_ins
from app.features.instruments.queries import list_instruments
from app.features.organizations.models import Tenant
from app.infra.runtime import Runtime
from tests.cli.test_organization_command import octant
from tests.factories import World
from tests.shared_data import data_file


@pytest.mark.committed
def test_questionnaires_are_added_and_loaded_from_files(live: Runtime, tmp_path: Path) -> None:
    here = World(live).organization()
    with live.database.unit_of_work(access.system(here)) as uow:
        slug = uow.session.scalars(select(Tenant.slug).where(Tenant.id == here)).one()

    added = octant(live, "organization", "add-instrument", "--slug", slug, "all")
    assert added.returncode == 0, added.stderr
    assert added.stdout.count("version 1 is loaded") == len(built_ins())
    loading = ("organization", "load-instrument", "--slug", slug)
    table = octant(live, *loading, str(data_file("instruments/onet_ip_short_form_60.csv")))
    assert (table.returncode, table.stdout) == (0, "onet-ip-short-form: version 1 is loaded.\n"), table.stderr
    answers, chosen = tmp_path / "answers.txt", tmp_path / "chosen.txt"
    answers.write_text("1 No\n2 Yes\n")
    chosen.write_text("H34 E +\nH1130 A +\n")
    pool = (str(data_file("instruments/ipip_items.json")), "--id", "own", "--title", "Own", "--answers", str(answers))
    picked = octant(live, *loading, *pool, "--chosen", str(chosen))
    assert (picked.returncode, picked.stdout) == (0, "own: version 1 is loaded.\n"), picked.stderr
    bad = tmp_path / "bad.csv"
    bad.write_text("index,text,domain,key\n1,I hum,E,*\n")
    refused = octant(live, *loading, str(bad))
    assert refused.returncode == 2
    assert refused.stderr.startswith("line 2, key: ")
    with live.database.unit_of_work(access.system(here)) as uow:
        trust = {one.row.key: one.definition.status for one in list_instruments(uow)}
    assert trust["onet-ip-short-form"] == "published_unaltered"
    assert (trust["own"], trust["octant-skills"]) == ("original_under_study", "reflection_only")
    assert len(trust) == len(built_ins()) + 2
