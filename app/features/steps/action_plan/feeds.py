"""Use cases of calendar feeds: an address made, renewed, ended, and what it opens.

An address reads `/calendar/<organization, 32 hex digits>_<secret>.ics`: the organization is named so that the row can
be looked for under row security. The secret is 256 random bits; its hash is kept and nothing else.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4

from sqlalchemy import or_, select, update

from app.domain import access
from app.domain.errors import Forbidden
from app.domain.saying import Say, later, plain
from app.domain.steps import ActorKind
from app.features.audit.service import record
from app.features.clients.models import Client
from app.features.identity.models import User
from app.features.organizations.models import Membership, Organization, Tenant
from app.features.plans.acting import lock_plan
from app.features.plans.models import Plan, PlanStep, StepContent
from app.features.plans.policy import kind_of
from app.features.plans.queries import find_plan
from app.features.plans.rooms import step_of
from app.features.steps.action_plan.calendar import Source, make_calendar
from app.features.steps.action_plan.models import CalendarFeed
from app.infra.db.open import UnitOfWork
from app.infra.runtime import Runtime
from app.infra.speech import speaker

_TOKEN = re.compile(r"([0-9a-f]{32})_([A-Za-z0-9_-]{43})")
# Written at most so often, so that reading a calendar does not mean writing rows.
_NOTE_READ_EVERY = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Served:
    """A calendar as it is sent: its bytes, and the hash of its address for counting how often it is asked for."""

    body: bytes
    feed_id: UUID


def live_feed(uow: UnitOfWork, client_id: UUID) -> CalendarFeed | None:
    """The client's address that works now; the caller may see the client."""
    return uow.session.scalars(
        select(CalendarFeed).where(CalendarFeed.client_id == client_id, CalendarFeed.revoked_at.is_(None))
    ).one_or_none()


def renew_feed(uow: UnitOfWork, plan_id: UUID, say: Say = plain) -> tuple[CalendarFeed, str]:
    """Make the client an address, ending the one before. Returns its row and its token, shown once and stored nowhere.

    Only the client does it: whoever holds the address reads the client's dates.
    """
    plan = lock_plan(uow, plan_id, say)
    if kind_of(uow.actor) is not ActorKind.CLIENT or uow.actor.membership_id is None:
        raise Forbidden(later("Only the %(client)s makes an address for their calendar."))
    _end(uow, plan.client_id)
    secret = secrets.token_urlsafe(32)
    feed = CalendarFeed(
        id=uuid4(),
        client_id=plan.client_id,
        token_hash=_digest(secret),
        created_by=uow.actor.membership_id,
        created_at=uow.now,
    )
    uow.session.add(feed)
    uow.session.flush()
    record(uow, "calendar.made", "client", plan.client_id, feed=str(feed.id))
    return feed, f"{uow.actor.organization_id.hex}_{secret}"


def end_feed(uow: UnitOfWork, plan_id: UUID, say: Say = plain) -> bool:
    """End the address of the plan's client at once; returns whether there was one. The client and their counsellor may.

    Raises Forbidden for one who does not work on plans, NotFound for a plan the actor may not see.
    """
    plan = find_plan(uow, plan_id, lock=True)
    kind_of(uow.actor)
    if uow.actor.membership_id is None:
        raise Forbidden(say("Only a person can end the address."))
    return _end(uow, plan.client_id)


def serve_feed(runtime: Runtime, token: str, *, request_id: str = "") -> Served | None:
    """The calendar an address opens; None when it is unknown or ended, or when its client or place is not active.

    So it is when the client can no longer sign in. A new password by a link ends it as it ends all that was handed
    out before. A client without an active plan has an empty calendar, which fills again with the next plan.
    """
    parts = _TOKEN.fullmatch(token)
    if parts is None:
        return None
    organization_id = UUID(hex=parts[1])
    with runtime.database.unit_of_work(access.system(organization_id), request_id=request_id) as uow:
        row = uow.session.execute(
            select(CalendarFeed, Client, Organization, Membership.user_id)
            .join(Membership, Membership.id == CalendarFeed.created_by)
            .join(Client, Client.id == CalendarFeed.client_id)
            .join(Organization, Organization.organization_id == CalendarFeed.organization_id)
            .join(Tenant, Tenant.id == CalendarFeed.organization_id)
            .where(
                CalendarFeed.token_hash == _digest(parts[2]),
                CalendarFeed.revoked_at.is_(None),
                Client.active,
                Membership.active,
                Tenant.active,
            )
        ).one_or_none()
        if row is None:
            return None
        feed, client, organization, user_id = row
        uow.session.execute(
            update(CalendarFeed)
            .where(
                CalendarFeed.id == feed.id,
                or_(CalendarFeed.read_at.is_(None), CalendarFeed.read_at <= uow.now - _NOTE_READ_EVERY),
            )
            .values(read_at=uow.now)
            .execution_options(synchronize_session=False)
        )
        source = _source(uow, feed, client, runtime.settings.public_url.rstrip("/"))
    with runtime.database.identity_session() as session:
        user = session.execute(select(User.password_reset_at).where(User.id == user_id, User.active)).one_or_none()
    if user is None:
        return None
    if user.password_reset_at is not None and feed.created_at <= user.password_reset_at:
        with runtime.database.unit_of_work(access.system(organization_id), request_id=request_id) as uow:
            _end(uow, client.id)
        return None
    locale = client.locale or organization.locale
    body = make_calendar(source, speaker(locale), language=locale.replace("_", "-"))
    return Served(body, feed.id)


def _source(uow: UnitOfWork, feed: CalendarFeed, client: Client, home: str) -> Source:
    plan = uow.session.scalars(select(Plan).where(Plan.client_id == client.id, Plan.status == "active")).one_or_none()
    if plan is None:
        return Source(feed.id, client.name, feed.created_at, feed.created_at, None, (), {}, {}, home)
    rows = uow.session.scalars(select(StepContent).where(StepContent.plan_id == plan.id)).all()
    steps = uow.session.scalars(select(PlanStep).where(PlanStep.plan_id == plan.id).order_by(PlanStep.step))
    return Source(
        plan_id=plan.id,
        name=client.name,
        created_at=plan.created_at,
        updated_at=plan.updated_at,
        next_review_on=plan.next_review_on,
        steps=tuple((step.step, step.status, step.due_on) for step in steps),
        contents={step_of(row.step): row.content for row in rows},
        saved={step_of(row.step): (row.version, row.updated_at) for row in rows},
        home=home,
    )


def _end(uow: UnitOfWork, client_id: UUID) -> bool:
    feed = live_feed(uow, client_id)
    if feed is None:
        return False
    feed.revoked_at, feed.revoked_by = uow.now, uow.actor.membership_id
    uow.session.flush()
    record(uow, "calendar.ended", "client", client_id, feed=str(feed.id))
    return True


def _digest(secret: str) -> bytes:
    """What is stored: the SHA-256; the secret is 256 random bits, so that no slow hash is needed."""
    return hashlib.sha256(secret.encode()).digest()
