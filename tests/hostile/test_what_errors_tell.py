"""S15: an error's text, the log and the metrics hold nothing that somebody typed, and no token of a link."""

from __future__ import annotations

import pytest
import structlog
from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from app.domain import access
from app.factory import create_app
from app.features.clients.models import Client
from app.infra.runtime import Runtime
from app.infra.web.access import public
from tests.factories import World


def test_s15_an_error_of_the_database_does_not_repeat_what_was_written(live: Runtime) -> None:
    organization = World(live).organization()
    for values in ({"given_name": "Marked\x00Person"}, {"given_name": "MarkedPerson", "external_id": None}):
        row = {"external_id": "X", "family_name": "MarkedName", "email": "marked@example.org"} | values
        with pytest.raises(SQLAlchemyError) as caught, live.database.unit_of_work(access.system(organization)) as uow:
            uow.session.add(Client(**row))
            uow.session.flush()
        assert "marked" not in str(caught.value).lower()


def test_s15_a_failed_request_is_logged_without_its_address(runtime: Runtime) -> None:
    app = create_app(runtime)

    @public("a page that fails, for the test")
    def fails(token: str) -> str:
        raise ZeroDivisionError

    app.add_url_rule("/fails/<token>", "fails", fails)
    with structlog.testing.capture_logs() as logs:
        answer = app.test_client().get("/fails/secret-of-a-link")
    assert answer.status_code == 500
    assert "secret-of-a-link" not in answer.text
    (entry,) = (entry for entry in logs if "exc_info" in entry)
    assert entry["rule"] == "/fails/<token>"
    # The line that every request leaves tells no more.
    told = [{key: value for key, value in entry.items() if key != "exc_info"} for entry in logs]
    assert "secret-of-a-link" not in str(told)


def test_metrics_hold_no_method_that_somebody_made_up(app: Flask) -> None:
    browser = app.test_client()
    browser.open("/healthz", method="MADEUP")
    shown = browser.get("/metrics").text
    assert "MADEUP" not in shown
    assert 'method="other"' in shown
