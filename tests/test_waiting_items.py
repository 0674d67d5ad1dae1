"""What of a job waits for a batch: ids together, taken whole, each of them a row once and settled."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from threading import Barrier, BrokenBarrierError
from uuid import UUID, uuid4

import pytest
from sqlalchemy import ARRAY, Uuid, cast, func, select, text
from sqlalchemy.exc import IntegrityError

from app.domain import access
from app.domain.access import Permission
from app.domain.errors import Conflict, NotFound
from app.domain.saying import later
from app.features.jobs import claims, items, queries, runner, service
from app.features.jobs.kinds import JobKind
from app.features.jobs.models import Job, JobItem, WaitingItems
from app.features.jobs.runner import work
from app.features.jobs.service import Settled
from app.infra.db.open import UnitOfWork
from app.infra.runtime import Runtime
from tests.factories import World
from tests.harness import Clock

Batch = Callable[[UnitOfWork, Job, Sequence[UUID]], Mapping[UUID, Settled]]


def _done(_uow: UnitOfWork, job: Job, subjects: Sequence[UUID]) -> Mapping[UUID, Settled]:
    return dict.fromkeys(subjects, Settled("undone" if job.state == "undoing" else "done"))


def _kind(batch: Batch = _done, size: int = 4) -> dict[str, JobKind]:
    kind = JobKind(
        name="test", label="Test", permission=Permission.ASSIGN, batch_size=size, batch=batch, undo_batch=_done
    )
    return {"test": kind}


class Scene:
    """A job of so many subjects that wait together."""

    def __init__(self, runtime: Runtime, subjects: int, *, batch: int = 4) -> None:
        self.runtime = runtime
        self.organization = World(runtime).organization()
        self.system = access.system(self.organization)
        self.subjects = [uuid4() for _ in range(subjects)]
        with runtime.database.unit_of_work(self.system) as uow:
            job, _ = service.create_job(uow, "test", {})
            chosen = select(func.unnest(cast(self.subjects, ARRAY(Uuid))))
            assert items.add_items(uow, job, chosen, batch=batch) == job.total == subjects
            self.job = job.id

    def work(self, batch: Batch = _done, size: int = 4) -> None:
        work(self.runtime, self.organization, _kind(batch, size), until=self.runtime.clock() + timedelta(seconds=20))

    def one_batch(self, batch: Batch = _done) -> bool:
        kind = _kind(batch)["test"]
        with self.runtime.database.unit_of_work(self.system) as uow:
            job = service.get_job(uow, self.job)
        return runner._advance(self.runtime, job, kind)

    def rows(self) -> dict[UUID, JobItem]:
        with self.runtime.database.unit_of_work(self.system) as uow:
            return {item.subject_id: item for item in uow.session.scalars(select(JobItem))}

    def together(self) -> list[list[UUID]]:
        with self.runtime.database.unit_of_work(self.system) as uow:
            return list(uow.session.scalars(select(WaitingItems.subject_ids).order_by(WaitingItems.number)))

    def waiting(self) -> list[UUID]:
        return [subject for ids in self.together() for subject in ids]

    def state(self) -> tuple[str, dict[str, int]]:
        """The job's, and how many of its items are in each, as its page says."""
        with self.runtime.database.unit_of_work(self.system) as uow:
            return service.get_job(uow, self.job).state, queries.item_counts(uow, self.job)

    def whole(self) -> None:
        """Each subject is in one place, and the progress counts all of them."""
        rows, waiting = self.rows(), self.waiting()
        assert Counter([*rows, *waiting]) == Counter(self.subjects)
        with self.runtime.database.unit_of_work(self.system) as uow:
            job = service.get_job(uow, self.job)
            told = service.progress(uow, [job])[self.job]
            listed = queries.items_of(uow, self.job, limit=10_000)
            in_turn = queries.items_in_turn(uow, self.job, limit=10_000)
            assert items.subjects_of(uow, job) == set(self.subjects)
            assert told.left == items.count_open_items(uow, job)
        assert told.total == told.done + told.skipped + told.failed + told.cancelled + told.left == len(self.subjects)
        assert [line.subject_id for line in listed] == self.subjects
        assert [(item.subject_id, item.position) for item in in_turn] == [
            (subject, place) for place, subject in enumerate(self.subjects, start=1)
        ]
        assert Counter(line.state for line in listed) == Counter(self.state()[1])


def test_what_is_selected_waits_as_ids_and_is_a_row_once_it_is_settled(runtime: Runtime) -> None:
    scene = Scene(runtime, 10)
    assert (scene.rows(), scene.waiting()) == ({}, scene.subjects)
    assert [len(ids) for ids in scene.together()] == [4, 4, 2]
    assert scene.state() == ("queued", {"pending": 10})
    scene.whole()
    assert scene.one_batch()
    assert (set(scene.rows()), scene.waiting()) == (set(scene.subjects[:4]), scene.subjects[4:])
    assert scene.state() == ("running", {"done": 4, "pending": 6})
    scene.whole()
    scene.work()
    assert scene.state() == ("done", {"done": 10})
    assert [(item.position, item.listed) for item in map(scene.rows().__getitem__, scene.subjects)] == [
        (place, place) for place in range(1, 11)
    ]
    scene.whole()


def test_who_waits_is_listed_page_by_page(runtime: Runtime) -> None:
    scene = Scene(runtime, 11)
    scene.one_batch()
    with runtime.database.unit_of_work(scene.system) as uow:
        pages = [queries.items_of(uow, scene.job, state="pending", limit=3, offset=n) for n in (0, 3, 6)]
        assert [line.subject_id for page in pages for line in page] == scene.subjects[4:]
        found: list[UUID] = []
        after: tuple[int, UUID] | None = None
        while page := queries.items_in_turn(uow, scene.job, after=after, limit=3):
            found += [item.subject_id for item in page]
            after = (page[-1].position, page[-1].subject_id)
        assert found == scene.subjects
        done = queries.items_in_turn(uow, scene.job, state="done", limit=20)
        assert [item.subject_id for item in done] == scene.subjects[:4]


def test_a_batch_that_dies_gives_back_all_that_it_took(runtime: Runtime, clock: Clock) -> None:
    scene = Scene(runtime, 10)

    def die(uow: UnitOfWork, job: Job, subjects: Sequence[UUID]) -> Mapping[UUID, Settled]:
        where = {"job": job.id, "client": subjects[0]} | claims.places_of(uow, subjects[:1])
        uow.session.execute(
            text(
                "INSERT INTO job_items (job_id, subject_id, position, listed, state) SELECT :job, :client, p, l, 'done'"
                " FROM unnest(CAST(:positions AS bigint[]), CAST(:listed AS bigint[])) AS g(p, l)"
            ),
            where,
        )
        claims.note_written(uow, 1)
        raise OSError("the power went")

    scene.one_batch()
    with pytest.raises(OSError, match="power"):
        scene.one_batch(die)
    assert (len(scene.rows()), scene.waiting()) == (4, scene.subjects[4:])
    scene.whole()
    clock.now += timedelta(minutes=2)
    scene.work()
    assert scene.state() == ("done", {"done": 10})


def test_a_batch_that_leaves_somebody_out_loses_nobody(runtime: Runtime, clock: Clock) -> None:
    scene = Scene(runtime, 6)

    def forget_one(_uow: UnitOfWork, _job: Job, subjects: Sequence[UUID]) -> Mapping[UUID, Settled]:
        return dict.fromkeys(subjects[1:], Settled())

    for _ in range(9):
        scene.work(forget_one)
        scene.whole()
        clock.now += timedelta(minutes=2)
    assert scene.state() == ("failed", {"failed": 6})
    reasons = {item.reason for item in scene.rows().values()}
    assert len(reasons) == 1
    assert "has not said what became of each" in str(reasons.pop())


def test_nobody_is_settled_twice(runtime: Runtime) -> None:
    scene = Scene(runtime, 4)
    with runtime.database.unit_of_work(scene.system) as uow:
        uow.session.add(JobItem(job_id=scene.job, subject_id=scene.subjects[2], position=3, listed=3, state="done"))
    with pytest.raises(IntegrityError, match="pk_job_items"):
        scene.one_batch()


def test_two_workers_share_what_waits(live: Runtime) -> None:
    scene = Scene(live, 40)
    seen: list[UUID] = []
    both = Barrier(2, timeout=10)

    def meet(_uow: UnitOfWork, _job: Job, subjects: Sequence[UUID]) -> Mapping[UUID, Settled]:
        with suppress(BrokenBarrierError):
            both.wait()
        seen.extend(subjects)
        return dict.fromkeys(subjects, Settled())

    with ThreadPoolExecutor(2) as pool:
        for task in [pool.submit(scene.work, meet) for _ in range(2)]:
            task.result()
    assert not both.broken
    assert sorted(seen) == sorted(scene.subjects)
    assert scene.state() == ("done", {"done": 40})
    scene.whole()


def test_of_a_batch_that_is_refused_only_those_fail_that_are_refused_alone(runtime: Runtime) -> None:
    scene = Scene(runtime, 11)
    bad = {scene.subjects[place] for place in (1, 2, 9)}
    sizes: list[int] = []

    def refuse_some(_uow: UnitOfWork, _job: Job, subjects: Sequence[UUID]) -> Mapping[UUID, Settled]:
        sizes.append(len(subjects))
        if bad & set(subjects):
            raise NotFound("This person is no longer here.")
        return dict.fromkeys(subjects, Settled(result={"alone": len(subjects) == 1}))

    scene.work(refuse_some)
    assert scene.state() == ("done", {"done": 8, "failed": 3})
    assert sizes == [4, *[1] * 4, 4, 3, *[1] * 3]
    assert {subject for subject, item in scene.rows().items() if item.reason} == bad
    scene.whole()


def test_a_job_that_is_refused_altogether_says_so_of_everybody(runtime: Runtime) -> None:
    scene = Scene(runtime, 100, batch=30)
    sentence = later("Only %(most)s of them can be.", most=3)

    def refuse(_uow: UnitOfWork, _job: Job, _subjects: Sequence[UUID]) -> Mapping[UUID, Settled]:
        raise Conflict(sentence)

    scene.work(refuse, size=30)
    assert scene.state() == ("failed", {"failed": 100})
    assert {item.reason for item in scene.rows().values()} == {sentence}
    scene.whole()


@pytest.mark.parametrize("bad_places", [(5, 6, 9), (5, 6)])
def test_refused_ones_that_a_dead_worker_left_do_not_end_the_job(runtime: Runtime, bad_places: tuple[int, ...]) -> None:
    scene = Scene(runtime, 12)
    bad = {scene.subjects[place] for place in bad_places}
    scene.one_batch()
    # A worker whose batch was refused has tried one by one, and dies before it notes who was refused.
    with runtime.database.unit_of_work(scene.system) as uow:
        job = service.get_job(uow, scene.job)
        items.let_wait_singly(uow, job)
        for _ in range(2):
            taken = claims.take_rows(uow, job, 1, without=bad)
            assert taken is not None
            claims.settle_taken(uow, job, taken, dict.fromkeys(taken.subjects, Settled()))

    def refuse_some(_uow: UnitOfWork, _job: Job, subjects: Sequence[UUID]) -> Mapping[UUID, Settled]:
        if bad & set(subjects):
            raise NotFound("This person is no longer here.")
        return dict.fromkeys(subjects, Settled())

    scene.work(refuse_some)
    assert scene.state() == ("done", {"done": 12 - len(bad), "failed": len(bad)})
    assert {subject for subject, item in scene.rows().items() if item.reason} == bad
    scene.whole()


def test_a_cancelled_job_says_of_everybody_whether_they_were_reached(runtime: Runtime) -> None:
    scene = Scene(runtime, 10)
    scene.one_batch()
    with runtime.database.unit_of_work(scene.system) as uow:
        service.cancel_job(uow, scene.job)
    assert (scene.state(), scene.waiting()) == (("cancelled", {"done": 4, "cancelled": 6}), [])
    scene.whole()
    with runtime.database.unit_of_work(scene.system) as uow:
        service.begin_undo(uow, scene.job)
    scene.work()
    assert scene.state() == ("undone", {"undone": 4, "cancelled": 6})
    scene.whole()


def test_what_waits_as_rows_is_worked_on_as_well(runtime: Runtime) -> None:
    """Of a job that was under way when ids began to wait together; and of one of ids that are listed."""
    scene = Scene(runtime, 10)
    scene.one_batch()
    with runtime.database.unit_of_work(scene.system) as uow:
        items.let_wait_singly(uow, service.get_job(uow, scene.job))
        # Somebody alone can be taken, so no more need to be.
        items.let_wait_singly(uow, service.get_job(uow, scene.job))
    assert scene.waiting() == scene.subjects[8:]
    scene.whole()
    scene.work()
    assert scene.state() == ("done", {"done": 10})
    scene.whole()


@pytest.mark.parametrize("seed", range(12))
def test_everybody_is_in_one_place_whatever_happens(runtime: Runtime, clock: Clock, seed: int) -> None:
    chance = random.Random(seed)
    scene = Scene(runtime, chance.randint(0, 25), batch=chance.randint(1, 6))
    bad = set(chance.sample(scene.subjects, len(scene.subjects) // 5))

    def some(_uow: UnitOfWork, _job: Job, subjects: Sequence[UUID]) -> Mapping[UUID, Settled]:
        if chance.random() < 0.2:
            raise OSError("torn")
        if bad & set(subjects):
            raise NotFound("This person is no longer here.")
        kinds = (Settled(), Settled("skipped", "Was there."), Settled(result={"n": 1}))
        return {subject: chance.choice(kinds) for subject in subjects}

    def act(deed: Callable[[UnitOfWork, UUID], Job]) -> None:
        with suppress(Conflict), runtime.database.unit_of_work(scene.system) as uow:
            deed(uow, scene.job)

    ended = False
    for _ in range(30):
        match chance.choice(["batch", "batch", "batch", "pause", "resume", "singly", "undo", "cancel"]):
            case "batch":
                with suppress(OSError):
                    scene.one_batch(some)
            case "pause":
                act(service.pause_job)
            case "resume":
                act(service.resume_job)
            case "undo":
                act(service.begin_undo)
            case "cancel" if chance.random() < 0.2:
                act(service.cancel_job)
            case "singly" if not ended:
                with runtime.database.unit_of_work(scene.system) as uow:
                    items.let_wait_singly(uow, service.get_job(uow, scene.job))
        scene.whole()
        ended = scene.state()[0] in ("done", "failed", "cancelled", "undoing", "undone")
    act(service.resume_job)
    while scene.state()[0] in ("queued", "running", "undoing"):
        scene.work(some)
        clock.now += timedelta(minutes=2)
    scene.whole()
    assert scene.waiting() == []
    state, counts = scene.state()
    assert state in ("done", "failed", "cancelled", "undone")
    assert "pending" not in counts
