"""The page of work queues, with what time there is beside it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import g, render_template, request, url_for
from flask_babel import gettext

from app.domain.access import Permission, Role
from app.domain.rules import MOST_WEEKS
from app.features.clients.queries import counsellors
from app.features.overview.blueprint import blueprint
from app.features.overview.queues import QUEUES, Asked, Queue, capacities, count_queues, queue_page
from app.features.overview.words import row_words
from app.features.selections.acts import acts_of
from app.features.selections.criteria import SILENT_WEEKS
from app.infra.web.access import requires
from app.infra.web.context import actor, runtime, time_zone, unit_of_work
from app.infra.web.given import whole_in_query

_PAGE = 20


def queue_words() -> dict[Queue, str]:
    """The queues in the reader's language."""
    return {
        "due": gettext("Due this week"),
        "overdue": gettext("Overdue"),
        "waiting": gettext("Waiting for you"),
        "silent": gettext("Silent"),
        "never_met": gettext("Never met"),
    }


@blueprint.get("/queues")
@requires(Permission.READ_CLIENTS)
def queues() -> str:
    """What is to be done, sorted by kind: of the reader's caseload, of another's, or of all."""
    g.nav_endpoint = "overview.today"
    asked, every = _asked()
    given = request.args.get("queue")
    queue = given if given in QUEUES else QUEUES[0]
    number = max(1, min(whole_in_query("page") or 1, 100_000))
    with unit_of_work() as uow:
        counts = count_queues(uow, asked)
        rows = queue_page(uow, queue, asked, offset=(number - 1) * _PAGE, limit=_PAGE)
        people = counsellors(uow) if _may_choose() else []
        held = capacities(uow, asked)
    address: dict[str, Any] = {
        "counsellor": "all" if every else asked.counsellor_id,
        "weeks": asked.weeks if asked.weeks != SILENT_WEEKS else None,
    }
    first = (number - 1) * _PAGE
    return render_template(
        "overview/queues.html",
        queue=queue,
        names=queue_words(),
        counts=counts,
        rows=rows,
        asked=asked,
        every=every,
        people=people,
        held=held,
        cells=row_words(runtime().clock(), time_zone()),
        acts=[{"label": act.label, "action": url_for("overview.act", act=act.name)} for act in acts_of(actor())],
        address=lambda name: url_for("overview.queues", queue=name, **address),
        pages={
            "number": number,
            "pages": max(1, -(-counts[queue] // _PAGE)),
            "first": first + 1 if rows else 0,
            "last": first + len(rows),
            "total": counts[queue],
            "href": lambda n: url_for("overview.queues", queue=queue, page=n, **address),
        },
    )


def _may_choose() -> bool:
    return actor().role is Role.ADMIN or actor().shares_caseloads


def _asked() -> tuple[Asked, bool]:
    """Whose queues the address asks for, and whether of everybody; an administrator's are everybody's by themselves.

    Who sees their own caseload alone has no choice.
    """
    weeks, own = min(whole_in_query("weeks") or SILENT_WEEKS, MOST_WEEKS), actor().membership_id
    if not _may_choose():
        return Asked(counsellor_id=own, weeks=weeks), False
    given = request.args.get("counsellor") or ("all" if actor().role is Role.ADMIN else "")
    if given == "all":
        return Asked(weeks=weeks), True
    try:
        return Asked(counsellor_id=UUID(given), weeks=weeks), False
    except ValueError:
        return Asked(counsellor_id=own, weeks=weeks), False
