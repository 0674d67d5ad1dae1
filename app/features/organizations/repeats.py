"""The answers remembered under Idempotency-Keys (TRUST W1): scoped to the member, kept for a day."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete, select, text

from app.domain import access
from app.domain.errors import Conflict, FieldProblem, InvalidInput
from app.features.organizations.models import IdempotencyKey
from app.infra.db.open import UnitOfWork
from app.infra.runtime import Runtime
from app.infra.web.api.once import Answer

KEPT = timedelta(hours=24)


def recall(uow: UnitOfWork, key: str, digest: bytes) -> Answer | None:
    """The answer this member got for the key; None when it is new, and then it is held until the transaction ends.

    Raises Conflict while another request holds it, InvalidInput when it was used with another request.
    """
    # A lock and not a row: it ends with the transaction, however that ends.
    whose = f"idempotency:{uow.actor.organization_id}:{uow.actor.membership_id}:{key}"
    held = uow.session.execute(
        text("SELECT pg_try_advisory_xact_lock(hashtextextended(:whose, 0))"), {"whose": whose}
    ).scalar_one()
    if not held:
        raise Conflict("The first request with this Idempotency-Key is still being worked on. Try again in a moment.")
    _forget(uow)
    known = uow.session.scalars(
        select(IdempotencyKey).where(IdempotencyKey.membership_id == uow.actor.membership_id, IdempotencyKey.key == key)
    ).one_or_none()
    if known is None:
        return None
    if known.request_hash != digest:
        problem = FieldProblem("Idempotency-Key", "This key was used for another request. Use a new key.")
        raise InvalidInput([problem])
    assert known.status is not None
    assert known.body is not None
    return Answer(known.status, known.body["json"], known.body["location"])


def remember(uow: UnitOfWork, key: str, digest: bytes, answer: Answer) -> None:
    """Keep the answer, in the transaction of what it answers."""
    assert uow.actor.membership_id is not None
    uow.session.add(
        IdempotencyKey(
            membership_id=uow.actor.membership_id,
            key=key,
            request_hash=digest,
            status=answer.status,
            body={"json": answer.body, "location": answer.location},
            created_at=uow.now,
        )
    )
    uow.session.flush()


def forget_old(runtime: Runtime, organization_id: UUID) -> None:
    """Forget the organization's answers older than a day; harmless to repeat."""
    with runtime.database.unit_of_work(access.system(organization_id)) as uow:
        uow.session.execute(delete(IdempotencyKey).where(IdempotencyKey.created_at < uow.now - KEPT))


def _forget(uow: UnitOfWork) -> None:
    uow.session.execute(
        delete(IdempotencyKey)
        .where(
            IdempotencyKey.membership_id == uow.actor.membership_id,
            IdempotencyKey.created_at < uow.now - KEPT,
        )
        .execution_options(synchronize_session=False)
    )
