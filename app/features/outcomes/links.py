"""Links by which graduates say once what became of them: made for a mail, looked at, and used up by the answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from uuid import UUID, uuid4

from sqlalchemy import insert, select, text, update

from app.config import Settings
from app.domain.errors import Gone
from app.domain.outcomes import Destination
from app.features.audit.service import record
from app.features.clients.models import Client
from app.features.jobs.models import Job
from app.features.messaging.service import queue_messages
from app.features.organizations.models import Organization, Tenant
from app.features.organizations.queries import today_here
from app.features.outcomes.models import Outcome, OutcomeLink
from app.features.outcomes.service import keep_outcome
from app.infra.db.open import UnitOfWork
from app.infra.links import make_token

LINK_PURPOSE, ASKED_KIND = "outcome-link", "outcome_asked"
# Who reads mail once a month still can answer.
LINK_LIFE = timedelta(days=60)
# The last graduation of each, of which nothing is known.
_READERS = text(
    """
    SELECT c.id, c.email, c.given_name, c.given_name || ' ' || c.family_name AS name,
           coalesce(c.locale, o.locale) AS locale, g.class_year
    FROM unnest(CAST(:clients AS uuid[])) AS a(id)
    JOIN clients c ON c.id = a.id
    JOIN organizations o ON o.organization_id = c.organization_id
    JOIN LATERAL (
        SELECT g.class_year FROM graduations g WHERE g.organization_id = c.organization_id AND g.client_id = c.id
        ORDER BY g.class_year DESC LIMIT 1) g ON true
    WHERE c.email <> ''
    """
)


class LinkState(StrEnum):
    """What a link can do."""

    READY = "ready"
    USED = "used"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class LinkView:
    """A link with what its page shows: the given name, and nothing that is known of the graduate."""

    link: OutcomeLink
    given_name: str
    locale: str
    organization: Organization
    state: LinkState


def link_url(settings: Settings, organization_id: UUID, link_id: UUID) -> str:
    """The address that opens the form of a link."""
    return f"{settings.public_url.rstrip('/')}/first-destination/{link_token(settings, organization_id, link_id)}"


def link_token(settings: Settings, organization_id: UUID, link_id: UUID) -> str:
    """What an address of a link carries."""
    return make_token(settings, LINK_PURPOSE, organization_id, link_id)


def ask_by_mail(uow: UnitOfWork, job: Job, clients: Sequence[UUID]) -> dict[UUID, UUID]:
    """Make a link for each of the clients, of their last graduation, and queue a mail with it; message by client.

    A job asks somebody once, however often its batch is tried.
    """
    readers = uow.session.execute(_READERS, {"clients": list(clients)}).all()
    links = {reader.id: uuid4() for reader in readers}
    if links:
        uow.session.execute(
            insert(OutcomeLink),
            [
                {
                    "organization_id": job.organization_id,
                    "id": links[reader.id],
                    "client_id": reader.id,
                    "class_year": reader.class_year,
                    "job_id": job.id,
                    "created_at": uow.now,
                    "expires_at": uow.now + LINK_LIFE,
                }
                for reader in readers
            ],
        )
    queued = queue_messages(
        uow,
        [
            {
                "dedupe_key": f"outcome:{job.id}:{reader.id}",
                "kind": ASKED_KIND,
                "recipient": reader.email,
                "recipient_name": reader.name,
                "locale": reader.locale,
                "params": {
                    "link": links[reader.id],
                    "given_name": reader.given_name,
                    "class_year": reader.class_year,
                    "until": (uow.now + LINK_LIFE).date().isoformat(),
                },
                "client_id": reader.id,
                "due_at": uow.now,
                "not_before": uow.now,
            }
            for reader in readers
        ],
    )
    record(uow, "outcome.asked", "job", job.id, clients=len(readers))
    return {reader.id: message for reader, message in zip(readers, queued, strict=True)}


def view_link(uow: UnitOfWork, link_id: UUID) -> LinkView | None:
    """What a link says; None when its graduate or organization is no more. Changes nothing: mail scanners look too."""
    row = uow.session.execute(
        select(OutcomeLink, Client.given_name, Client.locale, Organization)
        .join(Client, Client.id == OutcomeLink.client_id)
        .join(Organization, Organization.organization_id == OutcomeLink.organization_id)
        .join(Tenant, Tenant.id == OutcomeLink.organization_id)
        .where(OutcomeLink.id == link_id, Tenant.active)
    ).one_or_none()
    if row is None:
        return None
    link, given_name, locale, organization = row
    state = LinkState.READY if uow.now < link.expires_at else LinkState.EXPIRED
    if link.used_at is not None:
        state = LinkState.USED
    return LinkView(link, given_name, locale or organization.locale, organization, state)


def tell_by_link(uow: UnitOfWork, link_id: UUID, given: Destination) -> Outcome:
    """Use the link up and keep what the graduate says, known today and said by themselves.

    One UPDATE decides: of any number of browsers at the same moment exactly one succeeds. Raises Gone unless the link
    was still good, and InvalidInput naming each field that cannot be; then the link is not used up.
    """
    row = uow.session.execute(
        update(OutcomeLink)
        .where(OutcomeLink.id == link_id, OutcomeLink.used_at.is_(None), OutcomeLink.expires_at > uow.now)
        .values(used_at=uow.now)
        .returning(OutcomeLink.client_id, OutcomeLink.class_year),
        execution_options={"synchronize_session": False},
    ).one_or_none()
    if row is None:
        raise Gone("This link was already used or has expired.")
    # What the form does not ask for nobody can put in by it.
    said = replace(given, source="survey", occupation="", known_on=today_here(uow))
    made = keep_outcome(uow, row.client_id, row.class_year, said, by=None)
    record(uow, "outcome.told", "client", row.client_id, outcome=str(made.id), link=str(link_id))
    return made
