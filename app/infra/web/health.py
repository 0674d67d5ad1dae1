"""`/healthz`, `/readyz` and `/metrics`: for load balancers and monitoring, without anybody's data."""

from __future__ import annotations

import time

import redis
from flask import Blueprint, Flask, Response, current_app, g, jsonify, request
from prometheus_client import CONTENT_TYPE_LATEST, Counter, Histogram, generate_latest
from sqlalchemy.exc import SQLAlchemyError

from app.infra.runtime import Runtime
from app.infra.web.access import public

blueprint = Blueprint("health", __name__)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
REQUESTS = Counter("octant_requests", "Requests answered.", ["endpoint", "method", "status"])
SECONDS = Histogram("octant_request_seconds", "Time to answer a request.", ["endpoint"])


@blueprint.get("/healthz")
@public("a load balancer asks whether the process answers")
def healthz() -> Response:
    """The process is alive; asks nothing else, so that a slow database does not get it killed."""
    return jsonify(status="ok")


@blueprint.get("/readyz")
@public("a load balancer asks whether requests can be served")
def readyz() -> tuple[Response, int]:
    """The database answers. The broker is reported but not required: requests succeed without it."""
    runtime: Runtime = current_app.extensions["octant"]
    state = {"database": "ok", "broker": "ok"}
    try:
        runtime.database.ready()
    except SQLAlchemyError:
        state["database"] = "away"
    try:
        with redis.Redis.from_url(runtime.settings.broker_url, socket_timeout=1, socket_connect_timeout=1) as broker:
            broker.ping()
    except redis.RedisError:
        state["broker"] = "away"
    return jsonify(state), 200 if state["database"] == "ok" else 503


@blueprint.get("/metrics")
@public("monitoring reads counts and times of requests; the proxy keeps it from the outside")
def metrics() -> Response:
    """Prometheus metrics of this process."""
    return Response(generate_latest(), content_type=CONTENT_TYPE_LATEST)


def install_metrics(app: Flask) -> None:
    """Count and time every request by endpoint."""

    @app.before_request
    def _start() -> None:
        g.started = time.perf_counter()

    @app.after_request
    def _count(response: Response) -> Response:
        endpoint = request.endpoint or "none"
        # Anybody may send a method of their own making; each label would stay in memory for good.
        method = request.method if request.method in _METHODS else "other"
        REQUESTS.labels(endpoint, method, response.status_code).inc()
        if "started" in g:
            SECONDS.labels(endpoint).observe(time.perf_counter() - g.started)
        return response
