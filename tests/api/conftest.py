"""A caller of the API: a member's token behind a plain test client."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.domain.access import SCOPES
from app.features.organizations.tokens import CreateToken, create_token
from tests.factories import Person, World
from tests.identity.helpers import keep_post


@dataclass
class Caller:
    """Sends requests as the owner of a token, or as a signed-in browser."""

    browser: FlaskClient
    token: str | None = None

    def __call__(self, method: str, path: str, body: Any = None, **options: Any) -> TestResponse:
        headers = dict(options.pop("headers", {}))
        if self.token is not None:
            headers["Authorization"] = f"Bearer {self.token}"
        if body is not None:
            options["json"] = body
        return self.browser.open("/api/v1" + path, method=method, headers=headers, **options)

    def get(self, path: str, **options: Any) -> TestResponse:
        return self("GET", path, **options)

    def post(self, path: str, body: Any = None, **options: Any) -> TestResponse:
        return self("POST", path, body, **options)

    def put(self, path: str, body: Any = None, **options: Any) -> TestResponse:
        return self("PUT", path, body, **options)


class Callers:
    """Makes tokens for people."""

    def __init__(self, app: Flask, world: World) -> None:
        self.app, self.world = app, world

    def __call__(self, person: Person, *scopes: str) -> Caller:
        with self.world.runtime.database.unit_of_work(person.actor) as uow:
            _, text = create_token(uow, CreateToken(name="test", scopes=scopes or tuple(SCOPES)))
        return Caller(self.app.test_client(), text)

    def by_browser(self, person: Person) -> Caller:
        """The same person by cookie; what the CSRF check does is tested elsewhere."""
        self.app.config["WTF_CSRF_ENABLED"] = False
        keep_post(self.app)
        return Caller(self.world.browser(self.app, person))


@pytest.fixture
def calls(app: Flask, world: World) -> Callers:
    """Call with a person to get their caller."""
    return Callers(app, world)
