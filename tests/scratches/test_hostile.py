"""What-if and marks asked in hostile ways; addresses with two ids are not found by the general test."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.domain.steps import StepKey
from tests.factories import World
from tests.hostile.test_pages_take_nonsense import FORM_VALUES, HOSTILE, Forms, status
from tests.plans.test_marks import choice
from tests.scratches.test_scratches import Site

BODIES: tuple[Any, ...] = (
    {"kind": "path", "path": ["p1"]},
    {"kind": "occupation", "option": {"a": 1}},
    {"kind": "occupation", "name": "Baker", "code": 5, "release": ["x"]},
    {"kind": "occupation", "name": "Baker", "code": "99-9999.99", "release": "x" * 5000},
    {"kind": "occupation", "name": "Baker", "code": "١٢-3456.00"},
    {"kind": "occupation", "option": "o2", "name": {"a": ["x" * 5000]}, "release": ["x" * 5000]},
    {"kind": "factor", "factor": 1.5, "turned": {}},
    {"kind": "goal_day", "goal": "g1", "due_on": 5},
    {"kind": "goal_day", "goal": "g1", "due_on": "0001-01-01"},
    {"kind": "action_days", "action": "a1", "start_on": "9999-12-31", "due_on": "2026-10-01"},
    {"kind": "hours", "hours_week": 10**15},
    {"kind": "hours", "hours_week": 0},
    {"kind": {"kind": "hours"}},
    {"kind": None},
)


@pytest.fixture
def shown(app: Flask, world: World) -> tuple[FlaskClient, Site, UUID]:
    app.config["WTF_CSRF_ENABLED"] = False
    site = Site(world)
    site.save(StepKey.CAREER_CHOICE, choice("o2"))
    return world.browser(app, site.client), site, site.begin(site.client, {"kind": "path", "path": "p2"})


def test_no_field_of_the_pages_breaks_them(shown: tuple[FlaskClient, Site, UUID]) -> None:
    browser, site, scratch = shown
    here = f"/plans/{site.plan_id}/try"
    broken, asked = [], 0
    for address in ("/my-plan", "/my-plan/steps/6", here, f"{here}/{scratch}"):
        reader = Forms()
        reader.feed(browser.get(address).text)
        for action, method, fields in reader.forms:
            if not any(part in action for part in ("/try", "/confirm")) or action.endswith("/discard"):
                continue
            alone = [fields | {name: FORM_VALUES[0]} for name in fields]
            for given in (*alone, *(dict.fromkeys(fields, value) for value in FORM_VALUES)):
                asked += 1
                if status(browser, method, action, given) >= 500:
                    broken.append((action, given))
    for value in HOSTILE:
        asked += 1
        for address in (f"{here}/{scratch}/changes/{value}", f"{here}/{value}"):
            if status(browser, "post", address, {"number": value, "seen": value}) >= 500:
                broken.append((address, {}))
    assert (broken, asked > 80) == ([], True)


def test_no_body_breaks_the_api(shown: tuple[FlaskClient, Site, UUID]) -> None:
    browser, site, scratch = shown
    here = f"/api/v1/plans/{site.plan_id}/scratches"
    answers = {}
    for body in BODIES:
        for address, sent in ((f"{here}/{scratch}/changes", {"change": body}), (here, {"changes": [body]})):
            answers[address, str(body)] = browser.post(address, json=sent).status_code
            # Whatever was taken must be shown.
            assert browser.get(f"{here}/{scratch}").status_code == 200, body
            assert browser.get(f"/plans/{site.plan_id}/try/{scratch}").status_code == 200, body
    taken = {body for (_, body), code in answers.items() if code in (200, 201)}
    refused = {body for (_, body), code in answers.items() if code == 422}
    assert set(answers.values()) <= {200, 201, 422}
    assert str({"kind": "hours", "hours_week": 0}) in taken
    assert not [body for body in taken if "xxxxx" in body]
    assert len(refused) >= 9
