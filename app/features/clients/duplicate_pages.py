"""Pages of likely doubles: two records side by side, linked or told apart; and the links there are."""

from __future__ import annotations

from uuid import UUID

from flask import flash, g, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from app.domain.access import Permission
from app.domain.errors import FieldProblem, InvalidInput
from app.features.clients import duplicates
from app.features.clients.pages import blueprint
from app.infra.web.access import requires
from app.infra.web.context import unit_of_work
from app.infra.web.given import whole_in_query

_PAGE = 10


def shared_words() -> dict[str, str]:
    """What two records share."""
    return {
        "external": gettext("the same id, written differently"),
        "email": gettext("the same e-mail address"),
        "mailbox": gettext("the same name before the @ of their addresses"),
        "details": gettext("the same details"),
        "name": gettext("the same name"),
    }


@blueprint.get("/clients/duplicates")
@requires(Permission.MANAGE_PEOPLE)
def double_records() -> str:
    """Records that are likely one person, the likeliest first, and the links that were made; or mere namesakes."""
    g.nav_endpoint = "organizations.people"
    offset = whole_in_query("from") or 0
    by_name = request.args.get("shown") == "namesakes"
    with unit_of_work() as uow:
        found = duplicates.likely_pairs(uow, limit=_PAGE, offset=offset, by_name=by_name)
        linked = [] if by_name else duplicates.linked_pairs(uow)
    total = found.namesakes if by_name else found.likely
    return render_template(
        "clients/duplicates.html",
        pairs=found.pairs,
        total=total,
        by_name=by_name,
        namesakes=found.namesakes,
        linked=linked,
        shares=shared_words(),
        next_from=offset + _PAGE if offset + _PAGE < total else None,
    )


@blueprint.post("/clients/duplicates/<any(link, unlink, different):act>")
@requires(Permission.MANAGE_PEOPLE)
def decide_double(act: str) -> Response:
    """Link two records, take a link away, or note that they are two people."""
    try:
        keep, other = UUID(request.form.get("keep", "")), UUID(request.form.get("other", ""))
    except ValueError:
        raise InvalidInput([FieldProblem("other", gettext("Choose two people from the list."))]) from None
    with unit_of_work() as uow:
        if act == "link":
            duplicates.link_clients(uow, keep, other)
            flash(gettext("They are linked. You can unlink them below at any time; nothing was deleted."))
        elif act == "unlink":
            duplicates.unlink_clients(uow, keep, other)
            flash(gettext("They are two records again, each with what is its own."))
        else:
            duplicates.mark_different(uow, keep, other)
            flash(gettext("Noted: these are two people."))
    if request.form.get("back") == "client":
        return redirect(url_for("overview.client", client_id=keep))
    return redirect(url_for("clients.double_records", shown=request.form.get("shown") or None))
