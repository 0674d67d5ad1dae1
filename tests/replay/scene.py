"""Where a replay plays: an installation of its own, its organization and people, and the model of them."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import text

from app.domain import access
from app.domain.steps import StepKey
from app.features.messaging.relay import relay_of
from app.features.organizations.service import create_organization
from app.infra.db.open import UnitOfWork
from app.infra.mailsink.launch import start_mailsink
from app.infra.queue import SilentDoorbell
from app.infra.runtime import Runtime, make_runtime
from tests.harness import Clock, Servers
from tests.replay import scenario
from tests.replay.model import DAY, Model, Plan

FIRST = datetime(2026, 1, 5, 3, 0, tzinfo=UTC)
_STEPS = {"steps": {key.value: {"enabled": True, "guidance": "Do it."} for key in StepKey}}
_ZONE = "Europe/Dublin"


class Scene:
    """One installation with one organization of so many plans, and the model's copy of them."""

    def __init__(
        self, servers: Servers, folder: Path, *, seed: int, plans: int, years: float, connections: int
    ) -> None:
        self.chance = random.Random(seed)
        self.until = FIRST + timedelta(days=365 * years)
        self.clock = Clock()
        self.clock.now = FIRST
        # How far the clock is from the true time, and until when no worker runs.
        self.offset, self.asleep_until = timedelta(0), FIRST
        self.happened: Counter[str] = Counter()
        self._servers, self._database = servers, servers.clone()
        self._sink = start_mailsink(folder / "sink", keep_messages=False, rules=scenario.mail_faults(seed))
        self.ledger = folder / "sink" / "ledger.jsonl"
        made = replace(
            servers.settings(self._database, folder / "storage"),
            smtp_url=f"smtp://127.0.0.1:{self._sink.smtp_port}",
            mail_lookup_url=f"{self._sink.url}/lookup",
            pool_size=connections,
        )
        self.doorbell = SilentDoorbell()
        self.runtime: Runtime = make_runtime(made, doorbell=self.doorbell, clock=self.clock)
        self.model = Model(_ZONE, (self.until + timedelta(days=800)).date())
        # Of a plan by its number in the model: the row's id and its client's; and back.
        self.ids: dict[int, UUID] = {}
        self.clients: dict[int, UUID] = {}
        self.keys: dict[UUID, int] = {}
        self.templates: list[UUID] = []
        self.cohorts: list[UUID] = []
        self.organization = create_organization(
            self.runtime, slug="replay", name="Replay", time_zone=_ZONE, locale="en"
        )
        self._make_terms()
        self._make_templates()
        for number in range(scenario.COHORTS):
            made_row = self.sql("INSERT INTO cohorts (name, kind) VALUES (:n, 'fixed') RETURNING id", n=f"C {number}")
            self.cohorts.append(made_row[0].id)
        self._make_plans(plans)
        self.of_client = {client: self.model.plans[key] for key, client in self.clients.items()}

    def close(self) -> None:
        """Stop what it started."""
        relay_of(self.runtime.settings.smtp_url).close()
        self.runtime.database.dispose()
        self._sink.stop()
        self._servers.drop(self._database)

    def work(self, body: Callable[[UnitOfWork], Any]) -> Any:
        """Do something as the organization, in one transaction."""
        with self.runtime.database.unit_of_work(access.system(self.organization)) as uow:
            return body(uow)

    def sql(self, statement: str, **values: Any) -> list[Any]:
        """What a statement of the organization returns."""
        return self.work(lambda uow: list(uow.session.execute(text(statement), values)))  # type: ignore[no-any-return]

    def _make_terms(self) -> None:
        self.model.terms = list(scenario.terms(FIRST.date(), self.until.date()))
        for number, (first, last) in enumerate(self.model.terms):
            self.sql(
                "INSERT INTO terms (name, starts_on, ends_on) VALUES (:n, :f, :l) RETURNING 1",
                n=f"Term {number}",
                f=first,
                l=last,
            )

    def _make_templates(self) -> None:
        for number in range(scenario.TEMPLATES):
            recipe = scenario.rules(self.chance, FIRST.date(), self.until.date()) if number % 2 else None
            self.model.recipes[number] = recipe
            content = _STEPS | ({"review_policy": scenario.as_json(recipe)} if recipe else {})
            template = uuid4()
            self.templates.append(template)
            self.sql("INSERT INTO plan_templates (id, name) VALUES (:i, :n) RETURNING 1", i=template, n=f"T {number}")
            self.sql(
                "INSERT INTO template_versions (template_id, version, state, content, checksum, published_at)"
                " VALUES (:i, 1, 'published', CAST(:c AS jsonb), 'x', now()) RETURNING 1",
                i=template,
                c=json.dumps(content),
            )

    def _make_plans(self, plans: int) -> None:
        chance, rows = self.chance, []
        for key in range(plans):
            plan = Plan(
                key,
                started=FIRST.date() - chance.randrange(1, 400) * DAY,
                template=chance.randrange(scenario.TEMPLATES),
                zone=None if chance.random() < 0.5 else chance.choice(scenario.ZONES),
            )
            plan.last = plan.started
            self.model.plans[key] = plan
            self.clients[key], self.ids[key] = uuid4(), uuid4()
            self.keys[self.ids[key]] = key
            rows.append(
                {
                    "client": self.clients[key],
                    "plan": self.ids[key],
                    "n": key,
                    "zone": plan.zone,
                    "template": self.templates[plan.template],
                    "started": plan.started,
                }
            )
        self.sql(
            """
            WITH g AS (
                SELECT * FROM jsonb_to_recordset(CAST(:rows AS jsonb))
                    AS g(client uuid, plan uuid, n int, zone text, template uuid, started date)
            ), c AS (
                INSERT INTO clients (id, external_id, given_name, family_name, email, given_folded, family_folded,
                                     external_folded, time_zone)
                SELECT client, 'S' || n, 'Given' || n, 'Family' || n, 'client' || n || '@example.org', 'given',
                       'family', 's' || n, zone FROM g RETURNING id
            ), p AS (
                INSERT INTO plans (id, client_id, template_id, template_version, started_on)
                SELECT g.plan, c.id, g.template, 1, g.started FROM g JOIN c ON c.id = g.client RETURNING id
            )
            INSERT INTO plan_steps (plan_id, step) SELECT p.id, s FROM p CROSS JOIN generate_series(1, 8) s RETURNING 1
            """,
            rows=json.dumps(rows, default=str),
        )
