"""Saved filters: kept, shared, shown with their size, and used as a target; and people chosen by a list."""

from __future__ import annotations

import io
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
import xlsxwriter
from flask import Flask
from sqlalchemy import text

from app.domain import access
from app.domain.access import Role
from app.domain.errors import Forbidden, InvalidInput, NotFound
from app.features.clients.commands import CreateLabel
from app.features.clients.labels import create_label
from app.features.selections.commands import SaveFilter, Target
from app.features.selections.filters import change_filter, create_filter, delete_filter
from app.features.selections.lists import choose_listed, lines_of_file, lines_of_text
from app.features.selections.queries import get_filter, list_filters
from app.features.selections.service import choose, find_selection
from app.infra.runtime import Runtime
from tests.factories import Person, World
from tests.selections.scene import Scene, make_scene

LATE = {"all": [{"field": "@overdue", "is": "at_least", "values": [1]}]}


@pytest.fixture
def scene(world: World, runtime: Runtime, app: Flask) -> Scene:
    app.config["WTF_CSRF_ENABLED"] = False
    return make_scene(world, runtime)


def keep(runtime: Runtime, person: Person, *, shared: bool = False, name: str = "Late") -> UUID:
    with runtime.database.unit_of_work(person.actor) as uow:
        return create_filter(uow, SaveFilter(name=name, rule=LATE, shared=shared)).id


def test_a_filter_is_its_owner_s_until_it_is_shared(world: World, runtime: Runtime, scene: Scene) -> None:
    other = world.person(scene.admin.actor.organization_id, Role.COUNSELLOR)
    own, shared = keep(runtime, scene.counsellor), keep(runtime, scene.counsellor, shared=True, name="Late, all")
    with runtime.database.unit_of_work(other.actor) as uow:
        assert [(line.filter.id, line.mine) for line in list_filters(uow)] == [(shared, False)]
        with pytest.raises(NotFound):
            get_filter(uow, own)
        for refused in (delete_filter, lambda uow, one: change_filter(uow, one, SaveFilter(name="x", rule=LATE))):
            with pytest.raises(Forbidden):
                refused(uow, shared)
        # The same name may be theirs too.
        create_filter(uow, SaveFilter(name="Late", rule=LATE))
        with pytest.raises(InvalidInput):
            create_filter(uow, SaveFilter(name=" Late ", rule=LATE))
    with runtime.database.unit_of_work(scene.admin.actor) as uow:
        # An administrator mends what everybody uses, and cannot take it for themselves.
        assert change_filter(uow, shared, SaveFilter(name="Very late", rule=LATE, shared=False)).shared
        delete_filter(uow, shared)
        assert list_filters(uow) == []


def test_a_shared_filter_asks_for_nothing_that_only_its_owner_sees(runtime: Runtime, scene: Scene) -> None:
    with runtime.database.unit_of_work(scene.counsellor.actor) as uow:
        label = create_label(uow, CreateLabel(name="Mine")).id
        rule = {"all": [{"field": "@label", "is": "is", "values": [str(label)]}]}
        kept = create_filter(uow, SaveFilter(name="Mine", rule=rule))
        with pytest.raises(InvalidInput):
            change_filter(uow, kept.id, SaveFilter(name="Mine", rule=rule, shared=True))


def test_a_target_by_filter_stays_whom_it_selected(runtime: Runtime, scene: Scene) -> None:
    kept = keep(runtime, scene.counsellor)
    with runtime.database.unit_of_work(scene.counsellor.actor) as uow:
        selection = choose(uow, Target(filter_id=kept))
        assert (selection.origin, selection.name, selection.not_seen) == ("filter", "Late", 0)
    with runtime.database.unit_of_work(access.system(scene.admin.actor.organization_id)) as uow:
        uow.session.execute(text("UPDATE plan_steps SET status = 'completed'"))
    with runtime.database.unit_of_work(scene.counsellor.actor) as uow:
        assert scene.names(set(find_selection(uow, selection.id).client_ids)) == {"late", "very_late", "gone"}
        assert choose(uow, Target(filter_id=kept)).client_ids == []


def test_the_pages_build_count_and_keep_a_filter(app: Flask, world: World, scene: Scene) -> None:
    browser = world.browser(app, scene.counsellor)
    assert 'data-live="#live-size"' in browser.get("/filters/new").text
    typed = {"match": "all", "field-0": "@overdue", "is-0": "at_least", "value-0": "2", "name": "Very late"}
    counted = browser.post("/filters/size", data=typed)
    assert '<p class="row" role="status" id="live-size"><b class="figures">2</b>' in counted.text
    assert "–</b>" in browser.post("/filters/size", data=typed | {"value-0": "soon"}).text
    bad = browser.post("/filters/new", data=typed | {"value-0": "9", "act": "save"})
    assert (bad.status_code, 'href="#value-0"' in bad.text) == (422, True)
    kept = browser.post("/filters/new", data=typed | {"act": "save"})
    address = kept.headers["Location"]
    assert kept.status_code == 302
    assert 'value="2"' in browser.get(address).text
    listed = browser.get("/filters").text
    assert f'data-load="{address}/size"' in listed
    assert f'id="size-{address[9:]}"' in browser.get(f"{address}/size").text
    assert ">2<" in browser.get("/filters?sizes=1").text
    shown = browser.get(f"/caseload?filter={address[9:]}").text
    assert f"/clients/{scene.ids['very_late']}" in shown
    assert f"/clients/{scene.ids['late']}" not in shown
    other = world.browser(app, world.person(scene.admin.actor.organization_id, Role.COUNSELLOR))
    assert [
        other.get(path).status_code for path in (address, f"{address}/size", f"/caseload?filter={address[9:]}")
    ] == [
        404,
        404,
        404,
    ]
    assert browser.post(f"{address}/delete").status_code == 302
    assert "Very late</a>" not in browser.get("/filters").text


def test_the_caseload_s_filter_is_kept_and_narrowed(app: Flask, world: World, runtime: Runtime, scene: Scene) -> None:
    browser = world.browser(app, scene.counsellor)
    assert "Keep this filter" not in browser.get("/caseload").text
    assert "Keep this filter" in browser.get("/caseload?why=8").text
    first = browser.post("/caseload/keep", data={"name": "Overdue", "why": "8"})
    made = first.headers["Location"].partition("filter=")[2]
    second = browser.post("/caseload/keep", data={"name": "Overdue and far", "filter": made, "contact": "4"})
    assert second.status_code == 302
    with runtime.database.unit_of_work(scene.counsellor.actor) as uow:
        narrowed = choose(uow, Target(filter_id=UUID(second.headers["Location"].partition("filter=")[2])))
        assert scene.names(set(narrowed.client_ids)) == {"late"}
    assert browser.post("/caseload/keep", data={"name": "Overdue", "why": "8"}).status_code == 422
    every = browser.post("/caseload/prompt", data={"every": "1", "filter": made})
    assert "2 people" in browser.get(every.headers["Location"]).text


def test_a_list_names_people_and_tells_the_lines_nobody_is_known_by(
    world: World, runtime: Runtime, scene: Scene, tmp_path: Path
) -> None:
    here = scene.admin.actor.organization_id
    (hidden,) = world.clients(here, 1, external_id="H1", external_folded="h1", email="h@x.org", email_folded="h@x.org")
    world.clients(here, 0)
    with runtime.database.unit_of_work(access.system(here)) as uow:
        known = {
            row.id: row
            for row in uow.session.execute(
                text("SELECT id, external_id, email FROM clients WHERE id = ANY(:ids)"),
                {"ids": [scene.ids["late"], scene.ids["done"], scene.ids["bare"]]},
            )
        }
    late, done, bare = (known[scene.ids[name]] for name in ("late", "done", "bare"))
    pasted = f"{late.external_id.lower()}, {done.email.upper()}\nnobody@example.org\n\nH1;{late.email}"
    with runtime.database.unit_of_work(scene.counsellor.actor) as uow:
        chosen = choose_listed(uow, lines_of_text(pasted))
        assert set(chosen.client_ids) == {late.id, done.id}
        assert chosen.unknown == [[2, "nobody@example.org"], [4, "H1"]]
        for nobody in ("", "nobody", "H1"):
            with pytest.raises(InvalidInput):
                choose_listed(uow, lines_of_text(nobody))
    table = tmp_path / "people.csv"
    table.write_bytes(f"Student number\n{bare.external_id}\n\nX-404\n".encode("utf-8-sig"))
    book = tmp_path / "people.xlsx"
    with xlsxwriter.Workbook(book) as written:
        sheet = written.add_worksheet()
        for row, cell in ((0, "Id"), (2, bare.external_id), (4, "X-404")):
            sheet.write_string(row, 1, cell)
    for path, line in ((table, 4), (book, 5)):
        with runtime.database.unit_of_work(scene.counsellor.actor) as uow:
            chosen = choose_listed(uow, lines_of_file(path), name=path.name)
            assert (chosen.client_ids, chosen.unknown) == ([bare.id], [[line, "X-404"]])
    assert hidden not in chosen.client_ids


def test_the_page_of_a_list_leads_to_acts(app: Flask, world: World, runtime: Runtime, scene: Scene) -> None:
    browser = world.browser(app, scene.counsellor)
    assert browser.post("/chosen/list", data={"text": "nobody"}).status_code == 422
    with runtime.database.unit_of_work(access.system(scene.admin.actor.organization_id)) as uow:
        ids = uow.session.execute(text("SELECT external_id FROM clients ORDER BY external_id LIMIT 2")).scalars().all()
    upload = {"file": (io.BytesIO("\n".join([*ids, "zz9"]).encode()), "a.csv")}
    found = browser.post("/chosen/list", data=upload, content_type="multipart/form-data")
    page = browser.get(found.headers["Location"]).text
    assert "Line 3: zz9" in page
    selection = found.headers["Location"].rpartition("/")[2]
    for act in ("/assignments/new", "/reviews/prompt", "/reports/selected"):
        assert f'href="{act}?selection={selection}"' in page
        assert browser.get(f"{act}?selection={selection}").status_code == 200
    started = browser.post("/reports/selected/start", data={"selection": selection, "key": uuid4().hex})
    assert started.headers["Location"].startswith("/jobs/")
    bad = {"file": (io.BytesIO(b"%PDF-1.7"), "a.pdf")}
    assert browser.post("/chosen/list", data=bad, content_type="multipart/form-data").status_code == 422
    other = world.browser(app, scene.admin)
    assert other.get(found.headers["Location"]).status_code == 410


def test_a_selection_expires(runtime: Runtime, scene: Scene) -> None:
    with runtime.database.unit_of_work(scene.counsellor.actor) as uow:
        chosen = choose(uow, Target(client_ids=(scene.ids["late"],)))
        assert chosen.expires_at == uow.now + timedelta(days=1)
