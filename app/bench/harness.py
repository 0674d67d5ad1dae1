"""What every measurement shares: a real installation, interleaved runs, medians and ratios."""

from __future__ import annotations

import gc
import json
import os
import platform
import secrets
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
from sqlalchemy import select
from sqlalchemy.engine import make_url

from app.composition import JOB_KINDS
from app.config import Settings
from app.domain import access
from app.domain.template_content import TemplateContent, checksum, content_as_json
from app.features.jobs.models import Job
from app.features.jobs.runner import work
from app.features.jobs.service import OPEN
from app.features.organizations.service import create_organization
from app.features.plans.models import PlanTemplate, TemplateVersion
from app.infra.db.migrate import ROLES, create_database, create_roles, migrate
from app.infra.db.open import UnitOfWork
from app.infra.embedded import start_postgres, start_valkey
from app.infra.memory import settle_memory
from app.infra.queue import SilentDoorbell
from app.infra.runtime import Runtime, make_runtime

RUNS = 5


@dataclass(frozen=True, slots=True)
class Measured:
    """One line of the table: medians in seconds, their ratio, and the ratio it must not pass (None: no limit).

    `at_most_seconds` is a limit on the seconds themselves, where one is promised.
    """

    name: str
    n: int
    seconds: float
    floor_seconds: float
    ratio: float
    limit: float | None
    at_most_seconds: float | None = None

    @property
    def kept(self) -> bool:
        """Whether the limits are kept."""
        quick = self.at_most_seconds is None or self.seconds <= self.at_most_seconds
        return quick and (self.limit is None or self.ratio <= self.limit)


class Place:
    """An installation made for measuring: durable servers, real roles, row security."""

    def __init__(self, folder: Path) -> None:
        """Start the servers in `folder`, make the roles and migrate."""
        self.folder = folder
        self.postgres = start_postgres(folder / "postgres")
        self.valkey = start_valkey(folder / "valkey")
        passwords = {role: secrets.token_hex(16) for role in ROLES}
        create_roles(self.postgres.superuser_url, passwords)
        create_database(self.postgres.superuser_url, "octant")

        def url(role: str) -> str:
            made = make_url(self.postgres.superuser_url).set(username=role, password=passwords[role], database="octant")
            return made.render_as_string(hide_password=False)

        migrate(url("octant_owner"))
        self.superuser_url = (
            make_url(self.postgres.superuser_url).set(database="octant").render_as_string(hide_password=False)
        )
        self.settings = Settings(
            database_url=url("octant_app"),
            identity_database_url=url("octant_identity"),
            owner_database_url=url("octant_owner"),
            broker_url=self.valkey.url,
            secret_key=secrets.token_hex(32),
            public_url="http://127.0.0.1",
            storage_dir=folder / "storage",
            smtp_url="smtp://127.0.0.1:1",
            mail_from="Octant <octant@example.org>",
            environment="test",
            log_format="text",
            log_level="WARNING",
        )
        self.runtime: Runtime = make_runtime(self.settings, doorbell=SilentDoorbell())
        # As every worker does once it is complete.
        settle_memory()

    @contextmanager
    def superuser(self) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
        """A connection without row security: the floor's."""
        with psycopg.connect(self.superuser_url) as connection:
            yield connection

    def organization(self) -> UUID:
        """A new organization."""
        return create_organization(
            self.runtime, slug=f"bench-{uuid4().hex[:12]}", name="Bench", time_zone="Europe/Dublin", locale="en"
        )

    def clients(self, organization_id: UUID, number: int) -> None:
        """Fill an organization with plain clients."""
        with self.superuser() as connection:
            connection.execute(_CLIENTS, {"o": organization_id, "n": number})

    def settle(self) -> None:
        """Bring statistics up to date and write what waits, so that no run pays for the one before."""
        with psycopg.connect(self.superuser_url, autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE")
            connection.execute("CHECKPOINT")

    def stop(self) -> None:
        """Stop the servers."""
        self.runtime.database.dispose()
        self.postgres.stop()
        self.valkey.stop()


_CLIENTS = """
    INSERT INTO clients (organization_id, external_id, given_name, family_name, email, given_folded, family_folded,
                         email_folded, external_folded, attributes)
    SELECT %(o)s, 'S' || lpad(i::text, 7, '0'), 'Given' || i, 'Family' || (i::bigint * 7919 %% 100003),
           'client' || i || '@example.org', 'given' || i, 'family' || (i::bigint * 7919 %% 100003),
           'client' || i || '@example.org', 's' || lpad(i::text, 7, '0'),
           jsonb_build_object('programme', 'P' || (i %% 12), 'year', 1 + i %% 4)
    FROM generate_series(1, %(n)s) i
"""


def interleaved(
    name: str,
    n: int,
    floor: Callable[[int], float],
    ours: Callable[[int], float],
    *,
    limit: float | None,
    runs: int = RUNS,
    at_most_seconds: float | None = None,
) -> Measured:
    """Time floor and ours in turn, `runs` times each; both take the run's number and return their seconds."""
    floors, times = [], []
    for run in range(runs):
        gc.collect()
        floors.append(floor(run))
        gc.collect()
        times.append(ours(run))
    seconds, floor_seconds = statistics.median(times), statistics.median(floors)
    ratio = round(seconds / floor_seconds, 3)
    return Measured(name, n, round(seconds, 4), round(floor_seconds, 4), ratio, limit, at_most_seconds)


@contextmanager
def stopwatch() -> Iterator[Callable[[], float]]:
    """Yields a function that returns the seconds since the block began."""
    begun = time.perf_counter()
    yield lambda: time.perf_counter() - begun


def published_template(uow: UnitOfWork, recipe: TemplateContent) -> PlanTemplate:
    """A template with this recipe as its first version, published."""
    template = PlanTemplate(name="Bench")
    uow.session.add(template)
    uow.session.flush()
    uow.session.add(
        TemplateVersion(
            template_id=template.id,
            version=1,
            state="published",
            published_at=uow.now,
            content=content_as_json(recipe),
            checksum=checksum(recipe),
        )
    )
    uow.session.flush()
    return template


def finish_jobs(runtime: Runtime, organization_id: UUID) -> None:
    """Work, as one worker does, until the organization has no open job; raises RuntimeError when one failed."""
    while True:
        work(runtime, organization_id, JOB_KINDS, until=runtime.clock() + timedelta(minutes=5))
        with runtime.database.unit_of_work(access.system(organization_id)) as uow:
            states = uow.session.execute(select(Job.kind, Job.state, Job.error)).all()
        if bad := [row for row in states if row.state == "failed"]:
            raise RuntimeError(str(bad))
        if all(row.state not in OPEN for row in states):
            return
        # A batch that failed waits before it is tried again; that time counts.
        time.sleep(0.05)


def table(rows: Sequence[Measured]) -> str:
    """The results as a Markdown table."""
    lines = ["| job | n | seconds | floor | ratio | at most |", "| --- | ---: | ---: | ---: | ---: | ---: |"]
    for row in rows:
        limits = [] if row.limit is None else [f"{row.limit:g}"]
        limits += [] if row.at_most_seconds is None else [f"{row.at_most_seconds:g} s"]
        most = ", ".join(limits) or "–"
        mark = "" if row.kept else " (over)"
        lines.append(
            f"| {row.name} | {row.n:,} | {row.seconds:.3f} | {row.floor_seconds:.3f} | {row.ratio:.2f}{mark} | {most} |"
        )
    return "\n".join(lines)


def machine() -> str:
    """One line that describes the machine the figures are from."""
    return (
        f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()} {platform.release()},"
        f" Python {platform.python_version()}"
    )


def write_json(rows: Sequence[Measured], path: Path) -> None:
    """Write the results as a list of objects."""
    keys = ("name", "n", "seconds", "floor_seconds", "ratio", "limit", "at_most_seconds")
    path.write_text(json.dumps([{k: asdict(r)[k] for k in keys} for r in rows], indent=2) + "\n", encoding="utf-8")
