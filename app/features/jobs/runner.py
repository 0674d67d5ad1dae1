"""What a worker does with an organization's open jobs, batch by batch, until none is left or time is up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import structlog
from sqlalchemy import select, update

from app.domain import access
from app.domain.errors import Conflict, InvalidInput, OctantError
from app.domain.saying import later, several
from app.features.audit.service import record
from app.features.jobs import service
from app.features.jobs.kinds import JobKind, SlowWork
from app.features.jobs.models import Job, JobItem
from app.features.jobs.service import Settled
from app.infra.db.open import Bell, UnitOfWork
from app.infra.runtime import Runtime

_LOG = structlog.get_logger()
# As many items that are refused alone with the same sentence say that the job itself cannot be done.
_ENOUGH = 20
_MOST_SAID = 5


def work(runtime: Runtime, organization_id: UUID, kinds: Mapping[str, JobKind], *, until: datetime) -> bool:
    """Work on the organization's jobs. Returns whether work may be left that could go on now.

    Safe to call in any number of processes at once and after a kill at any point.
    """
    actor = access.system(organization_id)
    passed: set[UUID] = set()
    while runtime.clock() < until:
        with runtime.database.unit_of_work(actor) as uow:
            job = service.next_open_job(uow, kinds, without=passed)
        if job is None:
            return False
        # Whatever is logged meanwhile, by whichever feature, names the job and the request that asked for it.
        named = {"job_id": str(job.id), "kind": job.kind} | ({"request_id": job.request_id} if job.request_id else {})
        with structlog.contextvars.bound_contextvars(**named):
            try:
                if not _advance(runtime, job, kinds[job.kind]):
                    passed.add(job.id)
            except OctantError as error:
                _LOG.warning("job_refused", error=type(error).__name__)
                _refuse(runtime, job, error)
                passed.add(job.id)
            except Exception as error:
                _LOG.exception("job_batch_failed")
                _postpone(runtime, job, error)
                passed.add(job.id)
    return True


def undo_job(runtime: Runtime, actor: access.Actor, kinds: Mapping[str, JobKind], job_id: UUID) -> None:
    """Ask for a finished job to be undone: what is untouched since is taken back, the rest stays and is listed.

    Raises Conflict when this job cannot be undone.
    """
    with runtime.database.unit_of_work(actor) as uow:
        service.get_job(uow, job_id)
        job = uow.session.scalars(select(Job).where(Job.id == job_id).with_for_update()).one()
        if kinds[job.kind].undo_batch is None:
            raise Conflict("This kind of job cannot be undone.")
        if job.state not in ("done", "cancelled", "failed"):
            raise Conflict("Only a job that has ended can be undone.")
        job.state, job.finished_at, job.attempts = "undoing", None, 0
        record(uow, "job.undo_requested", "job", job.id)
        uow.ring(Bell.BULK)


def _advance(runtime: Runtime, job: Job, kind: JobKind) -> bool:
    """Do one batch, or the closing act. Returns False when only other workers' items are left."""
    if job.state == "undoing":
        return _undo(runtime, job, kind)
    if job.state == "finishing":
        return _finish(runtime, job, kind)
    if job.state == "queued":
        _start(runtime, job)
    if kind.batch is None:
        did = _slow(runtime, job, kind)
    else:
        try:
            did = _batch(runtime, job, kind)
        except OctantError as error:
            did = _singly(runtime, job, kind, error)
    return did or _close(runtime, job, kind)


def _singly(runtime: Runtime, job: Job, kind: JobKind, refusal: OctantError) -> bool:
    """After a batch was refused: each of its items alone, so that only those that are refused themselves fail.

    Raises the refusal when all of them (or the first `_ENOUGH`) are refused alike: then it is the job's own.
    """
    assert kind.batch is not None
    actor = access.system(job.organization_id)
    refused: dict[UUID, Settled] = {}
    accepted = 0
    for _ in range(kind.batch_size):
        subjects: list[UUID] = []
        try:
            with runtime.database.unit_of_work(actor, request_id=job.request_id) as uow:
                current = _begin(uow, job.id)
                subjects = [] if current is None else service.lock_items(uow, current, 1, without=refused)
                if current is None or not subjects:
                    break
                uow.info["storage"] = runtime.storage
                service.settle_items(uow, current, kind.batch(uow, current, subjects))
                accepted += 1
        except OctantError as error:
            refused[subjects[0]] = Settled("failed", sentence_of(error))
            if not accepted and len(refused) >= _ENOUGH and len({outcome.reason for outcome in refused.values()}) == 1:
                raise refusal from None
    if refused and not accepted and {outcome.reason for outcome in refused.values()} == {sentence_of(refusal)}:
        raise refusal
    with runtime.database.unit_of_work(actor, request_id=job.request_id) as uow:
        current = _begin(uow, job.id)
        if current is not None:
            service.settle_items(uow, current, refused)
    return bool(refused or accepted)


def sentence_of(error: OctantError) -> str:
    """What the page of a job says of an error that was expected: its sentences, without fields and class names."""
    if isinstance(error, InvalidInput):
        first = error.problems[0].sentence
        return first if len(error.problems) == 1 else several(p.sentence for p in error.problems[:_MOST_SAID])
    return error.sentence


def _batch(runtime: Runtime, job: Job, kind: JobKind) -> bool:
    assert kind.batch is not None
    with runtime.database.unit_of_work(access.system(job.organization_id), request_id=job.request_id) as uow:
        current = _begin(uow, job.id)
        if current is None:
            return False
        subjects = service.lock_items(uow, current, kind.batch_size)
        if subjects:
            uow.info["storage"] = runtime.storage
            outcomes = kind.batch(uow, current, subjects)
            service.settle_items(uow, current, outcomes)
        return bool(subjects)


def _slow(runtime: Runtime, job: Job, kind: JobKind) -> bool:
    assert kind.slow is not None
    actor = access.system(job.organization_id)
    with runtime.database.unit_of_work(actor, request_id=job.request_id) as uow:
        current = _begin(uow, job.id)
        if current is None:
            return False
        claims = service.claim_items(uow, current, kind.batch_size)
        loaded = kind.slow.load(uow, current, [c.subject_id for c in claims]) if claims else None
    if not claims:
        return False
    failure = later("The worker gave no answer.")
    outcomes: Mapping[UUID, Settled]
    try:
        outcomes = kind.slow.act(runtime, current, loaded)
    except OctantError:
        outcomes = _act_singly(runtime, current, kind.slow, [claim.subject_id for claim in claims])
    except Exception as error:
        _LOG.exception("job_items_failed")
        outcomes, failure = {}, _fault(error)
    with runtime.database.unit_of_work(actor, request_id=job.request_id) as uow:
        stored = service.settle_items(uow, current, outcomes, token=claims[0].token)
        kind.slow.store(uow, current, {s: o for s, o in outcomes.items() if s in stored})
        for claim in claims:
            if claim.subject_id not in outcomes:
                service.return_item(uow, current, claim, failure, delay=timedelta(seconds=5 * claim.attempt))
    return True


def _act_singly(runtime: Runtime, job: Job, slow: SlowWork, subjects: Sequence[UUID]) -> dict[UUID, Settled]:
    """Each item alone after one of them was refused; what fails in another way is left out and tried again later."""
    outcomes: dict[UUID, Settled] = {}
    for subject in subjects:
        try:
            with runtime.database.unit_of_work(access.system(job.organization_id), request_id=job.request_id) as uow:
                loaded = slow.load(uow, job, [subject])
            outcomes |= slow.act(runtime, job, loaded)
        except OctantError as error:
            outcomes[subject] = Settled("failed", sentence_of(error))
        except Exception:
            _LOG.exception("job_items_failed")
    return outcomes


def _fault(error: Exception) -> str:
    # What the program says of itself stays as it is; a person can pass it on.
    return later("Something unexpected happened: %(error)s", error=f"{type(error).__name__}: {error}"[:500])


def _start(runtime: Runtime, job: Job) -> None:
    # A transaction of its own: two workers that share the job's lock and then both want to change it wait for each
    # other without end.
    with runtime.database.unit_of_work(access.system(job.organization_id), request_id=job.request_id) as uow:
        begun = uow.session.scalars(
            update(Job)
            .where(Job.id == job.id, Job.state == "queued")
            .values(state="running", started_at=uow.now)
            .returning(Job.total)
        ).one_or_none()
    if begun is not None:
        _LOG.info("job_started", items=begun)


def _begin(uow: UnitOfWork, job_id: UUID) -> Job | None:
    # A shared lock lets several workers share a job while a cancel waits for their batches.
    return uow.session.scalars(
        select(Job).where(Job.id == job_id, Job.state == "running").with_for_update(read=True)
    ).one_or_none()


def _close(runtime: Runtime, job: Job, kind: JobKind) -> bool:
    with runtime.database.unit_of_work(access.system(job.organization_id), request_id=job.request_id) as uow:
        current = service.lock_job(uow, job.id)
        if current is None or current.state not in ("queued", "running"):
            return current is not None
        if service.count_open_items(uow, current):
            return False
        current.started_at = current.started_at or uow.now
        if kind.finish is not None:
            current.state = "finishing"
        else:
            _end(uow, current)
        return True


def _finish(runtime: Runtime, job: Job, kind: JobKind) -> bool:
    assert kind.finish is not None
    actor = access.system(job.organization_id)
    token = uuid4()
    with runtime.database.unit_of_work(actor) as uow:
        current = service.lock_job(uow, job.id)
        if current is None or current.state != "finishing" or (current.lease_until or uow.now) > uow.now:
            return False
        current.lease_token, current.lease_until = token, uow.now + uow.lease
        current.attempts += 1
        if current.attempts > service.MAX_ATTEMPTS:
            _end(
                uow,
                current,
                error=current.error or later("The worker stopped three times while finishing this job."),
            )
            return True
    result = kind.finish(runtime, job.organization_id, job.id)
    with runtime.database.unit_of_work(actor, request_id=job.request_id) as uow:
        current = service.lock_job(uow, job.id)
        if current is not None and current.lease_token == token:
            current.result = {**current.result, **result}
            _end(uow, current)
    return True


def _undo(runtime: Runtime, job: Job, kind: JobKind) -> bool:
    assert kind.undo_batch is not None
    with runtime.database.unit_of_work(access.system(job.organization_id), request_id=job.request_id) as uow:
        current = service.lock_job(uow, job.id)
        if current is None or current.state != "undoing":
            return False
        done = select(JobItem.subject_id).where(JobItem.job_id == job.id, JobItem.state == "done")
        subjects = list(uow.session.scalars(done.order_by(JobItem.position).limit(kind.batch_size).with_for_update()))
        if subjects:
            service.settle_items(uow, current, kind.undo_batch(uow, current, subjects))
        else:
            current.state, current.finished_at = "undone", uow.now
            record(uow, "job.undone", "job", current.id)
            _LOG.info("job_undone")
        return True


def _end(uow: UnitOfWork, job: Job, *, error: str | None = None) -> None:
    job.state = "failed" if error else "done"
    job.error, job.finished_at = error, uow.now
    job.lease_until = job.lease_token = None
    record(uow, "job.ended", "job", job.id, state=job.state)
    _LOG.info("job_ended", state=job.state, seconds=(uow.now - (job.started_at or job.created_at)).total_seconds())


def _postpone(runtime: Runtime, job: Job, error: Exception) -> None:
    """After a fault of the whole batch: wait, and give the job up after too many in a row."""
    with runtime.database.unit_of_work(access.system(job.organization_id)) as uow:
        current = service.lock_job(uow, job.id)
        if current is None or current.state not in service.OPEN:
            return
        current.attempts += 1
        current.error = _fault(error)
        current.lease_until = current.lease_token = None
        current.not_before = uow.now + timedelta(seconds=min(60, 2**current.attempts))
        if current.attempts > 8:
            service.fail_open_items(uow, current, current.error)
            _end(uow, current, error=current.error)


def _refuse(runtime: Runtime, job: Job, error: OctantError) -> None:
    """End a job whose work is refused: trying again would be refused again. The page shows the sentence."""
    with runtime.database.unit_of_work(access.system(job.organization_id), request_id=job.request_id) as uow:
        current = service.lock_job(uow, job.id)
        # Another worker is in the middle of a batch of it; the next round refuses it again.
        if current is not None and current.state in service.OPEN:
            service.fail_open_items(uow, current, sentence_of(error))
            _end(uow, current, error=sentence_of(error))
