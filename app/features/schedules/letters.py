"""The mail that says a report is there: a link to a page behind sign-in, and never the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from babel.dates import format_date
from sqlalchemy import select

from app.config import Settings
from app.domain.cadence import ReviewPolicy, policy_as_json
from app.domain.saying import later
from app.features.messaging.kinds import Draft, MessageKind, OwnWords, Wording, Words
from app.features.messaging.rendering import render_mail
from app.features.messaging.service import queue_messages
from app.features.messaging.wordings import render_own, shipped_words
from app.features.organizations.models import Membership, Organization
from app.features.schedules.models import Schedule, ScheduleRun
from app.infra.db.open import UnitOfWork
from app.infra.drawing.svg import ACCENT
from app.infra.locales import regional

READY_KIND = "schedule_ready"
_EVERY_DAY = ReviewPolicy(weekdays=(0, 1, 2, 3, 4, 5, 6))
_PLACES = {
    "name": later("the reader's name"),
    "organization": later("the name of your organization"),
    "report": later("the name of the schedule"),
    "day": later("the day of the report"),
    "link": later("the link to the report; it must be there"),
}


def tell_reader(uow: UnitOfWork, schedule: Schedule, run: ScheduleRun, *, empty: bool) -> UUID:
    """Queue the mail about a run, once however often it is tried; the message's id. It waits for quiet hours."""
    here = uow.session.execute(select(Organization.locale, Organization.time_zone)).one()
    reader = uow.session.execute(
        select(Membership.name, Membership.email).where(Membership.id == run.membership_id)
    ).one()
    policy = policy_as_json(_EVERY_DAY)
    return queue_messages(
        uow,
        [
            {
                "dedupe_key": f"schedule:{run.id}",
                "kind": READY_KIND,
                "recipient": reader.email,
                "recipient_name": reader.name,
                "locale": here.locale,
                "params": {
                    "run": str(run.id),
                    "name": reader.name,
                    "report": schedule.name,
                    "day": run.occurrence_on.isoformat(),
                    "empty": int(empty),
                    "window": {
                        "zone": here.time_zone,
                        "quiet_hours": policy["quiet_hours"],
                        "weekdays": policy["weekdays"],
                    },
                },
                "client_id": None,
                "due_at": uow.now,
                "not_before": uow.now,
            }
        ],
    )[0]


def _url(settings: Settings, draft: Draft) -> str:
    return f"{settings.public_url.rstrip('/')}/schedules/received/{UUID(draft.params['run'])}"


def _render(settings: Settings, draft: Draft) -> Words:
    params = draft.params
    day = format_date(date.fromisoformat(params["day"]), "long", regional(draft.locale, draft.time_zone))
    words = draft.own_words.get(READY_KIND)
    if words is not None and not params["empty"]:
        values = {
            "name": params["name"],
            "organization": draft.organization_name,
            "report": params["report"],
            "day": day,
            "link": _url(settings, draft),
        }
        return render_own(draft, words, values)
    shared = {
        "accent": draft.accent or ACCENT,
        "lang": draft.locale.replace("_", "-"),
        "organization": draft.organization_name,
        "report": params["report"],
        "day": day,
        "empty": params["empty"],
    }
    own = {"name": params["name"], "url": _url(settings, draft), "unsubscribe_url": draft.unsubscribe_url}
    return Words(*render_mail(READY_KIND, draft.locale, shared, own))


def _shipped(locale: str) -> OwnWords:
    shared: dict[str, str | int | None] = {
        "accent": ACCENT,
        "lang": locale,
        "organization": "{organization}",
        "report": "{report}",
        "day": "{day}",
        "empty": 0,
    }
    return shipped_words(READY_KIND, locale, shared, {"name": "{name}", "url": "{link}"})


def _pointless(uow: UnitOfWork, waiting: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Of mails that waited, those to members who work here no more."""
    here = select(ScheduleRun.id).join(
        Membership,
        (Membership.organization_id == ScheduleRun.organization_id) & (Membership.id == ScheduleRun.membership_id),
    )
    ids = [UUID(one["run"]) for one in waiting]
    wanted = set(uow.session.scalars(here.where(ScheduleRun.id.in_(ids), Membership.active)))
    return [one for one in waiting if UUID(one["run"]) not in wanted]


KINDS: tuple[MessageKind, ...] = (
    MessageKind(
        name=READY_KIND,
        optional=True,
        render=_render,
        pointless=_pointless,
        wordings=(
            Wording(
                name=READY_KIND,
                title=later("The mail that a report of a schedule is there"),
                places=_PLACES,
                needed=frozenset({"link"}),
                shipped=_shipped,
            ),
        ),
    ),
)
