"""A cohort's workbook."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from app.domain.access import Actor
from app.domain.saying import Say
from app.domain.scoring import band
from app.domain.wording import first_large, people_words
from app.features.plans.words import status_words, step_names
from app.features.reports.sources import Source, Sources, load_sources
from app.features.steps.review.words import review_words
from app.infra.runtime import Runtime
from app.infra.sheets import Sheet, Workbook
from app.infra.speech import speaker
from app.infra.storage import Stored

# So many clients are read at once for the workbook.
_AT_ONCE = 500


def write_workbook(runtime: Runtime, actor: Actor, clients: Sequence[UUID], *, folder: str) -> Stored:
    """The workbook of these clients: their steps, their scores, their reviews; read a few hundred at a time."""
    with runtime.storage.writing(actor.organization_id, ".xlsx", folder=folder) as pending:
        with runtime.database.unit_of_work(actor) as uow:
            shared = load_sources(uow, [])
        organization = shared.organization
        with Workbook(pending.path, title=organization.name, language=organization.locale, moment=shared.now) as book:
            say = speaker(organization.locale)
            words = people_words(organization.client_word, organization.counsellor_word, say)
            sheets = _Sheets(book, say, words)
            for begin in range(0, len(clients), _AT_ONCE):
                with runtime.database.unit_of_work(actor) as uow:
                    sources = load_sources(uow, clients[begin : begin + _AT_ONCE])
                for source in sources.clients:
                    sheets.write(sources, source)
    return pending.stored


class _Sheets:
    """The three sheets of the workbook."""

    def __init__(self, book: Workbook, _: Say, words: Mapping[str, str]) -> None:
        self.statuses, self.reviewed, steps = status_words(_), review_words(_), step_names(_)
        per_step = [
            heading
            for key, name in steps.items()
            for heading in (
                f"{key.number} {name}",
                _("%(step)s due", step=key.number),
                _("%(step)s changed", step=key.number),
            )
        ]
        who = [_("Id"), _("Name")]
        self.clients: Sheet = book.sheet(
            first_large(words["clients"]),
            [
                *who,
                first_large(words["counsellor"]),
                _("Template"),
                _("Started"),
                _("Revision"),
                _("Next review"),
                *per_step,
            ],
            widths=[14, 28, 22, 22, 12, 9, 12],
        )
        self.scores: Sheet = book.sheet(
            _("Scores"),
            [*who, _("Instrument"), _("Taken"), _("Scale"), _("Score"), _("Band from"), _("Band to")],
            widths=[14, 28, 34, 12, 24],
        )
        self.reviews: Sheet = book.sheet(_("Reviews"), [*who, _("Day"), _("State")], widths=[14, 28, 12, 30])

    def write(self, sources: Sources, source: Source) -> None:
        """One client's rows."""
        who = [source.external_id, source.name]
        plan = source.plan
        row: list[Any] = [*who, source.counsellor]
        if plan is not None:
            row += [plan.template, plan.started_on, plan.revision, plan.next_review_on]
            for line in plan.steps:
                row += [self.statuses[line.status], line.due_on, line.changed_at]
        self.clients.write(row)
        for taking in source.takings:
            key = (taking.instrument_id, taking.version)
            definition, errors = sources.definitions[key], sources.errors[key]
            for scale, score in zip(definition.scales, taking.scores, strict=True):
                known = errors.get(scale.id)
                edges = (None, None) if score is None or known is None else band(score, known.error)
                self.scores.write([*who, definition.title, taking.taken_at, scale.title, score, *edges])
        for day, state, outcome in source.reviews:
            self.reviews.write([*who, day, self.reviewed.get(outcome or state, state)])
