"""What the phases of a demonstration share: the organizations, waiting for jobs, and going on after a stop."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.demo.keep import Keep
from app.demo.places import actor_of
from app.domain import access
from app.domain.access import Actor
from app.domain.errors import OctantError
from app.features.jobs.models import Job
from app.infra.runtime import Runtime

_ENDED = ("done", "failed", "cancelled", "undone")


class DemoError(OctantError):
    """The demonstration cannot go on; the sentence says what to do."""


class Stopped(Exception):
    """The demonstration is to end before it is built; the next start goes on where this one stopped."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """Files of the user instead of what is made up or comes with Octant; each may be left out.

    `onet` is an O*NET text download, folder or ZIP, and older ones for the tables it lacks; `bls` the projections.
    """

    roster: Path | None = None
    instrument: Path | None = None
    responses: Path | None = None
    onet: tuple[Path, ...] = ()
    bls: Path | None = None

    def __bool__(self) -> bool:
        """Whether anything was named."""
        return bool(self.roster or self.instrument or self.responses or self.onet or self.bls)

    def told(self, phase: str, sentence: str) -> str:
        """What the phase says it does, with the user's file where it works on one."""
        if phase == "roster" and self.roster is not None:
            return f"Importing the people in {self.roster.name}"
        if phase == "scoring" and self.responses is not None:
            return f"Scoring the answers in {self.responses.name}"
        if phase == "catalogue" and (self.onet or self.bls):
            return f"Importing occupations from {', '.join(path.name for path in (*self.onet, self.bls) if path)}"
        return sentence

    def ran_on(self, made_up: int) -> dict[str, str]:
        """What a run worked on, for its summary: the files, or what was made up instead."""
        return {
            "roster": self.roster.name if self.roster else f"{made_up} made-up people",
            "instrument": self.instrument.name if self.instrument else "the questionnaires that come with Octant",
            "responses": self.responses.name if self.responses else "made-up answers",
            "catalogue": self.onet[0].name if self.onet else "the starter catalogue",
        }


@dataclass
class Build:
    """One run over the phases. Facts of finished phases are in `keep.phases`, by the phase's name."""

    runtime: Runtime
    keep: Keep
    say: Callable[[str], None]
    stopping: Event
    folder: Path
    inputs: Inputs = Inputs()
    # Who may write the catalogue of occupations.
    owner_url: str = ""

    def run(self, phases: tuple[Phase, ...]) -> None:
        """Run every phase that is not finished yet. Raises Stopped, or whatever a phase raises."""
        for name, sentence, phase in phases:
            if name in self.keep.phases:
                continue
            self.check()
            self.say(self.inputs.told(name, sentence))
            begun = time.perf_counter()
            found = phase(self)
            self.keep.phases[name] = {**found, "seconds": round(time.perf_counter() - begun, 2)}
            self.keep.save()

    def check(self) -> None:
        """Raise Stopped when the demonstration is to end."""
        if self.stopping.is_set():
            raise Stopped

    def fact(self, phase: str, name: str) -> Any:
        """What a finished phase found out."""
        return self.keep.phases[phase][name]

    def organization(self, slug: str = "harbour") -> UUID:
        """The id of an organization made by the first phase."""
        return UUID(self.fact("organizations", slug))

    def actor(self, email: str = "admin@harbour.example.org", slug: str = "harbour") -> Actor:
        """A member of an organization as they act when signed in."""
        return actor_of(self.runtime, self.organization(slug), email)

    def wait_for_job(self, job_id: UUID, slug: str = "harbour") -> dict[str, Any]:
        """Wait until workers ended a job; returns its result. Raises DemoError when it failed."""
        while True:
            self.check()
            with self.runtime.database.unit_of_work(access.system(self.organization(slug))) as uow:
                job = uow.session.scalars(select(Job).where(Job.id == job_id)).one()
                state, kind, error, result = job.state, job.kind, job.error, job.result
            if state in _ENDED:
                if state != "done":
                    raise DemoError(f"The job {kind} ended as {state}: {error or 'no reason was given'}.")
                return result
            self.stopping.wait(0.2)

    def wait_until(self, fact: Callable[[], bool], what: str, seconds: float = 120) -> None:
        """Wait until something that workers do has happened. Raises DemoError when it takes too long."""
        deadline = time.monotonic() + seconds
        while not fact():
            self.check()
            if time.monotonic() > deadline:
                raise DemoError(f"Waited {seconds:.0f} seconds for {what}, in vain.")
            self.stopping.wait(0.2)


@dataclass
class PastClock:
    """A clock that is some days behind the real one."""

    real: Callable[[], datetime]
    days: float = 0

    def __call__(self) -> datetime:
        """The moment so many days ago."""
        return self.real() - timedelta(days=self.days)


Phase = tuple[str, str, Callable[[Build], dict[str, Any]]]
