"""A decision counts for the answers its reader saw, and for no later ones."""

from __future__ import annotations

import re
from datetime import timedelta
from uuid import UUID

from flask import Flask
from flask.testing import FlaskClient

from app.infra.runtime import Runtime
from tests.harness import Clock
from tests.reviews.helpers import rows
from tests.reviews.test_check_in import KEEP, post, prompted, token_of
from tests.reviews.test_decisions import CHANGED, answer, desk, lena

__all__ = ["desk", "lena", "prompted"]  # fixtures


def test_answers_sent_anew_since_the_page_was_read_are_not_decided_about(
    app: Flask, runtime: Runtime, prompted: tuple[UUID, UUID, str], desk: FlaskClient, clock: Clock
) -> None:
    here, _, _ = prompted
    review = answer(app, runtime, prompted, CHANGED)
    page = desk.get(f"/reviews/{review}").text
    marks = set(re.findall(r'name="read" value="([^"]+)"', page))
    clock.now += timedelta(minutes=20)
    # A colleague gives it back, and the client answers something else.
    assert desk.post(f"/reviews/{review}/return", data={"words": "Think again."}).status_code == 302
    phone, token = app.test_client(), token_of(runtime, here)
    post(phone, f"/check-in/{token}")
    assert post(phone, f"/check-in/{token}/answers", KEEP | {"factor-f1": "gone"}).status_code == 302
    form = {"take-0": "1", "reason-0": "The campus opened early.", "control-0": "no"}
    assert len(marks) == 1
    read = form | {"read": marks.pop()}
    assert [desk.post(f"/reviews/{review}/{way}", data=read).status_code for way in ("accept", "agree")] == [409, 409]
    assert rows(runtime, here, "SELECT state FROM reviews") == [("answered",)]
    assert rows(runtime, here, "SELECT 1 FROM plan_revisions") == []
    (mark,) = set(re.findall(r'name="read" value="([^"]+)"', desk.get(f"/reviews/{review}").text))
    assert desk.post(f"/reviews/{review}/accept", data=form | {"read": mark}).status_code == 302
