"""A result as a page, for the client whose it is and for the counsellor."""

from __future__ import annotations

from uuid import UUID

from flask import flash, g, redirect, render_template, url_for
from flask_babel import format_date, gettext
from werkzeug.wrappers import Response

from app.domain.access import Permission
from app.features.instruments import words
from app.features.instruments.pages import blueprint
from app.features.instruments.profile import Profile, lines_in, profile_of
from app.features.instruments.rescoring import rescore_assessment
from app.features.instruments.sitting_pages import in_reader_language, step_address
from app.infra.web.access import requires
from app.infra.web.context import actor, time_zone, unit_of_work


@blueprint.get("/results/<uuid:assessment_id>")
@requires(Permission.OWN_PLAN, Permission.READ_CLIENTS)
def result(assessment_id: UUID) -> str:
    """Scores with their error bands, what they say together, change since the time before."""
    own = actor().may(Permission.OWN_PLAN)
    g.nav_endpoint = "overview.my_plan" if own else "overview.caseload"
    with unit_of_work() as uow:
        return _page(profile_of(uow, assessment_id), own=own)


@blueprint.post("/results/<uuid:assessment_id>/score-again")
@requires(Permission.WORK_PLANS)
def score_again(assessment_id: UUID) -> Response:
    """Score the same answers with the latest version; the former scores stay in the history."""
    with unit_of_work() as uow:
        rescore_assessment(uow, assessment_id)
    flash(gettext("The answers are scored with the latest version. The former scores are kept below."))
    return redirect(url_for("instruments.result", assessment_id=assessment_id))


def _page(profile: Profile, *, own: bool) -> str:
    definition = in_reader_language(profile.definition)
    lines = lines_in(definition, profile.lines)
    before = None if profile.before_at is None else format_date(profile.before_at.astimezone(time_zone()), "medium")
    people = next((line.error.people for line in lines if line.error and line.error.own), None)
    shape = profile.shape
    return render_template(
        "instruments/result.html",
        own=own,
        profile=profile,
        definition=definition,
        lines=lines,
        pictures=words.pictures_of(definition, lines, gettext, before=before),
        order=words.order_of(lines) if definition.ranking else None,
        map=words.map_of(shape, lines, gettext) if shape else None,
        sentences=words.shape_sentences(shape, lines[0].high, gettext, exact=shape.map_error is not None)
        if shape
        else [],
        trust=words.trust_sentences(definition, known_errors=profile.known_errors, people=people, _=gettext),
        changes=[(line.title, words.change_words(gettext)[line.change]) for line in lines if line.change],
        before=before,
        answering=[] if own else words.answering_sentences(profile, gettext),
        figure=lambda value: words.figure(value, gettext),
        may_rescore=actor().may(Permission.WORK_PLANS) and profile.latest_version > profile.assessment.version,
        back=step_address() if own else url_for("overview.client", client_id=profile.client.id),
    )
