"""Makes organizations, people, clients and plans through the use cases themselves."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID

from flask import Flask
from flask.testing import FlaskClient

from app.domain import access
from app.domain.access import Actor, Role
from app.domain.steps import StepKey
from app.domain.template_content import checksum, content_as_json, parse_content
from app.features.clients.models import CaseloadEntry, Client
from app.features.identity.service import find_or_create_user, start_session
from app.features.organizations.service import add_member, create_organization, find_actor
from app.features.plans.models import Plan, PlanStep, PlanTemplate, StepMark, TemplateVersion
from app.features.plans.queries import step_due_dates, terms_of
from app.infra.runtime import Runtime

_STATUSES = ("not_started", "in_progress", "submitted", "returned", "completed", "completed", "skipped")


@dataclass(frozen=True)
class Person:
    """A member: the actor they are, and the user behind it."""

    actor: Actor
    user_id: UUID
    email: str


class World:
    """Organizations and people of a test, made on one runtime."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self._numbers = itertools.count(1)

    def organization(self, *, time_zone: str = "Europe/Dublin", locale: str = "en", name: str = "") -> UUID:
        number = next(self._numbers)
        return create_organization(
            self.runtime,
            slug=f"org-{number}",
            name=name or f"Career centre {number}",
            time_zone=time_zone,
            locale=locale,
        )

    def person(self, organization_id: UUID, role: Role, name: str = "") -> Person:
        number = next(self._numbers)
        name = name or f"{role.value.title()} {number}"
        email = f"person{number}@example.org"
        with self.runtime.database.identity_session() as session:
            user_id = find_or_create_user(session, email, name).id
        with self.runtime.database.unit_of_work(access.system(organization_id)) as uow:
            add_member(uow, user_id=user_id, role=role, name=name, email=email)
        found = find_actor(self.runtime, organization_id, user_id)
        assert found is not None
        return Person(found[0], user_id, email)

    def clients(self, organization_id: UUID, number: int, **values: Any) -> list[UUID]:
        """Plain clients; `values` override columns."""
        ids = []
        with self.runtime.database.unit_of_work(access.system(organization_id)) as uow:
            for _ in range(number):
                n = next(self._numbers)
                row = {
                    "external_id": f"S{n:06d}",
                    "given_name": f"Given{n}",
                    "family_name": f"Family{n}",
                    "email": f"client{n}@example.org",
                    "given_folded": f"given{n}",
                    "family_folded": f"family{n}",
                    "email_folded": f"client{n}@example.org",
                    "external_folded": f"s{n:06d}",
                } | values
                client = Client(**row)
                uow.session.add(client)
                uow.session.flush()
                ids.append(client.id)
        return ids

    def plans(self, organization_id: UUID, clients: list[UUID], statuses: str = "nnnnnnnn", **due: Any) -> list[UUID]:
        """An active plan for each client, by SQL; `statuses` has a letter per step (n i s r c t k).

        `due`: `due_on` of every step, `started_on`, `next_review_on`, `changed_at`.
        """
        words = dict(zip("nisrctk", _STATUSES, strict=True))
        template = self.template(organization_id)
        with self.runtime.database.unit_of_work(access.system(organization_id)) as uow:
            ids = []
            for client in clients:
                plan = Plan(
                    client_id=client,
                    template_id=template,
                    template_version=1,
                    started_on=due.get("started_on", uow.now.date()),
                    next_review_on=due.get("next_review_on"),
                )
                uow.session.add(plan)
                uow.session.flush()
                uow.session.add_all(
                    PlanStep(
                        plan_id=plan.id,
                        step=number,
                        status=words[letter],
                        due_on=due.get("due_on"),
                        changed_at=due.get("changed_at"),
                        reason="Not needed" if letter == "k" else None,
                    )
                    for number, letter in enumerate(statuses, start=1)
                )
                uow.session.flush()
                # A step is stale by its marks, never by a flag alone.
                uow.session.add_all(
                    StepMark(plan_id=plan.id, step=number, aspect="occupation", detail={}, changed_at=uow.now)
                    for number, letter in enumerate(statuses, start=1)
                    if letter == "t"
                )
                ids.append(plan.id)
            return ids

    def caseload(self, counsellor: Person, clients: list[UUID]) -> None:
        """Put clients in a counsellor's caseload as primary."""
        with self.runtime.database.unit_of_work(access.system(counsellor.actor.organization_id)) as uow:
            uow.session.add_all(
                CaseloadEntry(membership_id=counsellor.actor.membership_id, client_id=c) for c in clients
            )

    def browser(self, app: Flask, person: Person | None = None) -> FlaskClient:
        """A browser, signed in as `person` in their organization, who wants each step whole on one page."""
        browser = app.test_client()
        if person is not None:
            with browser.session_transaction() as cookie:
                cookie["_user_id"], cookie["steps"] = self.session_token(person), "whole"
        return browser

    def session_token(self, person: Person) -> str:
        """What the cookie of a browser holds that is signed in as `person` in their organization."""
        with self.runtime.database.identity_session() as session:
            now, here = self.runtime.clock(), person.actor.organization_id
            return start_session(session, person.user_id, now, organization_id=here)

    def template(
        self, organization_id: UUID, *, policy: dict[str, Any] | None = None, raw: dict[str, Any] | None = None
    ) -> UUID:
        """A published template as `raw` says, else with all eight steps, due every 14 days; returns its id."""
        content = parse_content(
            raw
            or {
                "steps": {
                    key.value: {
                        "enabled": True,
                        "guidance": f"How to do {key.value}.",
                        "due": {"kind": "after_start", "days": 14 * key.number},
                    }
                    for key in StepKey
                },
                **({"review_policy": policy} if policy else {}),
            }
        )
        with self.runtime.database.unit_of_work(access.system(organization_id)) as uow:
            template = PlanTemplate(name=f"Template {next(self._numbers)}")
            uow.session.add(template)
            uow.session.flush()
            uow.session.add(
                TemplateVersion(
                    template_id=template.id,
                    version=1,
                    state="published",
                    content=content_as_json(content),
                    checksum=checksum(content),
                    published_at=uow.now,
                )
            )
            return template.id

    def client_person(self, organization_id: UUID, **values: Any) -> Person:
        """A client who has been invited to the portal: the person, whose actor names the client."""
        person = self.person(organization_id, Role.CLIENT, values.pop("name", ""))
        client_id = self.clients(organization_id, 1, membership_id=person.actor.membership_id, **values)[0]
        return Person(replace(person.actor, client_id=client_id), person.user_id, person.email)

    def plan(self, organization_id: UUID, client_id: UUID, template_id: UUID | None = None) -> UUID:
        """A plan begun on 7 September 2026 after the first version of a template (a new one unless given)."""
        template_id = template_id or self.template(organization_id)
        started_on = date(2026, 9, 7)
        with self.runtime.database.unit_of_work(access.system(organization_id)) as uow:
            version = uow.session.get_one(TemplateVersion, (organization_id, template_id, 1))
            plan = Plan(client_id=client_id, template_id=template_id, template_version=1, started_on=started_on)
            uow.session.add(plan)
            uow.session.flush()
            for key, status, due_on in step_due_dates(parse_content(version.content), started_on, terms_of(uow)):
                reason = "Not part of this template." if status == "skipped" else None
                uow.session.add(
                    PlanStep(plan_id=plan.id, step=key.number, status=status.value, due_on=due_on, reason=reason)
                )
            return plan.id
