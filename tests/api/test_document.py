"""The OpenAPI document is valid, whole and honest; its page asks nothing of another host."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from openapi_spec_validator import OpenAPIV31SpecValidator

from app.infra.web.access import access_of


@pytest.fixture
def document(app: Flask) -> dict[str, Any]:
    answer = app.test_client().get("/api/v1/openapi.json")
    assert answer.status_code == 200
    return dict(answer.json)


def operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (path, method, operation)
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method in ("get", "post", "put", "patch", "delete")
    ]


def test_the_document_is_valid(document: dict[str, Any]) -> None:
    assert document["openapi"] == "3.1.0"
    OpenAPIV31SpecValidator(document).validate()


def test_every_route_is_in_the_document_and_declares_access(app: Flask, document: dict[str, Any]) -> None:
    written = {(path, method.upper()) for path, method, _ in operations(document)}
    routed = set()
    for rule in app.url_map.iter_rules():
        if not rule.rule.startswith("/api/v1/") or rule.endpoint.startswith("api_docs."):
            continue
        assert access_of(app, rule.endpoint) is not None
        path = "".join(f"{{{part}}}" if is_name else part for is_name, part in rule._trace).split("|", 1)[1]
        routed |= {(path, method) for method in rule.methods - {"HEAD", "OPTIONS"}}
    assert routed == written
    assert routed


def test_every_operation_is_named_once_told_and_tagged(document: dict[str, Any]) -> None:
    ids = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(ids) == len(set(ids))
    tags = {tag["name"] for tag in document["tags"]}
    for path, method, operation in operations(document):
        assert operation["summary"], f"{method} {path}"
        assert set(operation["tags"]) <= tags


def test_errors_are_problem_documents(document: dict[str, Any]) -> None:
    responses = document["components"]["responses"]
    assert responses
    for response in responses.values():
        assert list(response["content"]) == ["application/problem+json"]
    for _, _, operation in operations(document):
        assert "401" in operation["responses"]
        assert "default" in operation["responses"]


def test_every_body_and_query_refuses_unknown_fields(document: dict[str, Any]) -> None:
    for path, method, operation in operations(document):
        for content in operation.get("requestBody", {}).get("content", {}).values():
            name = content["schema"]["$ref"].rpartition("/")[2]
            assert document["components"]["schemas"][name]["additionalProperties"] is False, f"{method} {path}"


def test_the_documentation_page_is_served_from_here_alone(app: Flask) -> None:
    browser = app.test_client()
    page = browser.get("/api/v1/docs")
    assert page.status_code == 200
    assert "http:" not in page.text
    assert "https:" not in page.text
    for name in ("swagger-ui.css", "swagger-ui-bundle.js"):
        with browser.get(f"/api/v1/docs/{name}") as file:
            assert file.status_code == 200
    assert browser.get("/api/v1/docs/swagger-ui.js").status_code == 404
    assert browser.get("/api/v1/docs/..%2f__init__.py").status_code == 404


def test_pages_get_pages_and_the_api_gets_problems(app: Flask) -> None:
    answer = app.test_client().get("/api/v1/nothing")
    assert (answer.status_code, answer.mimetype) == (404, "application/problem+json")
    assert app.test_client().post("/api/v1/openapi.json").mimetype == "application/problem+json"
