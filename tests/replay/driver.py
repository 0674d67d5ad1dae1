"""Plays a scenario on the product and on the model at once: two beats and three workers on a real database."""

from __future__ import annotations

import heapq
import random
import time as real_time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from pathlib import Path
from threading import Event
from uuid import UUID

from app import composition
from app.features.messaging.runner import send_outbox
from app.features.reviews.engine import make_batch
from app.infra.db.open import Bell, UnitOfWork
from tests.harness import Servers
from tests.replay import scenario
from tests.replay.checks import Checks, Differs, Found
from tests.replay.happenings import Edit, Happenings
from tests.replay.model import Made
from tests.replay.scene import FIRST, Scene

_BEATS, _WORKERS = 2, 3
# Where a policy is edited meanwhile the workers make a few prompts at a time, so that the edit falls between them.
_SMALL_BATCH = 3
# More than any message waits for its morning, its Monday or the end of a holiday, one after the other.
_MOST_SETTLING = 500
_NEVER = timedelta(days=4000)


class Replay:
    """One run. Make it, `run` it; it raises `Differs` at the first disagreement it looks for."""

    def __init__(
        self,
        servers: Servers,
        folder: Path,
        *,
        seed: int,
        plans: int,
        years: float,
        grid_hours: float,
        say: Callable[[str], None],
    ) -> None:
        # One connection for each of the crew, one for the editor and one for the driver.
        connections = _BEATS + _WORKERS + 3
        self.scene = Scene(servers, folder, seed=seed, plans=plans, years=years, connections=connections)
        self.found = Found(seed, years, plans, happened=self.scene.happened)
        self.checks = Checks(self.scene, self.found)
        self.happenings = Happenings(self.scene)
        self.grid, self.say = timedelta(hours=grid_hours), say
        # Who will answer which review, and when.
        self.answers: list[tuple[datetime, int, date]] = []
        self._seen_acts = 0

    def close(self) -> None:
        """Stop what it started."""
        self.scene.close()

    def run(self) -> Found:
        """Play everything and compare; returns what was found."""
        begun, scene = real_time.monotonic(), self.scene
        # Plans are scheduled by the first sweep after they are made; it is one of these, and not the race with it.
        composition.sweep_organization(scene.runtime, scene.organization)
        coming = scenario.events(scene.chance, FIRST, self.found.years, self.found.plans)
        heapq.heapify(coming)
        now, pressed, last_check = FIRST, True, FIRST
        with ThreadPoolExecutor(_BEATS + _WORKERS + 1, "replay") as crew:
            waited = self._tick(crew, now)
            while now < scene.until:
                tick = self._next_tick(now, waited, pressed)
                event = coming[0].at if coming else scene.until + _NEVER
                answer = self.answers[0][0] if self.answers else scene.until + _NEVER
                if min(event, answer) <= tick:
                    now = max(now, min(event, answer))
                    scene.clock.now = now + scene.offset
                    if answer <= event:
                        self.happenings.answer(*heapq.heappop(self.answers)[1:])
                    else:
                        self.happenings.happen(heapq.heappop(coming), now)
                    pressed = True
                    continue
                now = max(now, tick)
                waited, pressed = self._tick(crew, now), False
                if now - last_check > timedelta(days=60):
                    last_check = now
                    self.checks.compare()
                    self.say(f"{now:%Y-%m-%d}: {len(scene.model.acts)} acts, {self.found.ticks} ticks")
            self.checks.compare()
            self._settle(crew, now)
        self.checks.end()
        self.found.seconds = real_time.monotonic() - begun
        return self.found

    def _next_tick(self, now: datetime, waited: datetime | None, pressed: bool) -> datetime:
        """The workers look again at the next point of the grid after something is due, and now and then besides."""
        wanted = now + timedelta(hours=self.scene.chance.uniform(6, 90))
        if pressed:
            wanted = now
        elif waited is not None:
            wanted = min(wanted, max(now, waited - self.scene.offset))
        steps = int((wanted - FIRST) / self.grid) + 1
        return max(FIRST + steps * self.grid, self.scene.asleep_until)

    def _tick(self, crew: ThreadPoolExecutor, now: datetime) -> datetime | None:
        """One visit of all beats and workers at one moment, and of the model; returns what is waited for next."""
        moment = self.scene.clock.now = now + self.scene.offset
        self.found.ticks += 1
        self.checks.visits.append(moment)
        if self.happenings.edits:
            self._visit_with_edit(crew, moment, self.happenings.edits.pop())
        else:
            self._all(crew, [*[self._beat] * _BEATS, *[self._work] * _WORKERS])
            # What a beat worked out while the workers looked elsewhere it rings for once it is committed.
            self._answer_bells(crew)
        waited = self.scene.model.tick(moment)
        self._note_answers()
        self.checks.mails(moment)
        self.happenings.end_of_tick()
        outbox = min((row.not_before for row in self.checks.waiting()), default=None)
        return min((each for each in (waited, outbox) if each is not None), default=None)

    def _all(self, crew: ThreadPoolExecutor, acts: list[Callable[[], None]]) -> None:
        for done in [crew.submit(act) for act in acts]:
            done.result()

    def _work(self) -> None:
        until = self.scene.clock.now + timedelta(hours=1)
        composition.prompt_organization(self.scene.runtime, self.scene.organization, until=until, senders=1)

    def _answer_bells(self, crew: ThreadPoolExecutor) -> None:
        rung = self.scene.doorbell.rung
        while any(bell is Bell.PROMPT for bell, _ in rung):
            rung.clear()
            self._all(crew, [self._work])
        rung.clear()

    def _beat(self) -> None:
        composition.sweep_organization(self.scene.runtime, self.scene.organization)

    def _work_in_small_batches(self) -> None:
        """A worker's round again and again, with a few plans in each: makes, sends, makes, sends."""
        until = self.scene.clock.now + timedelta(hours=1)
        while self.scene.work(lambda uow: make_batch(uow, _SMALL_BATCH)):
            send_outbox(self.scene.runtime, self.scene.organization, composition.MESSAGE_KINDS, until=until, senders=1)
        self._work()

    def _visit_with_edit(self, crew: ThreadPoolExecutor, moment: datetime, edit: Edit) -> None:
        """A visit in whose middle somebody edits a policy.

        What must come of it: the edit holds every plan it is for from its first statement to its commit, and so does a
        batch; so each of these plans is made before the edit, by the old rules, or after it, by the new. How many acts
        of each had been made is read inside the edit's transaction, where none of them can be added; the model does
        exactly these by the old rules, then reads the new ones, then does the rest.
        """
        scene, model = self.scene, self.scene.model
        # What other rules changed before is read first: a plan that is worked out twice in one visit shows nothing.
        self._beat()
        model.look(moment)
        reached = {scene.ids[plan.key] for plan in model.reaches(edit.scope, edit.number)}
        done = Event()

        def act(uow: UnitOfWork) -> dict[UUID, int]:
            self.happenings.set_policy(uow, edit.scope, edit.number, edit.rules)
            return self.checks.acts_at(uow, moment)

        def edits() -> dict[UUID, int]:
            self._wait_for(edit.after, moment, done)
            return scene.work(act)  # type: ignore[no-any-return] # what `act` returns

        editor = crew.submit(edits)
        self._all(crew, [*[self._beat] * _BEATS, *[self._work_in_small_batches] * _WORKERS])
        done.set()
        before = editor.result()
        # Where the edit came last, what it made due is made now.
        self._all(crew, [self._work])
        after = scene.work(lambda uow: self.checks.acts_at(uow, moment))
        model.begin(moment, {scene.keys[plan]: count for plan, count in before.items() if plan in reached})
        self.happenings.note_policy(edit.scope, edit.number, edit.rules)
        self.found.edits_leaving += 1
        self.found.edits_between += 0 < sum(before.values()) < sum(after.values())

    def _wait_for(self, what: str, moment: datetime, done: Event) -> None:
        """Return once the workers are in the middle of it, or through."""
        size = self.scene.ledger.stat().st_size
        while what != "nothing" and not done.wait(0.001):
            if what == "arrived" and self.scene.ledger.stat().st_size > size:
                return
            if what == "made" and self.scene.work(lambda uow: self.checks.acts_at(uow, moment)):
                return

    def _note_answers(self) -> None:
        """Some of those who were asked will answer, within three weeks; drawn for each alone, whoever comes first."""
        true = self.scene.clock.now - self.scene.offset
        for act in self.scene.model.acts[self._seen_acts :]:
            chance = random.Random(f"{self.found.seed}:{act.plan}:{act.day}:{act.at}")
            if isinstance(act, Made) and chance.random() < 0.3:
                delay = timedelta(hours=chance.uniform(0.1, 500))
                heapq.heappush(self.answers, (true + delay, act.plan, act.day))
        self._seen_acts = len(self.scene.model.acts)

    def _settle(self, crew: ThreadPoolExecutor, now: datetime) -> None:
        """No prompt is made any more; let the workers come at each moment that a message still waits for."""
        self.scene.offset = timedelta(0)

        def send() -> None:
            until = now + timedelta(hours=1)
            send_outbox(self.scene.runtime, self.scene.organization, composition.MESSAGE_KINDS, until=until, senders=1)

        for _ in range(_MOST_SETTLING):
            waited = [row.not_before for row in self.checks.waiting() if not self.checks.is_away(row, now)]
            if not waited:
                return
            now = self.scene.clock.now = max(now + timedelta(hours=1), min(waited))
            self._all(crew, [send] * _WORKERS)
            self.checks.mails(now)
        raise Differs(f"messages that do not leave although they may: {self.checks.waiting()}")
