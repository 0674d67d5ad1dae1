"""The mail that asks a graduate what became of them, with a link that opens a short form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from babel.dates import format_date
from sqlalchemy import exists, select

from app.config import Settings
from app.features.messaging.kinds import Draft, Line, MessageKind, Words
from app.features.messaging.rendering import render_mail
from app.features.outcomes.links import ASKED_KIND, link_url
from app.features.outcomes.models import Outcome, OutcomeLink
from app.infra.db.open import UnitOfWork
from app.infra.drawing.svg import ACCENT
from app.infra.locales import regional
from app.infra.speech import speaker


def _url(settings: Settings, draft: Draft) -> str:
    return link_url(settings, draft.organization_id, UUID(draft.params["link"]))


def _render(settings: Settings, draft: Draft) -> Words:
    params = draft.params
    until = format_date(date.fromisoformat(params["until"]), "long", regional(draft.locale, draft.time_zone))
    shared = {
        "accent": draft.accent or ACCENT,
        "lang": draft.locale.replace("_", "-"),
        "organization": draft.organization_name,
        "class_year": params["class_year"],
        "until": until,
    }
    own = {
        "given_name": params["given_name"],
        "url": _url(settings, draft),
        "unsubscribe_url": draft.unsubscribe_url,
    }
    return Words(*render_mail(ASKED_KIND, draft.locale, shared, own))


def _line(settings: Settings, draft: Draft) -> Line:
    say = speaker(draft.locale)
    return Line(say("Tell us in two minutes what became of you"), _url(settings, draft))


def _answered(uow: UnitOfWork, waiting: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Of mails that waited, those that ask what is known by now, or whose link is gone."""
    known = exists().where(
        Outcome.organization_id == OutcomeLink.organization_id,
        Outcome.client_id == OutcomeLink.client_id,
        Outcome.class_year == OutcomeLink.class_year,
        Outcome.withdrawn_at.is_(None),
    )
    wanted = set(
        uow.session.scalars(
            select(OutcomeLink.id).where(
                OutcomeLink.id.in_([UUID(params["link"]) for params in waiting]),
                OutcomeLink.used_at.is_(None),
                OutcomeLink.expires_at > uow.now,
                ~known,
            )
        )
    )
    return [params for params in waiting if UUID(params["link"]) not in wanted]


KINDS: tuple[MessageKind, ...] = (
    MessageKind(name=ASKED_KIND, optional=True, render=_render, line=_line, pointless=_answered),
)
