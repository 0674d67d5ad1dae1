"""Cross-site request forgery: cookies need a token in form or header; requests with a bearer token carry no cookie."""

from __future__ import annotations

from flask import request
from flask_login import current_user
from flask_wtf import CSRFProtect

from app.infra.web.errors import wants_json


class OctantCsrf(CSRFProtect):  # type: ignore[misc] # Flask-WTF carries no types
    """The same protection for pages and API; under /api a request that names a bearer token is free of it.

    A browser cannot add that header across sites unasked, and with it the cookie is never read.
    """

    def protect(self, apply_exemptions: bool = False) -> None:
        """Check the request; 400 without a valid token."""
        if wants_json() and ("Authorization" in request.headers or not current_user.is_authenticated):
            return
        super().protect(apply_exemptions=apply_exemptions)
