"""The inbox in the browser, for everybody with an account."""

from __future__ import annotations

from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import ngettext

from app.domain.access import Permission
from app.domain.errors import InvalidInput
from app.features.messaging.inbox import own_notices, read_all, read_notice
from app.features.messaging.models import Notice
from app.features.messaging.notice_words import notice_words
from app.features.messaging.pages import blueprint
from app.infra.web.access import requires
from app.infra.web.api.paging import page
from app.infra.web.context import actor, unit_of_work
from app.infra.web.words import say_here

_SHOWN = 50
# Whatever role somebody has, it grants one of these.
EVERYBODY = (Permission.OWN_PLAN, Permission.READ_CLIENTS, Permission.READ_AGGREGATES)


@blueprint.get("/inbox")
@requires(*EVERYBODY)
def inbox() -> str:
    """What the reader was told, the latest first."""
    with unit_of_work() as uow:
        query = {"limit": _SHOWN, "cursor": request.args.get("before", "")}
        try:
            found = page(uow, own_notices(uow.actor), (Notice.created_at, Notice.id), query, descending=True)
        except InvalidInput:
            # An address that was made for another page.
            query["cursor"] = ""
            found = page(uow, own_notices(uow.actor), (Notice.created_at, Notice.id), query, descending=True)
    notices = [(notice, notice_words(notice.kind, notice.params, say_here)) for notice in found["items"]]
    older = url_for("messaging.inbox", before=found["next"]) if found["next"] else None
    client = actor().may(Permission.OWN_PLAN)
    return render_template("messaging/inbox.html", notices=notices, older=older, client=client)


@blueprint.post("/inbox/<uuid:notice_id>")
@requires(*EVERYBODY)
def open_notice(notice_id: UUID) -> ResponseReturnValue:
    """Note that the reader has seen it, and lead to what it is about."""
    with unit_of_work() as uow:
        notice = read_notice(uow, notice_id)
    # A path within Octant: the table takes no other.
    return redirect(notice.href)


@blueprint.post("/inbox/read")
@requires(*EVERYBODY)
def read_inbox() -> ResponseReturnValue:
    """Note that the reader has seen everything."""
    with unit_of_work() as uow:
        number = read_all(uow)
    flash(ngettext("%(num)s notice is marked as read.", "%(num)s notices are marked as read.", number))
    return redirect(url_for("messaging.inbox"))
