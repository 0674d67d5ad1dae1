"""Use cases of choosing: a target becomes a selection that no longer changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import ARRAY, Select, Uuid, cast, func, insert, literal, select
from sqlalchemy.dialects.postgresql import aggregate_order_by

from app.domain.errors import FieldProblem, Gone, InvalidInput
from app.domain.rules import stored_rule
from app.features.clients.models import Client
from app.features.clients.policy import visible_clients
from app.features.clients.queries import select_ids
from app.features.cohorts.models import CohortMember
from app.features.cohorts.queries import get_cohort
from app.features.jobs.items import add_items
from app.features.jobs.models import Job
from app.features.selections.commands import Origin, Target
from app.features.selections.models import Selection
from app.features.selections.queries import get_filter, matching
from app.infra.db.open import UnitOfWork
from app.infra.db.whole import joined_as_sets


@dataclass(frozen=True, slots=True)
class Chosen:
    """Whom a target means: where it comes from, the name of the cohort or filter, and how many people."""

    origin: str
    name: str
    clients: int
    origin_id: UUID | None = None


# So many ids are most of a large organization, or all of a small one.
_MANY = 2000
# A preview is acted upon within minutes; a day leaves room for a lunch and for a question to somebody.
KEPT_FOR = timedelta(days=1)


def choose(uow: UnitOfWork, target: Target) -> Selection:
    """The target's clients whom the actor may see, frozen as they are now; a selection named is returned as it is.

    Raises InvalidInput unless exactly one way is used, NotFound for a cohort, filter or selection that is not there
    or not the actor's, Gone for a selection that has expired.
    """
    if target.named == 1 and target.selection_id is not None:
        return find_selection(uow, target.selection_id)
    chosen, origin, origin_id, name = _chosen(uow, target)
    return freeze(uow, chosen, origin=origin, origin_id=origin_id, name=name)


def look(uow: UnitOfWork, target: Target) -> Chosen:
    """Whom a target means now, counted and not kept: for a page that is only opened. Raises as `choose`."""
    if target.named == 1 and target.selection_id is not None:
        kept = find_selection(uow, target.selection_id)
        return Chosen(kept.origin, kept.name, len(kept.client_ids), kept.origin_id)
    chosen, origin, origin_id, name = _chosen(uow, target)
    seen = select(func.count()).select_from(Client).where(Client.id.in_(chosen), visible_clients(uow.actor))
    return Chosen(origin, name, uow.session.execute(seen).scalar_one(), origin_id)


def _chosen(uow: UnitOfWork, target: Target) -> tuple[Select[UUID], Origin, UUID | None, str]:
    """What selects the target's ids, with where it comes from and its name."""
    if target.named != 1:
        raise InvalidInput([FieldProblem("target", "Choose a cohort, a saved filter, or tick at least one person.")])
    if target.cohort_id is not None:
        cohort = get_cohort(uow, target.cohort_id)
        members = select(CohortMember.client_id).where(CohortMember.cohort_id == cohort.id)
        return members, "cohort", cohort.id, cohort.name
    if target.filter_id is not None:
        saved = get_filter(uow, target.filter_id)
        return matching(uow, stored_rule(saved.rule)), "filter", saved.id, saved.name
    return select_ids(target.client_ids), "clients", None, ""


def freeze(
    uow: UnitOfWork,
    chosen: Select[UUID],
    *,
    origin: Origin,
    origin_id: UUID | None = None,
    name: str = "",
    unknown: Sequence[tuple[int, str]] = (),
) -> Selection:
    """Keep those of the chosen ids whom the actor may see, in order of name, by one statement."""
    order = aggregate_order_by(Client.id, Client.family_folded, Client.given_folded, Client.id)
    named = chosen.subquery()
    seen = (
        select(
            func.coalesce(func.array_agg(order), cast([], ARRAY(Uuid))).label("ids"),
            (select(func.count(named.c[0].distinct())).scalar_subquery() - func.count()).label("not_seen"),
        )
        .where(Client.id.in_(chosen), visible_clients(uow.actor))
        .cte("seen")
    )
    columns = {
        "client_ids": select(seen.c.ids).scalar_subquery(),
        "not_seen": select(seen.c.not_seen).scalar_subquery(),
        "origin": literal(origin),
        "origin_id": literal(origin_id, Uuid()),
        "name": literal(name),
        "created_by": literal(uow.actor.membership_id, Uuid()),
        "created_at": literal(uow.now),
        "expires_at": literal(uow.now + KEPT_FOR),
    }
    return uow.session.scalars(insert(Selection).values(**columns, unknown=list(unknown)).returning(Selection)).one()


def find_selection(uow: UnitOfWork, selection_id: UUID) -> Selection:
    """A selection of the actor's own. Raises Gone for one that has expired, is somebody else's or was never there."""
    found = uow.session.scalars(
        select(Selection).where(
            Selection.id == selection_id,
            Selection.created_by.is_not_distinct_from(uow.actor.membership_id),
            Selection.expires_at > uow.now,
        )
    ).one_or_none()
    if found is None:
        raise Gone("These people were chosen too long ago. Choose them again.")
    return found


def add_members(uow: UnitOfWork, job: Job, selection: Selection, *, batch: int, along_plans: bool = False) -> int:
    """Make the selection's clients whom the actor may still see the items of a job. Returns how many they are.

    `batch` and `along_plans` as for `add_items`.
    """
    with joined_as_sets(uow, whole=len(selection.client_ids) > _MANY):
        return add_items(uow, job, members(uow, selection), along_plans=along_plans, batch=batch)


def members(uow: UnitOfWork, selection: Selection) -> Select[UUID]:
    """Ids of the selection's clients whom the actor may still see, in its order."""
    place = (
        func.unnest(
            cast(select(Selection.client_ids).where(Selection.id == selection.id).scalar_subquery(), ARRAY(Uuid))
        )
        .table_valued("client_id", with_ordinality="place")
        .render_derived()
    )
    return (
        select(Client.id)
        .join(place, place.c.client_id == Client.id)
        .where(visible_clients(uow.actor))
        .order_by(place.c.place)
    )
