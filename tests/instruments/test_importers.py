"""Every file of published items is imported from where it lies: by page, by JSON and by command, with honest labels."""

from __future__ import annotations

import csv
import io
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from flask import Flask
from sqlalchemy import select

from app.domain.access import Role
from app.domain.definition_files import Beside, definition_of_file
from app.domain.instruments import DefinitionError, Instrument, parse_definition
from app.domain.known_tables import KNOWN_TABLES
from app.domain.matching import fit, ranking, standardised
from app.domain.profiles import admissible_codes
from app.domain.scoring import score
from app.features.instruments.commands import LoadDefinition, SaveAnswers
from app.features.instruments.models import InstrumentVersion
from app.features.instruments.queries import newest_interests
from app.features.instruments.service import load_definition
from app.features.instruments.sittings import begin_sitting, finish_sitting, save_answers
from app.features.occupations.queries import interest_matrix
from app.features.occupations.releases import current_release
from app.infra.runtime import Runtime
from tests.factories import World
from tests.shared_data import data_file, vectors

# File, id, items, scales, what it measures.
TABLES = [
    ("onet_ip_short_form_60", "onet-ip-short-form", 60, 6, "interests"),
    ("ipip_big_five_50", "ipip-50", 50, 5, "personality"),
    ("mini_ipip_20", "mini-ipip", 20, 5, "personality"),
    ("ipip_neo_120", "ipip-neo-120", 120, 35, "personality"),
]
OPTIONS = "1 Never\n2 Sometimes\n3 Always"


def content_of(name: str) -> bytes:
    return data_file(f"instruments/{name}").read_bytes()


def read(name: str, content: bytes, **beside: str) -> Instrument:
    return parse_definition(definition_of_file(name, content, Beside(**beside)))


def refused(name: str, content: bytes, **beside: str) -> dict[str, str]:
    with pytest.raises(DefinitionError) as caught:
        read(name, content, **beside)
    return {problem.field: problem.sentence for problem in caught.value.problems}


@pytest.mark.parametrize(("file", "key", "items", "scales", "measures"), TABLES)
def test_a_known_table_needs_nothing_beside_it(file: str, key: str, items: int, scales: int, measures: str) -> None:
    found = read(f"{file}.csv", content_of(f"{file}.csv"))
    assert (found.id, found.measures, found.status) == (key, measures, "published_unaltered")
    assert (len(found.items), len(found.scales)) == (items, scales)
    assert found.licence_name
    assert found.licence_text
    assert found.attribution
    assert "not for selecting or hiring anybody" in found.allowed_uses
    # What was not read in its source is not claimed.
    assert not found.reliabilities
    assert not found.norms
    with data_file(f"instruments/{file}.csv").open(encoding="utf-8") as lines:
        assert [item.text for item in found.items] == [row["text"] for row in csv.DictReader(lines)]


def test_every_known_table_is_tried() -> None:
    assert {known.id for known in KNOWN_TABLES} == {key for _, key, *_ in TABLES}


@pytest.mark.parametrize("file", [file for file, *_ in TABLES])
def test_a_changed_word_is_never_called_unaltered(file: str) -> None:
    content = content_of(f"{file}.csv")
    first = next(csv.DictReader(io.StringIO(content.decode())))["text"].encode()
    changed = content.replace(first, first + b" today", 1)
    said = refused(f"{file}.csv", changed)
    assert list(said) == ["status"]
    assert "not word for word" in said["status"]
    assert read(f"{file}.csv", changed, status="published_adapted").status == "published_adapted"


def test_other_answers_are_an_adaptation() -> None:
    content = content_of("mini_ipip_20.csv")
    assert read("m.csv", content, options=OPTIONS).status == "published_adapted"
    said = refused("m.csv", content, options=OPTIONS, status="published_unaltered")
    assert "has other answers" in said["answers"]


def test_what_is_told_beside_a_known_table_wins() -> None:
    found = read("m.csv", content_of("mini_ipip_20.csv"), title="Five letters", key="five", scale_titles="E = Outgoing")
    assert (found.id, found.title, found.scales[0].title) == ("five", "Five letters", "Outgoing")


def test_domains_of_the_neo_are_their_facets_together() -> None:
    found = read("neo.csv", content_of("ipip_neo_120.csv"))
    whole = next(scale for scale in found.scales if scale.id == "N")
    assert whole.of == ("N1", "N2", "N3", "N4", "N5", "N6")
    assert (whole.low, whole.high) == (24, 120)
    assert found.interpretation.order[:3] == ("N", "N1", "N2")
    answers = np.random.default_rng(5).integers(1, 6, size=(3, 120))
    table = score(found, answers)
    assert (table.column("N") == sum(table.column(f"N{n}") for n in range(1, 7))).all()
    assert table.items[table.scales.index("N")] == 24


def test_a_pool_gives_the_items_that_are_taken() -> None:
    pool = content_of("ipip_items.json")
    details = {"key": "own", "title": "Own", "version": "1", "language": "en", "options": OPTIONS}
    found = read("ipip_items.json", pool, chosen="H34 E +\nX94 E +\nH1130 A -", scale_titles="E = Outgoing", **details)
    assert [(item.id, item.scale, item.key) for item in found.items] == [
        *(("H34", "E", 1), ("X94", "E", 1)),
        ("H1130", "A", -1),
    ]
    # One item of two questionnaires is found by either code.
    assert found.items[0].text == found.items[1].text
    assert (found.status, found.licence_name) == ("original_under_study", "Public domain")
    assert [scale.title for scale in found.scales] == ["Outgoing", "A"]
    assert "no questionnaire yet" in refused("p.json", pool, **details)["chosen"]
    said = refused("p.json", pool, chosen="H34 E\nH99999 E +\nH34 E *", **details)
    assert list(said) == ["chosen, line 1", "chosen, line 2", "chosen, line 3"]
    assert "of your own" in refused("p.json", pool, chosen="H34 E +", status="published_unaltered", **details)["status"]


def test_every_item_of_the_pool_can_be_taken() -> None:
    pool = content_of("ipip_items.json")
    rows = csv.DictReader(io.StringIO(content_of("ipip_neo_120.csv").decode()))
    # A few rows of the table name no code.
    texts = {row["ipip_code"].split(",")[0].strip(): row["text"] for row in rows if row["ipip_code"]}
    assert len(texts) > 100
    chosen = "\n".join(f"{code} X +" for code in texts)
    found = read("p.json", pool, chosen=chosen, key="all", title="All", version="1", language="en", options=OPTIONS)
    assert [item.text for item in found.items] == list(texts.values())


def test_each_way_in_loads_the_same(app: Flask, world: World) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    here = world.organization()
    admin = world.person(here, Role.ADMIN)
    browser = world.browser(app, admin)
    for file, _, items, _, _ in TABLES:
        content = content_of(f"{file}.csv")
        page = browser.post("/instruments/new", data={"file": (io.BytesIO(content), f"{file}.csv")})
        assert page.status_code == 302, page.text
        shown = browser.get(page.location).text
        assert "published, unaltered" in shown
        assert shown.count('role="rowheader"') >= items
        again = browser.post("/api/v1/instruments/files", data={"file": (io.BytesIO(content), f"{file}.csv")})
        assert (again.status_code, again.json["new"]) == (201, False), again.json
    pool = {"file": (io.BytesIO(content_of("ipip_items.json")), "ipip_items.json")}
    told = {"key": "own", "title": "Own", "version": "1", "language": "en", "options": OPTIONS, "chosen": "H34 E +"}
    made = browser.post("/instruments/new", data=told | pool)
    assert made.status_code == 302
    assert "original, under study" in browser.get(made.location).text


def test_the_license_is_asked_for_where_no_source_tells_it(app: Flask, world: World) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    browser = world.browser(app, world.person(world.organization(), Role.ADMIN))
    table = b"index,text,domain,key\n1,I hum,E,+\n2,I am still,E,-\n"
    page = browser.post("/instruments/new", data={"file": (io.BytesIO(table), "t.csv"), "options": OPTIONS})
    assert page.status_code == 422
    for place in ("licence.name", "licence.text", "attribution", "status", "title"):
        assert f"<b>{place}</b>" in page.text
    answer = browser.post("/api/v1/instruments/files", data={"file": (io.BytesIO(table), "t.csv")})
    assert answer.status_code == 400, answer.text
    assert {"licence.name", "licence.text", "status"} <= {problem["field"] for problem in answer.json["errors"]}


def scored_from_the_manual(runtime: Runtime, world: World) -> tuple[Any, UUID]:
    """A client who has answered the imported Short Form as the publisher's manual shows, question by question."""
    manual = vectors("riasec_scoring")["cases"][0]["answers"]
    here = world.organization()
    client = world.client_person(here)
    with runtime.database.unit_of_work(world.person(here, Role.ADMIN).actor) as uow:
        raw = definition_of_file("sf.csv", content_of("onet_ip_short_form_60.csv"), Beside())
        loaded = load_definition(uow, LoadDefinition(raw=raw))
    with runtime.database.unit_of_work(client.actor) as uow:
        sitting = begin_sitting(uow, loaded.instrument_id)
        for place, item in enumerate(sitting.definition.items):
            save_answers(uow, SaveAnswers(sitting_id=sitting.row.id, answers={item.id: int(manual[place])}))
        finish_sitting(uow, sitting.row.id)
    assert client.actor.client_id is not None
    return client, client.actor.client_id


def test_the_publishers_answers_end_in_the_publishers_occupations(
    catalogue_runtime: Runtime, catalogue_world: World
) -> None:
    client, client_id = scored_from_the_manual(catalogue_runtime, catalogue_world)
    with catalogue_runtime.database.unit_of_work(client.actor) as uow:
        found = newest_interests(uow, client_id)
        assert found is not None
        assert found.scores == {"R": 27, "I": 13, "A": 23, "S": 25, "E": 14, "C": 14}
        assert found.status == "published_unaltered"
        assert admissible_codes(list(found.scores.values())) == ("RSA",)
        release = current_release(uow)
        assert release is not None
        assert release.label == "30.1"
        profiles = interest_matrix(uow, release)
        assert len(profiles.codes) == 923
        person = fit(list(found.scores.values()), standardised(profiles.matrix))
        assert person is not None
        first, second = ranking(person)[:2]
        assert [profiles.titles[first], profiles.titles[second]] == ["Skincare Specialists", "Dancers"]
        assert (round(person[first], 3), round(person[second], 3)) == (0.786, 0.769)
        assert uow.session.scalars(select(InstrumentVersion.version)).all() == [1]
