"""The job ledger: batches, leases, attempts, cancel and undo (J1, J5, J6 in the small)."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from threading import Barrier, BrokenBarrierError, Event
from uuid import UUID, uuid4

import pytest
import structlog
from sqlalchemy import Engine, event, func, select, text
from structlog.testing import capture_logs

from app.domain import access
from app.domain.access import Permission, Role
from app.domain.errors import Conflict, FieldProblem, InvalidInput, NotFound
from app.features.audit.service import verify
from app.features.jobs import claims, items, service
from app.features.jobs.kinds import JobKind, SlowWork
from app.features.jobs.models import Job, JobItem
from app.features.jobs.runner import undo_job, waits, work
from app.features.jobs.service import Settled
from app.infra.db.open import UnitOfWork
from app.infra.queue import SilentDoorbell
from app.infra.runtime import Runtime, make_runtime
from tests.factories import World
from tests.harness import Clock, replace


def _settle_all(uow: UnitOfWork, job: Job, subjects: Sequence[UUID]) -> Mapping[UUID, Settled]:
    return dict.fromkeys(subjects, Settled("undone" if job.state == "undoing" else "done"))


KIND = JobKind(
    name="test", label="Test", permission=Permission.ASSIGN, batch_size=4, batch=_settle_all, undo_batch=_settle_all
)


def _job(runtime: Runtime, actor: access.Actor, subjects: int, kind: str = "test") -> UUID:
    with runtime.database.unit_of_work(actor) as uow:
        job, _ = service.create_job(uow, kind, {})
        items.add_items(uow, job, [uuid4() for _ in range(subjects)])
        return job.id


def _states(runtime: Runtime, organization_id: UUID) -> tuple[str, dict[str, int]]:
    with runtime.database.unit_of_work(access.system(organization_id)) as uow:
        rows = uow.session.execute(select(JobItem.state, func.count()).group_by(JobItem.state)).all()
        return uow.session.scalars(select(Job.state)).one(), dict(map(tuple, rows))


def _until(runtime: Runtime):
    return runtime.clock() + timedelta(seconds=20)


def test_a_job_is_worked_off_in_batches_and_undone(runtime: Runtime, world: World) -> None:
    organization = world.organization()
    admin = world.person(organization, Role.ADMIN).actor
    job_id = _job(runtime, admin, 10)
    assert work(runtime, organization, {"test": KIND}, until=_until(runtime)) is False
    assert _states(runtime, organization) == ("done", {"done": 10})
    undo_job(runtime, admin, {"test": KIND}, job_id)
    work(runtime, organization, {"test": KIND}, until=_until(runtime))
    assert _states(runtime, organization) == ("undone", {"undone": 10})
    with runtime.database.unit_of_work(admin) as uow:
        assert verify(uow) == []
    with pytest.raises(Conflict):
        undo_job(runtime, admin, {"test": KIND}, job_id)


def test_the_same_key_finds_the_same_job(runtime: Runtime, world: World) -> None:
    organization = world.organization()
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        first, new = service.create_job(uow, "test", {}, idempotency_key="k")
        again, newer = service.create_job(uow, "test", {}, idempotency_key="k")
        assert (first.id, new, newer) == (again.id, True, False)


def test_a_cancelled_job_stops_and_says_so(runtime: Runtime, world: World) -> None:
    organization = world.organization()
    admin = world.person(organization, Role.ADMIN).actor
    job_id = _job(runtime, admin, 5)
    with runtime.database.unit_of_work(admin) as uow:
        service.cancel_job(uow, job_id)
    work(runtime, organization, {"test": KIND}, until=_until(runtime))
    assert _states(runtime, organization) == ("cancelled", {"cancelled": 5})


def test_jobs_of_others_are_not_found(runtime: Runtime, world: World) -> None:
    organization = world.organization()
    admin, counsellor = (world.person(organization, r).actor for r in (Role.ADMIN, Role.COUNSELLOR))
    job_id = _job(runtime, admin, 1)
    with runtime.database.unit_of_work(counsellor) as uow, pytest.raises(NotFound):
        service.get_job(uow, job_id)


def test_j6_an_item_that_always_fails_is_parked_and_the_others_finish(
    runtime: Runtime, world: World, clock: Clock
) -> None:
    organization = world.organization()
    _job(runtime, access.system(organization), 5, kind="slow")

    def load(uow: UnitOfWork, job: Job, subjects: Sequence[UUID]) -> list[UUID]:
        first = uow.session.scalars(select(JobItem.subject_id).order_by(JobItem.position).limit(1)).one()
        return [s for s in subjects if s != first]

    slow = SlowWork(
        load=load,
        act=lambda runtime, job, loaded: {s: Settled(result={"ok": True}) for s in loaded},
        store=lambda uow, job, outcomes: None,
    )
    kinds = {
        "slow": JobKind(
            name="slow", label="Slow", permission=Permission.ASSIGN, batch_size=3, slow=slow, finish=lambda *_: {"n": 1}
        )
    }
    for _ in range(6):
        work(runtime, organization, kinds, until=_until(runtime))
        clock.now += timedelta(seconds=30)
    assert _states(runtime, organization) == ("done", {"done": 4, "failed": 1})


def test_a_result_under_a_lost_lease_is_not_stored(runtime: Runtime, world: World, clock: Clock) -> None:
    organization = world.organization()
    job_id = _job(runtime, access.system(organization), 1)
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        job = service.get_job(uow, job_id)
        (first,) = claims.claim_items(uow, job, 5)
        assert claims.claim_items(uow, job, 5) == []
    clock.now += timedelta(seconds=61)
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        job = service.get_job(uow, job_id)
        (second,) = claims.claim_items(uow, job, 5)
        late = claims.settle_items(uow, job, {first.subject_id: Settled()}, token=first.token)
        stored = claims.settle_items(uow, job, {second.subject_id: Settled()}, token=second.token)
        assert (late, stored) == (set(), {second.subject_id})


def test_two_workers_that_begin_a_job_at_the_same_moment_do_not_stop_each_other(live: Runtime) -> None:
    world = World(live)
    organization = world.organization()
    _job(live, access.system(organization), 40)
    # Both workers have seen that the job waits before either of them says that it runs.
    both = Barrier(2, timeout=10)

    def wait(_c: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("UPDATE jobs SET state") and "started_at" in statement:
            with suppress(BrokenBarrierError):
                both.wait()

    event.listen(Engine, "before_cursor_execute", wait)
    try:
        with capture_logs() as logged, ThreadPoolExecutor(2) as pool:
            tasks = [pool.submit(work, live, organization, {"test": KIND}, until=_until(live)) for _ in range(2)]
            for task in tasks:
                task.result()
    finally:
        event.remove(Engine, "before_cursor_execute", wait)
    assert _states(live, organization) == ("done", {"done": 40})
    assert [line["event"] for line in logged] == ["job_started", "job_ended"]


def test_what_is_refused_alone_fails_at_once_and_the_rest_of_its_batch_is_done(runtime: Runtime, world: World) -> None:
    organization = world.organization()
    _job(runtime, access.system(organization), 10)
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        bad = set(uow.session.scalars(select(JobItem.subject_id).where(JobItem.position.in_((2, 3, 7)))))

    def refuse_some(uow: UnitOfWork, job: Job, subjects: Sequence[UUID]) -> Mapping[UUID, Settled]:
        if bad & set(subjects):
            raise InvalidInput([FieldProblem("name", "This one has no name. Give it one.")])
        return dict.fromkeys(subjects, Settled())

    kinds = {"test": JobKind(name="test", label="Test", permission=Permission.ASSIGN, batch_size=4, batch=refuse_some)}
    work(runtime, organization, kinds, until=_until(runtime))
    assert _states(runtime, organization) == ("done", {"done": 7, "failed": 3})
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        said = select(JobItem.reason).where(JobItem.subject_id.in_(bad)).distinct()
        assert uow.session.scalars(said).all() == ["This one has no name. Give it one."]


def test_a_job_that_is_refused_altogether_ends_at_once_with_its_sentence(runtime: Runtime, world: World) -> None:
    organization = world.organization()
    _job(runtime, access.system(organization), 200)
    tried: list[int] = []

    def refuse(uow: UnitOfWork, job: Job, subjects: Sequence[UUID]) -> Mapping[UUID, Settled]:
        tried.append(len(subjects))
        raise Conflict("The questionnaire was withdrawn. Offer it again first.")

    kinds = {"test": JobKind(name="test", label="Test", permission=Permission.ASSIGN, batch_size=100, batch=refuse)}
    with capture_logs() as logged:
        work(runtime, organization, kinds, until=_until(runtime))
    assert _states(runtime, organization) == ("failed", {"failed": 200})
    assert tried == [100] + [1] * 20
    assert [line["event"] for line in logged if line["log_level"] != "info"] == ["job_refused"]
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        assert uow.session.scalars(select(Job.error)).one() == "The questionnaire was withdrawn. Offer it again first."


def test_a_fault_is_tried_again_and_a_refused_item_of_slow_work_is_not(
    runtime: Runtime, world: World, clock: Clock
) -> None:
    organization = world.organization()
    _job(runtime, access.system(organization), 3, kind="slow")
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        refused, broken, _ = uow.session.scalars(select(JobItem.subject_id).order_by(JobItem.position)).all()
    tried: list[UUID] = []

    def act(runtime: Runtime, job: Job, loaded: Sequence[UUID]) -> Mapping[UUID, Settled]:
        tried.extend(loaded)
        if refused in loaded:
            raise NotFound("This person is no longer here.")
        if broken in loaded and tried.count(broken) < 3:
            raise OSError("the disk went away")
        return {subject: Settled() for subject in loaded}

    slow = SlowWork(load=lambda uow, job, subjects: subjects, act=act, store=lambda uow, job, outcomes: None)
    kinds = {"slow": JobKind(name="slow", label="Slow", permission=Permission.ASSIGN, batch_size=3, slow=slow)}
    for _ in range(4):
        work(runtime, organization, kinds, until=_until(runtime))
        clock.now += timedelta(seconds=30)
    assert _states(runtime, organization) == ("done", {"done": 2, "failed": 1})
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        rows = uow.session.execute(select(JobItem.subject_id, JobItem.reason, JobItem.attempts)).all()
    assert {row.subject_id: (row.reason, row.attempts) for row in rows if row.subject_id == refused} == {
        refused: ("This person is no longer here.", 1)
    }


def test_a_line_logged_on_a_job_names_it_and_the_request_that_asked_for_it(runtime: Runtime, world: World) -> None:
    organization = world.organization()
    with runtime.database.unit_of_work(access.system(organization), request_id="asked-by-this") as uow:
        job, _ = service.create_job(uow, "test", {})
        items.add_items(uow, job, [uuid4()])

    def tell(uow: UnitOfWork, job: Job, subjects: Sequence[UUID]) -> Mapping[UUID, Settled]:
        structlog.get_logger().info("a_feature_says_something")
        return dict.fromkeys(subjects, Settled())

    kinds = {"test": JobKind(name="test", label="Test", permission=Permission.ASSIGN, batch_size=4, batch=tell)}
    with capture_logs(processors=[structlog.contextvars.merge_contextvars]) as logged:
        work(runtime, organization, kinds, until=_until(runtime))
    assert [line["event"] for line in logged] == ["job_started", "a_feature_says_something", "job_ended"]
    assert {(line["request_id"], line["job_id"], line["kind"]) for line in logged} == {
        ("asked-by-this", str(job.id), "test")
    }
    assert structlog.contextvars.get_contextvars().get("job_id") is None


@pytest.mark.parametrize("long", [True, False])
def test_long_work_keeps_its_lease_while_its_process_lives(live: Runtime, long: bool) -> None:
    runtime = make_runtime(replace(live.settings, lease_seconds=1), doorbell=SilentDoorbell())
    organization = World(runtime).organization()
    begun: list[UUID] = []

    def act(_runtime: Runtime, _job: Job, subjects: Sequence[UUID]) -> Mapping[UUID, Settled]:
        begun.extend(subjects)
        time.sleep(2.5)
        return dict.fromkeys(subjects, Settled("done"))

    slow = SlowWork(load=lambda _uow, _job, subjects: list(subjects), act=act, store=lambda *_: None)
    kinds = {"test": JobKind(name="test", label="", permission=Permission.ASSIGN, batch_size=1, slow=slow, long=long)}
    _job(runtime, access.system(organization), 1)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(work, runtime, organization, kinds, until=_until(runtime))
        while not begun:
            time.sleep(0.02)
        # The lease it began with has run out then.
        time.sleep(1.3)
        work(runtime, organization, kinds, until=_until(runtime))
        first.result()
    runtime.database.dispose()
    # Work whose lease is not kept is begun by the other as well: it had run out.
    assert (len(begun) == 1) is long


def test_a_cancelled_long_work_ends_its_statement_and_no_other(live: Runtime) -> None:
    runtime = make_runtime(replace(live.settings, lease_seconds=1), doorbell=SilentDoorbell())
    organization = World(runtime).organization()
    begun, stray = Event(), Event()
    asked: list[UUID] = []

    def act(runtime: Runtime, job: Job, subjects: Sequence[UUID]) -> Mapping[UUID, Settled]:
        asked.extend(subjects)
        with runtime.database.unit_of_work(access.system(job.organization_id)) as uow:
            uow.session.execute(text("SET LOCAL statement_timeout = 0"))
            begun.set()
            uow.session.execute(text("SELECT pg_sleep(120)"))
        return dict.fromkeys(subjects, Settled("done"))

    def other() -> None:
        with runtime.database.unit_of_work(access.system(organization)) as uow:
            uow.session.execute(text("SELECT pg_sleep(4)"))
        stray.set()

    slow = SlowWork(load=lambda _uow, _job, subjects: list(subjects), act=act, store=lambda *_: None)
    kinds = {"test": JobKind(name="test", label="", permission=Permission.ASSIGN, batch_size=1, slow=slow, long=True)}
    actor = access.system(organization)
    cancelled, then = (_job(runtime, actor, 1) for _ in range(2))
    with ThreadPoolExecutor(2) as pool, capture_logs() as logged:
        working = pool.submit(work, runtime, organization, kinds, until=_until(runtime))
        assert begun.wait(10)
        beside = pool.submit(other)
        with runtime.database.unit_of_work(actor) as uow:
            service.cancel_job(uow, cancelled)
        begun.clear()
        at = time.monotonic()
        # The worker goes on with what comes next.
        assert begun.wait(20)
        assert time.monotonic() - at < 10
        with runtime.database.unit_of_work(actor) as uow:
            service.cancel_job(uow, then)
        working.result(20)
        beside.result(20)
    assert stray.is_set()
    assert len(asked) == 2
    assert [line["event"] for line in logged].count("job_items_given_up") == 2
    with runtime.database.unit_of_work(actor) as uow:
        assert set(uow.session.scalars(select(Job.state))) == {"cancelled"}
        running = (
            "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND pid <> pg_backend_pid() AND query LIKE"
        )
        assert uow.session.scalar(text(f"{running} '%pg_sleep(120)%'")) == 0
    runtime.database.dispose()


def test_long_work_is_left_to_long_tasks(runtime: Runtime, world: World) -> None:
    organization = world.organization()
    ended: list[UUID] = []

    def finish(_runtime: Runtime, _organization: UUID, job_id: UUID) -> dict[str, int]:
        ended.append(job_id)
        return {}

    shared = {"label": "", "permission": Permission.ASSIGN, "batch_size": 4, "batch": _settle_all}
    kinds = {
        "file": JobKind(name="file", long=True, **shared),  # type: ignore[arg-type] # as `shared` says
        "many": JobKind(name="many", finish=finish, long_finish=True, **shared),  # type: ignore[arg-type] # the same
    }
    file, many = (_job(runtime, access.system(organization), 3, kind) for kind in ("file", "many"))

    def states() -> dict[UUID, str]:
        with runtime.database.unit_of_work(access.system(organization)) as uow:
            return dict(map(tuple, uow.session.execute(select(Job.id, Job.state))))

    assert work(runtime, organization, kinds, until=_until(runtime), part="short") is False
    assert (states(), ended) == ({file: "queued", many: "finishing"}, [])
    assert waits(runtime, organization, kinds, "long")
    assert work(runtime, organization, kinds, until=_until(runtime), part="long") is False
    assert (states(), ended) == ({file: "done", many: "done"}, [many])
    assert not waits(runtime, organization, kinds, "long")
