"""What a worker does with an organization's open jobs, batch by batch, until none is left or time is up."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID, uuid4

import structlog
from sqlalchemy import select, text, update

from app.domain import access
from app.domain.errors import Conflict, InvalidInput, OctantError
from app.domain.saying import later, several
from app.features.audit.service import record
from app.features.jobs import service
from app.features.jobs.claims import (
    MAX_ATTEMPTS,
    claim_items,
    keep_lease,
    return_item,
    settle_items,
    settle_taken,
    take_items,
    take_rows,
)
from app.features.jobs.items import count_open_items, end_open_items, let_wait_singly
from app.features.jobs.kinds import JobKind, SlowWork, kind_to_act_on
from app.features.jobs.models import Job, JobItem
from app.features.jobs.service import Settled
from app.infra.db.open import UnitOfWork
from app.infra.runtime import Runtime
from app.infra.storage import StorageTrouble

_LOG = structlog.get_logger()
# As many items that are refused alone with the same sentence say that the job itself cannot be done.
_ENOUGH = 20
_MOST_SAID = 5
# Seconds after which long work is looked at: whether it is still wanted.
_LOOKS = 5.0


# Which work of the kinds: what a task may do, what takes a long one, or all of it.
Part = Literal["short", "long", "all"]


def work(
    runtime: Runtime, organization_id: UUID, kinds: Mapping[str, JobKind], *, until: datetime, part: Part = "all"
) -> bool:
    """Work on the organization's jobs. Returns whether work may be left that could go on now.

    Safe to call in any number of processes at once and after a kill at any point.
    """
    actor = access.system(organization_id)
    passed: set[UUID] = set()
    while runtime.clock() < until:
        with runtime.database.unit_of_work(actor) as uow:
            job = _next(uow, kinds, part, passed)
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
                _log("job_batch_failed", error)
                _postpone(runtime, job, error)
                passed.add(job.id)
    return True


def waits(runtime: Runtime, organization_id: UUID, kinds: Mapping[str, JobKind], part: Part) -> bool:
    """Whether the organization has a job of these kinds that wants such work now."""
    with runtime.database.unit_of_work(access.system(organization_id)) as uow:
        return _next(uow, kinds, part) is not None


def _next(uow: UnitOfWork, kinds: Mapping[str, JobKind], part: Part, passed: Iterable[UUID] = ()) -> Job | None:
    working = [name for name, kind in kinds.items() if part in ("all", "long" if kind.long else "short")]
    finishing = [name for name, kind in kinds.items() if part in ("all", "long" if kind.long_finish else "short")]
    return service.next_open_job(uow, working, finishing=finishing, without=passed)


def undo_job(runtime: Runtime, actor: access.Actor, kinds: Mapping[str, JobKind], job_id: UUID) -> None:
    """Ask for a finished job to be undone: what is untouched since is taken back, the rest stays and is listed.

    Raises Conflict when this job cannot be undone, NotFound and Forbidden as `kind_to_act_on`.
    """
    with runtime.database.unit_of_work(actor) as uow:
        if kind_to_act_on(uow, kinds, job_id).undo_batch is None:
            raise Conflict("This kind of job cannot be undone.")
        service.begin_undo(uow, job_id)


def retry_job(runtime: Runtime, actor: access.Actor, kinds: Mapping[str, JobKind], job_id: UUID) -> UUID:
    """Try again what failed in a job that has ended. Returns the job that does it.

    One that could not be finished is finished itself; otherwise a new one is started for those that failed, and asking
    twice finds it. Raises Conflict where nothing is to be tried again, NotFound and Forbidden as `kind_to_act_on`.
    """
    with runtime.database.unit_of_work(actor) as uow:
        kind = kind_to_act_on(uow, kinds, job_id)
        if kind.retry is None:
            raise Conflict("This kind of job cannot be tried again.")
        job = service.hold_job(uow, job_id)
        if job.state not in ("done", "cancelled", "failed"):
            raise Conflict("This job has not ended yet. Wait until it has, then try again what failed.")
        if job.state == "failed":
            service.finish_again(uow, job)
            again = job
        else:
            again = kind.retry(uow, job)
        if kind.retried is not None:
            kind.retried(uow, job, again)
        return again.id


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
    with runtime.database.unit_of_work(actor) as uow:
        if (current := _begin(uow, job.id)) is not None:
            let_wait_singly(uow, current)
    for _ in range(kind.size_for(job)):
        subjects: list[UUID] = []
        try:
            with runtime.database.unit_of_work(actor, request_id=job.request_id) as uow:
                current = _begin(uow, job.id)
                taken = None if current is None else take_rows(uow, current, 1, without=refused)
                if current is None or taken is None:
                    break
                subjects = taken.subjects
                uow.info["storage"] = runtime.storage
                settle_taken(uow, current, taken, kind.batch(uow, current, subjects))
                accepted += 1
        except OctantError as error:
            refused[subjects[0]] = Settled("failed", sentence_of(error))
            if len(refused) == _ENOUGH and not accepted and _all_alike(runtime, job, refused):
                raise refusal from None
    if refused and not accepted and _all_alike(runtime, job, refused, sentence_of(refusal)):
        raise refusal
    with runtime.database.unit_of_work(actor, request_id=job.request_id) as uow:
        current = _begin(uow, job.id)
        if current is not None:
            settle_items(uow, current, refused)
    return bool(refused or accepted)


def _all_alike(runtime: Runtime, job: Job, refused: Mapping[UUID, Settled], sentence: str | None = None) -> bool:
    """Whether items refused alone all have one reason (this one if given) and none of the job was ever accepted.

    Where one was, it is not the job itself that is refused: who still waits is tried.
    """
    reasons = {outcome.reason for outcome in refused.values()}
    if len(reasons) > 1 or (sentence is not None and reasons != {sentence}):
        return False
    accepted = select(JobItem.job_id).where(JobItem.job_id == job.id, JobItem.state.in_(("done", "skipped"))).exists()
    with runtime.database.unit_of_work(access.system(job.organization_id)) as uow:
        return not uow.session.execute(select(accepted)).scalar_one()


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
        taken = take_items(uow, current, kind.size_for(current))
        if taken is None:
            return False
        uow.info["storage"] = runtime.storage
        settle_taken(uow, current, taken, kind.batch(uow, current, taken.subjects))
        return True


def _slow(runtime: Runtime, job: Job, kind: JobKind) -> bool:
    assert kind.slow is not None
    actor = access.system(job.organization_id)
    with runtime.database.unit_of_work(actor, request_id=job.request_id) as uow:
        current = _begin(uow, job.id)
        if current is None:
            return False
        claims = claim_items(uow, current, kind.size_for(current))
        loaded = kind.slow.load(uow, current, [c.subject_id for c in claims]) if claims else None
    if not claims:
        return False
    failure = later("The worker gave no answer.")
    outcomes: Mapping[UUID, Settled]
    lost = threading.Event()
    try:
        with _lease_kept(runtime, current, claims[0].token, lost) if kind.long else nullcontext():
            outcomes = kind.slow.act(runtime, current, loaded)
    except OctantError:
        outcomes = _act_singly(runtime, current, kind.slow, [claim.subject_id for claim in claims])
    except Exception as error:
        if lost.is_set():
            _LOG.info("job_items_given_up")
        else:
            _log("job_items_failed", error)
        outcomes, failure = {}, _fault(error)
    with runtime.database.unit_of_work(actor, request_id=job.request_id) as uow:
        stored = settle_items(uow, current, outcomes, token=claims[0].token)
        kind.slow.store(uow, current, {s: o for s, o in outcomes.items() if s in stored})
        for claim in claims:
            if claim.subject_id not in outcomes:
                return_item(uow, current, claim, failure, delay=timedelta(seconds=5 * claim.attempt))
    unwanted = {subject: outcome for subject, outcome in outcomes.items() if subject not in stored}
    if unwanted and kind.slow.drop is not None:
        kind.slow.drop(runtime, unwanted)
    if kind.grow is not None:
        try:
            kind.grow(runtime, job.organization_id, job.id)
        except Exception as error:
            # The closing act does it again, and says what is wrong where it still is.
            _log("job_not_grown", error)
    return True


@contextmanager
def _lease_kept(runtime: Runtime, job: Job, token: UUID, lost: threading.Event | None = None) -> Iterator[None]:
    """Keep the lease of what is worked on meanwhile; it runs out only once this process has ended.

    Where it is not this worker's any more (the job was cancelled), `lost` is set, and what is asked of the database for
    it is ended there: nobody waits for the answer. Without `lost` the work goes on.
    """
    over = threading.Event()
    worker = threading.get_ident()

    def keep() -> None:
        while not over.wait(min(runtime.settings.lease_seconds / 3, _LOOKS)):
            try:
                with runtime.database.unit_of_work(access.system(job.organization_id)) as uow:
                    held = keep_lease(uow, job, token)
            except Exception as error:  # the database may be back before the lease runs out
                _LOG.warning("lease_not_kept", error=type(error).__name__)
                continue
            if lost is not None and not held:
                lost.set()
                runtime.database.interrupt(worker)

    thread = threading.Thread(target=keep, name="lease", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


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


def _log(event: str, error: Exception) -> None:
    """Log what went wrong in the current `except`; of a disk that is full the code has nothing to tell."""
    if isinstance(error, StorageTrouble):
        _LOG.error(event, error=str(error))
    else:
        _LOG.exception(event)


def _fault(error: Exception) -> str:
    if isinstance(error, StorageTrouble):
        return error.sentence
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
    _name_job(uow, job_id)
    # A shared lock lets several workers share a job while a cancel waits for their batches.
    return uow.session.scalars(
        select(Job).where(Job.id == job_id, Job.state == "running").with_for_update(read=True)
    ).one_or_none()


def _name_job(uow: UnitOfWork, job_id: UUID) -> None:
    """Tell triggers that keep a history for which job this transaction writes."""
    uow.session.execute(text("SELECT set_config('octant.job_id', :job, true)"), {"job": str(job_id)})


def _close(runtime: Runtime, job: Job, kind: JobKind) -> bool:
    with runtime.database.unit_of_work(access.system(job.organization_id), request_id=job.request_id) as uow:
        current = service.lock_job(uow, job.id)
        if current is None or current.state not in ("queued", "running"):
            return current is not None
        if count_open_items(uow, current):
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
        if current.attempts > MAX_ATTEMPTS:
            _end(
                uow,
                current,
                error=current.error or later("The worker stopped three times while finishing this job."),
            )
            return True
    with _lease_kept(runtime, job, token) if kind.long_finish else nullcontext():
        result = kind.finish(runtime, job.organization_id, job.id)
    with runtime.database.unit_of_work(actor, request_id=job.request_id) as uow:
        current = service.lock_job(uow, job.id)
        if current is not None and current.lease_token == token and result is None:
            # It came on and wants another go.
            current.lease_token = current.lease_until = None
            current.attempts = 0
        elif current is not None and current.lease_token == token:
            assert result is not None
            current.result = {**current.result, **result}
            _end(uow, current)
    return True


def _undo(runtime: Runtime, job: Job, kind: JobKind) -> bool:
    assert kind.undo_batch is not None
    with runtime.database.unit_of_work(access.system(job.organization_id), request_id=job.request_id) as uow:
        current = service.lock_job(uow, job.id)
        if current is None or current.state != "undoing":
            return False
        _name_job(uow, job.id)
        done = select(JobItem.subject_id).where(JobItem.job_id == job.id, JobItem.state == "done")
        subjects = list(
            uow.session.scalars(done.order_by(JobItem.position).limit(kind.size_for(current)).with_for_update())
        )
        if subjects:
            settle_items(uow, current, kind.undo_batch(uow, current, subjects))
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
            end_open_items(uow, current, "failed", current.error)
            _end(uow, current, error=current.error)


def _refuse(runtime: Runtime, job: Job, error: OctantError) -> None:
    """End a job whose work is refused: trying again would be refused again. The page shows the sentence."""
    with runtime.database.unit_of_work(access.system(job.organization_id), request_id=job.request_id) as uow:
        current = service.lock_job(uow, job.id)
        # Another worker is in the middle of a batch of it; the next round refuses it again.
        if current is not None and current.state in service.OPEN:
            end_open_items(uow, current, "failed", sentence_of(error))
            _end(uow, current, error=sentence_of(error))
