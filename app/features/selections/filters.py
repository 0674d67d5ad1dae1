"""Use cases of saved filters: keep, change, share, forget."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select, text
from sqlalchemy.dialects.postgresql import insert as pg_insert

from app.domain.errors import FieldProblem, Forbidden, InvalidInput
from app.domain.rules import parse_rule
from app.domain.saying import later, stored
from app.features.audit.service import record
from app.features.selections.commands import SaveFilter
from app.features.selections.models import SavedFilter
from app.features.selections.queries import filter_fields, get_filter, may_change
from app.infra.db.holding import Hold, only_read, to_delete
from app.infra.db.open import UnitOfWork

LONGEST = 120
_NO_MORE_SCHEDULED = text(
    "UPDATE schedules SET filter_id = NULL, stale = false, next_at = NULL, why = :why,"
    " state = CASE state WHEN 'ended' THEN 'ended' ELSE 'paused' END WHERE filter_id = :filter"
)


def create_filter(uow: UnitOfWork, command: SaveFilter) -> SavedFilter:
    """Keep a rule as the actor's filter. Raises InvalidInput for a bad rule, or a bad name or one they have already."""
    if uow.actor.membership_id is None:
        raise Forbidden("Only a member can keep a filter.")
    name, rule = _name(command.name), _rule(uow, command.rule, shared=command.shared)
    made = uow.session.execute(
        pg_insert(SavedFilter)
        .values(
            owner_id=uow.actor.membership_id,
            shared=command.shared,
            name=name,
            rule=rule,
            created_at=uow.now,
            changed_at=uow.now,
        )
        .on_conflict_do_nothing(index_elements=["organization_id", "owner_id", "name"])
        .returning(SavedFilter.id)
    ).scalar_one_or_none()
    if made is None:
        raise InvalidInput([_taken(name)])
    record(uow, "filter.created", "filter", made, shared=command.shared)
    return get_filter(uow, made)


def change_filter(uow: UnitOfWork, filter_id: UUID, command: SaveFilter) -> SavedFilter:
    """Write name, rule and sharing anew. Raises as `create_filter`, NotFound, and Forbidden for another's."""
    saved = _changeable(uow, filter_id)
    # Nobody but its owner can make a filter that others use their own again.
    shared = command.shared or saved.owner_id != uow.actor.membership_id
    name, rule = _name(command.name), _rule(uow, command.rule, shared=shared)
    taken = select(SavedFilter.id).where(
        SavedFilter.name == name, SavedFilter.owner_id == saved.owner_id, SavedFilter.id != saved.id
    )
    if uow.session.scalars(taken).first() is not None:
        raise InvalidInput([_taken(name)])
    saved.name, saved.rule, saved.shared, saved.changed_at = name, rule, shared, uow.now
    record(uow, "filter.changed", "filter", saved.id, shared=shared)
    return saved


def delete_filter(uow: UnitOfWork, filter_id: UUID) -> str:
    """Forget a filter; selections made from it stay. Returns its name. Raises as `change_filter`."""
    # Held first, so that whoever makes a schedule of it at this moment is before this or finds it gone.
    saved = _changeable(uow, filter_id, to_delete)
    name = saved.name
    uow.session.expunge(saved)
    # By name, because schedules stand above selections on the ladder; what they were to write is no more.
    uow.session.execute(_NO_MORE_SCHEDULED, {"filter": filter_id, "why": stored(later("The filter was deleted."))})
    uow.session.execute(
        delete(SavedFilter).where(SavedFilter.id == filter_id).execution_options(synchronize_session=False)
    )
    record(uow, "filter.deleted", "filter", filter_id)
    return name


def _changeable(uow: UnitOfWork, filter_id: UUID, hold: Hold = only_read) -> SavedFilter:
    saved = get_filter(uow, filter_id, hold)
    if not may_change(uow, saved):
        raise Forbidden("This filter is somebody else's. Save a copy of your own.")
    return saved


def _name(typed: str) -> str:
    name = " ".join(typed.split())
    if not name or len(name) > LONGEST:
        raise InvalidInput(
            [FieldProblem("name", later("Give it a name of at most %(most)s characters.", most=LONGEST))]
        )
    return name


def _rule(uow: UnitOfWork, raw: Mapping[str, Any], *, shared: bool) -> dict[str, Any]:
    return parse_rule(raw, filter_fields(uow, own_labels=not shared)).as_json()


def _taken(name: str) -> FieldProblem:
    return FieldProblem("name", later("You have a filter named %(name)s already. Choose another name.", name=name))
