"""Pages of matches, for the client and for the counsellor, and the buttons of shortlist and recommendation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from app.domain.access import Permission
from app.domain.errors import InvalidInput, NotFound
from app.domain.steps import OPEN_STATUSES, StepKey
from app.features.occupations.families import FAMILIES
from app.features.occupations.releases import find_release
from app.features.occupations.words import EDUCATION, ZONES
from app.features.plans.queries import PlanView, view_plan
from app.features.steps.career_choice.matches import Match, Matches, credit_of, read_matches, standings
from app.features.steps.career_choice.reasons import Reasons, reasons_for
from app.features.steps.career_choice.service import (
    Kind,
    Recommend,
    TakeOccupation,
    recommend,
    take_occupation,
    withdraw_recommendation,
)
from app.features.steps.career_choice.words import percent
from app.features.steps.parts import day_of
from app.features.steps.views import own_plan
from app.infra.db.open import UnitOfWork
from app.infra.web.access import requires
from app.infra.web.context import actor, unit_of_work
from app.infra.web.words import words_here

blueprint = Blueprint("choice", __name__)
_KEY = StepKey.CAREER_CHOICE
_PAGE = 20


@dataclass(frozen=True, slots=True)
class Filters:
    """What the reader wants to see of the list."""

    family: str = ""
    zone: int | None = None
    growing: bool = False
    by_family: bool = False
    page: int = 1

    @classmethod
    def read(cls) -> Filters:
        """From the address, or the form of a button that leads back to it; what is no filter counts as none."""
        family, zone = request.values.get("family", ""), request.values.get("zone", "")
        page = request.values.get("page", "")
        return cls(
            family if family in FAMILIES else "",
            int(zone) if zone in ("1", "2", "3", "4", "5") else None,
            bool(request.values.get("growing")),
            request.values.get("by") == "family",
            # Longer numbers are beyond the last page too.
            max(1, int(page[:6])) if page.isascii() and page.isdecimal() else 1,
        )

    def args(self, **others: Any) -> dict[str, Any]:
        """As the arguments of an address, those at rest left out."""
        found = {
            "family": self.family or None,
            "zone": self.zone,
            "growing": "1" if self.growing else None,
            "by": "family" if self.by_family else None,
            "page": self.page if self.page > 1 else None,
        } | others
        return {name: value for name, value in found.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the list, as the macro `pagination` reads it."""

    rows: tuple[Match, ...]
    number: int
    pages: int
    first: int
    last: int
    total: int
    href: Callable[[int], str]


def page_of_matches(matches: Matches, filters: Filters, href: Callable[..., str]) -> Page:
    """Twenty occupations of the list; a page beyond the last is the last."""
    codes = matches.codes(family=filters.family, zone=filters.zone, growing=filters.growing)
    if filters.by_family:
        best = {family: rank for family, rank, _, _ in matches.families}
        codes.sort(key=lambda code: (best[code[:2]], matches.rank_of(code)))
    pages = max(1, -(-len(codes) // _PAGE))
    number = min(filters.page, pages)
    shown = codes[(number - 1) * _PAGE : number * _PAGE]
    rows = tuple(found for code in shown if (found := matches.match(code)))
    first = (number - 1) * _PAGE + 1 if rows else 0
    return Page(
        rows, number, pages, first, first + len(rows) - 1 if rows else 0, len(codes),
        lambda n: href(**filters.args(page=n)),
    )  # fmt: skip


@blueprint.get("/my-plan/matches")
@requires(Permission.OWN_PLAN)
def my_matches() -> str:
    """The client's own list."""
    with unit_of_work() as uow:
        return _list_page(uow, own_plan(uow), own=True)


@blueprint.get("/plans/<uuid:plan_id>/matches")
@requires(Permission.READ_CLIENTS)
def matches(plan_id: UUID) -> str:
    """The list of a counsellor's client."""
    g.nav_endpoint = "overview.caseload"
    with unit_of_work() as uow:
        return _list_page(uow, view_plan(uow, plan_id), own=False)


@blueprint.get("/my-plan/matches/<code>")
@requires(Permission.OWN_PLAN)
def my_match(code: str) -> str:
    """Why an occupation stands where it stands, for the client."""
    with unit_of_work() as uow:
        return _why_page(uow, own_plan(uow), code, own=True)


@blueprint.get("/plans/<uuid:plan_id>/matches/<code>")
@requires(Permission.READ_CLIENTS)
def match(plan_id: UUID, code: str) -> str:
    """The same for the counsellor."""
    g.nav_endpoint = "overview.caseload"
    with unit_of_work() as uow:
        return _why_page(uow, view_plan(uow, plan_id), code, own=False)


@blueprint.post("/my-plan/shortlist")
@requires(Permission.OWN_PLAN)
def take() -> Response:
    """Take an occupation into the shortlist, and go back to where the button was."""
    code = request.form.get("code", "")
    with unit_of_work() as uow:
        new = take_occupation(uow, TakeOccupation(own_plan(uow).plan.id, code), gettext)[1]
    flash(gettext("It is in your shortlist.") if new else gettext("It was in your shortlist already."))
    match request.form.get("to"):
        case "list":
            return redirect(url_for("choice.my_matches", **Filters.read().args()))
        case "why":
            return redirect(url_for("choice.my_match", code=code))
    part: dict[str, Any] = {"part": 1} if request.form.get("part") else {}
    return redirect(url_for("overview.my_step", number=_KEY.number, _anchor="find", **part))


@blueprint.post("/plans/<uuid:plan_id>/recommendations")
@requires(Permission.WORK_PLANS)
def add_recommendation(plan_id: UUID) -> Response | tuple[str, int]:
    """A counsellor records another occupation with a reason."""
    typed = {name: request.form.get(name, "")[:20_000] for name in ("occupation", "why", "kind")}
    kind: Kind = "decided" if typed["kind"] == "decided" else "recommended"
    try:
        with unit_of_work() as uow:
            recommend(uow, Recommend(plan_id, typed["occupation"], typed["why"], kind), gettext)
    except InvalidInput as invalid:
        # Nothing was changed; the form comes back on a page of its own with what was typed.
        with unit_of_work() as uow:
            view = view_plan(uow, plan_id)
            page = render_template("steps/choice_recommend.html", view=view, typed=typed, problems=invalid.problems)
            return page, 422
    flash(gettext("It is recorded. Your %(client)s sees it with your name and your reason.", **words_here()))
    return redirect(url_for("plans.step", plan_id=plan_id, number=_KEY.number, _anchor="recommended"))


@blueprint.post("/plans/<uuid:plan_id>/recommendations/<recommendation>/withdraw")
@requires(Permission.WORK_PLANS)
def withdraw(plan_id: UUID, recommendation: str) -> Response:
    """A counsellor takes a recommendation back."""
    with unit_of_work() as uow:
        withdraw_recommendation(uow, plan_id, recommendation, gettext)
    flash(gettext("It is withdrawn. It stays in the history with its day."))
    return redirect(url_for("plans.step", plan_id=plan_id, number=_KEY.number, _anchor="recommended"))


def _list_page(uow: UnitOfWork, view: PlanView, *, own: bool) -> str:
    found = read_matches(uow, view)
    filters = Filters.read()
    href = _hrefs(view, own=own)
    taken = {row["code"]: row["id"] for row in view.content(_KEY).get("options", ()) if row.get("code")}
    return render_template(
        "steps/choice_matches.html",
        frame="base_phone.html" if own else "base.html",
        own=own,
        view=view,
        name=view.client.name,
        matches=found,
        filters=filters,
        page=page_of_matches(found, filters, href["list"]),
        families=FAMILIES,
        zones=ZONES,
        taken=taken,
        open=own and view.step(_KEY).status in OPEN_STATUSES,
        href=href,
        percent=percent,
        credit=credit_of(uow, found),
    )


def _why_page(uow: UnitOfWork, view: PlanView, code: str, *, own: bool) -> str:
    content = view.content(_KEY)
    found = read_matches(uow, view)
    option = next((row for row in content.get("options", ()) if row.get("code") == code), None)
    pinned = _as_it_was(uow, view, option) if request.args.get("then") and option else None
    said: Reasons | None = reasons_for(uow, pinned or found, code, gettext)
    if said is None:
        raise NotFound(gettext("There is no such occupation in the catalogue. Search for it by another name."))
    return render_template(
        "steps/choice_match.html",
        frame="base_phone.html" if own else "base.html",
        own=own,
        view=view,
        name=view.client.name,
        matches=pinned or found,
        pinned=pinned,
        said=said,
        option=option,
        standing=standings(found, content).get(option["id"]) if option else None,
        taken={row.get("code") for row in content.get("options", ())},
        families=FAMILIES,
        zones=ZONES,
        levels=EDUCATION,
        day_of=day_of,
        open=own and view.step(_KEY).status in OPEN_STATUSES,
        may_work=not own and actor().may(Permission.WORK_PLANS) and view.plan.status == "active",
        href=_hrefs(view, own=own),
        percent=percent,
        credit=credit_of(uow, found),
    )


def _as_it_was(uow: UnitOfWork, view: PlanView, option: Mapping[str, Any]) -> Matches | None:
    """The list as it was when an option was taken; None where the release or the result is no longer there."""
    saved, key = option.get("match"), option.get("release")
    release = find_release(uow, key) if key else None
    if not saved or release is None:
        return None
    try:
        assessment = UUID(saved["assessment"])
    except ValueError:
        return None
    found = read_matches(uow, view, release=release, assessment_id=assessment)
    return found if found.ranked is not None else None


def _hrefs(view: PlanView, *, own: bool) -> dict[str, Callable[..., str]]:
    """Where the list, one occupation and the step are, for this reader."""
    if own:
        return {
            "list": lambda **args: url_for("choice.my_matches", **args),
            "why": lambda code, **args: url_for("choice.my_match", code=code, **args),
            "step": lambda **args: url_for("overview.my_step", number=_KEY.number, **args),
        }
    plan = view.plan.id
    return {
        "list": lambda **args: url_for("choice.matches", plan_id=plan, **args),
        "why": lambda code, **args: url_for("choice.match", plan_id=plan, code=code, **args),
        "step": lambda **args: url_for("plans.step", plan_id=plan, number=_KEY.number, **args),
    }
