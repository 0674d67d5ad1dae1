"""Every other way to give and to edit, at one moment for each organization, and all of it taken back."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import text

from app.bench.assign import START
from app.composition import JOB_KINDS
from app.domain.access import Actor, Role
from app.drill.phases import Faults, Phase, Subject
from app.features.assignments.commands import Assign, GivenAction
from app.features.assignments.service import assign
from app.features.clients.commands import CreateLabel, DefineAttribute
from app.features.clients.labels import create_label
from app.features.clients.service import define_attribute
from app.features.cohorts.commands import CreateCohort
from app.features.cohorts.service import create_cohort
from app.features.edits.service import BulkEdit, start
from app.features.instruments.builtin import add_built_in
from app.features.jobs.models import Job
from app.features.jobs.runner import undo_job
from app.features.selections.commands import Target
from app.infra.db.open import UnitOfWork

# People of the roster, who have no plan and were sent no mail.
_FEW = 60
# Who get the action, which is slow to give: more than one batch.
_ACTING = 300
_ROSTER = f"(SELECT id FROM clients WHERE external_id ~ '^R[0-9]{{5}}$' ORDER BY id LIMIT {_FEW})"
_TEXT, _DUE = "Ask a former student", START + timedelta(days=200)
_PAUSED_ON = date(2099, 3, 2)
# What is put back by undoing, as one text.
_STANDS = """
    SELECT md5(string_agg(line, '|' ORDER BY line)) FROM (
        SELECT concat_ws(':', plan_id, step, status, due_on, reason) AS line FROM plan_steps
        UNION ALL SELECT concat_ws(':', label_id, client_id) FROM client_labels
        UNION ALL SELECT concat_ws(':', cohort_id, client_id) FROM cohort_members
        UNION ALL SELECT concat_ws(':', id, attributes) FROM clients
        UNION ALL SELECT concat_ws(':', id, starts_on, ends_on) FROM review_pauses
        UNION ALL SELECT concat_ws(':', id, client_id) FROM instrument_requests
        UNION ALL SELECT concat_ws(':', plan_id, a ->> 'text')
            FROM step_contents, jsonb_array_elements(content -> 'actions') a WHERE step = 7) rows
"""
_TOLD = (
    "SELECT coalesce(sum(coalesce((detail ->> 'clients')::int, (detail ->> 'plans')::int, 1)), 0) FROM audit_entries"
    " WHERE action = :action AND (detail ->> 'job' = :job OR subject_id = CAST(:job AS uuid))"
)
_NOTED = "SELECT count(DISTINCT plan_id), count(*) FROM plan_events WHERE kind = :kind AND detail ->> 'job' = :job"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """One job: what starts it, how many people it is for, and what must be true of it then."""

    begin: Callable[[UnitOfWork], Job]
    people: int
    # Selects how many have it now, and how many times it is there.
    has: str
    told: str
    # The history's word for it, where plans have one line each.
    noted: str = ""
    # The audit's word for taking it back; without one it cannot be.
    told_back: str = ""


def giving_and_returning(subject: Subject) -> tuple[Phase, Phase]:
    """Ten jobs of giving and editing asked for at once, then all undone but for mail; both under fire."""
    parts: dict[str, _Part] = {}
    jobs: dict[str, UUID] = {}
    stood: list[str] = []
    actors: list[Actor] = []
    return _forth(subject, parts, jobs, stood, actors), _back(subject, parts, jobs, stood, actors)


def _forth(
    subject: Subject, parts: dict[str, _Part], jobs: dict[str, UUID], stood: list[str], actors: list[Actor]
) -> Phase:
    """Everybody has each of it once, each job told of all of them once, and each letter was taken once."""
    asked = threading.Event()

    def begin() -> None:
        # A mail to many has a writer.
        actors.append(subject.member(Role.ADMIN, 0)[0])
        parts.update(_parts(subject, actors[0]))
        with subject.place.runtime.database.unit_of_work(actors[0]) as uow:
            uow.session.execute(
                text(
                    "INSERT INTO review_pauses (client_id, kind, starts_on)"
                    f" SELECT id, 'leave', current_date - 10 FROM {_ROSTER} roster"
                )
            )
        stood.append(_stands(subject))

    def ask() -> None:
        for name, part in parts.items():
            with subject.place.runtime.database.unit_of_work(actors[0]) as uow:
                jobs[name] = part.begin(uow).id
        asked.set()

    def over() -> bool:
        return asked.is_set() and subject.open_jobs() == 0 and subject.number(_UNSENT) == 0

    def faults() -> Faults:
        total = Faults(0, 0, subject.unfinished())
        for name, part in parts.items():
            people, times = subject.pair(part.has, day=_PAUSED_ON, text=_TEXT, due=_DUE)
            told = subject.number(_TOLD, action=part.told, job=str(jobs[name]))
            total += _once(people, times, told, part.people)
            if part.noted:
                plans, lines = subject.pair(_NOTED, kind=part.noted, job=str(jobs[name]))
                total += _once(plans, lines, plans, part.people)
        taken = subject.mails()
        written = subject.addresses(f"SELECT email FROM clients WHERE id IN {_ROSTER}")
        letters = [taken[address] for address in written]
        return total + Faults(letters.count(0), sum(max(0, number - 1) for number in letters), 0)

    return Phase(
        name="give and edit",
        begin=begin,
        over=over,
        faults=faults,
        go=ask,
        parts=lambda: _open(subject, jobs) if asked.is_set() else frozenset(parts),
    )


_UNSENT = "SELECT count(*) FROM messages WHERE state IN ('queued', 'handed', 'unknown')"


def _back(
    subject: Subject, parts: dict[str, _Part], jobs: dict[str, UUID], stood: list[str], actors: list[Actor]
) -> Phase:
    """All stands as it did before, each job told once of each that it was taken back."""
    asked = threading.Event()
    undone = dict[str, UUID]()

    def begin() -> None:
        undone.update({f"undo {name}": jobs[name] for name, part in parts.items() if part.told_back})

    def ask() -> None:
        for job in undone.values():
            undo_job(subject.place.runtime, actors[0], JOB_KINDS, job)
        asked.set()

    def over() -> bool:
        return asked.is_set() and subject.open_jobs() == 0

    def faults() -> Faults:
        total = Faults(int(_stands(subject) != stood[0]), 0, subject.unfinished())
        for name, job in undone.items():
            part = parts[name.removeprefix("undo ")]
            told = subject.number(_TOLD, action=part.told_back, job=str(job))
            items = subject.number("SELECT count(*) FROM job_items WHERE job_id = :job AND state = 'undone'", job=job)
            total += _once(items, items, told, part.people)
        return total

    return Phase(
        name="take back",
        begin=begin,
        over=over,
        faults=faults,
        go=ask,
        parts=lambda: _open(subject, undone) if asked.is_set() else frozenset(undone),
    )


def _once(people: int, times: int, told: int, expected: int) -> Faults:
    lost = max(0, expected - people) + max(0, expected - told)
    return Faults(lost, max(0, times - people) + max(0, people - expected) + max(0, told - expected), 0)


def _open(subject: Subject, jobs: dict[str, UUID]) -> frozenset[str]:
    """The parts whose job has not ended."""
    ended = subject.ended()
    return frozenset(name for name, job in jobs.items() if job not in ended)


def _stands(subject: Subject) -> str:
    with subject.place.runtime.database.unit_of_work(subject.actor) as uow:
        return str(uow.session.execute(text(_STANDS)).scalar_one())


def _parts(subject: Subject, actor: Actor) -> dict[str, _Part]:
    with subject.place.runtime.database.unit_of_work(actor) as uow:
        label = create_label(uow, CreateLabel(name="Drilled", shared=True)).id
        cohort = create_cohort(uow, CreateCohort(name="Drilled")).id
        key = define_attribute(uow, DefineAttribute(label="Drilled", kind="text")).key
        instrument = add_built_in(uow, "values").instrument_id
        few = tuple(uow.session.scalars(text(f"SELECT id FROM {_ROSTER} roster")))
        members = text(f"SELECT client_id FROM cohort_members WHERE cohort_id = :c ORDER BY client_id LIMIT {_ACTING}")
        planned = tuple(uow.session.scalars(members, {"c": subject.cohort}))
    everybody, some = Target(cohort_id=subject.cohort), Target(client_ids=few)

    def edit(kind: str, has: str, *, whom: Target = everybody, undo: bool = True, **values: object) -> _Part:
        command = BulkEdit(kind=kind, values=values, target=whom)
        return _Part(
            begin=lambda uow: start(uow, command),
            people=len(few) if whom is some else subject.clients,
            has=has,
            told="edit.applied",
            told_back="edit.taken_back" if undo else "",
        )

    def gift(command: Assign, has: str, told: str, told_back: str, noted: str = "") -> _Part:
        people = len(command.client_ids) or subject.clients
        return _Part(
            begin=lambda uow: assign(uow, command), people=people, has=has, told=told, told_back=told_back, noted=noted
        )

    action = GivenAction(kind="training", text=_TEXT)
    plans = Assign(template_id=subject.template, version=1, started_on=START, client_ids=few)
    return {
        "give a plan": gift(
            plans,
            f"SELECT count(DISTINCT client_id), count(*) FROM plans WHERE client_id IN {_ROSTER}",
            "plan.assigned",
            "plan.assignment_undone",
        ),
        "ask a questionnaire": gift(
            Assign(what="instrument", instrument_id=instrument, cohort_id=subject.cohort),
            f"SELECT count(DISTINCT client_id), count(*) FROM instrument_requests WHERE instrument_id = '{instrument}'",
            "instrument.asked",
            "instrument.request_undone",
        ),
        "give a step": gift(
            Assign(what="step", step=6, due_on=_DUE, cohort_id=subject.cohort),
            "SELECT count(DISTINCT plan_id), count(*) FROM plan_steps WHERE step = 6 AND due_on = :due",
            "step.given",
            "step.taken_back",
            "step_given",
        ),
        "give an action": gift(
            Assign(what="action", action=action, client_ids=planned),
            "SELECT count(DISTINCT plan_id), count(*) FROM step_contents, jsonb_array_elements(content -> 'actions') a"
            " WHERE step = 7 AND a ->> 'text' = :text",
            "action.given",
            "action.taken_back",
            "action_given",
        ),
        "label": edit(
            "label",
            f"SELECT count(DISTINCT client_id), count(*) FROM client_labels WHERE label_id = '{label}'",
            label_id=label,
        ),
        "cohort": edit(
            "cohort",
            f"SELECT count(DISTINCT client_id), count(*) FROM cohort_members WHERE cohort_id = '{cohort}'",
            cohort_id=cohort,
        ),
        "attribute": edit(
            "attribute",
            f"SELECT count(*), count(*) FROM clients WHERE attributes ->> '{key}' = 'yes'",
            key=key,
            value="yes",
        ),
        "pause": edit(
            "pause",
            "SELECT count(DISTINCT client_id), count(*) FROM review_pauses WHERE starts_on = :day",
            starts_on=_PAUSED_ON,
        ),
        "end pauses": edit(
            "resume",
            "SELECT count(DISTINCT client_id), count(*) FROM review_pauses WHERE ends_on IS NOT NULL",
            whom=some,
        ),
        "write": edit(
            "message",
            "SELECT count(DISTINCT client_id), count(*) FROM messages"
            f" WHERE kind = 'staff_letter_to_many' AND client_id IN {_ROSTER}",
            whom=some,
            undo=False,
            subject="The open day",
            text="You are welcome.",
        ),
    }
