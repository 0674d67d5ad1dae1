"""The catalogue in a real browser: axe finds nothing, and pages reflow on the narrowest phone."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask.sessions import SecureCookieSessionInterface
from werkzeug.serving import make_server

from app.domain.access import Role
from app.factory import create_app
from app.features.identity.service import start_session
from app.features.occupations import store
from app.features.occupations.bls import read_bls
from app.features.occupations.onet import read_onet
from app.infra.runtime import Runtime
from tests.browser_fixture import OpenPage
from tests.catalogue_fixture import onet_folder
from tests.factories import World
from tests.shared_data import data_file

pytestmark = [pytest.mark.browser, pytest.mark.committed, pytest.mark.data]
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


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
    signer = SecureCookieSessionInterface().get_signing_serializer(app)
    assert signer is not None
    server = make_server("127.0.0.1", 0, app, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        address = f"http://localhost:{server.port}"
        for person, width, scheme in zip(people, (320, 1440, 1440), ("light", "light", "dark"), strict=True):
            with live.database.identity_session() as session:
                token = start_session(session, person.user_id, live.clock(), organization_id=here)
            opened = open_page("about:blank", width=width, scheme=scheme)
            cookie = {"name": "octant", "value": signer.dumps({"_user_id": token}), "url": address}
            opened.page.context.add_cookies([cookie])  # type: ignore[list-item] # dumps gives text
            for number, path in enumerate(
                ("?q=nusre", "/29-1141.00", "/55-3016.00", "/29-1141.00?release=starter-30.1")
            ):
                opened.page.goto(f"{address}/occupations{path}")
                if folder := os.environ.get("OCTANT_PICTURES"):
                    opened.page.screenshot(path=Path(folder) / f"{width}-{number}.png", full_page=True)
                found = Axe().run(opened.page, options={"runOnly": TAGS}).response["violations"]
                assert [f"{v['id']}: {n['html'][:160]}" for v in found for n in v["nodes"]] == [], path
                assert opened.complaints == [], path
                assert opened.page.evaluate("document.documentElement.scrollWidth") <= width, path
    finally:
        server.shutdown()
        server.server_close()
