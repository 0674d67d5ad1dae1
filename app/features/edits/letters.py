"""A mail to each of many: optional mail, so that who declined gets none, and it counts in each reader's week."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _
from sqlalchemy import text

from app.domain.access import Permission
from app.domain.errors import FieldProblem, InvalidInput
from app.domain.saying import later
from app.features.clients.letters import MOST_SUBJECT, MOST_TEXT, render_letter
from app.features.edits.kinds import NEW, EditKind, Values
from app.features.edits.reading import a_text
from app.features.jobs.models import Job
from app.features.jobs.service import Settled
from app.features.messaging.kinds import MessageKind
from app.features.messaging.service import queue_messages
from app.infra.db.open import UnitOfWork

LETTER_TO_MANY = "staff_letter_to_many"
_LOOK = """
    SELECT a.client_id, NULL::jsonb AS before, NULL::jsonb AS after,
           CASE WHEN c.active IS NOT TRUE THEN 'inactive' WHEN coalesce(c.email, '') = '' THEN 'no_address'
                WHEN x.bounced THEN 'bounced' WHEN x.address IS NOT NULL THEN 'declined'
                WHEN (SELECT count(*) FROM contact_slots s WHERE s.organization_id = c.organization_id
                      AND s.client_id = c.id AND s.week = date_trunc('week', CAST(:now AS timestamptz)
                          AT TIME ZONE coalesce(c.time_zone, o.time_zone))::date) >= o.contact_cap THEN 'waits'
                ELSE 'new' END AS outcome
    FROM asked a LEFT JOIN clients c ON c.id = a.client_id
    LEFT JOIN organizations o ON o.organization_id = c.organization_id
    LEFT JOIN suppressed_addresses x ON x.organization_id = c.organization_id AND x.address = lower(c.email)
"""
_READERS = text(
    "SELECT c.id, c.email, c.given_name || ' ' || c.family_name AS name, coalesce(c.locale, o.locale) AS locale"
    " FROM clients c JOIN organizations o ON o.organization_id = c.organization_id"
    " WHERE c.id = ANY(CAST(:clients AS uuid[]))"
)
_INACTIVE = text(
    "SELECT g.id FROM unnest(CAST(:clients AS uuid[])) AS g(id) LEFT JOIN clients c ON c.id = g.id"
    " WHERE c.active IS NOT TRUE"
)
_WRITER = text("SELECT name, email FROM memberships WHERE id = :by")


def _read(_uow: UnitOfWork, raw: Values) -> dict[str, Any]:
    values = {"subject": a_text(raw.get("subject"), MOST_SUBJECT), "text": a_text(raw.get("text"), MOST_TEXT)}
    most = {"subject": MOST_SUBJECT, "text": MOST_TEXT}
    problems = [
        FieldProblem(name, later("Write between %(least)s and %(most)s characters.", least=1, most=most[name]))
        for name, value in values.items()
        if value is None
    ]
    if problems:
        raise InvalidInput(problems)
    return {"subject": " ".join((values["subject"] or "").split()), "text": values["text"]}


def _parameters(_uow: UnitOfWork, _values: Values) -> dict[str, Any]:
    return {}


def _say(_uow: UnitOfWork, values: Values) -> str:
    return str(values["subject"])


def _act(uow: UnitOfWork, job: Job, values: Values, clients: Sequence[UUID]) -> Mapping[UUID, Settled]:
    writer = uow.session.execute(_WRITER, {"by": job.created_by}).one()
    readers = uow.session.execute(_READERS, {"clients": list(clients)}).all()
    params = {**values, "sender": writer.name, "reply_to": writer.email}
    rows = [
        {
            # A job writes to somebody once, however often its batch is tried.
            "dedupe_key": f"edit:{job.id}:{reader.id}",
            "kind": LETTER_TO_MANY,
            "recipient": reader.email,
            "recipient_name": reader.name,
            "locale": reader.locale,
            "params": params | {"client": str(reader.id)},
            "client_id": reader.id,
            "due_at": uow.now,
            "not_before": uow.now,
        }
        for reader in readers
    ]
    queued = queue_messages(uow, rows)
    return {
        reader.id: Settled(result={"message": str(message)}) for reader, message in zip(readers, queued, strict=True)
    }


KIND = EditKind(
    name="message",
    label=_("Write to them"),
    permission=Permission.WORK_PLANS,
    read=_read,
    parameters=_parameters,
    say=_say,
    look=_LOOK,
    act=_act,
    goes=frozenset({NEW, "waits"}),
    reasons={
        "inactive": later("Is no longer active."),
        "no_address": later("Has no e-mail address."),
        "bounced": later("Mail to their address came back."),
        "declined": later("Wants no mail of this kind."),
    },
    figures={"new": later("get it now"), "waits": later("get it next week, because enough was sent in this one")},
    batch_size=500,
)


def _pointless(uow: UnitOfWork, waiting: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Of mails that waited, those to people who are inactive by now."""
    gone = set(uow.session.scalars(_INACTIVE, {"clients": [UUID(one["client"]) for one in waiting]}))
    return [one for one in waiting if UUID(one["client"]) in gone]


MESSAGES: tuple[MessageKind, ...] = (
    MessageKind(name=LETTER_TO_MANY, optional=True, render=render_letter, pointless=_pointless),
)
