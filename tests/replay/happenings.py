"""What happens between the workers' visits, done to the product and told to the model."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from app.domain.cadence import parse_policy
from app.features.reviews import pauses, settings
from app.features.reviews.commands import AddPause, EndPause, SetPolicy
from app.infra.db.open import UnitOfWork
from tests.replay import scenario
from tests.replay.checks import Differs
from tests.replay.model import DAY, Plan, Rules
from tests.replay.scene import FIRST, Scene

# How many are asked by hand just before a policy is edited in the middle of their mails.
_ASKED_AT_ONCE = 40


@dataclass(frozen=True)
class Edit:
    """A policy to be edited while prompts are leaving, and what its editor waits for first."""

    scope: str
    number: int | None
    rules: Rules
    # "nothing", "made": the first prompts of the tick are committed, "arrived": the first mail has arrived.
    after: str


class Happenings:
    """One method for each word of `scenario`."""

    def __init__(self, scene: Scene) -> None:
        self.scene, self.model = scene, scene.model
        # Ticks for which the clock stays where it jumped to.
        self.jumped_ticks = 0
        # What will be edited at the workers' next visits, one at each.
        self.edits: list[Edit] = []
        self._pauses: list[UUID] = []

    def happen(self, event: scenario.Event, now: datetime) -> None:
        """Let it happen at this moment of the true time."""
        self.scene.happened[event.what] += 1
        chance = random.Random(event.draw)
        getattr(self, f"_do_{event.what}")(chance, chance.choice(list(self.model.plans.values())), now)

    def answer(self, key: int, day: date) -> None:
        """The client answers the review of this day, if it is still asked about."""
        plan = self.model.plans[key]
        if plan.asking != day or day in plan.answered or not plan.active:
            return
        changed = self.scene.sql(
            "UPDATE reviews SET state = 'answered', answered_at = :now WHERE plan_id = :p AND occurrence_on = :d"
            " AND state IN ('open', 'started') RETURNING 1",
            now=self.scene.clock.now,
            p=self.scene.ids[key],
            d=day,
        )
        if len(changed) != 1:
            raise Differs(f"plan {key} has no open review of {day}")
        self.model.answer(plan, day)
        self.scene.happened["answer"] += 1

    def set_policy(self, uow: UnitOfWork, scope: str, number: int | None, rules: Rules | None) -> None:
        """Set or take away a policy of the product; `note_policy` tells the model."""
        subjects: dict[str, Any] = {
            "template": self.scene.templates,
            "cohort": self.scene.cohorts,
            "plan": self.scene.ids,
        }
        subject = None if number is None else subjects[scope][number]
        policy = None if rules is None else parse_policy(scenario.as_json(rules))
        settings.set_policy(uow, SetPolicy(scope=scope, subject_id=subject, policy=policy))  # type: ignore[arg-type] # one of the four

    def note_policy(self, scope: str, number: int | None, rules: Rules | None) -> None:
        """The model's side of `set_policy`: the use case works out at once whom the policy is for."""
        if rules is None:
            self.model.policies.pop((scope, number), None)
        else:
            self.model.policies[scope, number] = (rules, self.scene.clock.now)
        self.model.renew(self.model.reaches(scope, number), self.scene.clock.now)

    def _set(self, scope: str, number: int | None, rules: Rules | None) -> None:
        self.scene.work(lambda uow: self.set_policy(uow, scope, number, rules))
        self.note_policy(scope, number, rules)

    def _drawn(self, chance: random.Random) -> Rules:
        return scenario.rules(chance, FIRST.date(), self.scene.until.date())

    def _everybody(self) -> None:
        self.model.touch(self.model.plans.values())

    def _do_pause(self, chance: random.Random, plan: Plan, now: datetime) -> None:
        kind, first, last = scenario.pause(chance, now.date())
        self._add_pause(plan, kind, first, last)
        self.model.renew([plan], self.scene.clock.now)

    def _add_pause(self, plan: Plan | None, kind: str, first: date, last: date | None) -> None:
        command = AddPause(
            client_id=self.scene.clients[plan.key] if plan else None,
            kind=kind,  # type: ignore[arg-type] # drawn from the same words
            starts_on=first,
            ends_on=last,
        )
        number = len(self._pauses)
        self._pauses.append(self.scene.work(lambda uow: pauses.add_pause(uow, command)))
        (plan.pauses if plan else self.model.holidays)[number] = (first, last)

    def _do_end_pause(self, chance: random.Random, plan: Plan, now: datetime) -> None:
        owners = [p for p in self.model.plans.values() if p.pauses]
        endless = [p for p in owners if any(last is None for _, last in p.pauses.values())]
        if not owners:
            return
        plan = chance.choice(endless or owners)
        number = chance.choice([n for n, s in plan.pauses.items() if s[1] is None] or list(plan.pauses))
        command = EndPause(pause_id=self._pauses[number], last_on=None)
        self.scene.work(lambda uow: pauses.end_pause(uow, command))
        row = self.scene.sql("SELECT starts_on, ends_on FROM review_pauses WHERE id = :i", i=self._pauses[number])
        if row:
            plan.pauses[number] = (row[0].starts_on, row[0].ends_on)
        else:
            del plan.pauses[number]
        self.model.renew([plan], self.scene.clock.now)

    def _do_holiday(self, chance: random.Random, plan: Plan, now: datetime) -> None:
        first = now.date() + chance.randint(-1, 90) * DAY
        self._add_pause(None, "holiday", first, first + chance.choice((0, 0, 1, 4, 12)) * DAY)
        self._everybody()

    def _do_move_client(self, chance: random.Random, plan: Plan, now: datetime) -> None:
        plan.zone = chance.choice((*scenario.ZONES, None))
        self.scene.sql(
            "UPDATE clients SET time_zone = :z WHERE id = :i RETURNING 1", z=plan.zone, i=self.scene.clients[plan.key]
        )
        self.model.touch([plan])

    def _do_move_organization(self, chance: random.Random, plan: Plan, now: datetime) -> None:
        self.model.zone = chance.choice(scenario.ZONES)
        self.scene.sql("UPDATE organizations SET time_zone = :z RETURNING 1", z=self.model.zone)
        self._everybody()

    def _do_edit_organization(self, chance: random.Random, plan: Plan, now: datetime) -> None:
        self._set("organization", None, self._drawn(chance))

    def _do_edit_template(self, chance: random.Random, plan: Plan, now: datetime) -> None:
        self._set("template", chance.randrange(scenario.TEMPLATES), self._drawn(chance))

    def _do_edit_cohort(self, chance: random.Random, plan: Plan, now: datetime) -> None:
        self._set("cohort", chance.randrange(scenario.COHORTS), self._drawn(chance))

    def _do_edit_plan(self, chance: random.Random, plan: Plan, now: datetime) -> None:
        self._set("plan", plan.key, self._drawn(chance))

    def _do_edit_leaving(self, chance: random.Random, plan: Plan, now: datetime) -> None:
        """A policy that reaches many is edited at the workers' next visit, when many prompts leave at once."""
        scope = chance.choice(("organization", "template", "template", "cohort"))
        numbers = {"organization": None, "template": plan.template, "cohort": chance.randrange(scenario.COHORTS)}
        after = chance.choice(("nothing", "made", "made", "arrived"))
        self.edits.append(Edit(scope, numbers[scope], self._drawn(chance), after))
        self._ask([p for p in self.model.plans.values() if self._can_be_asked(p)][:_ASKED_AT_ONCE], now)

    def _do_remove_policy(self, chance: random.Random, plan: Plan, now: datetime) -> None:
        if self.model.policies:
            self._set(*chance.choice(sorted(self.model.policies, key=str)), None)

    def _do_join(self, chance: random.Random, plan: Plan, now: datetime) -> None:
        number = chance.randrange(scenario.COHORTS)
        plan.cohorts.add(number)
        self.scene.sql(
            "INSERT INTO cohort_members (cohort_id, client_id) VALUES (:c, :i) ON CONFLICT DO NOTHING RETURNING 1",
            c=self.scene.cohorts[number],
            i=self.scene.clients[plan.key],
        )
        self.model.touch([plan])

    def _do_leave(self, chance: random.Random, plan: Plan, now: datetime) -> None:
        members = [p for p in self.model.plans.values() if p.cohorts]
        if not members:
            return
        plan = chance.choice(members)
        number = chance.choice(sorted(plan.cohorts))
        plan.cohorts.remove(number)
        self.scene.sql(
            "DELETE FROM cohort_members WHERE cohort_id = :c AND client_id = :i RETURNING 1",
            c=self.scene.cohorts[number],
            i=self.scene.clients[plan.key],
        )
        self.model.touch([plan])

    def _do_go(self, chance: random.Random, plan: Plan, now: datetime) -> None:
        self._is_there(plan, active=False)

    def _do_come_back(self, chance: random.Random, plan: Plan, now: datetime) -> None:
        gone = [p for p in self.model.plans.values() if not p.active]
        if gone:
            self._is_there(chance.choice(gone), active=True)

    def _is_there(self, plan: Plan, *, active: bool) -> None:
        plan.active = active
        self.scene.sql(
            "UPDATE clients SET active = :a WHERE id = :i RETURNING 1", a=active, i=self.scene.clients[plan.key]
        )
        self.model.touch([plan])

    def _do_ask(self, chance: random.Random, plan: Plan, now: datetime) -> None:
        if self._can_be_asked(plan):
            self._ask([plan], now)

    def _today(self, plan: Plan) -> date:
        return self.scene.clock.now.astimezone(ZoneInfo(self.model.zone_of(plan))).date()

    def _can_be_asked(self, plan: Plan) -> bool:
        today = self._today(plan)
        paused = any(f <= today and (last is None or today <= last) for f, last in self.model.spans(plan))
        return plan.active and not (self.scene.offset or plan.asking or plan.chosen or paused)

    def _ask(self, plans: Sequence[Plan], now: datetime) -> None:
        clients = [self.scene.clients[plan.key] for plan in plans]
        asked = self.scene.work(lambda uow: settings.prompt_now(uow, clients))
        if asked != len(plans):
            raise Differs(f"{asked} of plans {[plan.key for plan in plans]} could be asked at {now}")
        for plan in plans:
            self.model.ask(plan, self._today(plan), self.scene.clock.now)

    def _do_term(self, chance: random.Random, plan: Plan, now: datetime) -> None:
        first = now.date() + chance.randint(20, 300) * DAY
        term = (first, first + chance.randint(10, 100) * DAY)
        self.model.terms.append(term)
        self.scene.sql(
            "INSERT INTO terms (name, starts_on, ends_on) VALUES (:n, :f, :l) RETURNING 1",
            n=f"Extra {len(self.model.terms)}",
            f=term[0],
            l=term[1],
        )
        self._everybody()

    def _do_jump(self, chance: random.Random, plan: Plan, now: datetime) -> None:
        self.scene.offset = chance.choice((DAY, -DAY))
        self.jumped_ticks = chance.randint(1, 4)

    def _do_outage(self, chance: random.Random, plan: Plan, now: datetime) -> None:
        self.scene.asleep_until = max(self.scene.asleep_until, now + scenario.outage(chance))

    def end_of_tick(self) -> None:
        """A clock that jumped is set right after a few ticks."""
        self.jumped_ticks = max(0, self.jumped_ticks - 1)
        if not self.jumped_ticks:
            self.scene.offset = timedelta(0)
