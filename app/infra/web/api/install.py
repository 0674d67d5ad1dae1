"""Puts the API into the application: blueprints, document and the page that shows it."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import flask_swagger_ui
from flask import Blueprint, Flask, Response, abort, current_app, jsonify, render_template, send_from_directory

from app.infra.web.access import public
from app.infra.web.api.blueprint import PREFIX, ApiBlueprint, OctantApi
from app.infra.web.api.once import Memory

_DIST = Path(flask_swagger_ui.__file__).resolve().parent / "dist"
_DIST_FILES = ("swagger-ui.css", "swagger-ui-bundle.js")
_ABOUT = """The use cases of Octant as JSON.

Authenticate with a personal token (`Authorization: Bearer oct_…`). Lists answer
`{"items": […], "next": "…"}`; send `next` back as `cursor`. Errors are problem documents
(RFC 9457). Requests that create something take an `Idempotency-Key`.
"""
_docs = Blueprint("api_docs", __name__, url_prefix=PREFIX)


def install_api(app: Flask, blueprints: Sequence[ApiBlueprint], memory: Memory) -> None:
    """Register the API's blueprints in the order given; call it once, after the pages."""
    api = OctantApi(
        app,
        spec_kwargs={
            "title": "Octant",
            "version": "v1",
            "openapi_version": "3.1.0",
            "info": {
                "description": _ABOUT,
                "license": {"name": "AGPL-3.0-or-later", "identifier": "AGPL-3.0-or-later"},
            },
            "security": [{"token": []}, {"session": []}],
        },
    )
    components = api.spec.components
    components.security_scheme(
        "token", {"type": "http", "scheme": "bearer", "description": "A personal token, narrowed to its scopes."}
    )
    components.security_scheme(
        "session",
        {
            "type": "apiKey",
            "in": "cookie",
            "name": app.config["SESSION_COOKIE_NAME"],
            "description": "A signed-in browser; unsafe methods also need the X-CSRFToken header.",
        },
    )
    app.extensions["octant.api.memory"] = memory
    for blueprint in blueprints:
        api.register_blueprint(blueprint)
    # The library tags by the blueprint's name; readers get words.
    tags = [{"name": blueprint.tag, "description": blueprint.description} for blueprint in blueprints]
    app.extensions["octant.api.document"] = api.spec.to_dict() | {"tags": tags}
    app.register_blueprint(_docs)


@_docs.get("/openapi.json")
@public("the document describes the API and holds no data")
def openapi() -> Response:
    """The OpenAPI document."""
    response = jsonify(current_app.extensions["octant.api.document"])
    response.headers["Cache-Control"] = "public, max-age=300"
    return response


@_docs.get("/docs")
@public("the document describes the API and holds no data")
def docs() -> str:
    """The document as a page to read and try."""
    return render_template("api/docs.html", version=version("flask-swagger-ui"))


@_docs.get("/docs/<name>")
@public("styles and scripts of the documentation page are the same for everybody")
def dist(name: str) -> Response:
    """One of the two files the page needs; nothing else of the package is served."""
    if name not in _DIST_FILES:
        abort(404)
    response = send_from_directory(_DIST, name)
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    return response
