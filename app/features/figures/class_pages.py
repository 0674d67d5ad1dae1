"""Pages of classes: what became of graduates in figures, one class with whom nothing is known of, and the sheet."""

from __future__ import annotations

import io
import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from flask import Blueprint, g, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from app.domain.access import Permission
from app.domain.errors import NotFound
from app.domain.file_names import safe_name
from app.domain.outcomes import AIMED_KNOWLEDGE, FIRST_CLASS, LAST_CLASS, counts_until, days_of_class
from app.features.audit.service import record
from app.features.clients.queries import attributes
from app.features.figures.class_sheet import write
from app.features.figures.classes import tell_classes
from app.features.figures.definitions import UNKNOWN
from app.features.organizations.queries import today_here
from app.features.outcomes import queries
from app.features.outcomes.words import status_words
from app.infra.sheets import XLSX
from app.infra.web.access import requires
from app.infra.web.context import actor, place, unit_of_work
from app.infra.web.given import whole_in_query
from app.infra.web.words import say_here

blueprint = Blueprint("classes", __name__)
_PAGE = 50
_CLASS = "<int:class_year>"
_MEDIA = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": XLSX,
}


@blueprint.get("/outcomes")
@requires(Permission.READ_AGGREGATES)
def index() -> str:
    """Every class in figures: what is known, and the two rates."""
    g.nav_endpoint = "figures.aggregates"
    with unit_of_work() as uow:
        shown = tell_classes(uow, withhold=_withhold())
        left = queries.count_missing(uow) if _sees() else {}
    return render_template(
        "outcomes/index.html",
        classes=shown,
        class_columns=[{"label": one.class_year, "kind": "num"} for one in shown],
        left=left,
        **_figures_words(),
    )


@blueprint.get(f"/outcomes/{_CLASS}")
@requires(Permission.READ_CLIENTS)
def show_class(class_year: int) -> str:
    """A class for those who see its people: by an attribute, and whom nothing is known of yet."""
    g.nav_endpoint = "figures.aggregates"
    _check_class(class_year)
    number = max(1, min(whole_in_query("page") or 1, 100_000))
    with unit_of_work() as uow:
        known = attributes(uow)
        by = request.args.get("by", "")
        by = by if by in {one.key for one in known} else ""
        total = tell_classes(uow, class_year=class_year)
        groups = tell_classes(uow, class_year=class_year, by=by) if by else []
        left = queries.count_missing(uow).get(class_year, 0)
        people = queries.missing_page(uow, class_year, offset=(number - 1) * _PAGE, limit=_PAGE)
    pages = SimpleNamespace(
        number=number,
        pages=max(1, -(-left // _PAGE)),
        first=(number - 1) * _PAGE + 1,
        last=min(left, number * _PAGE),
        total=left,
        href=lambda n: url_for("classes.show_class", class_year=class_year, page=n, by=by or None),
    )
    return render_template(
        "outcomes/class.html",
        class_year=class_year,
        days=days_of_class(class_year),
        closes=counts_until(class_year),
        total=total[0] if total else None,
        attributes=known,
        by=by,
        groups=groups,
        people=people,
        page=pages,
        **_figures_words(),
    )


@blueprint.get("/outcomes.<any(xlsx,csv):form>")
@requires(Permission.READ_AGGREGATES)
def export(form: str) -> ResponseReturnValue:
    """The sheet in the shape of the standard; with `class` and `by` one class by an attribute, for who sees people."""
    year, by = whole_in_query("class"), request.args.get("by", "")
    with unit_of_work() as uow:
        if by and (_withhold() or by not in {one.key for one in attributes(uow)}):
            by = ""
        chosen = tell_classes(uow, withhold=_withhold(), class_year=year, by=by or None)
        record(uow, "outcomes.exported", "organization", actor().organization_id, form=form, withheld=_withhold())
        now, today = uow.now, today_here(uow)
    title = gettext("First destinations")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"outcomes.{form}"
        write(form, path, chosen, say_here, moment=now, title=f"{place().name}: {title}")
        content = io.BytesIO(path.read_bytes())
    name = f"{safe_name(f'{place().name} {title}')} {today.isoformat()}.{form}"
    return send_file(content, mimetype=_MEDIA[form], as_attachment=True, download_name=name)


def _sees() -> bool:
    return actor().may(Permission.READ_CLIENTS)


def _withhold() -> bool:
    """Whether small groups are taken out: always for those who may not see the people, else when asked for."""
    return not _sees() or request.args.get("small") == "withheld"


def _figures_words() -> dict[str, Any]:
    statuses = [*status_words(say_here).items(), (UNKNOWN, gettext("Nothing known"))]
    return {
        "statuses": statuses,
        "status_columns": [{"label": word, "kind": "num"} for _, word in statuses],
        "withhold": _withhold(),
        "threshold": place().small_cell_threshold,
        "sees": _sees(),
        "whole": actor().may(Permission.READ_ALL_AGGREGATES),
        "aimed": AIMED_KNOWLEDGE * 100,
    }


def _check_class(class_year: int) -> None:
    if not FIRST_CLASS <= class_year <= LAST_CLASS:
        raise NotFound(gettext("There is no such class."))
