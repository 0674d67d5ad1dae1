"""Pages of the overview: Today and Caseload."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from app.domain.access import Permission
from app.domain.errors import FieldProblem, InvalidInput, NotFound
from app.features.overview.blueprint import blueprint
from app.features.overview.commands import SIZES, CaseloadFilter, Why
from app.features.overview.filters import QUIET_WEEKS, filter_of, query_of
from app.features.overview.queries import (
    CaseloadPage,
    FilterOptions,
    caseload_page,
    filter_options,
    matching_ids,
    today_in,
)
from app.features.overview.rows import caseload_rows
from app.features.overview.words import reason_labels, row_words, span
from app.infra.drawing.row_dials import dial_definitions, row_dials
from app.infra.web.access import requires
from app.infra.web.context import actor, place, runtime, time_zone, unit_of_work
from app.infra.web.words import status_words

_QUEUE = 25
# Ids go on to the next page as fields of a form, of which two mebibytes are read at most.
MOST_CHOSEN = 20_000
# What can be done with chosen clients: the endpoint that previews it, and what one may need to do it.
_ACTS = {
    "assign": ("assignments.new", Permission.ASSIGN),
    "prompt": ("reviews.prompt", Permission.WORK_PLANS),
    "move": ("clients.move", Permission.MANAGE_PEOPLE),
    "report": ("reports.clients", Permission.REPORT_CLIENTS),
}


@blueprint.get("/")
@requires(Permission.READ_CLIENTS)
def today() -> str:
    """Who wants attention first, and why."""
    wanted = CaseloadFilter(why=sum(Why), size=_QUEUE, page=filter_of(request.args).page)
    with unit_of_work() as uow:
        options = filter_options(uow)
        page = caseload_page(uow, wanted, today=today_in(uow, place().time_zone), attributes=options.attributes)
    return render_template("overview/today.html", **_rows(page), page=page, wanted=wanted, pages=_pages(page, wanted))


@blueprint.get("/caseload")
@requires(Permission.READ_CLIENTS)
def caseload() -> str:
    """Every client the reader looks after, filtered, sorted and chosen from."""
    wanted = filter_of(request.args)
    with unit_of_work() as uow:
        options = filter_options(uow)
        page = caseload_page(uow, wanted, today=today_in(uow, place().time_zone), attributes=options.attributes)
    shown, acts = _rows(page), _acts()
    table_rows = caseload_rows(
        page.rows, shown["cells"], shown["dials"], client_base=shown["client_base"], choose=bool(acts)
    )
    return render_template(
        "overview/caseload.html",
        **shown,
        table_rows=table_rows,
        page=page,
        wanted=wanted,
        options=options,
        chips=_chips(wanted, options),
        reasons=reason_labels(),
        statuses=status_words(),
        quiet_weeks=[(weeks, _quiet_words(weeks)) for weeks in QUIET_WEEKS],
        sizes=SIZES,
        address=lambda **changes: _address(wanted, **changes),
        query=query_of(wanted, page=None),
        acts=acts,
        pages=_pages(page, wanted),
    )


@blueprint.post("/caseload/<act>")
@requires(Permission.READ_CLIENTS)
def act(act: str) -> ResponseReturnValue:
    """Hand the chosen clients to the page that previews the act: as ticked, or all that match the filter."""
    if act not in {name for name, _ in _acts_open()}:
        raise NotFound(gettext("There is no such page, or it is not yours to see."))
    href = url_for(_ACTS[act][0])
    if not request.form.get("every"):
        if not request.form.getlist("client"):
            raise InvalidInput([FieldProblem("client", gettext("Tick at least one person first."))])
        # The browser sends the same form again, to the page that previews the act.
        return redirect(href, code=307)
    wanted = filter_of(request.form)
    with unit_of_work() as uow:
        ids = matching_ids(uow, wanted, today=today_in(uow, place().time_zone), limit=MOST_CHOSEN + 1)
    if len(ids) > MOST_CHOSEN:
        raise InvalidInput(
            [
                FieldProblem(
                    "every", gettext("These are too many to choose at once. Make them a cohort by a rule instead.")
                )
            ]
        )
    back = _address(wanted)
    return render_template("overview/chosen.html", ids=ids, href=href, label=_act_labels()[act], back=back)


def _rows(page: CaseloadPage) -> dict[str, Any]:
    states = {row.statuses for row in page.rows if row.statuses}
    return {
        "rows": page.rows,
        "cells": row_words(runtime().clock(), time_zone()),
        "dials": row_dials(states, status_words()),
        "dial_definitions": dial_definitions(states),
        "client_base": url_for("overview.client", client_id=UUID(int=0)).removesuffix(str(UUID(int=0))),
    }


def _chips(wanted: CaseloadFilter, options: FilterOptions) -> list[tuple[str, str]]:
    """(words, address without it) of every filter that is on."""
    chips: list[tuple[str, dict[str, Any]]] = []
    if wanted.search:
        chips.append((f"“{wanted.search}”", {"q": None}))
    if wanted.cohort_id is not None:
        name = dict(options.cohorts).get(wanted.cohort_id, gettext("A cohort that is gone"))
        chips.append((name, {"cohort": None}))
    if wanted.counsellor_id is not None:
        name = dict(options.counsellors).get(wanted.counsellor_id, gettext("Somebody who is gone"))
        chips.append((name, {"counsellor": None}))
    labels = reason_labels()
    chips += [(labels[why], {"why": wanted.why & ~why}) for why in Why if wanted.why & why]
    if wanted.status is not None:
        word = status_words()[wanted.status]
        said = gettext("Step %(number)s %(status)s", number=wanted.step, status=word) if wanted.step else word
        chips.append((said, {"step": None, "status": None}))
    if wanted.attribute is not None:
        key, value = wanted.attribute
        label = next((a.label for a in options.attributes if a.key == key), key)
        chips.append((f"{label}: {value}", {"attribute": None}))
    if wanted.quiet_weeks is not None:
        chips.append((_quiet_words(wanted.quiet_weeks), {"contact": None}))
    if wanted.review_soon:
        chips.append((gettext("Review within 30 days"), {"review": None}))
    return [(words, _address(wanted, **change)) for words, change in chips]


def _address(wanted: CaseloadFilter, **changes: Any) -> str:
    query: dict[str, Any] = dict(query_of(wanted, **changes))
    return url_for("overview.caseload", **query)


def _quiet_words(weeks: int) -> str:
    if weeks == 0:
        return str(gettext("Never met"))
    return str(gettext("No contact for %(span)s", span=span(weeks * 7)))


def _act_labels() -> dict[str, str]:
    return {
        "assign": gettext("Assign"),
        "prompt": gettext("Prompt a review"),
        "move": gettext("Move"),
        "report": gettext("Report"),
    }


def _acts_open() -> list[tuple[str, str]]:
    labels = _act_labels()
    return [(name, labels[name]) for name, (_endpoint, permission) in _ACTS.items() if actor().may(permission)]


def _acts() -> list[dict[str, str]]:
    return [{"label": label, "action": url_for("overview.act", act=name)} for name, label in _acts_open()]


def _pages(page: CaseloadPage, wanted: CaseloadFilter) -> dict[str, Any]:
    first = (wanted.page - 1) * wanted.size
    endpoint = request.endpoint or "overview.caseload"
    query: dict[str, Any] = dict(query_of(wanted, page=None)) if endpoint == "overview.caseload" else {}
    return {
        "number": wanted.page,
        "pages": max(1, -(-page.total // wanted.size)),
        "first": first + 1 if page.rows else 0,
        "last": first + len(page.rows),
        "total": page.total,
        "href": lambda number: url_for(endpoint, **(query | ({"page": number} if number > 1 else {}))),
    }
