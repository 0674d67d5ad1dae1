"""The catalogue in a real browser: axe finds nothing, and pages reflow on the narrowest phone."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from app.domain.access import Role
from app.factory import create_app
from app.features.occupations import store
from app.features.occupations.bls import read_bls
from app.features.occupations.onet import read_onet
from app.infra.runtime import Runtime
from tests.browser_fixture import OpenPage
from tests.catalogue_fixture import onet_folder
from tests.factories import World
from tests.served import Served, serving, violations
from tests.shared_data import data_file

pytestmark = [pytest.mark.browser, pytest.mark.committed, pytest.mark.data]


def test_a1_axe_finds_nothing_and_pages_reflow(live: Runtime, open_page: OpenPage) -> None:
    owner = live.settings.owner_database_url
    store.store(
        owner,
        read_onet(
            [onet_folder("db_30_1_text", "Interests.txt"), onet_folder("db_29_3_text_converted", "Skills.txt")],
        ),
    )
    store.store(owner, read_bls(data_file("onet/bls_ep_2024_34/table_1_2.csv")))
    world = World(live)
    here = world.organization()
    people = [world.person(here, Role.CLIENT), world.person(here, Role.COUNSELLOR), world.person(here, Role.ADMIN)]
    app = create_app(live)
    with serving(app) as address:
        site = Served(address, app, live)
        for person, width, scheme in zip(people, (320, 1440, 1440), ("light", "light", "dark"), strict=True):
            opened = site.open(open_page, person, "/occupations", width=width, scheme=scheme)
            for number, path in enumerate(
                ("?q=nusre", "/29-1141.00", "/55-3016.00", "/29-1141.00?release=starter-30.1")
            ):
                opened.page.goto(f"{address}/occupations{path}")
                if folder := os.environ.get("OCTANT_PICTURES"):
                    opened.page.screenshot(path=Path(folder) / f"{width}-{number}.png", full_page=True)
                assert violations(opened.page) == [], path
                assert opened.complaints == [], path
                assert opened.page.evaluate("document.documentElement.scrollWidth") <= width, path
