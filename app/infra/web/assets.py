"""Addresses of static files with a digest of their content, so that browsers may keep them for a year."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from flask import Flask, Response, request, url_for

_STATIC = Path(__file__).resolve().parents[2] / "static"


@cache
def _digest(name: str) -> str:
    return hashlib.sha256((_STATIC / name).read_bytes()).hexdigest()[:12]


def asset(name: str) -> str:
    """The address of `app/static/<name>`; raises FileNotFoundError for a name that is not there."""
    return url_for("static", filename=name, v=_digest(name))


def install_assets(app: Flask) -> None:
    """Give templates `asset()` and let browsers keep what carries its digest."""
    app.jinja_env.globals["asset"] = asset

    @app.after_request
    def _keep(response: Response) -> Response:
        if request.endpoint == "static" and "v" in request.args:
            response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response
