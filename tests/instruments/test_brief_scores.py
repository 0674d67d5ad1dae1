"""Scores in small places: never without their band (or that it is unknown), and a way to what they mean."""

from __future__ import annotations

import re
from uuid import UUID

import pytest
from flask import Flask

from app.domain import access
from app.domain.access import Role
from app.features.instruments import errors_of_scales
from app.features.instruments.commands import LoadDefinition
from app.features.instruments.models import Assessment
from app.features.instruments.service import load_definition
from app.infra.runtime import Runtime
from tests.domain.instrument_maker import definition
from tests.factories import Person, World


@pytest.fixture
def lena(world: World) -> Person:
    return world.person(world.organization(), Role.COUNSELLOR)


def answered(runtime: Runtime, world: World, lena: Person, number: int) -> UUID:
    """So many people with answers that differ; the first of them, who is in the caseload and has a plan."""
    here = lena.actor.organization_id
    clients = world.clients(here, number)
    world.caseload(lena, clients[:1])
    world.plan(here, clients[0])
    with runtime.database.unit_of_work(access.system(here)) as uow:
        instrument = load_definition(uow, LoadDefinition(raw=definition())).instrument_id
        for n, client in enumerate(clients):
            # Two items that agree for two people of three, so that neither is the other's copy.
            first, second = 1 + n % 5, 1 + (n // 5) % 5
            again = first if n % 3 else 1 + first % 5
            uow.session.add(
                Assessment(
                    client_id=client,
                    instrument_id=instrument,
                    version=1,
                    taken_at=uow.now,
                    source="import",
                    source_key=f"brief-{n}",
                    responses=[first, second, 6 - again],
                    scores=[first + again - 1.0, float(second)],
                    answered=[2, 1],
                )
            )
    errors_of_scales._cache.clear()
    return clients[0]


@pytest.mark.parametrize("people", [3, 120])
def test_a_clients_page_says_how_exact_a_score_is(
    app: Flask, runtime: Runtime, world: World, lena: Person, people: int
) -> None:
    said = r", likely -?[\d.]+ to [\d.]+, of" if people > 100 else "; how exact is not yet known"
    client = answered(runtime, world, lena, people)
    page = world.browser(app, lena).get(f"/clients/{client}").text
    card = re.search(r'<section class="card" aria-labelledby="taken-.*?</section>', page, re.S)
    assert card is not None
    scores = re.findall(r'<dd class="figures">([^<]+)</dd>', card[0])
    assert re.search(said, scores[0]), scores
    # A scale of one question has no known error, whoever answers.
    assert all("likely" in score or "how exact is not yet known" in score for score in scores)
    assert "reflection only" in card[0]
    assert "Nobody is compared with others" in card[0]
    meaning = re.search(r'href="(/results/[^"]+)"', card[0])
    assert meaning is not None
    assert world.browser(app, lena).get(meaning[1]).status_code == 200


def test_step_two_has_a_column_for_the_band(app: Flask, runtime: Runtime, world: World, lena: Person) -> None:
    client = answered(runtime, world, lena, 120)
    browser = world.browser(app, lena)
    plan = re.search(r'href="(/plans/[^"]+)"', browser.get(f"/clients/{client}").text)
    assert plan is not None
    page = browser.get(f"{plan[1].split('/steps')[0]}/steps/2").text
    assert '<th scope="col">Error band</th>' in page
    bands = re.findall(r'data-label="Error band">([^<]+)<', page)
    assert any(re.fullmatch(r"-?[\d.]+ – [\d.]+", band) for band in bands)
    assert "not yet known" in bands
    # On a phone each cell stands under its own heading: the day is not called a score.
    assert 'data-label="Answered on"' in page
    assert "The band says where a score may lie" in page
