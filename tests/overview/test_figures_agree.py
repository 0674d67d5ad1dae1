"""Figures of reviews say the same on Today, Caseload and Reviews, because they are counted by one rule."""

from __future__ import annotations

import re
from datetime import date, timedelta
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import text

from app.domain import access
from app.domain.access import Role
from app.features.reviews.figures import answer_by, months_until
from app.infra.runtime import Runtime
from tests.factories import Person, World
from tests.harness import Clock

# Days before today on which a review was due, and after how many days it was answered (None: not at all).
REVIEWS = [(40, 1), (40, 7), (40, 8), (40, None), (8, 0), (8, None), (7, None), (1, 0), (1, None), (300, 2)]


Centre = tuple[Person, Person, UUID]


@pytest.fixture
def centre(runtime: Runtime, world: World, clock: Clock) -> Centre:
    """An administrator and a counsellor of one caseload: ten people, each with a review as above."""
    here = world.organization(time_zone="UTC")
    lena, admin = world.person(here, Role.COUNSELLOR), world.person(here, Role.ADMIN)
    clients = world.clients(here, len(REVIEWS))
    world.caseload(lena, clients)
    plans = world.plans(here, clients)
    today = clock.now.date()
    with runtime.database.unit_of_work(access.system(here)) as uow:
        for plan, (ago, after) in zip(plans, REVIEWS, strict=True):
            due = today - timedelta(days=ago)
            uow.session.execute(
                text("INSERT INTO reviews (plan_id, occurrence_on, state, answered_at) VALUES (:p, :d, :s, :a)"),
                {
                    "p": plan,
                    "d": due,
                    "s": "open" if after is None else "answered",
                    "a": None if after is None else clock.now - timedelta(days=ago - after),
                },
            )
        # Of the next reviews two are soon; one of them was asked for already, one is past and not asked for yet.
        for plan, (ahead, reminder) in zip(plans, [(30, 0), (31, 0), (-1, 2), (-1, 0)], strict=False):
            uow.session.execute(
                text("UPDATE plans SET next_review_on = :d, next_reminder = :r WHERE id = :p"),
                {"d": today + timedelta(days=ahead), "r": reminder, "p": plan},
            )
    return lena, admin, here


def tile(page: str, words: str) -> str:
    """The figure over these words."""
    found = re.search(r"<b>([^<]*)</b> <span>(?:share )?" + re.escape(words), page)
    assert found is not None, words
    return found[1]


def test_the_share_of_answers_is_the_same_everywhere(app: Flask, world: World, centre: Centre) -> None:
    # Due within six months and their week over: six reviews, of which three were answered within the week.
    said = "of reviews answered within 7 days, six months"
    for person in centre[:2]:
        browser = world.browser(app, person)
        shown = {path: tile(browser.get(path).text, said) for path in ("/", "/caseload")}
        assert shown == dict.fromkeys(("/", "/caseload"), "50 %"), person


def test_reviews_due_soon_are_the_same_everywhere(app: Flask, world: World, centre: Centre) -> None:
    browser = world.browser(app, centre[0])
    assert tile(browser.get("/").text, "reviews due within 30 days") == "2"
    assert tile(browser.get("/caseload").text, "reviews due within 30 days") == "2"
    assert tile(browser.get("/reviews").text, "due within 30 days") == "2"
    # The figure opens just these.
    assert len(re.findall(r"data-row>", browser.get("/caseload?review=soon").text)) == 2


def test_the_period_is_six_months_and_ends_when_the_week_is_over() -> None:
    assert months_until(date(2026, 2, 28)) == [
        date(2025, 9, 1), date(2025, 10, 1), date(2025, 11, 1), date(2025, 12, 1), date(2026, 1, 1), date(2026, 2, 1),
    ]  # fmt: skip
    assert answer_by(date(2026, 9, 9)) == date(2026, 9, 1)
