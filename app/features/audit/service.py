"""Append to the audit ledger and verify its chain.

The entries of one transaction form a batch. Its hash covers the batch before, so that a changed,
removed or reordered batch shows; the head row is locked only while the transaction is about to
commit, so that writers of one organization wait for each other as briefly as possible.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import Select, bindparam, func, insert, literal, select, text
from sqlalchemy.dialects.postgresql import JSONB

from app.domain.saying import later
from app.features.audit.models import AuditBatch, AuditEntry, AuditHead
from app.infra.db.open import UnitOfWork

# The canonical text of an entry; jsonb prints its keys in one fixed order.
_CANONICAL = (
    "e.position || '|' || e.action || '|' || e.subject_kind || '|' || coalesce(e.subject_id::text, '')"
    " || '|' || e.detail::text"
)
_DIGEST = text(
    "SELECT count(*) AS entries, sha256(convert_to("
    f"coalesce(string_agg({_CANONICAL}, E'\\n' ORDER BY e.position), ''), 'UTF8')) AS digest"  # a constant
    " FROM audit_entries e WHERE e.sequence = :sequence"
)
_HASH = text("SELECT sha256(:previous || :digest || convert_to(:header, 'UTF8')) AS hash").bindparams(
    bindparam("previous"), bindparam("digest")
)


@dataclass(slots=True)
class _Pending:
    entries: list[dict[str, Any]] = field(default_factory=list)
    selects: list[tuple[str, str, Select[Any], dict[str, Any]]] = field(default_factory=list)


def record(
    uow: UnitOfWork,
    action: str,
    subject_kind: str,
    subject_id: UUID | None = None,
    **detail: Any,
) -> None:
    """Note that the actor did `action` to one subject; written with the transaction or not at all.

    `detail` must be JSON; it holds ids, counts and settings, never the text of notes or answers.
    """
    _pending(uow).entries.append(
        {"action": action, "subject_kind": subject_kind, "subject_id": subject_id, "detail": detail}
    )


def record_each(uow: UnitOfWork, action: str, subject_kind: str, subjects: Select[UUID], **detail: Any) -> None:
    """Note `action` once for every id that `subjects` selects at the end of the transaction, in one statement."""
    _pending(uow).selects.append((action, subject_kind, subjects, detail))


def _pending(uow: UnitOfWork) -> _Pending:
    pending: _Pending | None = uow.info.get("audit")
    if pending is None:
        pending = uow.info["audit"] = _Pending()
        uow.before_commit(_append)
    return pending


def _append(uow: UnitOfWork) -> None:
    pending: _Pending = uow.info["audit"]
    session, organization_id = uow.session, uow.actor.organization_id
    session.flush()
    head = session.execute(
        text("SELECT sequence, hash FROM audit_heads WHERE organization_id = :o FOR UPDATE"),
        {"o": organization_id},
    ).one()
    sequence = head.sequence + 1
    position = 0
    if pending.entries:
        rows = [
            {"organization_id": organization_id, "sequence": sequence, "position": i, **entry}
            for i, entry in enumerate(pending.entries, start=1)
        ]
        session.execute(insert(AuditEntry.__table__), rows)  # type: ignore[arg-type] # a Table is insertable
        position = len(rows)
    for action, kind, subjects, detail in pending.selects:
        chosen = subjects.subquery()
        session.execute(
            insert(AuditEntry.__table__).from_select(  # type: ignore[arg-type] # a Table is insertable
                ["organization_id", "sequence", "position", "action", "subject_kind", "subject_id", "detail"],
                select(
                    literal(organization_id),
                    literal(sequence),
                    literal(position) + func.row_number().over(),
                    literal(action),
                    literal(kind),
                    chosen.c[0],
                    literal(detail, JSONB),
                ),
            )
        )
        position = session.execute(
            select(func.coalesce(func.max(AuditEntry.position), 0)).where(AuditEntry.sequence == sequence)
        ).scalar_one()
    counted = session.execute(_DIGEST, {"sequence": sequence}).one()
    batch = AuditBatch(
        organization_id=organization_id,
        sequence=sequence,
        at=uow.now,
        actor_kind=uow.actor.role.value if uow.actor.kind == "member" else uow.actor.kind,
        actor_id=uow.actor.membership_id,
        request_id=uow.request_id,
        entries=counted.entries,
        digest=counted.digest,
        previous=head.hash,
    )
    batch.hash = _hash(uow, batch)
    session.add(batch)
    session.flush()
    session.execute(
        text("UPDATE audit_heads SET sequence = :s, hash = :h WHERE organization_id = :o"),
        {"s": sequence, "h": batch.hash, "o": organization_id},
    )


def _hash(uow: UnitOfWork, batch: AuditBatch) -> bytes:
    header = "|".join(
        [
            str(batch.sequence),
            batch.at.isoformat(),
            batch.actor_kind,
            str(batch.actor_id or ""),
            batch.request_id,
            str(batch.entries),
        ]
    )
    values = {"previous": batch.previous, "digest": batch.digest, "header": header}
    return bytes(uow.session.execute(_HASH, values).scalar_one())


def verify(uow: UnitOfWork) -> list[str]:
    """Recompute the organization's chain; return a sentence for every place where it does not hold."""
    problems = []
    previous, expected = b"", 1
    batches = uow.session.scalars(select(AuditBatch).order_by(AuditBatch.sequence)).all()
    for batch in batches:
        counted = uow.session.execute(_DIGEST, {"sequence": batch.sequence}).one()
        if batch.sequence != expected:
            problems.append(later("Batch %(number)s is missing.", number=expected))
        if batch.previous != previous:
            problems.append(later("Batch %(number)s does not follow the batch before it.", number=batch.sequence))
        if counted.entries != batch.entries or counted.digest != batch.digest:
            problems.append(
                later("The entries of batch %(number)s are not those that were written.", number=batch.sequence)
            )
        if _hash(uow, batch) != batch.hash:
            problems.append(later("Batch %(number)s itself was changed.", number=batch.sequence))
        previous, expected = batch.hash, batch.sequence + 1
    written = uow.session.scalar(select(func.count()).select_from(AuditEntry)) or 0
    if not problems and written != sum(batch.entries for batch in batches):
        problems.append(later("There are entries that belong to no batch."))
    head = uow.session.scalars(select(AuditHead)).one()
    if head.hash != previous or head.sequence != expected - 1:
        problems.append(later("The end of the chain is not where the ledger says."))
    return problems
