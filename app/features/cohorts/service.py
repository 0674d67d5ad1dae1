"""Use cases of cohorts: make, change, fill and keep current."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, DateTime, Select, Text, cast, delete, exists, func, literal, or_, select, update
from sqlalchemy.dialects.postgresql import insert as pg_insert

from app.domain.errors import Conflict, FieldProblem, InvalidInput
from app.domain.folding import fold
from app.domain.rules import Rule, parse_rule, stored_rule
from app.domain.saying import later
from app.features.audit.service import record
from app.features.clients.models import Client
from app.features.clients.policy import visible_clients
from app.features.clients.queries import chosen_clients
from app.features.cohorts.commands import ChangeCohort, ChangeMembers, CreateCohort, PasteMembers
from app.features.cohorts.models import Cohort, CohortMember
from app.features.cohorts.queries import criterion_of, get_cohort, rule_fields
from app.infra.db.open import Bell, UnitOfWork
from app.infra.db.whole import joined_as_sets

MOST_PASTED = 10_000


@dataclass(frozen=True, slots=True)
class Refreshed:
    """How a cohort changed: clients that came and went."""

    added: int
    removed: int


@dataclass(frozen=True, slots=True)
class Pasted:
    """What became of a pasted list: new members, members already, and what nobody is known by, as typed."""

    added: int
    already: int
    unknown: tuple[str, ...]


def create_cohort(uow: UnitOfWork, command: CreateCohort) -> Cohort:
    """Make a cohort; one by rule has its members at once. Raises InvalidInput for a bad rule or a taken name."""
    name = _name(command.name)
    rule = _rule(uow, command.rule)
    made = uow.session.execute(
        pg_insert(Cohort)
        .values(
            name=name,
            kind="fixed" if rule is None else "rule",
            rule=rule,
            created_by=uow.actor.membership_id,
            created_at=uow.now,
        )
        .on_conflict_do_nothing(index_elements=["organization_id", "name"])
        .returning(Cohort.id)
    ).scalar_one_or_none()
    if made is None:
        raise InvalidInput([_taken(name)])
    cohort = get_cohort(uow, made)
    record(uow, "cohort.created", "cohort", made, kind=cohort.kind)
    if rule is not None:
        refresh_cohort(uow, cohort)
    return cohort


def change_cohort(uow: UnitOfWork, command: ChangeCohort) -> Cohort:
    """Rename a cohort or change its rule, and bring its members up to date. Raises InvalidInput as `create_cohort`."""
    cohort = get_cohort(uow, command.cohort_id)
    name = _name(command.name)
    taken = select(Cohort.id).where(Cohort.name == name, Cohort.id != cohort.id)
    if uow.session.scalars(taken).first() is not None:
        raise InvalidInput([_taken(name)])
    cohort.name = name
    if cohort.kind == "rule" and command.rule is not None:
        cohort.rule = _rule(uow, command.rule)
        refresh_cohort(uow, cohort)
    record(uow, "cohort.changed", "cohort", cohort.id)
    return cohort


def archive_cohort(uow: UnitOfWork, cohort_id: UUID, *, archived: bool = True) -> Cohort:
    """Put a cohort away, or take it up again; an archived rule is no longer kept current, its clients stay members."""
    cohort = get_cohort(uow, cohort_id)
    if (cohort.archived_at is not None) == archived:
        return cohort
    cohort.archived_at = uow.now if archived else None
    record(uow, "cohort.archived" if archived else "cohort.restored", "cohort", cohort.id)
    if not archived and cohort.kind == "rule":
        refresh_cohort(uow, cohort)
    return cohort


def add_members(uow: UnitOfWork, command: ChangeMembers) -> int:
    """Add clients the actor may see to a fixed list. Returns how many were not on it. Raises Conflict for a rule."""
    cohort = _fixed(uow, command.cohort_id)
    chosen = chosen_clients(uow, command.clients).subquery()
    rows = select(literal(cohort.organization_id), literal(cohort.id), chosen.c.id, literal(uow.now))
    added = _insert(uow, rows)
    record(uow, "cohort.members_added", "cohort", cohort.id, clients=added)
    if added:
        uow.ring(Bell.SWEEP)
    return added


def remove_members(uow: UnitOfWork, command: ChangeMembers) -> int:
    """Take clients off a fixed list. Returns how many were on it. Raises Conflict for a rule."""
    cohort = _fixed(uow, command.cohort_id)
    removed = uow.session.scalars(
        delete(CohortMember)
        .where(
            CohortMember.cohort_id == cohort.id,
            CohortMember.client_id.in_(chosen_clients(uow, command.clients)),
        )
        .returning(CohortMember.client_id)
        .execution_options(synchronize_session=False)
    ).all()
    record(uow, "cohort.members_removed", "cohort", cohort.id, clients=len(removed))
    return len(removed)


def paste_members(uow: UnitOfWork, command: PasteMembers) -> Pasted:
    """Add whoever is known by a pasted external id or e-mail, whatever its case. Raises Conflict for a rule.

    Of a shared e-mail everybody is added. A client the actor may not see counts as unknown.
    """
    typed = {fold(one): one.strip() for one in re.split(r"[\n\r,;\t]+", command.text) if one.strip()}
    if not typed:
        raise InvalidInput([FieldProblem("text", "Paste at least one id or e-mail address.")])
    if len(typed) > MOST_PASTED:
        raise InvalidInput([FieldProblem("text", later("Paste at most %(most)s at a time.", most=f"{MOST_PASTED:,}"))])
    wanted = _select_texts(list(typed))
    found = uow.session.execute(
        select(Client.id, Client.external_folded, Client.email_folded).where(
            or_(Client.external_folded.in_(wanted), Client.email_folded.in_(wanted)), visible_clients(uow.actor)
        )
    ).all()
    known = {row.external_folded for row in found} | {row.email_folded for row in found}
    ids = [row.id for row in found]
    added = add_members(uow, ChangeMembers(cohort_id=command.cohort_id, clients=ids))
    return Pasted(added, len(ids) - added, tuple(said for key, said in typed.items() if key not in known))


def refresh_cohort(uow: UnitOfWork, cohort: Cohort) -> Refreshed:
    """Bring the members of a rule up to date: one statement over the difference, however many clients.

    Marks the cohort current first, which waits for whoever is changing clients and makes them wait for us.
    """
    if cohort.rule is None:
        return Refreshed(0, 0)
    uow.session.flush()
    uow.session.execute(
        update(Cohort)
        .where(Cohort.id == cohort.id)
        .values(stale=False, refreshed_at=uow.now)
        .execution_options(synchronize_session=False)
    )
    uow.session.refresh(cohort)
    with joined_as_sets(uow):
        changed = uow.session.execute(_bring_up_to_date(cohort, stored_rule(cohort.rule))).one()
    if changed.added or changed.removed:
        record(uow, "cohort.refreshed", "cohort", cohort.id, added=changed.added, removed=changed.removed)
        uow.ring(Bell.SWEEP)
    return Refreshed(changed.added, changed.removed)


def _bring_up_to_date(cohort: Cohort, rule: Rule) -> Select[int, int]:
    # The rule is asked once, whoever comes and goes; only numbers come back, not a hundred thousand ids.
    selected = select(Client.id).where(criterion_of(rule)).cte("selected").prefix_with("MATERIALIZED")
    is_member = exists().where(
        CohortMember.organization_id == cohort.organization_id,
        CohortMember.cohort_id == cohort.id,
        CohortMember.client_id == selected.c.id,
    )
    still = exists().where(selected.c.id == CohortMember.client_id).correlate(CohortMember)
    rows = select(
        literal(cohort.organization_id), literal(cohort.id), selected.c.id, cast(cohort.refreshed_at, DateTime(True))
    ).where(~is_member)
    put = (
        pg_insert(CohortMember)
        .from_select(["organization_id", "cohort_id", "client_id", "since"], rows)
        .on_conflict_do_nothing()
        .returning(CohortMember.client_id)
        .cte("put")
    )
    taken = (
        delete(CohortMember)
        .where(
            CohortMember.organization_id == cohort.organization_id,
            CohortMember.cohort_id == cohort.id,
            ~still,
        )
        .returning(CohortMember.client_id)
        .cte("taken")
    )
    return select(
        select(func.count()).select_from(put).scalar_subquery().label("added"),
        select(func.count()).select_from(taken).scalar_subquery().label("removed"),
    )


def _insert(uow: UnitOfWork, rows: Select[UUID, UUID, UUID, datetime]) -> int:
    put = pg_insert(CohortMember).from_select(["organization_id", "cohort_id", "client_id", "since"], rows)
    added = uow.session.scalars(put.on_conflict_do_nothing().returning(CohortMember.client_id)).all()
    return len(added)


def _select_texts(texts: list[str]) -> Select[str]:
    # The folded columns sort by code point; saying so here keeps their index usable.
    return select(func.unnest(literal(texts, ARRAY(Text)), type_=Text()).collate("C"))


def _fixed(uow: UnitOfWork, cohort_id: UUID) -> Cohort:
    cohort = get_cohort(uow, cohort_id)
    if cohort.kind != "fixed":
        raise Conflict("This cohort fills itself by its rule. Change the rule instead.")
    return cohort


def _name(typed: str) -> str:
    name = " ".join(typed.split())
    if not name or len(name) > 120:
        raise InvalidInput([FieldProblem("name", "Give the cohort a name of at most 120 characters.")])
    return name


def _taken(name: str) -> FieldProblem:
    return FieldProblem(
        "name",
        later("There is a cohort named %(name)s already, perhaps an archived one. Choose another name.", name=name),
    )


def _rule(uow: UnitOfWork, raw: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return None if raw is None else parse_rule(raw, rule_fields(uow)).as_json()
