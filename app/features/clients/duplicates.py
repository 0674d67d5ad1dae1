"""Records that are likely one person: found with the reasons, linked after somebody looked, unlinked without loss."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import or_, select, text

from app.domain.access import Permission
from app.domain.errors import Conflict, FieldProblem, Forbidden, InvalidInput, NotFound
from app.features.audit.service import record
from app.features.clients.models import Client, ClientPair
from app.features.clients.policy import sees_everybody, visible_clients
from app.features.clients.queries import get_client
from app.features.clients.service import mark_rules_stale
from app.infra.db.open import UnitOfWork

# What two records share, the strongest first, and what each weighs: an id written in two ways is one person and an
# address is rarely shared, the more so with a name; a name alone often is. Who has a name in common is looked at again
# for two hints: the same mailbox name at another house, and the same details.
WEIGHTS = {"external": 6, "email": 6, "mailbox": 3, "details": 2, "name": 1}
# More records than this with one name or address are many people (or a shared mailbox), not one.
_MOST_ALIKE = 8
# Fewer details than this say little when they are the same.
_LEAST_DETAILS = 2
# Grouped by what they share, so that the cost grows with the records and not with their pairs.
_LIKELY = text(
    """
    WITH keys AS MATERIALIZED (
        SELECT c.organization_id, c.id, 'email' AS kind, c.email_folded AS key FROM clients c WHERE c.email_folded <> ''
        UNION ALL
        SELECT c.organization_id, c.id, 'name',
               least(c.given_folded, c.family_folded) || ' ' || greatest(c.given_folded, c.family_folded)
        FROM clients c WHERE c.given_folded <> '' AND c.family_folded <> ''
        UNION ALL
        SELECT c.organization_id, c.id, 'external', ltrim(translate(c.external_folded, ' -_./', ''), '0') FROM clients c
        WHERE ltrim(translate(c.external_folded, ' -_./', ''), '0') <> ''
    ), alike AS (
        SELECT organization_id, kind, array_agg(id ORDER BY id) AS ids FROM keys GROUP BY organization_id, kind, key
        HAVING count(*) BETWEEN 2 AND :most
    ), pairs AS (
        SELECT a.organization_id, x.id AS first_id, y.id AS second_id, array_agg(a.kind) AS kinds
        FROM alike a CROSS JOIN unnest(a.ids) AS x(id) JOIN unnest(a.ids) AS y(id) ON x.id < y.id
        GROUP BY a.organization_id, x.id, y.id
    ), open AS (
        SELECT q.first_id, q.second_id, q.kinds
            || CASE WHEN 'name' = ANY(q.kinds) AND f.email_folded <> '' AND f.email_folded <> s.email_folded
                     AND split_part(f.email_folded, '@', 1) = split_part(s.email_folded, '@', 1)
               THEN ARRAY['mailbox'] ELSE ARRAY[]::text[] END
            || CASE WHEN 'name' = ANY(q.kinds) AND f.attributes = s.attributes
                     AND (SELECT count(*) FROM jsonb_object_keys(f.attributes)) >= :details
               THEN ARRAY['details'] ELSE ARRAY[]::text[] END AS shared
        FROM pairs q
        JOIN clients f ON f.organization_id = q.organization_id AND f.id = q.first_id
        JOIN clients s ON s.organization_id = q.organization_id AND s.id = q.second_id
        WHERE NOT EXISTS (SELECT FROM client_pairs p WHERE p.first_id = q.first_id AND p.second_id = q.second_id)
          AND NOT EXISTS (
              SELECT FROM client_pairs p WHERE p.state = 'linked' AND p.linked_id IN (q.first_id, q.second_id))
    ), weighed AS MATERIALIZED (
        SELECT first_id, second_id, shared, shared = ARRAY['name'] AS by_name,
               (SELECT sum(CAST(CAST(:weights AS jsonb) ->> kind AS integer)) FROM unnest(shared) AS kind) AS weight
        FROM open
    ), numbers AS (
        SELECT count(*) FILTER (WHERE NOT by_name) AS likely, count(*) FILTER (WHERE by_name) AS namesakes FROM weighed
    )
    SELECT n.likely, n.namesakes, w.first_id, w.second_id, w.shared FROM numbers n LEFT JOIN (
        SELECT first_id, second_id, shared, weight FROM weighed
        WHERE CAST(:by_name AS boolean) IS NULL OR by_name = :by_name
        ORDER BY weight DESC, first_id, second_id LIMIT :limit OFFSET :offset
    ) w ON true ORDER BY w.weight DESC, w.first_id, w.second_id
    """
)
_FACTS = text(
    """
    SELECT c.id, c.given_name || ' ' || c.family_name AS name, c.external_id, coalesce(c.email, '') AS email, c.active,
           c.created_at, c.last_contact_at, c.membership_id IS NOT NULL AS signs_in,
           EXISTS (SELECT FROM plans p WHERE p.organization_id = c.organization_id AND p.client_id = c.id) AS has_plan
    FROM clients c WHERE c.id = ANY(CAST(:ids AS uuid[]))
    """
)


@dataclass(frozen=True, slots=True)
class Facts:
    """What helps to see whether two records are one person."""

    id: UUID
    name: str
    external_id: str
    email: str
    active: bool
    created_at: datetime
    last_contact_at: datetime | None
    signs_in: bool
    has_plan: bool


@dataclass(frozen=True, slots=True)
class Likely:
    """Two records that are likely one person, and what they share: keys of `WEIGHTS`, the strongest first."""

    first: Facts
    second: Facts
    shared: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """A part of the pairs, and how many there are in all: that share more than a name, and that share a name alone."""

    pairs: list[Likely]
    likely: int
    namesakes: int


@dataclass(frozen=True, slots=True)
class Linked:
    """A link as a client's page shows it: the other record, and whether it is the one put behind."""

    other: Facts
    behind: bool
    decided_at: datetime


def likely_pairs(uow: UnitOfWork, *, limit: int = 25, offset: int = 0, by_name: bool | None = None) -> Found:
    """Pairs nobody has decided on, the likeliest first; `by_name`: only those that share a name alone, or none of them.

    Compared are folded names in either order, e-mail addresses, and external ids without signs and leading zeros.
    Raises Forbidden for who does not see everybody, a token of the administration alone among them.
    """
    _may_look(uow)
    values = {"most": _MOST_ALIKE, "details": _LEAST_DETAILS, "weights": json.dumps(WEIGHTS)}
    rows = uow.session.execute(_LIKELY, {**values, "by_name": by_name, "limit": limit, "offset": offset}).all()
    # Without a pair there is one row all the same, with the numbers.
    shown = [row for row in rows if row.first_id is not None]
    facts = _facts(uow, [one for row in shown for one in (row.first_id, row.second_id)])
    pairs = [
        Likely(facts[row.first_id], facts[row.second_id], tuple(sorted(row.shared, key=list(WEIGHTS).index)))
        for row in shown
    ]
    return Found(pairs, rows[0].likely, rows[0].namesakes)


def links_of(uow: UnitOfWork, client_id: UUID) -> list[Linked]:
    """The records a client the actor was shown is linked with, as far as the actor may see those too."""
    pairs = uow.session.scalars(
        select(ClientPair)
        .where(or_(ClientPair.first_id == client_id, ClientPair.second_id == client_id), ClientPair.state == "linked")
        .order_by(ClientPair.decided_at)
    ).all()
    others = {pair: pair.second_id if pair.first_id == client_id else pair.first_id for pair in pairs}
    seen = select(Client.id).where(Client.id.in_(others.values()), visible_clients(uow.actor))
    facts = _facts(uow, uow.session.scalars(seen).all())
    return [
        Linked(facts[other], pair.linked_id == other, pair.decided_at)
        for pair, other in others.items()
        if other in facts
    ]


def linked_pairs(uow: UnitOfWork, *, limit: int = 50) -> list[tuple[Facts, Facts]]:
    """The links there are, the newest first: the record that stays, and the one behind it. Raises as `likely_pairs`."""
    _may_look(uow)
    pairs = uow.session.scalars(
        select(ClientPair)
        .where(ClientPair.state == "linked")
        .order_by(ClientPair.decided_at.desc(), ClientPair.first_id)
        .limit(limit)
    ).all()
    facts = _facts(uow, [one for pair in pairs for one in (pair.first_id, pair.second_id)])
    return [(facts[_other(pair)], facts[pair.linked_id]) for pair in pairs if pair.linked_id is not None]


def link_clients(uow: UnitOfWork, keep_id: UUID, other_id: UUID) -> None:
    """Put `other_id` behind `keep_id`: it is no longer active, and whoever signs in with it has the other's plan.

    Nothing of it is changed besides. Harmless to repeat. Raises NotFound for a client the actor may not see,
    InvalidInput for one with itself, Conflict where either is behind another record already, where others are behind
    `other_id`, or where each has an account of its own.
    """
    if keep_id == other_id:
        raise InvalidInput([FieldProblem("other_id", "Choose two different people.")])
    keep, other = _locked(uow, keep_id, other_id)
    pair = _pair(uow, keep_id, other_id)
    if pair is not None and pair.state == "linked":
        if pair.linked_id == other_id:
            return
        raise Conflict("These two are linked the other way round. Unlink them first.")
    taken = select(ClientPair).where(
        ClientPair.state == "linked",
        or_(
            ClientPair.linked_id.in_((keep_id, other_id)),
            ClientPair.first_id == other_id,
            ClientPair.second_id == other_id,
        ),
    )
    if uow.session.scalars(taken.limit(1)).first() is not None:
        raise Conflict("One of the two is linked with another record already. Unlink that first.")
    if keep.membership_id is not None and other.membership_id is not None:
        raise Conflict("Each of the two signs in with an account of their own. End one of the accounts first.")
    before = {"active": other.active, "membership": str(other.membership_id) if other.membership_id else None}
    if other.membership_id is not None:
        moved, other.membership_id = other.membership_id, None
        uow.session.flush()
        keep.membership_id = moved
    _decide(uow, keep_id, other_id, pair, linked_id=other_id, before=before)
    other.active = False
    other.updated_at = keep.updated_at = uow.now
    record(uow, "client.linked", "client", keep_id, behind=str(other_id))
    mark_rules_stale(uow)


def unlink_clients(uow: UnitOfWork, one_id: UUID, other_id: UUID) -> None:
    """Take a link away: both records are again as they were, with what came to each since.

    Raises NotFound where there is no link the actor may see.
    """
    one, other = _locked(uow, one_id, other_id)
    pair = _pair(uow, one_id, other_id)
    if pair is None or pair.state != "linked":
        raise NotFound("These two are not linked.")
    behind, kept = (one, other) if pair.linked_id == one.id else (other, one)
    before = pair.before
    uow.session.delete(pair)
    uow.session.flush()
    account = before.get("membership")
    if account is not None and str(kept.membership_id) == account:
        moved, kept.membership_id = kept.membership_id, None
        uow.session.flush()
        behind.membership_id = moved
    behind.active = bool(before.get("active"))
    behind.updated_at = kept.updated_at = uow.now
    record(uow, "client.unlinked", "client", kept.id, behind=str(behind.id))
    mark_rules_stale(uow)


def mark_different(uow: UnitOfWork, one_id: UUID, other_id: UUID) -> None:
    """Note that two records are two people, so that they are not offered again. Raises as `link_clients`."""
    if one_id == other_id:
        raise InvalidInput([FieldProblem("other_id", "Choose two different people.")])
    _locked(uow, one_id, other_id)
    pair = _pair(uow, one_id, other_id)
    if pair is not None and pair.state == "linked":
        raise Conflict("These two are linked. Unlink them first.")
    _decide(uow, one_id, other_id, pair, linked_id=None, before={})
    record(uow, "client.told_apart", "client", one_id, other=str(other_id))


def _may_look(uow: UnitOfWork) -> None:
    if not (uow.actor.may(Permission.READ_CLIENTS) and sees_everybody(uow.actor)):
        raise Forbidden("You may not do this. Ask an administrator of your organization.")


def _decide(
    uow: UnitOfWork,
    one_id: UUID,
    other_id: UUID,
    pair: ClientPair | None,
    *,
    linked_id: UUID | None,
    before: Mapping[str, object],
) -> None:
    if pair is None:
        first, second = sorted((one_id, other_id))
        pair = ClientPair(first_id=first, second_id=second)
        uow.session.add(pair)
    pair.state, pair.linked_id, pair.before = "linked" if linked_id else "different", linked_id, dict(before)
    pair.decided_by, pair.decided_at = uow.actor.membership_id, uow.now
    uow.session.flush()


def _locked(uow: UnitOfWork, one_id: UUID, other_id: UUID) -> tuple[Client, Client]:
    """Both clients, locked in one order, whichever is named first."""
    for seen in (one_id, other_id):
        get_client(uow, seen)
    rows = {
        row.id: row
        for row in uow.session.scalars(
            select(Client)
            .where(Client.id.in_((one_id, other_id)))
            .order_by(Client.id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
    }
    return rows[one_id], rows[other_id]


def _pair(uow: UnitOfWork, one_id: UUID, other_id: UUID) -> ClientPair | None:
    first, second = sorted((one_id, other_id))
    return uow.session.get(ClientPair, (uow.actor.organization_id, first, second))


def _other(pair: ClientPair) -> UUID:
    return pair.second_id if pair.linked_id == pair.first_id else pair.first_id


def _facts(uow: UnitOfWork, ids: Sequence[UUID]) -> dict[UUID, Facts]:
    return {row.id: Facts(*row) for row in uow.session.execute(_FACTS, {"ids": list(ids)})}
