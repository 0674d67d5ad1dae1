"""Every operation of the document, asked in hostile ways: no 5xx, nothing unknown accepted, nothing foreign shown.

Requests are made from the document itself, so that a new operation is tested without being named here.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator
from datetime import timedelta
from io import BytesIO
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.composition import JOB_KINDS
from app.domain.access import GRANTS, SCOPES, Permission, Role
from app.features.jobs.runner import work
from app.features.models import metadata
from app.features.plans.default_template import default_content
from app.features.plans.queries import find_plan
from app.features.plans.revisions import freeze_revision
from app.features.reviews.models import Review
from tests.api.conftest import Caller, Callers
from tests.domain.instrument_maker import definition
from tests.factories import Person, World

Operation = tuple[str, str, dict[str, Any]]
_HOSTILE_TEXT = [
    "",
    " ",
    "\x00",
    "a\x00b",
    "\ud800",
    "'; DROP TABLE users; --",
    "%s%n{0}{{7*7}}",
    "=cmd|' /C calc'!A0",
    "x" * 70_000,
    "\U0001d54f\U0001f9ed\u202e",
    "../../etc/passwd",
    "-1",
    "NaN",
]
HOSTILE: list[Any] = [
    *_HOSTILE_TEXT,
    None,
    True,
    -1,
    0,
    10**30,
    1.5,
    float("inf"),
    [],
    {},
    [[]],
    {"a": {"b": [None]}},
    ["x", 1],
    str(uuid4()),
    "0001-01-01",
    "9999-12-31",
]


@pytest.fixture
def document(app: Flask) -> dict[str, Any]:
    return dict(app.test_client().get("/api/v1/openapi.json").json)


def operations(document: dict[str, Any]) -> list[Operation]:
    return [
        (path.removeprefix("/api/v1"), method.upper(), {"parameters": item.get("parameters", [])} | operation)
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method in ("get", "post", "put", "patch", "delete")
    ]


def resolved(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    if "$ref" in schema:
        return dict(document["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    return schema


def body_of(document: dict[str, Any], operation: dict[str, Any]) -> dict[str, Any] | None:
    content = operation.get("requestBody", {}).get("content", {})
    return resolved(document, content["application/json"]["schema"]) if "application/json" in content else None


def plausible(document: dict[str, Any], schema: dict[str, Any]) -> Any:
    """A value of the right shape."""
    schema = resolved(document, schema)
    kind = schema.get("type")
    kind = kind[0] if isinstance(kind, list) else kind
    if "enum" in schema:
        return schema["enum"][0]
    if kind == "object":
        required = schema.get("required", [])
        return {k: plausible(document, s) for k, s in schema.get("properties", {}).items() if k in required}
    if kind == "array":
        return [plausible(document, schema["items"])]
    if kind in ("integer", "number"):
        return schema.get("minimum", 1)
    if kind == "boolean":
        return True
    return {"uuid": str(uuid4()), "date": "2026-09-07"}.get(schema.get("format", ""), "x")


def upload(caller: Caller, path: str, content: bytes, name: str = "people.csv") -> Any:
    return caller("POST", path, data={"file": (BytesIO(content), name)})


def review_of(world: World, person: Person, plan_id: str) -> str:
    with world.runtime.database.unit_of_work(person.actor) as uow:
        review = Review(plan_id=UUID(plan_id), occurrence_on=uow.now.date(), created_at=uow.now)
        uow.session.add(review)
        uow.session.flush()
        return str(review.id)


class Target:
    """An organization with one of everything, its ids, and a caller of it."""

    def __init__(self, world: World, calls: Callers) -> None:
        organization = world.organization()
        self.admin = world.person(organization, Role.ADMIN)
        self.caller = calls.by_browser(self.admin)
        client = world.client_person(organization)
        client_id = client.actor.client_id
        assert client_id is not None
        # What only clients do, the client of the plan does.
        self.client = calls.by_browser(client)
        clients = [client_id, *world.clients(organization, 2)]
        post = self.caller.post
        world.caseload(self.admin, clients[:1])
        cohort = post("/cohorts", {"name": "All"}).json
        assert post(f"/cohorts/{cohort['id']}/members", {"client_ids": [str(c) for c in clients]}).json["changed"] == 3
        label = post("/labels", {"name": "Scholarship"}).json
        rule = {"all": [{"field": "@active", "is": "is", "values": [True]}]}
        saved = post("/filters", {"name": "Everybody", "rule": rule}).json
        attribute = post("/attributes", {"label": "Year", "kind": "number"}).json
        template = post("/templates", {"name": "Eight", "content": default_content("en")}).json
        assert post(f"/templates/{template['id']}/publish").status_code == 200
        given = {"template_id": template["id"], "version": 1, "started_on": "2026-09-07", "cohort_id": cohort["id"]}
        assignment = post("/assignments", given).json
        runtime = world.runtime
        work(runtime, organization, JOB_KINDS, until=runtime.clock() + timedelta(minutes=1))
        plan = self.caller.get("/plans", query_string={"client": str(clients[0])}).json["items"][0]
        with runtime.database.unit_of_work(self.admin.actor) as uow:
            freeze_revision(uow, find_plan(uow, UUID(plan["id"])), "A first look back")
        token = post("/me/tokens", {"name": "x", "scopes": ["read"]}).json
        term = post("/terms", {"name": "Autumn", "starts_on": "2026-09-01", "ends_on": "2026-12-18"}).json
        invitation = post("/invitations", {"name": "New", "email": "new@example.org", "role": "analyst"}).json
        instrument = post("/instruments", {"definition": definition()}).json
        roster = upload(self.caller, "/roster-imports", b"id,given name,family name\nR1,Ada,Lovelace\n").json
        world.person(organization, Role.COUNSELLOR)
        self.ids = {
            "client_id": str(clients[0]),
            "plan_id": plan["id"],
            "token_id": token["id"],
            "term_id": term["id"],
            "invitation_id": invitation["id"],
            "instrument_id": instrument["instrument_id"],
            "import_id": roster["id"],
            "membership_id": str(self.admin.actor.membership_id),
            "counsellor_id": str(self.admin.actor.membership_id),
            "cohort_id": cohort["id"],
            "label_id": label["id"],
            "filter_id": saved["id"],
            "attribute_id": attribute["id"],
            "template_id": template["id"],
            "assignment_id": assignment["id"],
            "job_id": assignment["job_id"],
            "version": "1",
            "scope": "cohort",
            "subject_id": cohort["id"],
            "review_id": review_of(world, self.admin, plan["id"]),
            "step": "1",
            "revision": "1",
            "kind": "goal_missed",
            "queue": "overdue",
            "class_year": "2026",
        }

    def caller_of(self, operation: dict[str, Any]) -> Caller:
        """Who may ask for the operation: the administrator, or the client for what only clients do."""
        return self.client if operation.get("x-permissions") == ["own_plan"] else self.caller

    def address(self, template: str, /, **other: str) -> str:
        """The path with this organization's ids in their places; random ones where it has none."""
        return re.sub(r"\{(\w+)\}", lambda m: other.get(m[1]) or self.ids.get(m[1]) or str(uuid4()), template)


@pytest.fixture
def target(world: World, calls: Callers) -> Target:
    return Target(world, calls)


def check(answer: Any, what: str) -> None:
    assert answer.status_code < 500, what
    if answer.status_code >= 400:
        assert answer.mimetype == "application/problem+json", what
        assert answer.json["status"] == answer.status_code, what
        assert answer.json["detail"], what


def variants(document: dict[str, Any], schema: dict[str, Any], rng: random.Random) -> Iterator[Any]:
    """Bodies that are wrong, or strange, one field at a time; then whole bodies of the wrong type."""
    good = plausible(document, schema)
    yield good
    for name in schema.get("properties", {}):
        for value in HOSTILE:
            yield good | {name: value}
    yield from ([], None, "x", 1, {}, {rng.choice(_HOSTILE_TEXT): 1})


def test_hostile_bodies_never_break_an_operation(document: dict[str, Any], target: Target) -> None:
    rng = random.Random(20260907)
    asked = 0
    for path, method, operation in operations(document):
        schema = body_of(document, operation)
        if schema is None:
            continue
        for body in variants(document, schema, rng):
            answer = target.caller_of(operation)(
                method,
                target.address(path),
                data=json.dumps(body),
                content_type="application/json",
                headers={"If-Match": '"0"'},
            )
            check(answer, f"{method} {path} {str(body)[:300]}")
            asked += 1
    assert asked > 500


def test_hostile_queries_never_break_an_operation(document: dict[str, Any], target: Target) -> None:
    for path, method, operation in operations(document):
        for parameter in operation["parameters"]:
            if "$ref" in parameter or parameter["in"] != "query":
                continue
            for value in _HOSTILE_TEXT:
                query = {parameter["name"]: value.encode("utf-8", "surrogatepass")[:3000]}
                check(
                    target.caller_of(operation)(method, target.address(path), query_string=query),
                    f"{method} {path} {query}",
                )


def test_hostile_paths_never_break_an_operation(document: dict[str, Any], target: Target) -> None:
    for path, method, operation in operations(document):
        for place in re.findall(r"\{(\w+)\}", path):
            for value in ("0", "-1", "9" * 40, "1.5", "x", "%00", "%ff", "..", str(uuid4())):
                check(
                    target.caller_of(operation)(method, target.address(path, **{place: value})),
                    f"{method} {path} {value}",
                )


HOSTILE_FILES = [
    b"",
    b"\x00" * 1000,
    b"\xff\xfe\x00\xd8",
    b"PK\x03\x04" + b"\x00" * 100,
    b'"' * 5000,
    b",".join([b"a"] * 5000),
    b"id,given name,family name\n" + b"\r\n" * 100,
    b"id,given name,family name\n=cmd|' /C calc'!A0,\x00,x\n",
]


def test_hostile_files_never_break_an_upload(document: dict[str, Any], target: Target) -> None:
    uploads = [(p, o) for p, m, o in operations(document) if "multipart/form-data" in str(o.get("requestBody"))]
    assert uploads
    for path, operation in uploads:
        caller = target.caller_of(operation)
        for content in HOSTILE_FILES:
            for name in ("people.csv", "people.xlsx", "../../x", "é" * 300, ""):
                check(upload(caller, target.address(path), content, name), f"{path} {content[:40]!r} {name}")
        for wrong in ({}, {"file": "text"}, {"other": (BytesIO(b"x"), "x.csv")}):
            answer = caller("POST", target.address(path), data=wrong, content_type="multipart/form-data")
            assert answer.status_code == 422, f"{path} {wrong}"


def test_unknown_fields_and_parameters_are_refused_everywhere(document: dict[str, Any], target: Target) -> None:
    for path, method, operation in operations(document):
        schema = body_of(document, operation)
        if schema is not None:
            body = plausible(document, schema) | {"organization_id": str(uuid4())}
            answer = target.caller_of(operation)(method, target.address(path), body, headers={"If-Match": '"0"'})
            assert answer.status_code == 422, f"{method} {path}"
            assert "organization_id" in [problem["field"] for problem in answer.json["errors"]]
        if any(parameter.get("in") == "query" for parameter in operation["parameters"]):
            answer = target.caller_of(operation)(method, target.address(path), query_string={"organization_id": "1"})
            assert answer.status_code == 422, f"{method} {path}"


def test_s10_no_column_outside_a_schema_is_accepted(document: dict[str, Any], target: Target) -> None:
    columns = sorted({column.name for table in metadata.tables.values() for column in table.columns})
    for path, method, operation in operations(document):
        schema = body_of(document, operation)
        if schema is None:
            continue
        outside = [name for name in columns if name not in schema["properties"]]
        body = plausible(document, schema) | dict.fromkeys(outside, 1)
        answer = target.caller_of(operation)(method, target.address(path), body, headers={"If-Match": '"0"'})
        assert answer.status_code == 422, f"{method} {path}"
        assert set(outside) <= {problem["field"] for problem in answer.json["errors"]}, f"{method} {path}"


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_json_at_all(document: dict[str, Any], target: Target, data: st.DataObject) -> None:
    with_body = [o for o in operations(document) if body_of(document, o[2]) is not None]
    path, method, operation = data.draw(st.sampled_from(with_body))
    schema = body_of(document, operation)
    assert schema is not None
    leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(HOSTILE)
    trees = st.recursive(
        leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4)
    )
    body = plausible(document, schema) | data.draw(
        st.dictionaries(st.sampled_from(sorted(schema["properties"])), trees)
    )
    answer = target.caller_of(operation)(
        method,
        target.address(path),
        data=json.dumps(body),
        content_type="application/json",
        headers={"If-Match": '"0"'},
    )
    check(answer, f"{method} {path} {body!r}")


def test_t2_foreign_ids_answer_like_ids_that_never_were(
    document: dict[str, Any], target: Target, world: World, calls: Callers
) -> None:
    elsewhere = world.organization()
    admin: Caller = calls.by_browser(world.person(elsewhere, Role.ADMIN))
    client: Caller = calls.by_browser(world.client_person(elsewhere))
    asked = 0
    for path, method, operation in operations(document):
        places = [name for name in re.findall(r"\{(\w+)\}", path) if name.endswith("_id")]
        if not places:
            continue
        other = client if operation.get("x-permissions") == ["own_plan"] else admin
        schema = body_of(document, operation)
        body = plausible(document, schema) if schema is not None else None
        foreign = target.address(path)
        missing = target.address(path, **{name: str(uuid4()) for name in places})
        asked_for = [each for each in operation["parameters"] if each.get("in") == "query" and each.get("required")]
        query = {each["name"]: "1" for each in asked_for}
        multipart = "multipart/form-data" in operation.get("requestBody", {}).get("content", {})
        answers = [
            upload(other, address, b"a,b\n1,2\n")
            if multipart
            else other(method, address, body, query_string=query, headers={"If-Match": '"0"'})
            for address in (foreign, missing)
        ]
        # Taking off what is not there is done already, whoever it is.
        expected = 200 if path.endswith("/caseload/remove") else 404
        assert [answer.status_code for answer in answers] == [expected, expected], f"{method} {path}"
        assert answers[0].data == answers[1].data, f"{method} {path}"
        assert sorted(answers[0].headers.keys()) == sorted(answers[1].headers.keys())
        asked += 1
    assert asked > 25


def test_t2_foreign_ids_in_bodies_and_filters_find_nothing(target: Target, world: World, calls: Callers) -> None:
    other = calls(world.person(world.organization(), Role.ADMIN))
    given = {key: target.ids[key] for key in ("template_id", "cohort_id")} | {"version": 1, "started_on": "2026-09-07"}
    assert other.post("/assignments", given).status_code == 404
    assert other.post("/assignments/preview", given).status_code == 404
    cohort = other.post("/cohorts", {"name": "Mine"}).json["id"]
    added = other.post(f"/cohorts/{cohort}/members", {"client_ids": [target.ids["client_id"]]})
    assert added.json == {"changed": 0}
    for path in ("/clients", "/plans", "/templates", "/jobs", "/files", "/assignments", "/attributes"):
        assert other.get(path).json["items"] == [], path
    assert [c["id"] for c in other.get("/cohorts").json["items"]] == [cohort]
    assert other.get("/clients", query_string={"counsellor": target.ids["counsellor_id"]}).json["items"] == []
    assert other.get("/plans", query_string={"cohort": target.ids["cohort_id"]}).json["items"] == []


PLACES = dict.fromkeys(("step", "version", "revision", "number", "class_year"), "1") | {
    "scope": "cohort",
    "code": "29-1141.00",
    "kind": "goal_missed",
    "queue": "overdue",
}


@pytest.mark.parametrize("role", [Role.ADMIN, Role.COUNSELLOR, Role.ANALYST])
def test_scopes_are_enforced_on_every_operation(
    document: dict[str, Any], world: World, calls: Callers, role: Role
) -> None:
    person = world.person(world.organization(), role)
    for scope in SCOPES:
        caller = calls(person, scope)
        for path, method, operation in operations(document):
            if "x-permissions" not in operation:
                continue
            wanted = {Permission(name) for name in operation["x-permissions"]}
            allowed = SCOPES[scope] if (scope != "read" or method == "GET") else frozenset()
            may = bool(wanted & allowed & GRANTS[role])
            assert (scope in operation["x-scopes"]) == bool(wanted & allowed)
            address = re.sub(
                r"\{(\w+)\}", lambda m: str(UUID(int=0)) if m[1].endswith("_id") else PLACES.get(m[1], "x"), path
            )
            assert (caller(method, address).status_code != 403) == may, f"{scope} {method} {path}"
