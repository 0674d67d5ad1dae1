"""Comparing: what the product did against what the model says, and every mail that arrived against both.

"In order" is said by the order in which transactions committed, which a clock that jumps does not touch: a plan's row
is locked from the moment it is found due until the commit, so `plan_events.number` rises with the commits of a plan,
and every visit of the workers ends before the next begins, so it rises from visit to visit.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text

from app.domain.cadence import parse_policy
from app.features.messaging.budget import POINTLESS
from app.infra.db.open import UnitOfWork
from tests.replay.model import Made, Plan, Rules, Told, clock, may_leave
from tests.replay.scene import Scene

# A plan, the review's day, the moment, whether staff was told, and whether administrators were.
Act = tuple[int, date, datetime, bool, bool]


class Differs(AssertionError):
    """The product and the model do not agree; the text shows the first places."""


@dataclass
class Found:
    """What was found, as the last line of a run says it."""

    seed: int
    years: float
    plans: int
    ticks: int = 0
    occurrences: int = 0
    prompts: int = 0
    told: int = 0
    mails: int = 0
    # Attempts to hand a mail over; the mail server fails one in three.
    transfers: int = 0
    lost: int = 0
    doubled: int = 0
    in_quiet_hours: int = 0
    out_of_order: int = 0
    # Policies edited while prompts were leaving, and those before and after which prompts of one visit were made.
    edits_leaving: int = 0
    edits_between: int = 0
    seconds: float = 0
    happened: Counter[str] = field(default_factory=Counter)

    def line(self) -> str:
        """One line of JSON."""
        values = {**vars(self), "seconds": round(self.seconds, 1), "happened": dict(sorted(self.happened.items()))}
        return json.dumps(values)


class Checks:
    """Looks at what is new since it looked last, and once more at the whole at the end."""

    def __init__(self, scene: Scene, found: Found) -> None:
        self.scene, self.found = scene, found
        # Moments of the workers' visits, in the order of the visits.
        self.visits: list[datetime] = []
        self._visit = 0
        self._number = 0
        self._acts = 0
        self._read = 0
        self._arrived: Counter[UUID] = Counter()
        self._asked: dict[int, list[date]] = defaultdict(list)

    def mails(self, moment: datetime) -> None:
        """What arrived since the last look left at this moment: where the client is now it must have been allowed to.

        The server's own ledger is asked and not the product, which learns of some mails later.
        """
        with self.scene.ledger.open("rb") as ledger:
            ledger.seek(self._read)
            fresh = ledger.read()
        self._read += len(fresh)
        ids = [UUID(json.loads(line)["message_id"].strip("<>").partition("@")[0]) for line in fresh.splitlines()]
        if not ids:
            return
        self._arrived.update(ids)
        found = self.scene.sql(
            "SELECT client_id, params -> 'window' AS window FROM messages WHERE id = ANY(:ids)", ids=list(set(ids))
        )
        if len(found) != len(set(ids)):
            raise Differs(f"{len(set(ids)) - len(found)} mails arrived that have no row")
        for row in found:
            plan = self.scene.of_client[row.client_id]
            if not may_leave(moment, self.scene.model.zone_of(plan), _window(row.window), self.scene.model.spans(plan)):
                self.found.in_quiet_hours += 1
        again = [message_id for message_id in ids if self._arrived[message_id] > 1]
        if again or self.found.in_quiet_hours:
            self.found.doubled += len(again)
            raise Differs(f"at {moment}: mails {again} arrived twice, {self.found.in_quiet_hours} came in quiet hours")

    def acts_at(self, uow: UnitOfWork, moment: datetime) -> dict[UUID, int]:
        """How many acts of each plan this transaction sees that were done at the visit of this moment."""
        rows = uow.session.execute(
            text(
                "SELECT plan_id, count(*) FROM plan_events WHERE at = :at AND number > :seen"
                " AND kind IN ('review_prompted', 'review_escalated') GROUP BY plan_id"
            ),
            {"at": moment, "seen": self._number},
        )
        return {row.plan_id: row.count for row in rows}

    def compare(self) -> None:
        """The acts since the last look: exactly the same, in the same order, at the same visits."""
        rows = self.scene.sql(
            "SELECT number, plan_id, kind, detail ->> 'occurrence_on' AS day, detail ->> 'to' AS told, at"
            " FROM plan_events WHERE kind IN ('review_prompted', 'review_escalated') AND number > :seen"
            " ORDER BY number",
            seen=self._number,
        )
        theirs: list[Act] = [
            (
                self.scene.keys[r.plan_id],
                date.fromisoformat(r.day),
                r.at,
                r.kind == "review_escalated",
                r.told == "admin",
            )
            for r in rows
        ]
        fresh = self.scene.model.acts[self._acts :]
        ours = [_as_act(act) for act in fresh]
        self._same("acts", theirs, ours)
        self._in_order(theirs, ours, {_as_act(act) for act in fresh if isinstance(act, Made) and act.by_hand})
        self._number = rows[-1].number if rows else self._number
        self._acts += len(fresh)
        made = [act for act in self.scene.model.acts if isinstance(act, Made)]
        self.found.occurrences = len({(act.plan, act.day) for act in made})
        self.found.told = len(self.scene.model.acts) - len(made)

    def _in_order(self, theirs: Sequence[Act], ours: Sequence[Act], by_hand: set[Act]) -> None:
        """By commits: as the model has it plan by plan, visit after visit, and one review of a plan after the other.

        A review begins when no other is asked about, so its acts stand together; and its day lies after all before it,
        but for those asked for by hand, which are due on the day somebody asked.
        """
        wrong = [
            plan
            for plan, acts in _by_plan(theirs).items()
            if acts != (wanted := _by_plan(ours)[plan]) and Counter(acts) == Counter(wanted)
        ]
        for act in theirs:
            plan, day, at, is_told, _ = act
            while self._visit < len(self.visits) and self.visits[self._visit] != at:
                self._visit += 1
            before = self._asked[plan]
            if self._visit == len(self.visits):
                raise Differs(f"out of order: {act} was committed after a later visit of the workers had begun")
            if before and before[-1] == day:
                continue
            if is_told or day in before or (act not in by_hand and day < max(before, default=day)):
                wrong.append(plan)
            before.append(day)
        if wrong:
            self.found.out_of_order += len(wrong)
            first = wrong[0]
            raise Differs(
                f"out of order: plans {sorted(set(wrong))}\ntheirs {_by_plan(theirs)[first]}\nours"
                f" {_by_plan(ours)[first]}\nbefore {self._asked[first]}"
            )

    def end(self) -> None:
        """The whole once more: every reminder with its moment, and what became of every message."""
        stored = self.scene.sql("SELECT plan_id, occurrence_on, reminder, due_at, reason FROM prompts")
        rows = [(self.scene.keys[r.plan_id], r.occurrence_on, r.due_at, r.reminder, r.reason) for r in stored]
        made = [act for act in self.scene.model.acts if isinstance(act, Made)]
        wanted = [
            (act.plan, act.day, due, reminder, "joined" if place else None)
            for act in made
            for place, (reminder, due) in enumerate(act.reminders)
        ]
        self.found.prompts = len(rows)
        self._same("prompts", rows, wanted)
        self._fates(len(made))

    def _fates(self, made: int) -> None:
        """Every message has arrived once, by itself or in a digest, unless its review was over while it waited.

        Those of a client whose pause has no end wait.
        """
        messages = self.scene.sql("SELECT id, state, attempts FROM messages")
        self.found.transfers = sum(r.attempts for r in messages)
        states = {r.id: r.state for r in messages}
        arrived = {message_id for message_id, state in states.items() if state == "sent"}
        self.found.mails = len(arrived)
        if arrived != set(self._arrived):
            raise Differs(f"{len(arrived - set(self._arrived))} mails count as sent and never arrived")
        prompts = self.scene.sql(
            "SELECT m.client_id, m.params ->> 'day' AS day,"
            " coalesce(d.state, m.state) AS state, coalesce(d.reason, m.reason) AS reason"
            " FROM messages m LEFT JOIN messages d ON d.id = m.merged_into WHERE m.kind = 'review_prompt'"
        )
        self.found.lost += made - len(prompts)
        lost = [row for row in prompts if not self._is_accounted_for(row)]
        self.found.lost += len(lost)
        if self.found.lost:
            raise Differs(f"{self.found.lost} messages are lost; the first: {lost[:3]}")

    def _is_accounted_for(self, row: Any) -> bool:
        plan, day = self.scene.of_client[row.client_id], date.fromisoformat(row.day)
        if row.state == "sent":
            return True
        if row.state == "suppressed":
            return row.reason == POINTLESS and (day in plan.answered or day in plan.lapsed)
        return row.state in ("queued", "held") and self.is_away(row, self.scene.clock.now)

    def waiting(self) -> list[Any]:
        """What is still in the outbox, with the moment at which the product will look at it again."""
        return self.scene.sql(
            "SELECT client_id, state, not_before FROM messages WHERE state IN ('queued', 'held', 'unknown', 'handed')"
        )

    def is_away(self, row: Any, now: datetime) -> bool:
        """Whether this message's client is in a pause that has no end."""
        plan = self.scene.of_client[row.client_id]
        today = now.astimezone(clock(self.scene.model.zone_of(plan))).date()
        return any(last is None and first <= today for first, last in self.scene.model.spans(plan))

    def _same(self, what: str, theirs: Sequence[Any], ours: Sequence[Any]) -> None:
        made, wanted = Counter(theirs), Counter(ours)
        lost, extra = wanted - made, made - wanted
        # Two reminders of a review may be right at one visit: the later one by a policy edited in its middle.
        doubled = [row for row in extra if row in wanted]
        self.found.lost, self.found.doubled = lost.total(), len(doubled)
        if not (lost or extra):
            return
        first = min([*lost, *extra], key=lambda row: (row[2], row[0]))
        plan: Plan = self.scene.model.plans[first[0]]
        row = self.scene.sql(
            "SELECT next_review_on, next_prompt_at, next_reminder, review_set, review_stale FROM plans WHERE id = :i",
            i=self.scene.ids[first[0]],
        )
        raise Differs(
            f"{what} differ: {lost.total()} lost, {extra.total()} too many, {len(doubled)} twice; first of plan"
            f" {first[0]}: {first}\nlost {sorted(r for r in lost if r[0] == first[0])[:4]}"
            f"\nextra {sorted(r for r in extra if r[0] == first[0])[:4]}\nmodel {plan}"
            f"\nrules {self.scene.model.rules(plan)}\nrow {row}\nholidays {self.scene.model.holidays}"
        )


def _as_act(act: Made | Told) -> Act:
    told = isinstance(act, Told)
    return act.plan, act.day, act.at, told, told and act.admins  # type: ignore[union-attr] # it is one then


def _by_plan(acts: Sequence[Act]) -> dict[int, list[Act]]:
    found: dict[int, list[Act]] = defaultdict(list)
    for act in acts:
        found[act[0]].append(act)
    return found


def _window(window: dict[str, Any]) -> Rules:
    """Hours and weekdays as a message carries them."""
    policy = parse_policy({key: value for key, value in window.items() if key != "zone"})
    hours = policy.quiet_hours
    quiet = hours and (hours.start.hour * 60 + hours.start.minute, hours.end.hour * 60 + hours.end.minute)
    return Rules((), (), 0, None, quiet, policy.weekdays)
