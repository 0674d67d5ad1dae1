"""The page of one client."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any
from uuid import UUID

from flask import g, render_template, request, url_for
from flask_babel import get_locale, gettext

from app.domain.access import Permission
from app.domain.errors import InvalidInput
from app.domain.steps import StepKey
from app.features.clients.duplicates import links_of
from app.features.clients.labels import labels_of, visible_labels
from app.features.instruments.brief import score_in_words, trust_in_words
from app.features.instruments.profile import lines_in
from app.features.messaging.contacts import contacts_of
from app.features.moves.queries import history_of
from app.features.outcomes.pages import outcome_words
from app.features.outcomes.queries import history_of as destinations_of
from app.features.overview.blueprint import blueprint
from app.features.overview.client_view import ClientView, Happened, Place, Taken, timeline, view_client
from app.features.overview.words import span
from app.features.plans.words import event_sentence, step_names
from app.features.reports.parts import part_words
from app.features.steps.views import segments
from app.features.triggers.shown import reasons_shown
from app.infra.web.access import requires
from app.infra.web.api.paging import make_cursor, read_cursor
from app.infra.web.context import place, time_zone, unit_of_work

_LINES = 20


@blueprint.get("/clients/<uuid:client_id>")
@requires(Permission.READ_CLIENTS)
def client(client_id: UUID) -> str:
    """Who they are, where the plan stands, and everything that happened."""
    g.nav_endpoint = "overview.caseload"
    before = _place(request.args.get("before", ""))
    with unit_of_work() as uow:
        view = view_client(uow, client_id)
        lines = timeline(uow, client_id, before=before, limit=_LINES)
        contacts = contacts_of(uow, [client_id])[client_id]
        links = links_of(uow, client_id)
        labels = labels_of(uow, [client_id])[client_id]
        unused = [label for label in visible_labels(uow) if label not in labels]
        today = uow.now.astimezone(time_zone()).date()
        reasons = reasons_shown(uow, view.plan.id if view.plan is not None else None)
        looked_after = history_of(uow, client_id)
        destinations = destinations_of(uow, client_id)
    more = len(lines) > _LINES
    return render_template(
        "overview/client.html",
        view=view,
        client=view.client,
        steps=segments(view.steps, lambda number: url_for("plans.step", plan_id=view.steps[0].plan_id, number=number)),
        values=_values(view),
        due=view.next_due,
        reasons=reasons,
        looked_after=looked_after,
        destinations=destinations,
        **outcome_words(),
        contacts=contacts,
        links=links,
        labels=labels,
        unused=unused,
        today=today,
        silent=span((today - view.client.last_contact_at.astimezone(time_zone()).date()).days)
        if view.client.last_contact_at
        else None,
        entries=[SimpleNamespace(at=line.at, when=None, text=sentence(line)) for line in lines[:_LINES]],
        assessments=[_taken(taken) for taken in view.assessments],
        newest=url_for("overview.client", client_id=client_id) if before else None,
        older=url_for("overview.client", client_id=client_id, before=make_cursor(lines[_LINES - 1].cursor))
        if more
        else None,
        zone=place().time_zone,
        report_parts=part_words(gettext),
    )


def _place(given: str) -> Place | None:
    """The line of the timeline that an address names; None for none, or one that was not made for this page."""
    try:
        return tuple(read_cursor(given, 4)) if given else None
    except InvalidInput:
        return None


def _taken(taken: Taken) -> dict[str, Any]:
    """An assessment for the page: its scores in words with their bands, and where they are explained."""
    definition = taken.definition.in_language(str(get_locale() or "en"))
    return {
        "id": taken.id,
        "title": definition.title,
        "taken_at": taken.taken_at,
        "scores": [(line.title, score_in_words(line, gettext)) for line in lines_in(definition, taken.lines)],
        "trust": trust_in_words(definition, gettext),
        "href": url_for("instruments.result", assessment_id=taken.id),
    }


def _values(view: ClientView) -> list[tuple[str, str]]:
    """(label, value in words) of the attributes that have one."""
    shown = []
    for attribute in view.attributes:
        value = view.client.attributes.get(attribute.key)
        if value is None:
            continue
        if isinstance(value, bool):
            value = gettext("yes") if value else gettext("no")
        shown.append((attribute.label, str(value)))
    return shown


def sentence(line: Happened) -> str:
    """One line of the timeline in words."""
    who = line.who or "Octant"
    step = ""
    if line.step:
        name = step_names(gettext)[list(StepKey)[line.step - 1]]
        step = gettext("step %(number)s, %(name)s", number=line.step, name=name)
    if line.what == "comment":
        said = gettext("%(who)s on %(step)s: “%(body)s”", who=who, step=step, body=line.detail.get("body", ""))
    elif line.what == "given":
        said = gettext("A plan was given")
    elif line.what == "message":
        said = _message(line)
    elif line.what == "assessment":
        said = gettext("%(title)s taken", title=line.detail.get("title", ""))
    elif line.what == "review":
        said = gettext("Check-in answered: keep the plan") if line.kind == "confirm" else gettext("Check-in answered")
    else:
        said = event_sentence(line.kind, line.step, line.detail, line.who, gettext)
    return str(said)


def _message(line: Happened) -> str:
    reminder = str(line.detail.get("kind", "")).startswith(("prompt", "review"))
    what = gettext("Prompt to review the plan") if reminder else gettext("Message")
    states = {
        "sent": gettext("sent"),
        "failed": gettext("could not be sent"),
        "suppressed": gettext("not sent, the address gets none"),
        "held": gettext("waits for next week, because enough was sent in this one"),
        "merged": gettext("sent in one mail with others"),
    }
    state = states.get(line.kind, gettext("on its way"))
    reason = line.detail.get("reason")
    return f"{what}: {state}" + (f" ({reason})" if reason else "")
