"""Pages of the catalogue: search, and what is known of one occupation with its sources and dates."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, render_template, request
from flask_babel import gettext

from app.domain.access import Permission, Role
from app.domain.errors import NotFound
from app.domain.outlook import cumulative
from app.features.occupations import queries, words
from app.features.occupations.credit import credit_lines
from app.features.occupations.releases import Release, current_outlook, current_release, find_release
from app.features.occupations.search import search
from app.infra.drawing.charts import Bar
from app.infra.web.access import requires
from app.infra.web.context import actor, unit_of_work

blueprint = Blueprint("occupations", __name__)
_SHOWN = 25
_SKILLS = 10


@blueprint.get("/occupations")
@requires(Permission.READ_OCCUPATIONS)
def index() -> str:
    """Search by title, other names or code."""
    typed = request.args.get("q", "")[:200].strip()
    with unit_of_work() as uow:
        release = current_release(uow)
        hits = search(uow, typed, _SHOWN, release) if release and typed else []
    return _page("index", release, None, typed=typed, hits=hits)


@blueprint.get("/occupations/<code>")
@requires(Permission.READ_OCCUPATIONS)
def show(code: str) -> str:
    """One occupation; `release` in the address shows it as a saved match saw it."""
    wanted = request.args.get("release")
    with unit_of_work() as uow:
        release = find_release(uow, wanted) if wanted else current_release(uow)
        occupation = queries.find(uow, code, release) if release else None
        if release is None or occupation is None:
            raise NotFound(gettext("There is no such occupation in the catalogue. Search for it by another name."))
        return _page(
            "show",
            release,
            current_outlook(uow) if occupation.outlook else None,
            occupation=occupation,
            pinned=wanted,
            interests=_bars(words.AREAS, occupation.interests),
            values=_bars(words.VALUES, occupation.values),
            education=_education(occupation.education),
            related=queries.related(uow, code, release),
            skills=[skill for skill in queries.skills_of(uow, code, release) if not skill.suppressed][:_SKILLS],
            tasks=queries.tasks_of(uow, code, release),
        )


def _page(name: str, release: Release | None, outlook: Release | None, **values: Any) -> str:
    return render_template(
        f"occupations/{name}.html",
        frame="base_phone.html" if actor().role is Role.CLIENT else "base.html",
        release=release,
        credit=credit_lines(release, outlook),
        zones=words.ZONES,
        joins=words.JOINS,
        bar_rows=lambda bars: [(bar.label, bar.shown) for bar in bars],
        **values,
    )


def _bars(labels: tuple[Any, ...], figures: tuple[float, ...] | None) -> list[Bar]:
    return [Bar(str(label), value, f"{value:.1f}") for label, value in zip(labels, figures or (), strict=False)]


def _education(distribution: tuple[float, ...] | None) -> list[tuple[str, float, float]]:
    """Levels that some job asks for, the lowest first, with the share asking for it and the share asking at most it."""
    reached = cumulative(distribution)
    if distribution is None or reached is None:
        return []
    rows = zip(words.EDUCATION, distribution, reached, strict=True)
    return [(str(label), share, at_most) for label, share, at_most in rows if share > 0]
