"""The mail that tells a client what was given to them, where whoever gave it wished so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from babel.dates import format_date
from sqlalchemy import text

from app.config import Settings
from app.domain.saying import Say
from app.domain.wording import people_words
from app.features.assignments.days import due_day
from app.features.assignments.models import Assignment
from app.features.assignments.registry import GIFTS
from app.features.jobs.models import Job
from app.features.messaging.kinds import Draft, Line, MessageKind, Words
from app.features.messaging.rendering import render_mail
from app.features.messaging.service import queue_messages
from app.features.plans.rooms import step_of
from app.features.plans.words import step_names
from app.infra.db.open import UnitOfWork
from app.infra.drawing.svg import ACCENT
from app.infra.locales import regional
from app.infra.speech import speaker

ASSIGNED_KIND = "assigned"
_READERS = text(
    """
    SELECT c.id, c.given_name, c.family_name, c.email, coalesce(c.locale, o.locale) AS locale
    FROM unnest(CAST(:clients AS uuid[])) AS g(id)
    JOIN clients c ON c.id = g.id
    JOIN organizations o ON o.organization_id = c.organization_id
    WHERE c.email <> ''
    """
)
# Who no longer takes part, or has no longer what that job gave them.
_POINTLESS = text(
    """
    SELECT g.place FROM unnest(CAST(:jobs AS uuid[]), CAST(:clients AS uuid[])) WITH ORDINALITY AS g(job, client, place)
    LEFT JOIN clients c ON c.id = g.client
    LEFT JOIN job_items i ON i.organization_id = c.organization_id AND i.job_id = g.job AND i.subject_id = g.client
    WHERE c.active IS NOT TRUE OR i.state = 'undone' OR EXISTS (
        SELECT FROM assignment_members m WHERE m.organization_id = c.organization_id AND m.client_id = g.client
          AND m.detail ->> 'job' = CAST(g.job AS text) AND m.state = 'withdrawn')
    """
)


def tell_of(uow: UnitOfWork, job: Job, assignment: Assignment, clients: Sequence[UUID]) -> None:
    """Queue a mail for each of the clients who has an address; once for an assignment, however often it is tried.

    It passes the contact budget and the lists of who declined like every optional mail.
    """
    day = due_day(uow, assignment)
    # A step is named in the reader's language when the mail is written, so its title is not kept.
    of_step = assignment.what in ("step", "due")
    params: dict[str, Any] = {
        "what": assignment.what,
        "step": assignment.step,
        "title": "" if of_step else GIFTS[assignment.what].title(uow, assignment),
        "day": day.isoformat() if day else None,
        "job": str(job.id),
    }
    readers = uow.session.execute(_READERS, {"clients": list(clients)})
    queue_messages(
        uow,
        [
            {
                "dedupe_key": f"assigned:{assignment.id}:{reader.id}",
                "kind": ASSIGNED_KIND,
                "recipient": reader.email,
                "recipient_name": f"{reader.given_name} {reader.family_name}",
                "locale": reader.locale,
                "params": params | {"given_name": reader.given_name, "client": str(reader.id)},
                "client_id": reader.id,
                "due_at": uow.now,
                "not_before": uow.now,
            }
            for reader in readers
        ],
    )


def _asked(draft: Draft, say: Say) -> str:
    """What is asked for, as one sentence."""
    params = draft.params
    title = params["title"]
    if params["what"] in ("step", "due"):
        key = step_of(params["step"])
        title = say("Step %(number)s, %(step)s", number=key.number, step=step_names(say)[key])
    day = params["day"] and format_date(
        date.fromisoformat(params["day"]), "long", regional(draft.locale, draft.time_zone)
    )
    sentences = {
        "template": say("A career plan was begun for you: %(title)s", title=title),
        "instrument": say("Please answer this questionnaire: %(title)s", title=title),
        "action": say("This was put into your action plan: %(title)s", title=title),
    }
    said = sentences.get(params["what"]) or say("Please work on this: %(title)s", title=title)
    return say("%(asked)s. It is due on %(day)s.", asked=said, day=day) if day else say("%(asked)s.", asked=said)


def _url(settings: Settings) -> str:
    return f"{settings.public_url.rstrip('/')}/my-plan"


def _render(settings: Settings, draft: Draft) -> Words:
    say = speaker(draft.locale)
    shared = {
        "accent": draft.accent or ACCENT,
        "lang": draft.locale.replace("_", "-"),
        "organization": draft.organization_name,
        "counsellor_word": people_words("", draft.counsellor_word, say)["counsellor"],
        "asked": _asked(draft, say),
        "url": _url(settings),
    }
    own = {"given_name": draft.params["given_name"], "unsubscribe_url": draft.unsubscribe_url}
    return Words(*render_mail(ASSIGNED_KIND, draft.locale, shared, own))


def _line(settings: Settings, draft: Draft) -> Line:
    return Line(_asked(draft, speaker(draft.locale)), _url(settings))


def _pointless(uow: UnitOfWork, waiting: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Of mails that waited, those to people who are inactive by now, or of whom it was taken back."""
    pairs = {"jobs": [UUID(one["job"]) for one in waiting], "clients": [UUID(one["client"]) for one in waiting]}
    return [waiting[place - 1] for place in uow.session.scalars(_POINTLESS, pairs)]


KINDS: tuple[MessageKind, ...] = (
    MessageKind(name=ASSIGNED_KIND, optional=True, render=_render, line=_line, pointless=_pointless),
)
