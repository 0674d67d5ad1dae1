"""The pages of instruments: load, list every mistake, preview a file of answers, start the job."""

from __future__ import annotations

import io
import json

import pytest
from flask import Flask

from app.domain import access
from app.domain.access import Role
from app.features.instruments.builtin import add_built_in
from app.features.instruments.commands import LoadDefinition, SaveAnswers
from app.features.instruments.service import load_definition
from app.features.instruments.sittings import begin_sitting, finish_sitting, save_answers
from tests.domain.instrument_maker import definition
from tests.factories import World


def upload(name: str, content: bytes) -> dict[str, tuple[io.BytesIO, str]]:
    return {"file": (io.BytesIO(content), name)}


def test_load_preview_and_start(app: Flask, world: World) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    organization = world.organization()
    admin = world.person(organization, Role.ADMIN)
    world.clients(organization, 1, external_id="A1")
    browser = world.browser(app, admin)
    assert "No instrument is loaded yet" in browser.get("/instruments").text
    loaded = browser.post("/instruments/new", data=upload("x.json", json.dumps(definition()).encode()))
    assert loaded.status_code == 302
    page = browser.get(loaded.location)
    assert "I sort my socks." in page.text
    assert "No comparison with other people is made" in page.text
    sheet = b"id;a1;b1;a2\nA1;1;2;3\nB2;1;2;3\nA1;8;2;3\n"
    checked = browser.post(loaded.location + "/answers", data=upload("a.csv", sheet))
    assert checked.status_code == 302
    preview = browser.get(checked.location).text
    assert "Nobody here has the id" in preview
    assert "&#34;8&#34; in column a1 is no answer" in preview
    assert "<b>1</b> <span>result will be stored</span>" in preview
    started = browser.post(checked.location, data={"person": "0"})
    again = browser.post(checked.location, data={"person": "0"})
    assert started.location == again.location
    assert started.location.startswith("/jobs/")


def test_every_mistake_of_a_definition_is_on_the_page(app: Flask, world: World) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    browser = world.browser(app, world.person(world.organization(), Role.ADMIN))
    bad = json.dumps(definition(status="great", language="!!", options=[])).encode()
    page = browser.post("/instruments/new", data=upload("x.json", bad))
    assert page.status_code == 422
    for place in ("status", "language", "options"):
        assert f"<b>{place}</b>" in page.text


def test_a_table_of_items_is_completed_from_the_form(app: Flask, world: World) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    browser = world.browser(app, world.person(world.organization(), Role.ADMIN))
    table = b"index,text,domain,key\n1,I hum,E,+\n2,I am still,E,-\n"
    form = {
        "key": "hum", "title": "Humming", "licence": "CC0", "licence_text": "Free.", "attribution": "Us",
        "citation": "None", "version": "1", "language": "en", "status": "reflection_only",
        "options": "1 Never\n2 Always", "scale_titles": "E = Humming aloud",
    }  # fmt: skip
    loaded = browser.post("/instruments/new", data=form | upload("t.csv", table))
    assert "Humming aloud" in browser.get(loaded.location).text
    missing = browser.post("/instruments/new", data=form | {"options": "Never"} | upload("t.csv", table))
    assert "answers, line 1" in missing.text


def test_files_that_are_no_definition_are_refused(app: Flask, world: World) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    browser = world.browser(app, world.person(world.organization(), Role.ADMIN))
    for name, content in (("x.json", b"{"), ("x.exe", b"MZ"), ("x.csv", b"\xff\xfe"), ("x.json", b"{" * 100_000)):
        assert browser.post("/instruments/new", data=upload(name, content)).status_code == 422


def test_a_sheet_with_a_deceiving_name_or_old_line_ends_breaks_nothing(app: Flask, world: World) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    organization = world.organization()
    world.clients(organization, 1, external_id="A1")
    browser = world.browser(app, world.person(organization, Role.ADMIN))
    loaded = browser.post("/instruments/new", data=upload("x.json", json.dumps(definition()).encode()))
    refused = browser.post(loaded.location + "/answers", data=upload("a.csv", b"id,a1\r,b1,a2\rA1,1,2,3\n"))
    assert refused.status_code == 422
    assert "not a table of answers" in refused.text
    sheet = b"id;a1;b1;a2\nA1;1;2;3\n"
    body = (
        b"--x\r\nContent-Disposition: form-data; name=\"file\"; filename*=UTF-8''a%0D%0AX-Evil:%201%E2%80%AEvsc.csv\r\n"
        b"Content-Type: text/csv\r\n\r\n" + sheet + b"\r\n--x--\r\n"
    )
    checked = browser.post(loaded.location + "/answers", data=body, content_type="multipart/form-data; boundary=x")
    assert checked.status_code == 302
    file_id = checked.location.rpartition("/")[2]
    taken = browser.get(f"/files/{file_id}", buffered=True, follow_redirects=True)
    assert (taken.status_code, taken.data) == (200, sheet)
    assert "X-Evil" not in taken.headers
    assert "\u202e" not in browser.get(f"/api/v1/files/{file_id}").get_json()["name"]


def test_only_administrators_reach_instruments(app: Flask, world: World) -> None:
    organization = world.organization()
    for role in (Role.COUNSELLOR, Role.ANALYST):
        assert world.browser(app, world.person(organization, role)).get("/instruments").status_code == 403


def test_all_built_in_questionnaires_come_in_one_act(app: Flask, world: World) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    here = world.organization()
    admin = world.person(here, Role.ADMIN)
    browser = world.browser(app, admin)
    assert browser.post("/instruments/built-in").location == "/instruments"
    page = browser.get("/instruments").text
    assert "5 instruments are loaded." in page
    for title in ("What I would like to do", "What matters to me at work", "What I can do"):
        assert title in page
    assert "Add a built-in instrument" not in page
    browser.post("/instruments/built-in")
    assert "nothing changed" in browser.get("/instruments").text
    again = browser.post("/api/v1/instruments/built-in")
    assert (again.status_code, {one["new"] for one in again.json}) == (200, {False})
    assert world.browser(app, world.person(here, Role.COUNSELLOR)).post("/instruments/built-in").status_code == 403


@pytest.mark.parametrize(
    ("locale", "texts"),
    [
        (
            "en",
            {
                "values": "Deciding for myself how I do my work",
                "skills": "Reading Comprehension: taking in letters",
                "uses": "not for selecting or hiring anybody",
            },
        ),
        (
            "zh_Hans_CN",
            {
                "values": "自己决定怎样做事",
                "skills": "阅读理解：看懂工作中的信件",
                "uses": "不用于选拔或录用任何人",
            },
        ),
    ],
)
def test_a_ranking_and_short_answers_are_said_in_the_readers_language(
    app: Flask, world: World, locale: str, texts: dict[str, str]
) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    here = world.organization(locale=locale)
    client = world.client_person(here)
    assert client.actor.client_id is not None
    world.plan(here, client.actor.client_id)
    with world.runtime.database.unit_of_work(access.system(here)) as uow:
        found = {name: add_built_in(uow, name).instrument_id for name in ("values", "skills")}
    browser = world.browser(app, client)
    for name, instrument in found.items():
        assert texts["uses"] in browser.get(f"/my-plan/questionnaires/{instrument}").text
        assert texts[name] in browser.get(browser.post(f"/my-plan/questionnaires/{instrument}").location).text


def test_an_assessment_is_scored_again_by_json_only_when_asked(app: Flask, world: World) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    here = world.organization()
    client = world.client_person(here)
    counsellor = world.person(here, Role.COUNSELLOR)
    assert client.actor.client_id is not None
    world.caseload(counsellor, [client.actor.client_id])
    with world.runtime.database.unit_of_work(access.system(here)) as uow:
        instrument = load_definition(uow, LoadDefinition(raw=definition())).instrument_id
    with world.runtime.database.unit_of_work(client.actor) as uow:
        sitting = begin_sitting(uow, instrument).row.id
        save_answers(uow, SaveAnswers(sitting_id=sitting, answers={"a1": 5, "b1": 4, "a2": 1}))
        result = finish_sitting(uow, sitting)
    items = definition()["items"]
    items[1]["key"] = -1
    with world.runtime.database.unit_of_work(access.system(here)) as uow:
        assert load_definition(uow, LoadDefinition(raw=definition(items=items))).version == 2
    browser = world.browser(app, counsellor)
    [before] = browser.get("/api/v1/assessments").json["items"]
    assert (before["version"], before["scores"]) == (1, [8.0, 4.0])
    path = f"/api/v1/assessments/{result}/score-again"
    assert world.browser(app, client).post(path).status_code == 403
    after = browser.post(path)
    assert (after.status_code, after.json["version"], after.json["scores"]) == (200, 2, [8.0, 2.0])
    assert browser.post(path).status_code == 409
