"""Two revisions of a plan, field by field, as the values that the template of reports sets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from app.domain.errors import TooMany
from app.features.plans import revisions
from app.features.plans.models import PlanRevision
from app.features.plans.queries import ChangeWhy, changes_between, revisions_of, view_plan
from app.features.plans.revisions import StepDifference
from app.features.plans.words import change_sentence, control_words
from app.features.reports.document import Writer
from app.features.reports.sources import load_source
from app.features.steps.field_words import field_rows
from app.infra.db.open import UnitOfWork
from app.infra.pdf.press import press

TEMPLATE = "reports/comparison.typ"


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two revisions with all that their document says."""

    name: str
    before: int
    after: int
    closed: dict[int, PlanRevision]
    differences: Sequence[StepDifference]
    snapshots: tuple[dict[str, Any], dict[str, Any]]
    reasons: Sequence[ChangeWhy]


def read_comparison(uow: UnitOfWork, plan_id: UUID, before: int, after: int, locale: str) -> tuple[Comparison, Writer]:
    """Two revisions (either may be the open one) and who writes of them, in a language. Raises NotFound as pages do."""
    view = view_plan(uow, plan_id)
    snapshots = revisions.snapshot_of(uow, plan_id, before), revisions.snapshot_of(uow, plan_id, after)
    found = Comparison(
        name=f"{view.client.given_name} {view.client.family_name}".strip(),
        before=before,
        after=after,
        closed={row.revision: row for row in revisions_of(uow, plan_id)},
        differences=revisions.compare_revisions(uow, plan_id, before, after),
        snapshots=snapshots,
        reasons=changes_between(uow, plan_id, before, after),
    )
    return found, Writer(load_source(uow, view.client.id), locale)


def print_comparison(found: Comparison, writer: Writer) -> bytes:
    """The comparison as a PDF. Raises TooMany when the press has no time for it."""
    printed = press().print_one(TEMPLATE, _document(found, writer))
    if printed.problem is not None:
        raise TooMany("The report could not be made just now. Try again in a minute.")
    return printed.pdf


def _document(found: Comparison, writer: Writer) -> dict[str, Any]:
    _ = writer.say
    title = _("Revisions %(before)s and %(after)s of %(name)s",
              before=found.before, after=found.after, name=found.name)  # fmt: skip
    sections = [_reasons(found.reasons, writer)] if found.reasons else []
    sections += [_step(difference, found, writer) for difference in found.differences]
    itself = writer.said_of_itself(title, writer.sources.now)
    return itself | {
        "description": _("Field by field, as of %(day)s", day=writer.day(writer.today)),
        "name": found.name,
        "subtitle": _("Revisions %(before)s and %(after)s compared", before=found.before, after=found.after),
        "footer": f"{writer.sources.organization.name} · {title}",
        "facts": [[_("From"), _named(found, found.before, writer)], [_("to"), _named(found, found.after, writer)]],
        "sections": sections,
        "words": itself["words"]
        | {
            "differs": _("What differs"),
            "count": _(
                "Steps that differ: %(count)s. Rows are the same row wherever they stand.", count=len(found.differences)
            ),
        },
    }


def _named(found: Comparison, number: int, writer: Writer) -> str:
    _ = writer.say
    frozen = found.closed.get(number)
    if frozen is None:
        return _("Revision %(n)s, open", n=number)
    return _("Revision %(n)s, closed %(day)s: %(reason)s",
             n=number, day=writer.day(frozen.frozen_at), reason=frozen.reason)  # fmt: skip


def _reasons(reasons: Sequence[ChangeWhy], writer: Writer) -> dict[str, Any]:
    _ = writer.say
    control = control_words(_)
    rows = [[change_sentence(why.kind, why.label, why.change, _), why.reason, control[why.controllable]]
            for why in reasons]  # fmt: skip
    columns = [_("Change"), _("Reason"), _("Can something be done about it?")]
    table = {"kind": "table", "heading": _("With the reason of each"), "columns": columns, "rows": rows}
    return {"number": None, "title": _("Why it changed"), "status": "", "blocks": [table]}


def _step(difference: StepDifference, found: Comparison, writer: Writer) -> dict[str, Any]:
    _ = writer.say

    def cell(value: str | date) -> str:
        return writer.day(value) if isinstance(value, date) else value

    rows = [[where, cell(old), cell(new)] for where, old, new in field_rows(difference, *found.snapshots, _)]
    columns = [_("Field"), _("Revision %(n)s", n=found.before), _("Revision %(n)s", n=found.after)]
    table = {"kind": "table", "heading": _("Field by field"), "columns": columns, "rows": rows}
    number, title = str(difference.step.number), writer.steps[difference.step]
    return {"number": number, "title": title, "status": "", "blocks": [table]}
