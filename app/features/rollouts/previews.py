"""What a roll-out would do: counted by step as the plans stand now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Select, select

from app.domain.errors import FieldProblem as Problem
from app.domain.errors import InvalidInput
from app.domain.rollouts import CHANGES, CONFLICTS, Choice, Outcome
from app.domain.steps import StepKey
from app.features.assignments.models import Assignment
from app.features.plans.models import PlanTemplate, TemplateVersion
from app.features.plans.rooms import step_of
from app.features.plans.templates import find_template, find_version
from app.features.rollouts.asked import asked_of
from app.features.rollouts.statements import GROUPS, PREVIEW
from app.infra.db.open import UnitOfWork


@dataclass(frozen=True, slots=True)
class StepLine:
    """One step in the preview: how many plans gain, lose or move it, keep what a person did, or have it begun."""

    step: StepKey
    counts: Mapping[Outcome, int]

    @property
    def number(self) -> int:
        """The step's number."""
        return self.step.number

    @property
    def conflicts(self) -> int:
        """Plans in which the step keeps what a person did."""
        return sum(self.counts.get(outcome, 0) for outcome in CONFLICTS)


@dataclass(frozen=True, slots=True)
class Preview:
    """What a roll-out would do. `plans` follow older versions, by their numbers in `versions`; `changed` have a step
    that changes, `in_conflict` one that keeps what a person did; `standing` assignments would go over as well."""

    plans: int
    versions: Mapping[int, int]
    changed: int
    in_conflict: int
    lines: Sequence[StepLine]
    standing: int

    @property
    def conflicts(self) -> int:
        """Steps of plans that would keep what a person did: what a limit counts."""
        return sum(line.conflicts for line in self.lines)


def published(uow: UnitOfWork, template_id: UUID, version: int) -> tuple[PlanTemplate, TemplateVersion]:
    """The template and its version. Raises NotFound for none, InvalidInput for a draft or an archived template."""
    template, found = find_template(uow, template_id), find_version(uow, template_id, version)
    if found.state != "published":
        raise InvalidInput(
            [Problem("version", "This version is a draft. Publish it first; then it can be rolled out.")]
        )
    if template.archived_at is not None:
        raise InvalidInput([Problem("version", "This template is archived. Bring it back first.")])
    return template, found


def preview(uow: UnitOfWork, template_id: UUID, version: int, choice: Choice) -> Preview:
    """Count what rolling the version out would do, by step, as the plans stand now.

    Raises NotFound or InvalidInput as `published`, and InvalidInput for a version that names a term there is not.
    """
    published(uow, template_id, version)
    of = {"template": template_id, "version": version}
    groups = uow.session.execute(GROUPS, of).all()
    asked = asked_of(uow, template_id, version, [(row.template_version, row.started_on) for row in groups])
    versions: dict[int, int] = {}
    for row in groups:
        versions[row.template_version] = versions.get(row.template_version, 0) + row.plans
    counts: dict[int, dict[Outcome, int]] = {}
    whole = {"changed": 0, "conflict": 0}
    if choice is not Choice.JOINERS:
        for step, outcome, plans in uow.session.execute(PREVIEW, of | asked.of_all(choice)):
            if step is None:
                whole[outcome] = plans
            else:
                counts.setdefault(step, {})[Outcome(outcome)] = plans
    told = [StepLine(step_of(number), counts[number]) for number in sorted(counts)]
    lines = [line for line in told if set(line.counts) & {*CHANGES, *CONFLICTS, Outcome.LEFT}]
    return Preview(
        sum(versions.values()),
        dict(sorted(versions.items())),
        whole["changed"],
        whole["conflict"],
        lines,
        len(uow.session.scalars(standing_of(template_id, version)).all()),
    )


def standing_of(template_id: UUID, version: int) -> Select[Assignment]:
    """Standing assignments that give an older version to those who join."""
    return select(Assignment).where(
        Assignment.template_id == template_id,
        Assignment.template_version < version,
        Assignment.standing,
        Assignment.state.in_(("active", "paused")),
    )
