"""Strict fields, the parser and the cursors: what is refused, with which sentence."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from marshmallow import ValidationError

from app.domain.access import Role
from app.domain.errors import InvalidInput
from app.infra.web.api.fields import Free, QueryTruth, QueryWhole, Sentence, Truth, Whole
from app.infra.web.api.paging import make_cursor, read_cursor
from tests.factories import World


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (Whole(most=200), "5"),
        (Whole(most=200), 5.0),
        (Whole(most=200), True),
        (Whole(most=200), -1),
        (Whole(most=200), 10**30),
        (QueryWhole(most=200), "5.0"),
        (QueryWhole(most=200), "٥"),
        (QueryWhole(most=200), "201"),
        (QueryWhole(most=200), "1_0"),
        (QueryWhole(most=200), " 5"),
        (Truth(), 1),
        (Truth(), "true"),
        (QueryTruth(), "yes"),
        (Sentence(), "a\x00b"),
        (Sentence(), "\ud800"),
        (Sentence(longest=3), "four"),
        (Sentence(), ""),
        (Sentence(), 5),
        (Free(), {"a": float("nan")}),
        (Free(), {"a": ["x\x00"]}),
        (Free(), {"a\x00": 1}),
        (Free(), {"a": 10**40}),
        (Free(), []),
        (Free(largest=3), {"a": [1, 2, 3, 4]}),
        (Free(deepest=2), {"a": {"b": {"c": 1}}}),
    ],
)
def test_what_a_field_refuses(field: Any, value: Any) -> None:
    with pytest.raises(ValidationError):
        field.deserialize(value)


def test_what_a_field_takes() -> None:
    assert QueryWhole(least=1, most=200).deserialize("200") == 200
    assert Sentence().deserialize(" two words ") == "two words"
    assert Truth().deserialize(False) is False
    tree = {"a": [1, 2.5, None, True, {"b": "é"}]}
    assert Free().deserialize(tree) == tree


@pytest.fixture
def browser(world: World, app: Flask) -> Any:
    app.config["WTF_CSRF_ENABLED"] = False
    return world.browser(app, world.person(world.organization(), Role.ADMIN))


def send(browser: Any, body: str | bytes, kind: str = "application/json") -> Any:
    return browser.post("/api/v1/me/tokens", data=body, content_type=kind)


def test_each_bad_field_is_named_with_a_sentence(browser: Any) -> None:
    answer = send(browser, json.dumps({"scopes": ["read", 5], "days": "7", "membership_id": str(uuid4())}))
    assert (answer.status_code, answer.mimetype) == (422, "application/problem+json")
    problems = {problem["field"]: problem["sentence"] for problem in answer.json["errors"]}
    assert set(problems) == {"name", "scopes.1", "days", "membership_id"}
    assert problems["membership_id"] == "There is no such field here. Leave it out."
    assert problems["name"] == "This is needed. Add it."


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        ("", "application/json", 400),
        ("{", "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
        ('{"name": NaN}', "application/json", 400),
        ("[" * 100_000, "application/json", 400),
        ("1" * 5000, "application/json", 400),
        ("[]", "application/json", 422),
        ("null", "application/json", 422),
        ('"x"', "application/json", 422),
        ("name=x", "application/x-www-form-urlencoded", 415),
        ("{}", "text/plain", 415),
        (" " * (4 * 1024 * 1024 + 1), "application/json", 413),
        ('{"name": "\\ud800", "scopes": ["read"]}', "application/json", 422),
        ('{"name": "a\\u0000", "scopes": ["read"]}', "application/json", 422),
    ],
)
def test_bodies_that_are_no_input(browser: Any, body: str | bytes, kind: str, status: int) -> None:
    answer = send(browser, body, kind)
    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json")


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=-1", "limit=201", "limit=x", "limit=", "limit=%00", "cursor=", "cursor=%00", "cursor=W1", "a=1"],
)
def test_bad_paging_is_refused(browser: Any, query: str) -> None:
    answer = browser.get(f"/api/v1/me/tokens?{query}")
    assert answer.status_code == 422
    assert answer.json["errors"][0]["sentence"]


def test_pages_go_through_everything_once(browser: Any) -> None:
    made = {browser.post("/api/v1/me/tokens", json={"name": f"t{n}", "scopes": ["read"]}).json["id"] for n in range(7)}
    seen: list[str] = []
    cursor = None
    while True:
        page = browser.get("/api/v1/me/tokens", query_string={"limit": "3"} | ({"cursor": cursor} if cursor else {}))
        seen += [token["id"] for token in page.json["items"]]
        cursor = page.json["next"]
        if cursor is None:
            break
    assert sorted(seen) == sorted(made)
    assert len(seen) == 7


def test_a_cursor_is_good_for_its_list_only(app: Flask) -> None:
    with app.test_request_context("/api/v1/a"):
        cursor = make_cursor(["x", 3])
        assert read_cursor(cursor, 2) == ["x", 3]
        for bad in ("", "x", cursor + "x", "x" + cursor, cursor[1:], cursor.split(".")[0]):
            with pytest.raises(InvalidInput):
                read_cursor(bad, 2)
        with pytest.raises(InvalidInput):
            read_cursor(cursor, 3)
    with app.test_request_context("/api/v1/b"), pytest.raises(InvalidInput):
        read_cursor(cursor, 2)


# The application is read only, so that one serves every example.
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    values=st.lists(st.one_of(st.text(), st.integers(), st.uuids(), st.datetimes(), st.dates(), st.none()), min_size=1)
)
def test_a_cursor_gives_back_what_was_put_in(app: Flask, values: list[Any]) -> None:
    with app.test_request_context("/x"):
        assert read_cursor(make_cursor(values), len(values)) == values
