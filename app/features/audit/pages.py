"""The audit page: what was done, by whom, to what; whether the ledger holds; and all of it as a file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, flash, redirect, render_template, request, stream_with_context, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from app.domain.access import Permission
from app.domain.csv_text import BYTE_ORDER_MARK, csv_line
from app.features.audit.queries import AuditFilter, Cursor, list_entries, people_to_filter_by, read_cursor
from app.features.audit.service import record, verify
from app.features.audit.words import action_words, detail_words, subject_words
from app.infra.web.access import requires
from app.infra.web.context import actor, unit_of_work
from app.infra.web.words import words_here

blueprint = Blueprint("audit", __name__)
_PAGE = 50
# Read in pieces, each in its own short transaction, so that a long download holds no connection.
_PIECE = 5000


def _uuid(given: str | None) -> UUID | None:
    try:
        return UUID((given or "").strip())
    except ValueError:
        return None


def _wanted() -> AuditFilter:
    return AuditFilter(
        action=request.args.get("action", "").strip().lower()[:80] or None,
        subject_id=_uuid(request.args.get("subject")),
        actor_id=_uuid(request.args.get("person")),
    )


def _kept(wanted: AuditFilter) -> dict[str, Any]:
    values = {"action": wanted.action, "subject": wanted.subject_id, "person": wanted.actor_id}
    return {key: str(value) for key, value in values.items() if value}


@blueprint.get("/audit")
@requires(Permission.READ_AUDIT)
def index() -> ResponseReturnValue:
    """Entries, newest first."""
    wanted = _wanted()
    before = read_cursor(request.args.get("before"))
    with unit_of_work() as uow:
        lines = list_entries(uow, wanted, before=before, limit=_PAGE + 1)
        people = people_to_filter_by(uow)
    kept = _kept(wanted)
    older = url_for("audit.index", **kept, before=lines[_PAGE - 1].cursor) if len(lines) > _PAGE else None
    return render_template(
        "audit/index.html",
        lines=lines[:_PAGE],
        people=people,
        wanted=wanted,
        # A subject that is no id finds nothing by mistake: say so rather than show everything.
        bad_subject=bool(request.args.get("subject", "").strip()) and wanted.subject_id is None,
        kept=kept,
        older=older,
        newest=url_for("audit.index", **kept) if before else None,
        as_json=lambda detail: json.dumps(detail, ensure_ascii=False, sort_keys=True, indent=1),
        action_words=lambda action: action_words(action, gettext),
        subject_words=lambda kind: subject_words(kind, gettext),
        detail_words=lambda detail: detail_words(detail, gettext, words_here()),
    )


@blueprint.post("/audit/verify")
@requires(Permission.READ_AUDIT)
def check() -> ResponseReturnValue:
    """Recompute the chain and say whether it holds."""
    with unit_of_work() as uow:
        problems = verify(uow)
    if not problems:
        flash(gettext("The audit log is whole: nothing was changed, removed or put in another order."))
    for problem in problems[:20]:
        flash(problem, "error")
    return redirect(url_for("audit.index"))


@blueprint.get("/audit.csv")
@requires(Permission.READ_AUDIT)
def download() -> Response:
    """The entries the filter shows, all of them, as CSV."""
    wanted = _wanted()
    with unit_of_work() as uow:
        subject = actor().organization_id
        record(uow, "audit.exported", "organization", subject, filters=sorted(_kept(wanted)))

    def lines() -> Iterator[str]:
        yield BYTE_ORDER_MARK + csv_line(
            ("at", "who", "action", "subject_kind", "subject_id", "detail", "request_id", "sequence", "position")
        )
        before: Cursor | None = None
        while True:
            with unit_of_work() as uow:
                piece = list_entries(uow, wanted, before=before, limit=_PIECE)
            for line in piece:
                yield csv_line(
                    (
                        line.at.isoformat(),
                        line.actor,
                        line.action,
                        line.subject_kind,
                        line.subject_id,
                        json.dumps(line.detail, ensure_ascii=False, sort_keys=True),
                        line.request_id,
                        line.sequence,
                        line.position,
                    )
                )
            if len(piece) < _PIECE:
                return
            before = (piece[-1].sequence, piece[-1].position)

    response = Response(stream_with_context(lines()), mimetype="text/csv")
    response.headers["Content-Disposition"] = "attachment; filename=audit.csv"
    return response
