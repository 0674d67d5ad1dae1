"""Review links: what one says, redeeming it once, and asking for a fresh one."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from uuid import UUID, uuid4

from sqlalchemy import func, select, update

from app.domain.errors import Gone
from app.features.audit.service import record
from app.features.clients.models import Client
from app.features.messaging.service import queue_messages
from app.features.organizations.models import Organization, Tenant
from app.features.plans.models import Plan
from app.features.reviews.engine import LINK_LIFE
from app.features.reviews.messages import FRESH_LINK_KIND
from app.features.reviews.models import Review, ReviewLink
from app.infra.db.open import UnitOfWork

# The browser that opened a link may go on this long.
BROWSER_LIFE = timedelta(hours=24)
MOST_FRESH_LINKS_A_DAY = 3


class LinkState(StrEnum):
    """What a link can do for the browser that asks."""

    READY = "ready"
    OPENED_HERE = "opened_here"
    USED = "used"
    EXPIRED = "expired"
    ANSWERED = "answered"
    # Made with the decision, and good: it opens what came of the check-in.
    DECIDED = "decided"


@dataclass(frozen=True, slots=True)
class LinkView:
    """A link with what its page shows; nothing here is the client's own writing.

    `here`: the browser that asks opened it, and may still go on; it may read what came of the check-in too.
    """

    link: ReviewLink
    review: Review
    client: Client
    organization: Organization
    state: LinkState
    here: bool


def view_link(uow: UnitOfWork, link_id: UUID, browser_token: str = "") -> LinkView | None:
    """What the link says to a browser that holds `browser_token`; None when its plan is no more. Changes nothing.

    The links of a suspended organization open nothing while it is suspended.
    """
    row = uow.session.execute(
        select(ReviewLink, Review, Client, Organization)
        .join(Review, Review.id == ReviewLink.review_id)
        .join(Plan, Plan.id == Review.plan_id)
        .join(Client, Client.id == Plan.client_id)
        .join(Organization, Organization.organization_id == ReviewLink.organization_id)
        .join(Tenant, Tenant.id == ReviewLink.organization_id)
        .where(ReviewLink.id == link_id, Plan.status == "active", Client.active, Tenant.active)
    ).one_or_none()
    if row is None:
        return None
    link, review, client, organization = row
    here = _is_here(uow, link, browser_token)
    return LinkView(link, review, client, organization, _state(uow, link, review, here=here), here)


def redeem_link(uow: UnitOfWork, link_id: UUID) -> str:
    """Use the link up; returns the token the opening browser keeps. Raises Gone unless it was still good.

    One UPDATE decides: of any number of browsers at the same moment exactly one succeeds (S7).
    """
    token = secrets.token_urlsafe(32)
    review_id = uow.session.execute(
        update(ReviewLink)
        .where(ReviewLink.id == link_id, ReviewLink.used_at.is_(None), ReviewLink.expires_at > uow.now)
        .values(used_at=uow.now, browser_hash=_hash(token))
        .returning(ReviewLink.review_id)
    ).scalar_one_or_none()
    if review_id is None:
        raise Gone("This link was already used or has expired.")
    uow.session.execute(
        update(Review)
        .where(Review.id == review_id, Review.state == "open")
        .values(state="started", opened_at=func.coalesce(Review.opened_at, uow.now))
    )
    record(uow, "review.opened_by_link", "review", review_id, link=str(link_id))
    return token


def ask_fresh_link(uow: UnitOfWork, link_id: UUID) -> None:
    """Mail a fresh link to the address on file, where the review still waits for its answer; say nothing either way.

    At most three a day for one review: the address belongs to the client, not to whoever asks.
    """
    view = view_link(uow, link_id)
    if view is None or view.state in (LinkState.ANSWERED, LinkState.DECIDED) or not view.client.email:
        return
    uow.session.execute(select(Review.id).where(Review.id == view.review.id).with_for_update())
    made = uow.session.execute(
        select(func.count()).where(
            ReviewLink.review_id == view.review.id, ReviewLink.created_at > uow.now - timedelta(days=1)
        )
    ).scalar_one()
    if made >= MOST_FRESH_LINKS_A_DAY:
        return
    fresh = ReviewLink(id=uuid4(), review_id=view.review.id, expires_at=uow.now + LINK_LIFE, created_at=uow.now)
    uow.session.add(fresh)
    uow.session.flush()
    queue_messages(
        uow,
        [
            {
                "dedupe_key": f"fresh-link:{fresh.id}",
                "kind": FRESH_LINK_KIND,
                "recipient": view.client.email,
                "recipient_name": view.client.name,
                "locale": view.client.locale or view.organization.locale,
                "params": {
                    "link": fresh.id,
                    "day": view.review.occurrence_on,
                    "given_name": view.client.given_name,
                },
                "client_id": view.client.id,
                "due_at": uow.now,
                "not_before": uow.now,
            }
        ],
    )
    record(uow, "review.fresh_link", "review", view.review.id)


def _is_here(uow: UnitOfWork, link: ReviewLink, browser_token: str) -> bool:
    if link.used_at is None or not browser_token:
        return False
    mine = hmac.compare_digest(link.browser_hash or b"", _hash(browser_token))
    return mine and uow.now < link.used_at + BROWSER_LIFE


def _state(uow: UnitOfWork, link: ReviewLink, review: Review, *, here: bool) -> LinkState:
    if review.state not in ("open", "started"):
        told = review.closed_at is not None and link.created_at >= review.closed_at
        good = link.used_at is None and uow.now < link.expires_at
        return LinkState.DECIDED if told and good else LinkState.ANSWERED
    if link.used_at is not None:
        return LinkState.OPENED_HERE if here else LinkState.USED
    return LinkState.READY if uow.now < link.expires_at else LinkState.EXPIRED


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
