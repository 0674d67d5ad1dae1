"""Plays a scenario on the product and on the model at once: two beats and three workers on a real database."""

from __future__ import annotations

import heapq
import json
import random
import time as real_time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import text

from app import composition
from app.domain import access
from app.domain.cadence import parse_policy
from app.domain.steps import StepKey
from app.features.messaging.relay import relay_of
from app.features.organizations.service import create_organization
from app.features.reviews import pauses, settings
from app.features.reviews.commands import AddPause, EndPause, SetPolicy
from app.infra.db.open import UnitOfWork
from app.infra.mailsink.launch import start_mailsink
from app.infra.queue import SilentDoorbell
from app.infra.runtime import Runtime, make_runtime
from tests.harness import Clock, Servers
from tests.replay import scenario
from tests.replay.model import DAY, Model, Plan, Rules, first_leave, may_leave

_STEPS = {"steps": {key.value: {"enabled": True, "guidance": "Do it."} for key in StepKey}}
_BEATS, _WORKERS = 2, 3
_FIRST = datetime(2026, 1, 5, 3, 0, tzinfo=UTC)
# More than any message waits for its morning, its Monday or the end of a holiday, one after the other.
_MOST_SETTLING = 500


class Differs(AssertionError):
    """The product and the model do not agree; the text shows the first places."""


@dataclass
class Told:
    """What was found, as the last line of a run says it."""

    seed: int
    years: float
    plans: int
    ticks: int = 0
    occurrences: int = 0
    prompts: int = 0
    told: int = 0
    mails: int = 0
    lost: int = 0
    doubled: int = 0
    in_quiet_hours: int = 0
    out_of_order: int = 0
    seconds: float = 0

    def line(self, happened: Counter[str]) -> str:
        """One line of JSON."""
        return json.dumps({**vars(self), "seconds": round(self.seconds, 1), "happened": dict(sorted(happened.items()))})


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
        self.chance = random.Random(seed)
        self.grid = timedelta(hours=grid_hours)
        self.say = say
        self.until = _FIRST + timedelta(days=365 * years)
        self.found = Told(seed, years, plans)
        self.happened: Counter[str] = Counter()
        self.clock = Clock()
        self.clock.now = _FIRST
        self.database = servers.clone()
        self.servers = servers
        self.sink = start_mailsink(folder / "sink", keep_messages=False)
        self.ledger = folder / "sink" / "ledger.jsonl"
        made = replace(
            servers.settings(self.database, folder / "storage"),
            smtp_url=f"smtp://127.0.0.1:{self.sink.smtp_port}",
            mail_lookup_url=f"{self.sink.url}/lookup",
            pool_size=_BEATS + _WORKERS + 3,
        )
        self.runtime: Runtime = make_runtime(made, doorbell=SilentDoorbell(), clock=self.clock)
        self.model = Model("Europe/Dublin", (self.until + timedelta(days=800)).date())
        self.ids: dict[int, UUID] = {}
        self.clients: dict[int, UUID] = {}
        self.keys: dict[UUID, int] = {}
        self.templates: list[UUID] = []
        self.cohorts: list[UUID] = []
        self.pauses: dict[int, UUID] = {}
        self.pause_numbers = iter(range(10**9))
        self.offset, self.jumped_ticks = timedelta(0), 0
        self.asleep_until = _FIRST
        self.answers: list[tuple[datetime, int, date]] = []
        self.seen_made = 0
        self.organization = create_organization(
            self.runtime, slug="replay", name="Replay", time_zone="Europe/Dublin", locale="en"
        )
        self._build(plans)
        self.of_client = {client: self.model.plans[key] for key, client in self.clients.items()}

    def close(self) -> None:
        """Stop what it started."""
        relay_of(self.runtime.settings.smtp_url).close()
        self.runtime.database.dispose()
        self.sink.stop()
        self.servers.drop(self.database)

    def work(self, body: Callable[[UnitOfWork], Any]) -> Any:
        """Do something as the organization, in one transaction."""
        with self.runtime.database.unit_of_work(access.system(self.organization)) as uow:
            return body(uow)

    def sql(self, statement: str, **values: Any) -> list[Any]:
        """What a statement of the organization returns."""
        return self.work(lambda uow: list(uow.session.execute(text(statement), values)))  # type: ignore[no-any-return]

    def _build(self, plans: int) -> None:
        chance, model = self.chance, self.model
        model.terms = list(scenario.terms(_FIRST.date(), self.until.date()))
        for number, (first, last) in enumerate(model.terms):
            self.sql(
                "INSERT INTO terms (name, starts_on, ends_on) VALUES (:n, :f, :l) RETURNING 1",
                n=f"Term {number}",
                f=first,
                l=last,
            )
        for number in range(scenario.TEMPLATES):
            recipe = scenario.rules(chance, _FIRST.date(), self.until.date()) if number % 2 else None
            model.recipes[number] = recipe
            content = _STEPS | ({"review_policy": scenario.as_json(recipe)} if recipe else {})
            template = uuid4()
            self.templates.append(template)
            self.sql("INSERT INTO plan_templates (id, name) VALUES (:i, :n) RETURNING 1", i=template, n=f"T {number}")
            self.sql(
                "INSERT INTO template_versions (template_id, version, state, content, checksum, published_at)"
                " VALUES (:i, 1, 'published', CAST(:c AS jsonb), 'x', now()) RETURNING 1",
                i=template,
                c=json.dumps(content),
            )
        for number in range(scenario.COHORTS):
            made = self.sql("INSERT INTO cohorts (name, kind) VALUES (:n, 'fixed') RETURNING id", n=f"C {number}")
            self.cohorts.append(made[0].id)
        rows = []
        for key in range(plans):
            plan = Plan(
                key,
                started=_FIRST.date() - chance.randrange(1, 400) * DAY,
                template=chance.randrange(scenario.TEMPLATES),
                zone=None if chance.random() < 0.5 else chance.choice(scenario.ZONES),
            )
            plan.last = plan.started
            model.plans[key] = plan
            self.clients[key], self.ids[key] = uuid4(), uuid4()
            self.keys[self.ids[key]] = key
            rows.append(
                {
                    "client": self.clients[key],
                    "plan": self.ids[key],
                    "n": key,
                    "zone": plan.zone,
                    "template": self.templates[plan.template],
                    "started": plan.started,
                }
            )
        self.sql(
            """
            WITH g AS (
                SELECT * FROM jsonb_to_recordset(CAST(:rows AS jsonb))
                    AS g(client uuid, plan uuid, n int, zone text, template uuid, started date)
            ), c AS (
                INSERT INTO clients (id, external_id, given_name, family_name, email, given_folded, family_folded,
                                     external_folded, time_zone)
                SELECT client, 'S' || n, 'Given' || n, 'Family' || n, 'client' || n || '@example.org', 'given',
                       'family', 's' || n, zone FROM g RETURNING id
            ), p AS (
                INSERT INTO plans (id, client_id, template_id, template_version, started_on)
                SELECT g.plan, c.id, g.template, 1, g.started FROM g JOIN c ON c.id = g.client RETURNING id
            )
            INSERT INTO plan_steps (plan_id, step) SELECT p.id, s FROM p CROSS JOIN generate_series(1, 8) s RETURNING 1
            """,
            rows=json.dumps(rows, default=str),
        )
        owner = make_runtime(
            replace(self.runtime.settings, database_url=self.servers.url("octant_owner", self.database)),
            doorbell=SilentDoorbell(),
        )
        with owner.database.directory_session() as session:
            session.execute(text("CREATE INDEX ON messages (organization_id, sent_at)"))
            session.commit()
        owner.database.dispose()

    def run(self) -> Told:
        """Play everything and compare; returns what was found."""
        begun = real_time.monotonic()
        # Plans are scheduled by the first sweep after they are made; it is one of these, and not the race with it.
        composition.sweep_organization(self.runtime, self.organization)
        coming = scenario.events(self.chance, _FIRST, self.found.years, self.found.plans)
        heapq.heapify(coming)
        now, pressed, last_check = _FIRST, True, _FIRST
        with ThreadPoolExecutor(_BEATS + _WORKERS, "replay") as crew:
            waited = self._tick(crew, now)
            while now < self.until:
                tick = self._next_tick(now, waited, pressed)
                event = coming[0].at if coming else self.until + 4000 * DAY
                answer = self.answers[0][0] if self.answers else self.until + 4000 * DAY
                if min(event, answer) <= tick:
                    now = max(now, min(event, answer))
                    self.clock.now = now + self.offset
                    if answer <= event:
                        self._answer(*heapq.heappop(self.answers)[1:])
                    else:
                        self._happen(heapq.heappop(coming), now)
                    self.model.renew(self.clock.now)
                    pressed = True
                    continue
                now = max(now, tick)
                waited, pressed = self._tick(crew, now), False
                if now - last_check > timedelta(days=60):
                    last_check = now
                    self._compare()
                    self.say(f"{now:%Y-%m-%d}: {len(self.model.made)} messages, {self.found.ticks} ticks")
            self._settle(crew, now)
        self._compare()
        self._check_mails()
        self.found.seconds = real_time.monotonic() - begun
        return self.found

    def _next_tick(self, now: datetime, waited: datetime | None, pressed: bool) -> datetime:
        """The workers look again at the next point of the grid after something is due, and now and then besides."""
        wanted = now + timedelta(hours=self.chance.uniform(6, 90))
        if pressed:
            wanted = now
        elif waited is not None:
            wanted = min(wanted, max(now, waited - self.offset))
        steps = int((wanted - _FIRST) / self.grid) + 1
        return max(_FIRST + steps * self.grid, self.asleep_until)

    def _tick(self, crew: ThreadPoolExecutor, now: datetime) -> datetime | None:
        self.clock.now = now + self.offset
        self.found.ticks += 1
        moment = self.clock.now

        def work() -> None:
            until = moment + timedelta(hours=1)
            composition.prompt_organization(self.runtime, self.organization, until=until, senders=1)

        def beat() -> None:
            composition.sweep_organization(self.runtime, self.organization)

        acts = [crew.submit(act) for act in (*[beat] * _BEATS, *[work] * _WORKERS)]
        for act in acts:
            act.result()
        waited = self.model.tick(moment)
        self._note_answers()
        self._check_hours(moment)
        self.jumped_ticks = max(0, self.jumped_ticks - 1)
        if not self.jumped_ticks:
            self.offset = timedelta(0)
        return waited

    def _note_answers(self) -> None:
        """Some of those who were asked will answer: half of them, within three weeks."""
        for made in self.model.made[self.seen_made :]:
            if self.chance.random() < 0.3:
                delay = timedelta(hours=self.chance.uniform(0.1, 500))
                heapq.heappush(self.answers, ((self.clock.now - self.offset + delay), made.plan, made.day))
        self.seen_made = len(self.model.made)

    def _answer(self, key: int, day: date) -> None:
        plan = self.model.plans[key]
        if plan.asking != day or day in plan.answered or not plan.active:
            return
        changed = self.sql(
            "UPDATE reviews SET state = 'answered', answered_at = :now WHERE plan_id = :p AND occurrence_on = :d"
            " AND state IN ('open', 'started') RETURNING 1",
            now=self.clock.now,
            p=self.ids[key],
            d=day,
        )
        if len(changed) != 1:
            raise Differs(f"plan {key} has no open review of {day}")
        plan.answered.add(day)
        self.happened["answer"] += 1

    def _happen(self, event: scenario.Event, now: datetime) -> None:
        self.happened[event.what] += 1
        chance = random.Random(event.draw)
        getattr(self, f"_do_{event.what}")(chance, chance.choice(list(self.model.plans.values())), now)

    def _do_pause(self, chance: random.Random, plan: Plan, now: datetime) -> None:
        kind, first, last = scenario.pause(chance, now.date())
        self._add_pause(plan, kind, first, last)

    def _add_pause(self, plan: Plan | None, kind: str, first: date, last: date | None) -> None:
        command = AddPause(
            client_id=self.clients[plan.key] if plan else None,
            kind=kind,  # type: ignore[arg-type] # drawn from the same words
            starts_on=first,
            ends_on=last,
        )
        number = next(self.pause_numbers)
        self.pauses[number] = self.work(lambda uow: pauses.add_pause(uow, command))
        (plan.pauses if plan else self.model.holidays)[number] = (first, last)

    def _do_end_pause(self, chance: random.Random, plan: Plan, now: datetime) -> None:
        owners = [p for p in self.model.plans.values() if p.pauses]
        endless = [p for p in owners if any(last is None for _, last in p.pauses.values())]
        if not owners:
            return
        plan = chance.choice(endless or owners)
        number = chance.choice([n for n, s in plan.pauses.items() if s[1] is None] or list(plan.pauses))
        command = EndPause(pause_id=self.pauses[number], last_on=None)
        self.work(lambda uow: pauses.end_pause(uow, command))
        row = self.sql("SELECT starts_on, ends_on FROM review_pauses WHERE id = :i", i=self.pauses[number])
        if row:
            plan.pauses[number] = (row[0].starts_on, row[0].ends_on)
        else:
            del plan.pauses[number]

    def _do_holiday(self, chance: random.Random, plan: Plan, now: datetime) -> None:
        first = now.date() + chance.randint(-1, 90) * DAY
        self._add_pause(None, "holiday", first, first + chance.choice((0, 0, 1, 4, 12)) * DAY)

    def _do_move_client(self, chance: random.Random, plan: Plan, now: datetime) -> None:
        plan.zone = chance.choice((*scenario.ZONES, None))
        self.sql("UPDATE clients SET time_zone = :z WHERE id = :i RETURNING 1", z=plan.zone, i=self.clients[plan.key])

    def _do_move_organization(self, chance: random.Random, plan: Plan, now: datetime) -> None:
        self.model.zone = chance.choice(scenario.ZONES)
        self.sql("UPDATE organizations SET time_zone = :z RETURNING 1", z=self.model.zone)

    def _set(self, scope: str, number: int | None, subject: UUID | None, rules: Rules | None) -> None:
        policy = None if rules is None else parse_policy(scenario.as_json(rules))
        command = SetPolicy(scope=scope, subject_id=subject, policy=policy)  # type: ignore[arg-type] # one of the four
        self.work(lambda uow: settings.set_policy(uow, command))
        if rules is None:
            self.model.policies.pop((scope, number), None)
        else:
            self.model.policies[scope, number] = (rules, self.clock.now)

    def _drawn(self, chance: random.Random) -> Rules:
        return scenario.rules(chance, _FIRST.date(), self.until.date())

    def _do_edit_organization(self, chance: random.Random, plan: Plan, now: datetime) -> None:
        self._set("organization", None, None, self._drawn(chance))

    def _do_edit_template(self, chance: random.Random, plan: Plan, now: datetime) -> None:
        number = chance.randrange(scenario.TEMPLATES)
        self._set("template", number, self.templates[number], self._drawn(chance))

    def _do_edit_cohort(self, chance: random.Random, plan: Plan, now: datetime) -> None:
        number = chance.randrange(scenario.COHORTS)
        self._set("cohort", number, self.cohorts[number], self._drawn(chance))

    def _do_edit_plan(self, chance: random.Random, plan: Plan, now: datetime) -> None:
        self._set("plan", plan.key, self.ids[plan.key], self._drawn(chance))

    def _do_remove_policy(self, chance: random.Random, plan: Plan, now: datetime) -> None:
        if not self.model.policies:
            return
        scope, number = chance.choice(sorted(self.model.policies, key=str))
        subjects = {"template": self.templates, "cohort": self.cohorts, "plan": self.ids}
        self._set(scope, number, None if number is None else subjects[scope][number], None)  # type: ignore[index] # by number or key

    def _do_join(self, chance: random.Random, plan: Plan, now: datetime) -> None:
        number = chance.randrange(scenario.COHORTS)
        plan.cohorts.add(number)
        self.sql(
            "INSERT INTO cohort_members (cohort_id, client_id) VALUES (:c, :i) ON CONFLICT DO NOTHING RETURNING 1",
            c=self.cohorts[number],
            i=self.clients[plan.key],
        )

    def _do_leave(self, chance: random.Random, plan: Plan, now: datetime) -> None:
        members = [p for p in self.model.plans.values() if p.cohorts]
        if not members:
            return
        plan = chance.choice(members)
        number = chance.choice(sorted(plan.cohorts))
        plan.cohorts.remove(number)
        self.sql(
            "DELETE FROM cohort_members WHERE cohort_id = :c AND client_id = :i RETURNING 1",
            c=self.cohorts[number],
            i=self.clients[plan.key],
        )

    def _do_go(self, chance: random.Random, plan: Plan, now: datetime) -> None:
        plan.active = False
        self.sql("UPDATE clients SET active = false WHERE id = :i RETURNING 1", i=self.clients[plan.key])

    def _do_come_back(self, chance: random.Random, plan: Plan, now: datetime) -> None:
        gone = [p for p in self.model.plans.values() if not p.active]
        if gone:
            plan = chance.choice(gone)
            plan.active = True
            self.sql("UPDATE clients SET active = true WHERE id = :i RETURNING 1", i=self.clients[plan.key])

    def _do_ask(self, chance: random.Random, plan: Plan, now: datetime) -> None:
        today = self.clock.now.astimezone(pauses.ZoneInfo(self.model.zone_of(plan))).date()
        paused = any(f <= today and (last is None or today <= last) for f, last in self.model.spans(plan))
        if self.offset or not plan.active or plan.asking or plan.chosen or paused:
            return
        asked = self.work(lambda uow: settings.prompt_now(uow, [self.clients[plan.key]]))
        if asked != 1:
            raise Differs(f"plan {plan.key} could not be asked at {now}")
        plan.chosen, plan.chosen_at = today, self.clock.now

    def _do_term(self, chance: random.Random, plan: Plan, now: datetime) -> None:
        first = now.date() + chance.randint(20, 300) * DAY
        term = (first, first + chance.randint(10, 100) * DAY)
        self.model.terms.append(term)
        self.sql(
            "INSERT INTO terms (name, starts_on, ends_on) VALUES (:n, :f, :l) RETURNING 1",
            n=f"Extra {len(self.model.terms)}",
            f=term[0],
            l=term[1],
        )

    def _do_jump(self, chance: random.Random, plan: Plan, now: datetime) -> None:
        self.offset = chance.choice((DAY, -DAY))
        self.jumped_ticks = chance.randint(1, 4)

    def _do_outage(self, chance: random.Random, plan: Plan, now: datetime) -> None:
        self.asleep_until = max(self.asleep_until, now + scenario.outage(chance))

    def _settle(self, crew: ThreadPoolExecutor, now: datetime) -> None:
        """Let the workers come at each moment that a message still waits for."""
        self.offset = timedelta(0)
        for _ in range(_MOST_SETTLING):
            waited = [moment for row in self._queued() if (moment := self._leaves(row, now)) is not None]
            if not waited:
                return
            now = min(waited)
            self._tick(crew, now)
        raise Differs(f"messages that do not leave although they may: {self._queued()}")

    def _queued(self) -> list[Any]:
        return self.sql("SELECT client_id, params -> 'window' AS window FROM messages WHERE state = 'queued'")

    def _leaves(self, row: Any, now: datetime) -> datetime | None:
        plan = self.of_client[row.client_id]
        return first_leave(now, self.model.zone_of(plan), _window(row.window), self.model.spans(plan))

    def _check_hours(self, moment: datetime) -> None:
        """What left at this tick was allowed to, where the client is now and on days that are not paused now."""
        if moment.tzinfo is None:
            raise AssertionError
        sent = self.sql("SELECT client_id, params -> 'window' AS window FROM messages WHERE sent_at = :now", now=moment)
        if not sent:
            return
        for row in sent:
            plan = self.of_client[row.client_id]
            if not may_leave(moment, self.model.zone_of(plan), _window(row.window), self.model.spans(plan)):
                self.found.in_quiet_hours += 1

    def _compare(self) -> None:
        """Exactly the same occurrences, in the same order, at the same ticks."""
        happened = self.sql(
            "SELECT plan_id, kind, detail ->> 'occurrence_on' AS day, detail ->> 'to' AS told, at FROM plan_events"
            " WHERE kind IN ('review_prompted', 'review_escalated') ORDER BY number"
        )
        theirs = [
            (self.keys[r.plan_id], date.fromisoformat(r.day), r.at, r.kind == "review_escalated", r.told == "admin")
            for r in happened
        ]
        ours = [(m.plan, m.day, m.at, False, False) for m in self.model.made]
        ours += [(t.plan, t.day, t.at, True, t.admins) for t in self.model.told]
        self._same("events", theirs, ours)
        stored = self.sql("SELECT plan_id, occurrence_on, reminder, due_at, reason FROM prompts")
        rows = [(self.keys[r.plan_id], r.occurrence_on, r.reminder, r.due_at, r.reason == "joined") for r in stored]
        wanted = [
            (made.plan, made.day, reminder, due, place > 0)
            for made in self.model.made
            for place, (reminder, due) in enumerate(made.reminders)
        ]
        self._same("prompts", rows, wanted)
        for key in self.model.plans:
            order = [(day, at) for plan, day, at, told, _ in theirs if plan == key and not told]
            if [at for _, at in order] != sorted(at for _, at in order) and not self.happened["jump"]:
                self.found.out_of_order += 1
        self.found.occurrences = len({(m.plan, m.day) for m in self.model.made})
        self.found.prompts, self.found.told = len(rows), len(self.model.told)

    def _same(self, what: str, theirs: list[Any], ours: list[Any]) -> None:
        made, wanted = Counter(theirs), Counter(ours)
        doubled = {row: n for row, n in made.items() if n > 1}
        lost, extra = wanted - made, made - wanted
        self.found.lost, self.found.doubled = lost.total(), len(doubled)
        if not (lost or extra or doubled):
            return
        first = min([*lost, *extra, *doubled], key=lambda row: (row[2] if what == "events" else row[3], row[0]))
        plan = self.model.plans[first[0]]
        row = self.sql(
            "SELECT next_review_on, next_prompt_at, next_reminder, review_set, review_stale FROM plans WHERE id = :i",
            i=self.ids[first[0]],
        )
        raise Differs(
            f"{what} differ: {lost.total()} lost, {extra.total()} too many, {len(doubled)} twice; first of plan"
            f" {first[0]}: {first}\nlost {sorted(r for r in lost if r[0] == first[0])[:4]}"
            f"\nextra {sorted(r for r in extra if r[0] == first[0])[:4]}\nmodel {plan}\nrules {self.model.rules(plan)}"
            f"\nrow {row}\nholidays {self.model.holidays}"
        )

    def _check_mails(self) -> None:
        """Every message has left once, by itself or in a digest, but for those whose client's pause has no end."""
        states = Counter(row.state for row in self.sql("SELECT state FROM messages"))
        if set(states) - {"sent", "merged", "queued"}:
            raise Differs(f"messages that did not leave: {states}")
        seen = Counter(json.loads(line)["message_id"] for line in self.ledger.read_text().splitlines())
        self.found.mails = states["sent"]
        self.found.doubled += sum(1 for n in seen.values() if n > 1)
        if len(seen) != states["sent"] or self.found.doubled or self.found.in_quiet_hours or self.found.out_of_order:
            raise Differs(f"{len(seen)} mails arrived, {states['sent']} were sent: {vars(self.found)}")


def _window(window: dict[str, Any]) -> Rules:
    """Hours and weekdays as a message carries them."""
    policy = parse_policy({key: value for key, value in window.items() if key != "zone"})
    hours = policy.quiet_hours
    quiet = hours and (hours.start.hour * 60 + hours.start.minute, hours.end.hour * 60 + hours.end.minute)
    return Rules((), (), 0, None, quiet, policy.weekdays)
