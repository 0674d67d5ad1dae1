"""What tests of sign-in share."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from flask import Flask
from flask.testing import FlaskClient

from app.features.identity.models import User
from app.features.identity.passwords import hash_password
from app.infra.runtime import Runtime
from tests.factories import Person

PASSWORD = "seven quiet lanterns drift"


class KeptPost:
    """An account post that works at once and keeps the mails."""

    def __init__(self) -> None:
        self.mails: list[tuple[str, str, str]] = []

    def later(self, work: Callable[[], None]) -> None:
        work()

    def send(self, to: str, subject: str, text: str) -> None:
        self.mails.append((to, subject, text))

    @property
    def link(self) -> str:
        """The path of the link in the last mail."""
        found = re.search(r"http://localhost(/\S+)", self.mails[-1][2])
        assert found is not None
        return found[1]


def keep_post(app: Flask) -> KeptPost:
    post = app.extensions["octant_post"] = KeptPost()
    return post


def give_password(runtime: Runtime, person: Person, password: str = PASSWORD) -> None:
    with runtime.database.identity_session() as session:
        session.get_one(User, person.user_id).password_hash = hash_password(password)


def csrf_of(browser: FlaskClient, path: str) -> str:
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', browser.get(path).text)
    assert found is not None, path
    return found[1]


def send(browser: FlaskClient, path: str, page: str | None = None, **data: Any):
    """Post a form with the CSRF token of `page` (by default the page at `path` itself)."""
    return browser.post(path, data={"csrf_token": csrf_of(browser, page or path), **data})


def sign_in(browser: FlaskClient, email: str, password: str = PASSWORD, path: str = "/sign-in"):
    return send(browser, path, email=email, password=password)
