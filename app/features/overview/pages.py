"""Pages of the overview: Today and Caseload."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from werkzeug.datastructures import MultiDict

from app.domain.access import Permission
from app.domain.errors import FieldProblem, InvalidInput, NotFound
from app.features.clients.labels import labels_of
from app.features.overview.blueprint import blueprint
from app.features.overview.commands import SIZES, CaseloadFilter, Why
from app.features.overview.filters import QUIET_WEEKS, filter_of, query_of
from app.features.overview.keeping import rule_of
from app.features.overview.queries import (
    CaseloadPage,
    FilterOptions,
    caseload_page,
    filter_options,
    matching,
    today_in,
)
from app.features.overview.rows import caseload_rows
from app.features.overview.words import reason_labels, row_words, span
from app.features.selections.acts import acts_of
from app.features.selections.commands import SaveFilter
from app.features.selections.filters import create_filter
from app.features.selections.forms import target_of
from app.features.selections.queries import get_filter
from app.features.selections.service import choose, freeze
from app.infra.drawing.row_dials import dial_definitions, row_dials
from app.infra.web.access import requires
from app.infra.web.context import actor, place, runtime, time_zone, unit_of_work
from app.infra.web.words import status_words

_QUEUE = 25


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
        # No statement where nobody has made a label.
        labels = labels_of(uow, [row.id for row in page.rows]) if options.labels else {}
    shown, acts = _rows(page), _acts()
    table_rows = caseload_rows(
        page.rows, shown["cells"], shown["dials"], client_base=shown["client_base"], choose=bool(acts), labels=labels
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


@blueprint.post("/caseload/keep")
@requires(Permission.USE_COHORTS)
def keep() -> ResponseReturnValue:
    """Keep the filter that is on, under a name, and show the caseload by it."""
    wanted = filter_of(request.form)
    with unit_of_work() as uow:
        before = None if wanted.filter_id is None else get_filter(uow, wanted.filter_id).rule
        made = create_filter(
            uow,
            SaveFilter(
                name=request.form.get("name", ""),
                rule=rule_of(wanted, before),
                shared=request.form.get("shared") == "1",
            ),
        )
    flash(gettext("%(name)s is saved.", name=made.name))
    return redirect(url_for("overview.caseload", filter=made.id))


@blueprint.post("/caseload/<act>")
@requires(Permission.READ_CLIENTS)
def act(act: str) -> ResponseReturnValue:
    """Freeze the chosen people, as ticked or all that match the filter, and go on to the page that previews the act."""
    chosen_act = next((one for one in acts_of(actor()) if one.name == act), None)
    if chosen_act is None:
        raise NotFound(gettext("There is no such page, or it is not yours to see."))
    with unit_of_work() as uow:
        if request.form.get("every"):
            wanted = filter_of(request.form)
            found = matching(uow, wanted, today=today_in(uow, place().time_zone))
            selection = freeze(uow, found, origin="clients")
        elif request.form.getlist("client"):
            target = target_of(MultiDict([("client", value) for value in request.form.getlist("client")]))
            selection = choose(uow, target)
        else:
            raise InvalidInput([FieldProblem("client", gettext("Tick at least one person first."))])
    return redirect(url_for(chosen_act.endpoint, selection=selection.id), code=303)


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
    if wanted.label_id is not None:
        chips.append((dict(options.labels).get(wanted.label_id, gettext("A label that is gone")), {"label": None}))
    if wanted.filter_id is not None:
        chips.append((dict(options.filters).get(wanted.filter_id, gettext("A filter")), {"filter": None}))
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


def _acts() -> list[dict[str, str]]:
    return [{"label": one.label, "action": url_for("overview.act", act=one.name)} for one in acts_of(actor())]


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
