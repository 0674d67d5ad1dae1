"""The main jobs as a drill runs them: how each is asked for, when it is over, and what must then be true."""

from __future__ import annotations

import hashlib
import json
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import UUID
from zipfile import ZipFile

from sqlalchemy import select, text

from app.bench.assign import START, prepare
from app.bench.harness import Place
from app.demo.questionnaire import write_answers
from app.domain import access
from app.domain.access import Actor, Role
from app.features.assignments.commands import Assign
from app.features.assignments.service import assign
from app.features.clients.models import RosterImport
from app.features.clients.roster_service import confirm_import, import_file
from app.features.cohorts.models import Cohort
from app.features.identity.service import find_or_create_user
from app.features.instruments.builtin import add_built_in, built_ins
from app.features.instruments.runner import import_responses
from app.features.jobs.models import StoredFile
from app.features.organizations.service import add_member, find_actor
from app.features.reports.commands import ReportCohort
from app.features.reports.naming import ARCHIVE_FILE, CLIENT_FILE
from app.features.reports.service import report_cohort
from app.infra.db.open import Bell

_ENDED = "('done', 'failed', 'cancelled', 'undone')"
_DOUBLED_PLANS = "SELECT count(*) - count(DISTINCT client_id) FROM plans WHERE status = 'active'"


@dataclass(frozen=True, slots=True)
class Faults:
    """What a phase got wrong, in numbers; all zero when it got nothing wrong."""

    lost: int
    doubled: int
    unfinished: int

    def __add__(self, other: Faults) -> Faults:
        """The sum, part by part."""
        return Faults(self.lost + other.lost, self.doubled + other.doubled, self.unfinished + other.unfinished)


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """One main job of one organization.

    `begin` asks for it before the killing begins; where it would be over by then, `begin` only prepares and `go` asks
    for it under fire. One that asks for several jobs at once says in `parts` which of them have not ended, so that
    kills are counted for each.
    """

    name: str
    begin: Callable[[], None]
    over: Callable[[], bool]
    faults: Callable[[], Faults]
    go: Callable[[], None] | None = None
    parts: Callable[[], frozenset[str]] | None = None

    def running(self) -> frozenset[str]:
        """What of it has not ended, by the names under which kills are counted; all of it before it was asked for."""
        if self.parts is not None:
            return self.parts()
        return frozenset() if self.over() else frozenset({self.name})


def nothing() -> None:
    """What a phase begins with that needs no preparation."""


class Subject:
    """An organization made for one trial."""

    def __init__(self, place: Place, clients: int, mail: Path) -> None:
        """Make it with a cohort of `clients` and a published template; `mail` is the folder of the sink it mails to."""
        self.place = place
        self.mail = mail
        self.clients = clients
        self.organization, self.cohort, self.template = prepare(place, clients)
        self.actor = access.system(self.organization)
        # Addresses of this organization alone, by which the sink's own ledger tells whose mail it took.
        self.domain = f"{self.organization.hex}.example.org"
        with place.runtime.database.unit_of_work(self.actor) as uow:
            uow.session.execute(
                text(
                    "UPDATE clients SET email = external_id || '@' || :domain,"
                    " email_folded = lower(external_id) || '@' || :domain"
                ),
                {"domain": self.domain},
            )

    def mails(self) -> Counter[str]:
        """How many messages the sink's append-only ledger says it took for each address of this organization."""
        taken: Counter[str] = Counter()
        for line in (self.mail / "ledger.jsonl").read_text("utf-8").splitlines():
            taken.update(to for to in json.loads(line)["to"] if to.endswith(f"@{self.domain}"))
        return taken

    def addresses(self, statement: str) -> set[str]:
        """The addresses a statement selects."""
        with self.place.runtime.database.unit_of_work(self.actor) as uow:
            return set(uow.session.execute(text(statement)).scalars())

    def number(self, statement: str, **values: object) -> int:
        """The one number a statement selects in this organization."""
        with self.place.runtime.database.unit_of_work(self.actor) as uow:
            return int(uow.session.execute(text(statement), values).scalar_one())

    def pair(self, statement: str, **values: object) -> tuple[int, int]:
        """The two numbers a statement selects in this organization."""
        with self.place.runtime.database.unit_of_work(self.actor) as uow:
            first, second = uow.session.execute(text(statement), values).one()
            return int(first), int(second)

    def member(self, role: Role, number: int) -> tuple[Actor, UUID]:
        """A new member, and their membership."""
        word = role.value
        email, name = f"{word}{number}@{self.domain}", f"{word.title()} {number}"
        with self.place.runtime.database.identity_session() as session:
            user = find_or_create_user(session, email, name).id
        with self.place.runtime.database.unit_of_work(self.actor) as uow:
            member = add_member(uow, user_id=user, role=role, name=name, email=email).id
        found = find_actor(self.place.runtime, self.organization, user)
        assert found is not None
        return found[0], member

    def ended(self) -> set[UUID]:
        """Jobs that have ended."""
        with self.place.runtime.database.unit_of_work(self.actor) as uow:
            return set(uow.session.scalars(text(f"SELECT id FROM jobs WHERE state IN {_ENDED}")))

    def open_jobs(self) -> int:
        """Jobs that have not ended."""
        return self.number(f"SELECT count(*) FROM jobs WHERE state NOT IN {_ENDED}")

    def unfinished(self) -> int:
        """Jobs that have not ended, or ended in a failure, and items that failed."""
        return self.number(
            "SELECT (SELECT count(*) FROM jobs WHERE state NOT IN ('done', 'undone'))"
            " + (SELECT count(*) FROM job_items WHERE state NOT IN ('done', 'skipped', 'undone'))"
            " + (SELECT count(*) FROM waiting_items)"
        )


def quick(
    subject: Subject,
    name: str,
    ask: Callable[[], None],
    faults: Callable[[], Faults],
    *,
    begin: Callable[[], None] = nothing,
) -> Phase:
    """A phase whose job is short: `ask` is called under fire, and it is over when all jobs have ended since."""
    asked = threading.Event()

    def go() -> None:
        ask()
        asked.set()

    def over() -> bool:
        return asked.is_set() and subject.open_jobs() == 0

    return Phase(name=name, begin=begin, over=over, faults=faults, go=go)


def assigning(subject: Subject) -> Phase:
    """Every client of the cohort has exactly one plan with eight steps, and one audit line says so."""

    def begin() -> None:
        with subject.place.runtime.database.unit_of_work(subject.actor) as uow:
            command = Assign(template_id=subject.template, version=1, started_on=START, cohort_id=subject.cohort)
            assign(uow, command)

    def faults() -> Faults:
        plans = subject.number("SELECT count(DISTINCT client_id) FROM plans WHERE status = 'active'")
        steps = subject.number("SELECT count(*) FROM plan_steps")
        told = subject.number("SELECT count(*) FROM audit_entries WHERE action = 'plan.assigned'")
        doubled = subject.number(_DOUBLED_PLANS) + max(0, steps - 8 * plans) + max(0, told - plans)
        lost = subject.clients - plans + max(0, 8 * plans - steps) + max(0, plans - told)
        return Faults(lost, doubled, subject.unfinished())

    return Phase(name="assign", begin=begin, over=lambda: subject.open_jobs() == 0, faults=faults)


_PROMPTED = 150


def prompting(subject: Subject) -> Phase:
    """Everybody due is prompted once: one message for each occurrence, which the mail server took exactly once."""

    def begin() -> None:
        with subject.place.runtime.database.unit_of_work(subject.actor) as uow:
            uow.session.execute(
                text(
                    "UPDATE plans SET next_review_on = current_date, next_prompt_at = :past, next_reminder = 0"
                    " WHERE id IN (SELECT id FROM plans ORDER BY id LIMIT :n)"
                ),
                {"past": uow.now - timedelta(hours=1), "n": _PROMPTED},
            )
            uow.ring(Bell.PROMPT)

    def over() -> bool:
        waiting = subject.number(
            "SELECT (SELECT count(*) FROM plans WHERE next_prompt_at <= now())"
            " + (SELECT count(*) FROM messages WHERE state IN ('queued', 'handed', 'unknown'))"
        )
        return waiting == 0

    def faults() -> Faults:
        due = subject.addresses(
            "SELECT c.email FROM clients c JOIN plans p ON p.client_id = c.id WHERE p.id IN"
            f" (SELECT id FROM plans ORDER BY id LIMIT {_PROMPTED})"
        )
        taken = subject.mails()
        return Faults(
            lost=sum(1 for address in due if not taken[address]),
            # A second mail to somebody, or one to somebody who was not due, whatever its id is.
            doubled=sum(times - (address in due) for address, times in taken.items()),
            unfinished=subject.number("SELECT count(*) FROM messages WHERE state <> 'sent'"),
        )

    return Phase(name="prompt", begin=begin, over=over, faults=faults)


_REPORTED = 40


def reporting(subject: Subject) -> Phase:
    """Each member of a cohort has exactly one report, every file is whole, and the archive holds them all (J13)."""

    def begin() -> None:
        with subject.place.runtime.database.unit_of_work(subject.actor) as uow:
            cohort = Cohort(name="Reported", kind="fixed")
            uow.session.add(cohort)
            uow.session.flush()
            uow.session.execute(
                text(
                    "INSERT INTO cohort_members (cohort_id, client_id)"
                    " SELECT :cohort, id FROM clients ORDER BY id LIMIT :n"
                ),
                {"cohort": cohort.id, "n": _REPORTED},
            )
            report_cohort(uow, ReportCohort(cohort_id=cohort.id))

    def faults() -> Faults:
        with subject.place.runtime.database.unit_of_work(subject.actor) as uow:
            files = uow.session.scalars(select(StoredFile)).all()
        broken = sum(1 for file in files if not whole(subject.place.runtime.storage.path(file.location), file.sha256))
        reports = [file.client_id for file in files if file.kind == CLIENT_FILE]
        archives = [file for file in files if file.kind == ARCHIVE_FILE]
        packed = 0
        if archives:
            with ZipFile(subject.place.runtime.storage.path(archives[0].location)) as archive:
                packed = sum(1 for name in archive.namelist() if name.endswith(".pdf"))
        return Faults(
            lost=(_REPORTED - len(set(reports))) + (_REPORTED - packed) + broken,
            doubled=len(reports) - len(set(reports)) + max(0, len(archives) - 1),
            unfinished=subject.unfinished(),
        )

    return Phase(name="report", begin=begin, over=lambda: subject.open_jobs() == 0, faults=faults)


_ROWS = 6000


def importing(subject: Subject) -> Phase:
    """A roster is checked and taken: each row makes one client, and the ledger of the import says so."""
    path = subject.mail.parent / f"roster-{subject.organization.hex}.csv"
    started: list[UUID] = []

    def begin() -> None:
        rows = (f"R{n:05d},Given{n},Family{n},r{n}@{subject.domain}" for n in range(_ROWS))
        path.write_text("\n".join(["id,given name,family name,e-mail", *rows]) + "\n", encoding="utf-8")
        started.append(import_file(subject.place.runtime, subject.actor, path))

    def over() -> bool:
        if subject.open_jobs():
            return False
        with subject.place.runtime.database.unit_of_work(subject.actor) as uow:
            roster = uow.session.scalars(
                select(RosterImport).where(RosterImport.id == started[0]).with_for_update()
            ).one()
            if roster.state == "checked" and roster.apply_job_id is None:
                # Somebody says yes; both the check and the taking are under fire.
                confirm_import(uow, started[0], yes=True)
                return False
            return roster.state == "applied"

    def faults() -> Faults:
        made = subject.number("SELECT count(*) FROM clients WHERE external_id ~ '^R[0-9]{5}$'")
        told = subject.number(
            "SELECT coalesce(sum((detail->>'created')::int), 0) FROM audit_entries WHERE action = 'roster.applied'"
        )
        return Faults(_ROWS - made, max(0, told - _ROWS), subject.unfinished())

    return Phase(name="roster", begin=begin, over=over, faults=faults)


def scoring(subject: Subject) -> Phase:
    """Answers of everybody in the roster are scored: each person has exactly one assessment."""
    path = subject.mail.parent / f"answers-{subject.organization.hex}.csv"

    def begin() -> None:
        write_answers(path, built_ins()["adaptability"].definition, [f"R{n:05d}" for n in range(_ROWS)], seed=1)
        with subject.place.runtime.database.unit_of_work(subject.actor) as uow:
            instrument = add_built_in(uow, "adaptability").instrument_id
        import_responses(subject.place.runtime, subject.actor, instrument, path)

    def faults() -> Faults:
        stored = subject.number("SELECT count(*) FROM assessments")
        people = subject.number("SELECT count(DISTINCT client_id) FROM assessments")
        return Faults(_ROWS - people, stored - people, subject.unfinished())

    return Phase(name="score", begin=begin, over=lambda: subject.open_jobs() == 0, faults=faults)


def whole(path: Path, sha256: bytes) -> bool:
    """Whether a file is there and has this SHA-256 checksum."""
    return path.exists() and hashlib.sha256(path.read_bytes()).digest() == sha256
