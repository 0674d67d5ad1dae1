"""What a version asks of plans, worked out once for each older version and first day, as the statements take it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.domain.rollouts import StepChange, step_changes
from app.domain.template_content import TemplateContent, parse_content
from app.features.plans.models import TemplateVersion
from app.features.plans.queries import terms_of
from app.features.plans.templates import refuse_missing_terms
from app.features.rollouts.statements import NOT_ASKED
from app.infra.db.open import UnitOfWork


@dataclass(slots=True)
class Asked:
    """Changes of steps by (older version, first day), and the versions whose plans are reviewed by another policy."""

    changes: dict[tuple[int, date], tuple[StepChange, ...]] = field(default_factory=dict)
    reviewed_otherwise: list[int] = field(default_factory=list)

    def of_all(self, choice: str) -> dict[str, Any]:
        """The parameters of a statement over plans of several groups."""
        rows = [(*group, change) for group, changes in self.changes.items() for change in changes]
        return self._parameters(choice, [change for _, _, change in rows]) | {
            "versions": [version for version, _, _ in rows],
            "starts": [started_on for _, started_on, _ in rows],
        }

    def of_group(self, choice: str, version: int, started_on: date) -> dict[str, Any]:
        """The parameters of a statement over plans of one version and first day."""
        return self._parameters(choice, self.changes[version, started_on])

    @staticmethod
    def _parameters(choice: str, changes: Sequence[StepChange]) -> dict[str, Any]:
        return {
            "choice": choice,
            "not_asked": NOT_ASKED,
            "steps": [change.step.number for change in changes],
            "kinds": [change.kind.value for change in changes],
            "befores": [change.before for change in changes],
            "afters": [change.after for change in changes],
            "knowns": [change.known for change in changes],
        }


def contents_of(uow: UnitOfWork, template_id: UUID, versions: Iterable[int]) -> dict[int, TemplateContent]:
    """The recipes of a template's versions, by their numbers."""
    rows = uow.session.execute(
        select(TemplateVersion.version, TemplateVersion.content).where(
            TemplateVersion.template_id == template_id, TemplateVersion.version.in_(set(versions))
        )
    )
    return {row.version: parse_content(row.content) for row in rows}


def asked_of(uow: UnitOfWork, template_id: UUID, version: int, groups: Iterable[tuple[int, date]]) -> Asked:
    """What the version asks of plans of these older versions and first days.

    Raises InvalidInput when the version names a term that does not exist.
    """
    groups = list(groups)
    contents = contents_of(uow, template_id, [version, *(older for older, _ in groups)])
    new, terms = contents[version], terms_of(uow)
    refuse_missing_terms(uow, new)
    asked = Asked()
    for older, started_on in groups:
        asked.changes[older, started_on] = step_changes(contents[older], new, started_on, terms)
    asked.reviewed_otherwise = reviewed_otherwise(contents, version)
    return asked


def reviewed_otherwise(contents: dict[int, TemplateContent], version: int) -> list[int]:
    """Those of the versions whose plans are reviewed by another policy than that of `version`."""
    policy = contents[version].review_policy
    return [number for number, content in contents.items() if content.review_policy != policy]
