"""The items of a job that nobody has worked on yet: written, counted, ended.

Those of a job of transactional batches wait as ids, so many to a row of `waiting_items` as a batch takes, and become
rows once, settled: to write fifty thousand pending rows and then each of them again would be a third of such a job.
Those of slow work are rows from the beginning, because a lease is an item's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Select,
    Subquery,
    and_,
    column,
    func,
    insert,
    literal,
    literal_column,
    select,
    table,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by

from app.domain.saying import stored
from app.features.jobs.models import Job, JobItem, WaitingItems
from app.infra.db.open import UnitOfWork

# By name, because plans stand above jobs on the ladder.
_PLANS = table("plans", column("organization_id"), column("client_id"), column("status"))
_PLAN_LIES: ColumnElement[Any] = literal_column("plans.ctid")
# What waits as ids becomes rows, each with the state and the reason given.
_AS_ROWS = """
    WITH gone AS (
        DELETE FROM waiting_items WHERE job_id = :job {which}
        RETURNING organization_id, job_id, number, subject_ids, listed
    )
    INSERT INTO job_items (organization_id, job_id, subject_id, position, listed, state, reason)
    SELECT g.organization_id, g.job_id, t.subject_id, g.number + t.place - 1, t.listed, :state, :reason
    FROM gone g, unnest(g.subject_ids, g.listed) WITH ORDINALITY AS t(subject_id, listed, place)
"""
_ALL_AS_ROWS = text(_AS_ROWS.format(which=""))
_FIRST_AS_ROWS = text(
    _AS_ROWS.format(
        which="AND ctid = (SELECT ctid FROM waiting_items WHERE job_id = :job ORDER BY number LIMIT 1"
        " FOR UPDATE SKIP LOCKED)"
    )
)


def add_items(
    uow: UnitOfWork,
    job: Job,
    subjects: Select[UUID] | Sequence[UUID],
    *,
    along_plans: bool = False,
    batch: int | None = None,
) -> int:
    """Give a job its items, one per subject: a select of ids, none of them twice, or ids. Returns how many they are.

    They are listed in the order given, and worked on in it too; with `along_plans` the clients selected are worked on
    in the order in which their active plans lie in the table, so that a batch touches few of its pages. With `batch`
    what is selected waits as ids, so many together: for kinds of transactional batches, which take no fewer at once.
    """
    if isinstance(subjects, Select):
        turned = _in_turn(job, subjects, along_plans=along_plans)
        added = _wait_together(uow, job, turned, batch) if batch else _wait_singly(uow, job, turned)
    else:
        assert batch is None, "only what is selected waits together"
        ids = dict.fromkeys(subjects)
        shared = {"organization_id": job.organization_id, "job_id": job.id}
        values = [{**shared, "subject_id": s, "listed": i, "position": i} for i, s in enumerate(ids)]
        if values:
            uow.session.connection().execute(insert(JobItem), values)
        added = len(values)
    job.total += added
    return added


def _in_turn(job: Job, subjects: Select[UUID], *, along_plans: bool) -> Subquery:
    """The subjects with the place in which they are listed and that in which they are worked on, both from 1."""
    chosen = subjects.subquery()
    named = select(chosen.c[0].label("id"), func.row_number().over().label("listed")).subquery()
    turn = func.row_number().over(order_by=[*([_PLAN_LIES] if along_plans else []), named.c.listed])
    rows = select(named.c.id, named.c.listed, turn.label("position"))
    if along_plans:
        followed = and_(_PLANS.c.organization_id == literal(job.organization_id), _PLANS.c.client_id == named.c.id)
        rows = rows.outerjoin_from(named, _PLANS, and_(followed, _PLANS.c.status == literal_column("'active'")))
    return rows.subquery()


def _wait_singly(uow: UnitOfWork, job: Job, turned: Subquery) -> int:
    rows = select(literal(job.organization_id), literal(job.id), turned.c.id, turned.c.listed, turned.c.position)
    columns = ["organization_id", "job_id", "subject_id", "listed", "position"]
    # Without the option SQLAlchemy answers -1 for an INSERT … SELECT.
    return (
        uow.session.connection()
        .execute(insert(JobItem).from_select(columns, rows), execution_options={"preserve_rowcount": True})
        .rowcount
    )


def _wait_together(uow: UnitOfWork, job: Job, turned: Subquery, batch: int) -> int:
    rows = select(
        literal(job.organization_id),
        literal(job.id),
        func.min(turned.c.position),
        func.array_agg(aggregate_order_by(turned.c.id, turned.c.position)),
        func.array_agg(aggregate_order_by(turned.c.listed, turned.c.position)),
    ).group_by((turned.c.position - 1) // batch)
    columns = ["organization_id", "job_id", "number", "subject_ids", "listed"]
    made = insert(WaitingItems).from_select(columns, rows).returning(func.cardinality(WaitingItems.subject_ids))
    return sum(uow.session.connection().execute(made).scalars())


def subjects_of(uow: UnitOfWork, job: Job) -> set[UUID]:
    """Ids of all the subjects of a job, whatever became of them."""
    # In this order: what a batch turns into rows in between is seen twice, and not missed.
    waiting = uow.session.scalars(
        select(func.unnest(WaitingItems.subject_ids)).where(WaitingItems.job_id == job.id)
    ).all()
    return {*waiting, *uow.session.scalars(select(JobItem.subject_id).where(JobItem.job_id == job.id))}


def count_open_items(uow: UnitOfWork, job: Job) -> int:
    """Items of the job that still want work."""
    rows = select(func.count()).where(JobItem.job_id == job.id, JobItem.state.in_(("pending", "leased")))
    ids = select(func.coalesce(func.sum(func.cardinality(WaitingItems.subject_ids)), 0)).where(
        WaitingItems.job_id == job.id
    )
    return int(uow.session.execute(select(rows.scalar_subquery() + ids.scalar_subquery())).scalar_one())


def end_open_items(uow: UnitOfWork, job: Job, state: str, reason: str | None = None) -> None:
    """Settle whatever of a job still wants work alike, where nobody will work on it any more.

    The caller holds the job's lock, so that no batch is under way.
    """
    uow.session.execute(
        update(JobItem)
        .where(JobItem.job_id == job.id, JobItem.state.in_(("pending", "leased")))
        .values({"state": state, "lease_until": None, "lease_token": None} | ({"reason": reason} if reason else {})),
        execution_options={"synchronize_session": False},
    )
    uow.session.execute(_ALL_AS_ROWS, {"job": job.id, "state": state, "reason": stored(reason)})


def let_wait_singly(uow: UnitOfWork, job: Job) -> None:
    """Make rows of the ids that are next, unless some of its items are rows already: they can be worked on alone."""
    singly = select(JobItem.subject_id).where(JobItem.job_id == job.id, JobItem.state == "pending")
    if uow.session.scalars(singly.limit(1)).first() is None:
        uow.session.execute(_FIRST_AS_ROWS, {"job": job.id, "state": "pending", "reason": None})
