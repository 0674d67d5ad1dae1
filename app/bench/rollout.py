"""Roll a version out to plans, and back; the floors change the same steps and plans by bare UPDATEs."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import psycopg
from sqlalchemy import text

from app.bench.assign import FLOOR as GIVE_PLANS
from app.bench.assign import START, prepare
from app.bench.harness import Measured, Place, finish_jobs, interleaved, stopwatch
from app.domain import access
from app.domain.rollouts import Choice
from app.domain.template_content import checksum, content_as_json, parse_content
from app.features.plans.models import TemplateVersion
from app.features.rollouts import service
from app.features.rollouts.commands import RollOut

# What the second version does: takes step 3 out, moves steps 6 and 7 by two weeks.
_FLOOR_OUT = (
    """
    UPDATE plan_steps SET due_on = CASE step WHEN 3 THEN NULL ELSE due_on + 14 END,
        status = CASE step WHEN 3 THEN 'skipped' ELSE status END,
        reason = CASE step WHEN 3 THEN 'Not part of this template.' END,
        changed_at = CASE step WHEN 3 THEN now() ELSE changed_at END
    WHERE organization_id = %(o)s AND step IN (3, 6, 7)
    """,
    "UPDATE plans SET template_version = 2, updated_at = now() WHERE organization_id = %(o)s",
)
_FLOOR_BACK = (
    """
    UPDATE plan_steps SET due_on = CASE step WHEN 3 THEN %(d)s::date + 42 ELSE due_on - 14 END,
        status = 'not_started', reason = NULL, changed_at = NULL
    WHERE organization_id = %(o)s AND step IN (3, 6, 7)
    """,
    "UPDATE plans SET template_version = 1, updated_at = now() WHERE organization_id = %(o)s",
)
_MOVED = text(
    "SELECT count(*) FROM plans p JOIN plan_steps s ON s.organization_id = p.organization_id AND s.plan_id = p.id"
    " WHERE p.template_version = :version AND s.step = 3 AND s.status = :status"
)


def add_version(place: Place, organization: UUID, template: UUID) -> None:
    """Publish a second version of the bench's template: without step 3, steps 6 and 7 two weeks later."""
    with place.runtime.database.unit_of_work(access.system(organization)) as uow:
        first = uow.session.get_one(TemplateVersion, (organization, template, 1))
        raw = content_as_json(parse_content(first.content))
        raw["steps"]["opportunities"]["enabled"] = False
        for key in ("goals", "action_plan"):
            raw["steps"][key]["due"]["days"] += 14
        content = parse_content(raw)
        uow.session.add(
            TemplateVersion(
                template_id=template,
                version=2,
                state="published",
                published_at=uow.now,
                content=content_as_json(content),
                checksum=checksum(content),
            )
        )


class _Pair:
    """Two organizations with the same plans: the floor's and ours."""

    def __init__(self, place: Place, plans: int) -> None:
        self.place, self.plans = place, plans
        made = [prepare(place, plans) for _ in range(2)]
        self.bare, (self.ours, _, self.template) = made[0][0], made[1]
        for organization, _, template in made:
            with place.superuser() as connection:
                connection.execute(GIVE_PLANS, {"o": organization, "t": template, "d": START})
                connection.commit()
            add_version(place, organization, template)
        self.rollout: UUID | None = None
        place.settle()

    def floor(self, statements: tuple[str, ...]) -> float:
        with psycopg.connect(self.place.superuser_url) as connection, stopwatch() as seconds:
            values: dict[str, Any] = {"o": self.bare, "d": START}
            for statement in statements:
                connection.execute(statement, values)
            connection.commit()
            taken = seconds()
        self.place.settle()
        return taken

    def out(self) -> float:
        with stopwatch() as seconds:
            with self.place.runtime.database.unit_of_work(access.system(self.ours)) as uow:
                command = RollOut(template_id=self.template, version=2, choice=Choice.ALL)
                self.rollout = service.start_rollout(uow, command).id
            finish_jobs(self.place.runtime, self.ours)
            taken = seconds()
        self._expect(2, "skipped")
        return taken

    def back(self) -> float:
        assert self.rollout is not None
        with stopwatch() as seconds:
            with self.place.runtime.database.unit_of_work(access.system(self.ours)) as uow:
                service.roll_back(uow, self.rollout)
            finish_jobs(self.place.runtime, self.ours)
            taken = seconds()
        self._expect(1, "not_started")
        return taken

    def _expect(self, version: int, status: str) -> None:
        with self.place.runtime.database.unit_of_work(access.system(self.ours)) as uow:
            found = uow.session.execute(_MOVED, {"version": version, "status": status}).scalar_one()
        assert found == self.plans, found
        self.place.settle()


def out(place: Place, plans: int, *, limit: float | None, runs: int = 5) -> Measured:
    """Three steps of each plan, its history, audit and job rows, from the request to the finished job."""
    pair = _Pair(place, plans)

    def floor(_: int) -> float:
        taken = pair.floor(_FLOOR_OUT)
        pair.floor(_FLOOR_BACK)
        return taken

    def ours(_: int) -> float:
        taken = pair.out()
        pair.back()
        return taken

    return interleaved("roll out a version", plans, floor, ours, limit=limit, runs=runs)


def back(place: Place, plans: int, *, limit: float | None, runs: int = 5) -> Measured:
    """The same rows back to what they were, where nothing was touched since."""
    pair = _Pair(place, plans)

    def floor(_: int) -> float:
        pair.floor(_FLOOR_OUT)
        return pair.floor(_FLOOR_BACK)

    def ours(_: int) -> float:
        pair.out()
        return pair.back()

    return interleaved("roll a version back", plans, floor, ours, limit=limit, runs=runs)
