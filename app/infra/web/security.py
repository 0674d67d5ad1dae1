"""Headers on every response, error pages and static files included (TRUST S2)."""

from __future__ import annotations

from flask import Flask, Response, g, request

# No inline script or style exists, so no nonce is needed; images may be data: for the drawn marks.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; object-src 'none'"
)


def add_security_headers(app: Flask, *, secure: bool) -> None:
    """Install the headers; HSTS only where the public address is https."""

    @app.after_request
    def _headers(response: Response) -> Response:
        headers = response.headers
        headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
        headers["X-Content-Type-Options"] = "nosniff"
        headers["Referrer-Policy"] = "same-origin"
        headers["Cross-Origin-Opener-Policy"] = "same-origin"
        headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=()"
        headers["X-Request-Id"] = g.get("request_id", "")
        if secure:
            headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
        # Flask sends files with no-cache, which lets a browser keep them on its disk.
        if request.endpoint != "static" and headers.get("Cache-Control", "no-cache") == "no-cache":
            headers["Cache-Control"] = "no-store"
        return response
