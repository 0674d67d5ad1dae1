"""Errors reach the reader as sentences: a page for people, a problem document (RFC 9457) under /api."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import structlog
from flask import Flask, Response, jsonify, make_response, render_template, request
from flask_babel import gettext
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException

from app.domain import errors
from app.infra.web.words import said

_LOG = structlog.get_logger()
# From PostgreSQL's table of error codes.
_UNIQUE_VIOLATION = "23505"
_STATUS: dict[type[errors.OctantError], int] = {
    errors.NotFound: 404,
    errors.Forbidden: 403,
    errors.Conflict: 409,
    errors.Gone: 410,
    errors.TooMany: 429,
    errors.InvalidInput: 422,
}


def wants_json() -> bool:
    """Whether this request gets a problem document instead of a page."""
    return request.path.startswith("/api/")


def problem(status: int, sentence: str, *, fields: list[dict[str, str]] | None = None) -> Response:
    """A problem document: type, title, status, detail and, for bad input, each field with its sentence."""
    body: dict[str, Any] = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status}
    body["detail"] = sentence
    if fields:
        body["errors"] = fields
    response = jsonify(body)
    response.status_code = status
    response.mimetype = "application/problem+json"
    return response


def error_answer(status: int, sentence: str, *, fields: list[dict[str, str]] | None = None) -> Response:
    """The error as this request wants it; the same words and length for foreign and missing things."""
    if wants_json():
        return problem(status, sentence, fields=fields)
    page = render_template("error.html", status=status, sentence=sentence, problems=fields or [])
    return make_response(page, status)


def install_errors(app: Flask) -> None:
    """Register the handlers; an unexpected error is logged and answered without its details."""

    @app.errorhandler(errors.OctantError)
    def _expected(error: errors.OctantError) -> Response:
        fields = None
        if isinstance(error, errors.InvalidInput):
            fields = [{"field": p.field, "sentence": said(p.sentence)} for p in error.problems]
        sentence = "\n".join("{field}: {sentence}".format(**f) for f in fields) if fields else said(error.sentence)
        answer = error_answer(_STATUS.get(type(error), 400), sentence, fields=fields)
        if isinstance(error, errors.TooMany) and error.retry_after is not None:
            answer.headers["Retry-After"] = str(error.retry_after)
        return answer

    @app.errorhandler(HTTPException)
    def _http(error: HTTPException) -> Response | HTTPException:
        status = error.code or 500
        if status < 400:
            return error
        sentences = {
            400: gettext("The request could not be understood. Go back, reload the page and try again."),
            403: gettext("You may not do this here. Ask an administrator of your organization."),
            404: gettext("There is no such page, or it is not yours to see."),
            401: gettext("Sign in, or send a valid token as Authorization: Bearer."),
            405: gettext("This address does not take that kind of request."),
            413: gettext("The file is too large. Split it and upload the parts one after the other."),
            412: gettext("Somebody else changed this meanwhile. Read it again and send your change with its new ETag."),
            415: gettext("Send the body as application/json, or a file as multipart/form-data."),
            428: gettext("Send the ETag you read in the If-Match header, so that nobody's change is lost."),
            429: gettext("Too many attempts. Wait a few minutes and try again."),
        }
        if status == 400 and wants_json():
            sentences[400] = error.description or error.name
        answer = error_answer(status, sentences.get(status, error.description or error.name))
        if status == 401 and wants_json():
            answer.headers["WWW-Authenticate"] = "Bearer"
        if status == 429:
            answer.headers["Retry-After"] = "60"
        return answer

    @app.errorhandler(OperationalError)
    @app.errorhandler(PoolTimeout)
    def _busy(error: Exception) -> Response:
        _LOG.warning("database_unavailable", error=type(error).__name__)
        answer = error_answer(503, gettext("Octant is very busy. Your entry was not saved; try again in a moment."))
        answer.headers["Retry-After"] = "5"
        return answer

    @app.errorhandler(IntegrityError)
    def _at_once(error: IntegrityError) -> Response:
        # What a use case looked for and did not find, somebody else made before it could: the constraint decides.
        if getattr(error.orig, "sqlstate", None) != _UNIQUE_VIOLATION:
            return _unexpected(error)
        _LOG.warning("made_twice_at_once", rule=str(request.url_rule))
        return error_answer(409, gettext("Somebody else did this at the same moment. Load the page again and look."))

    @app.errorhandler(Exception)
    def _unexpected(error: Exception) -> Response:
        # The rule and not the address: addresses hold the tokens of links.
        _LOG.error("request_failed", exc_info=error, rule=str(request.url_rule))
        return error_answer(
            500,
            gettext("Something went wrong on our side. It was noted; try again, or tell your administrator."),
        )
