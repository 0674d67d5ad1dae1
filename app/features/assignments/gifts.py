"""What can be given: each kind says by one expression who can have it, gives it to a batch, and takes it back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text

from app.domain.saying import later
from app.features.assignments.commands import Assign, What
from app.features.assignments.models import Assignment
from app.features.jobs.claims import NOWHERE
from app.features.jobs.models import Job
from app.features.jobs.service import Settled
from app.infra.db.open import UnitOfWork

# Why a client is not given something: (whether they have it already, the sentence). The expressions of the gifts
# answer these codes, so that preview, job and standing assignments decide alike.
OUTCOMES: Mapping[str, tuple[bool, str]] = {
    "gone": (False, later("Is no longer there.")),
    "inactive": (False, later("Is no longer active.")),
    "no_plan": (False, later("Has no active plan.")),
    "this_plan": (True, later("Has an active plan of this template already.")),
    "other_plan": (False, later("Has an active plan of another template.")),
    "step_done": (True, later("Has submitted or completed this step already.")),
    "step_open": (True, later("Has this step already, with this due day.")),
    "step_closed": (False, later("Has completed, submitted or skipped this step.")),
    "same_day": (True, later("Has this due day already.")),
    "asked": (True, later("Was asked to answer this questionnaire already.")),
    "answered": (False, later("Answered this questionnaire not long ago.")),
    "same_action": (True, later("Has this action already.")),
    "actions_off": (False, later("Step 7 is not part of this plan.")),
    "actions_full": (False, later("Has as many actions as a plan can hold.")),
}
_CHOSEN = """
    SELECT i.*, p.id AS plan_id, s.ctid AS step_at, s.status, s.due_on, s.reason, c.email,
           CASE WHEN c.id IS NULL THEN 'gone' WHEN NOT c.active THEN 'inactive' ELSE {outcome} END AS outcome
    FROM unnest(CAST(:clients AS uuid[]), CAST(:positions AS bigint[]), CAST(:listed AS bigint[]))
        AS i(client_id, position, listed)
    LEFT JOIN {clients} c ON c.id = i.client_id
    LEFT JOIN {plans} p ON p.organization_id = c.organization_id AND p.client_id = c.id AND p.status = 'active'
    LEFT JOIN {steps} s ON s.organization_id = p.organization_id AND s.plan_id = p.id AND s.step = :step
"""
_WHOLE = {"clients": "clients", "plans": "plans", "steps": "plan_steps"}
# For a batch each table is read by an array of ids first, because joins alone would read the whole organization every
# time, and an array beside a join's key is searched again for every row.
_FEW = {"clients": "few_clients", "plans": "few_plans", "steps": "few_steps"}
_READ_FEW = """
    few_clients AS MATERIALIZED (
        SELECT organization_id, id, active, email FROM clients WHERE id = ANY(CAST(:clients AS uuid[]))),
    few_plans AS MATERIALIZED (
        SELECT organization_id, id, client_id, status, template_id FROM plans WHERE id = ANY(CAST(:plans AS uuid[]))),
    few_steps AS MATERIALIZED (
        SELECT ctid, organization_id, plan_id, step, status, due_on, reason FROM plan_steps
        WHERE plan_id = ANY(CAST(:plans AS uuid[])) AND step = CAST(:step AS smallint))
"""
# The plan's row is the lock of whoever changes anything of a plan; in one order, so that two never wait for each other.
_LOCK = text(
    "SELECT id FROM plans WHERE client_id = ANY(CAST(:clients AS uuid[])) AND status = 'active' ORDER BY id"
    " FOR NO KEY UPDATE"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gift:
    """One kind of thing to give.

    `outcome` is an SQL expression over a client `c`, their active plan `p` and its step `s` (rows of nulls where there
    is none), with the parameters `values` answers: null for who is given it, else a code of `OUTCOMES`. `check` raises
    InvalidInput or NotFound for a command that cannot be done. `give` and `take_back` work on a batch of a job in one
    transaction; items that `give` does not answer were settled by its own statement.
    """

    what: What
    # How many items a batch has; as large as it stays short.
    batch: int
    outcome: str
    values: Callable[[UnitOfWork, Assignment], Mapping[str, Any]]
    check: Callable[[UnitOfWork, Assign], None]
    title: Callable[[UnitOfWork, Assignment], str]
    give: Callable[[UnitOfWork, Job, Assignment, Sequence[UUID]], Mapping[UUID, Settled]]
    take_back: Callable[[UnitOfWork, Job, Sequence[UUID]], Mapping[UUID, Settled]]

    def count(self, uow: UnitOfWork, assignment: Assignment, clients: Sequence[UUID], sql: str) -> Sequence[Row[Any]]:
        """Rows of a query over `chosen`, of any number of clients: client_id, plan_id, the step's status, due_on and
        reason, e-mail and outcome."""
        chosen = _CHOSEN.format(outcome=self.outcome, **_WHOLE)
        given = {"step": assignment.step, "clients": list(clients), **NOWHERE, **self.values(uow, assignment)}
        return uow.session.execute(text(f"WITH chosen AS MATERIALIZED ({chosen}) {sql}"), given).all()

    def run(
        self, uow: UnitOfWork, assignment: Assignment, clients: Sequence[UUID], sql: str, **values: Any
    ) -> Sequence[Row[Any]]:
        """The same for a batch, whose active plans are locked until the transaction ends; `sql` may write."""
        plans = lock_plans(uow, clients)
        given = {"step": assignment.step, "clients": list(clients), "plans": plans, **NOWHERE}
        given |= self.values(uow, assignment)
        chosen = _CHOSEN.format(outcome=self.outcome, **_FEW)
        statement = text(f"WITH {_READ_FEW}, chosen AS MATERIALIZED ({chosen}) {sql}")
        return uow.session.execute(statement, given | values).all()

    def outcomes(self, uow: UnitOfWork, assignment: Assignment, clients: Sequence[UUID]) -> dict[UUID, str | None]:
        """For each client of a batch the code of why not, or None for who can be given it now."""
        rows = self.run(uow, assignment, clients, "SELECT client_id, outcome FROM chosen")
        return {row.client_id: row.outcome for row in rows}


def lock_plans(uow: UnitOfWork, clients: Sequence[UUID]) -> list[UUID]:
    """Lock the active plans of a batch of clients until the transaction ends; returns their ids."""
    return list(uow.session.scalars(_LOCK, {"clients": list(clients)}))


def left_out(code: str) -> Settled:
    """The settling of an item whose client is not given it."""
    return Settled("skipped", OUTCOMES[code][1])
