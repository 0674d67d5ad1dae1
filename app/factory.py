"""Makes the web application: edge, sign-in state, access, pages. `docs` follow one request through here."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from uuid import UUID, uuid4

import structlog
from flask import Flask, Response, abort, current_app, g, redirect, request, session, url_for
from flask_babel import Babel
from flask_login import LoginManager, current_user
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.wrappers import Response as AnyResponse

from app import composition
from app.features.identity.sign_in import SignedInUser, load_user
from app.features.organizations.edge import enter
from app.features.organizations.service import find_actor
from app.infra.drawing.jinja import drawing_globals
from app.infra.locales import regional
from app.infra.runtime import Runtime
from app.infra.web.access import access_of, check_every_route, public
from app.infra.web.api.csrf import OctantCsrf
from app.infra.web.assets import install_assets
from app.infra.web.errors import install_errors, wants_json
from app.infra.web.given import refuse_nul
from app.infra.web.health import blueprint as health
from app.infra.web.health import install_metrics
from app.infra.web.security import add_security_headers

# Asked every few seconds by machines, or one of many for a single page.
_UNTOLD = frozenset({"static", "health.healthz", "health.readyz", "health.metrics"})
_LOG = structlog.get_logger()
_REQUEST_ID = re.compile(r"^[A-Za-z0-9._-]{8,64}\Z")


def create_app(runtime: Runtime) -> Flask:
    """The WSGI application on a runtime. Raises RuntimeError when a route does not say who may use it."""
    settings = runtime.settings
    app = Flask("app", root_path=str(composition.ROOT))
    bind(app, runtime)
    app.extensions["octant.job_kinds"] = composition.JOB_KINDS
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    if settings.trusted_proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=settings.trusted_proxies, x_proto=settings.trusted_proxies)  # type: ignore[method-assign] # Flask documents it so
    app.before_request(_begin)
    app.after_request(_note)
    install_metrics(app)
    app.before_request(refuse_nul)
    OctantCsrf(app)
    login = LoginManager(app)
    login.session_protection = None  # The session is a row; its cookie is the only thing that opens it.
    login.user_loader(lambda token: load_user(composition.current_runtime(), token))
    Babel(app, locale_selector=_locale, timezone_selector=lambda: g.get("time_zone") or "UTC")
    app.before_request(_admit)
    install_assets(app)
    app.jinja_env.globals.update(drawing_globals())
    install_errors(app)
    add_security_headers(app, secure=settings.secure)
    app.view_functions["static"] = public("styles, scripts and marks are the same for everybody")(
        app.view_functions["static"]
    )
    app.register_blueprint(health)
    composition.install(app)
    check_every_route(app)
    return app


def bind(app: Flask, runtime: Runtime) -> None:
    """Make the application serve a runtime, and nothing of one it served before: its keys, its ports and its post.

    Whether it is served by HTTPS and behind how many proxies is settled when it is made.
    """
    settings = runtime.settings
    app.config.update(
        SECRET_KEY=settings.key_for("cookie"),
        SECRET_KEY_FALLBACKS=[
            replace(settings, secret_key=key).key_for("cookie") for key in settings.previous_secret_keys
        ],
        SESSION_COOKIE_NAME="__Host-octant" if settings.secure else "octant",
        SESSION_COOKIE_SECURE=settings.secure,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        MAX_CONTENT_LENGTH=settings.max_upload_mib * 1024 * 1024,
        MAX_FORM_MEMORY_SIZE=2 * 1024 * 1024,
        WTF_CSRF_TIME_LIMIT=None,
        BABEL_DEFAULT_LOCALE="en",
        TESTING=settings.environment == "test",
        PROPAGATE_EXCEPTIONS=False,
    )
    app.extensions["octant"] = runtime
    composition.bind(app)


def _begin() -> None:
    given = request.headers.get("X-Request-Id", "")
    g.begun = time.perf_counter()
    g.request_id = given if _REQUEST_ID.match(given) else uuid4().hex
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=g.request_id)


def _note(response: Response) -> Response:
    """One line per request. The rule and not the address, which may hold a link's token."""
    if request.endpoint is not None and request.endpoint not in _UNTOLD:
        _LOG.info(
            "request",
            method=request.method,
            rule=str(request.url_rule),
            status=response.status_code,
            ms=round((time.perf_counter() - g.begun) * 1000) if "begun" in g else None,
        )
    return response


def _admit() -> AnyResponse | None:
    """Find out who asks and whether the route serves them; the one place where that is decided."""
    if request.endpoint is None:
        return None
    route = access_of(current_app, request.endpoint)
    if route is None:
        abort(404)
    if route.kind in ("public", "link"):
        return None
    composition.authenticate_api()
    if g.get("actor") is None:
        if not current_user.is_authenticated:
            return _ask_to_sign_in()
        _enter_organization(current_user._get_current_object())
    if route.kind == "member":
        if g.get("actor") is None and wants_json():
            abort(403)
        if g.get("actor") is None:
            return redirect(url_for("identity.choose_organization"))
        if not any(g.actor.may(permission) for permission in route.permissions):
            if request.path == "/" and not wants_json():
                # The bare address is nobody's wish for a certain page.
                return redirect(url_for("identity.enter_organization"))
            abort(403)
    return None


def _ask_to_sign_in() -> AnyResponse:
    if wants_json():
        abort(401)
    session.pop("_user_id", None)
    wanted = request.full_path.rstrip("?") if request.method == "GET" else "/"
    return redirect(url_for("identity.sign_in", next=wanted))


def _enter_organization(user: SignedInUser) -> None:
    g.user = user
    g.time_zone = user.time_zone
    organization_id: UUID | None = user.organization_id
    if organization_id is None:
        return
    found = find_actor(composition.current_runtime(), organization_id, user.id)
    if found is None:
        return
    enter(*found, time_zone=user.time_zone)


def _locale() -> str | None:
    """The reader's language, with the region of the organization the page is of: days are written as there."""
    user: SignedInUser | None = g.get("user")
    place = g.get("place")
    best = request.accept_languages.best or ""
    if user is not None and user.locale:
        language = user.locale
    elif g.get("locale"):
        language = str(g.locale)
    elif place is not None:
        language = str(place.locale)
    else:
        language = "zh_Hans_CN" if best.lower().startswith("zh") else "en"
    return regional(language, place.time_zone if place is not None else None)
