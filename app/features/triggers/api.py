"""JSON of triggers: rules with their dry runs, findings, events outside."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.domain.access import Permission
from app.domain.triggers import RULED, Rule, Trigger, check_rule
from app.features.organizations.queries import today_here
from app.features.plans.models import Plan
from app.features.plans.policy import visible_plans
from app.features.triggers import events, queries, service
from app.features.triggers.commands import RecordEvent
from app.features.triggers.models import ExternalEvent, TriggerFinding, TriggerSettings
from app.features.triggers.rules import rules_of, set_a_day, set_rule, settings_of
from app.features.triggers.schemas import (
    DryRunSchema,
    ExternalEventOpenedSchema,
    ExternalEventSchema,
    ExternalEventWithdrawnSchema,
    NewExternalEventSchema,
    NewTriggerRuleSchema,
    NewTriggerSettingsSchema,
    TriggerFindingQuery,
    TriggerFindingSchema,
    TriggerRuleSchema,
    TriggerSettingsSchema,
    TriggerTryQuery,
)
from app.features.triggers.sources import Source, source_of, source_of_event
from app.infra.db.open import UnitOfWork
from app.infra.web.access import requires
from app.infra.web.api.blueprint import ApiBlueprint
from app.infra.web.api.once import once
from app.infra.web.api.paging import cut, page, read_cursor, whole
from app.infra.web.api.schemas import PageQuery, page_of
from app.infra.web.context import unit_of_work

blueprint = ApiBlueprint("Triggers", __name__, description="What opens reviews beside the calendar.")
_RULE = f"/trigger-rules/<any({','.join(kind.value for kind in RULED)}):kind>"


def _line(line: queries.RuleLine) -> dict[str, Any]:
    rule = line.rule
    return {
        "kind": rule.kind.value,
        "active": rule.active,
        "number": rule.number,
        "reach": rule.reach,
        "waiting": line.waiting,
        "reviews": line.reviews,
    }


@blueprint.get("/trigger-rules")
@requires(Permission.MANAGE_COHORTS)
@blueprint.response(200, page_of(TriggerRuleSchema))
def list_trigger_rules() -> dict[str, Any]:
    """Every rule, on or off."""
    with unit_of_work() as uow:
        return whole([_line(line) for line in queries.rule_lines(uow)])


@blueprint.put(_RULE)
@requires(Permission.MANAGE_COHORTS)
@blueprint.arguments(NewTriggerRuleSchema)
@blueprint.response(200, TriggerRuleSchema)
def set_trigger_rule(body: dict[str, Any], kind: str) -> dict[str, Any]:
    """Switch a rule on or off, or change its number; what it found and waits goes when it is off."""
    with unit_of_work() as uow:
        trigger = Trigger(kind)
        reach = body.get("reach") or rules_of(uow)[trigger].reach
        set_rule(uow, Rule(trigger, body["active"], body.get("number"), reach))
        return next(_line(line) for line in queries.rule_lines(uow) if line.rule.kind is trigger)


@blueprint.get(f"{_RULE}/dry-run")
@requires(Permission.MANAGE_COHORTS)
@blueprint.arguments(TriggerTryQuery, location="query")
@blueprint.response(200, DryRunSchema)
def try_trigger_rule(query: dict[str, Any], kind: str) -> dict[str, Any]:
    """Whom a rule would ask now, whether it is on or not; nothing is stored."""
    with unit_of_work() as uow:
        rule = rules_of(uow)[Trigger(kind)]
        rule = check_rule(replace(rule, number=query.get("number", rule.number), reach=query.get("reach", rule.reach)))
        return _dry_run(uow, kind, source_of(uow, rule, today_here(uow)), query)


def _dry_run(uow: UnitOfWork, kind: str, source: Source, query: dict[str, Any]) -> dict[str, Any]:
    after = tuple(read_cursor(query["cursor"], 4)) if query.get("cursor") else queries.START
    touched = queries.dry_run(uow, kind, source, after=after, most=query["limit"] + 1)
    part = cut(
        touched.rows, query["limit"], lambda row: [row.family_folded, row.given_folded, row.plan_id, row.subject]
    )
    names = ("plan_id", "client_id", "name", "subject", "evidence", "found_at", "reviewed_at")
    items = [{name: getattr(row, name) for name in names} for row in part["items"]]
    return {"plans": touched.plans, "new": touched.new, "items": items, "next": part["next"]}


@blueprint.get("/trigger-settings")
@requires(Permission.MANAGE_COHORTS)
@blueprint.response(200, TriggerSettingsSchema)
def read_trigger_settings() -> TriggerSettings:
    """How many reviews may be opened in a day, and when was last looked."""
    with unit_of_work() as uow:
        return settings_of(uow)


@blueprint.put("/trigger-settings")
@requires(Permission.MANAGE_COHORTS)
@blueprint.arguments(NewTriggerSettingsSchema)
@blueprint.response(200, TriggerSettingsSchema)
def set_trigger_settings(body: dict[str, Any]) -> TriggerSettings:
    """Set how many reviews may be opened in a day."""
    with unit_of_work() as uow:
        set_a_day(uow, body["a_day"])
        return settings_of(uow)


@blueprint.post("/trigger-looks")
@requires(Permission.MANAGE_COHORTS)
@blueprint.response(202)
def ask_for_look() -> None:
    """Have a worker look as soon as one is free. Safe to repeat."""
    with unit_of_work() as uow:
        service.ask_for_look(uow)


@blueprint.get("/trigger-findings")
@requires(Permission.READ_CLIENTS, Permission.OWN_PLAN)
@blueprint.arguments(TriggerFindingQuery, location="query")
@blueprint.response(200, page_of(TriggerFindingSchema))
def list_trigger_findings(query: dict[str, Any]) -> dict[str, Any]:
    """Reasons to look at the plans you may see again, the latest first."""
    with unit_of_work() as uow:
        found = select(TriggerFinding).join(Plan, Plan.id == TriggerFinding.plan_id).where(visible_plans(uow.actor))
        if "plan" in query:
            found = found.where(TriggerFinding.plan_id == query["plan"])
        if "kind" in query:
            found = found.where(TriggerFinding.kind == query["kind"])
        if "state" in query:
            waits = query["state"] == "waiting"
            found = found.where(TriggerFinding.review_id.is_(None) == waits)
        return page(uow, found, (TriggerFinding.found_at, TriggerFinding.id), query, descending=True)


@blueprint.get("/external-events")
@requires(Permission.MANAGE_COHORTS)
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(200, page_of(ExternalEventSchema))
def list_external_events(query: dict[str, Any]) -> dict[str, Any]:
    """Events outside, the latest first."""
    with unit_of_work() as uow:
        by = (ExternalEvent.created_at, ExternalEvent.id)
        return page(uow, select(ExternalEvent), by, query, descending=True)


@blueprint.post("/external-events")
@requires(Permission.MANAGE_COHORTS)
@once
@blueprint.arguments(NewExternalEventSchema)
@blueprint.response(201, ExternalEventSchema)
def record_external_event(uow: UnitOfWork, body: dict[str, Any]) -> ExternalEvent:
    """Record an event; nobody is asked before its reviews are opened."""
    lists = {name: tuple(body[name]) for name in ("occupations", "families", "paths", "actions")}
    return events.record_event(uow, RecordEvent(**body | lists))


@blueprint.get("/external-events/<uuid:event_id>")
@requires(Permission.MANAGE_COHORTS)
@blueprint.response(200, ExternalEventSchema)
def read_external_event(event_id: UUID) -> ExternalEvent:
    """One event."""
    with unit_of_work() as uow:
        return events.find_event(uow, event_id)


@blueprint.get("/external-events/<uuid:event_id>/dry-run")
@requires(Permission.MANAGE_COHORTS)
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(200, DryRunSchema)
def try_external_event(query: dict[str, Any], event_id: UUID) -> dict[str, Any]:
    """The plans an event touches now; nothing is stored."""
    with unit_of_work() as uow:
        event = events.find_event(uow, event_id)
        return _dry_run(uow, Trigger.EXTERNAL_EVENT.value, source_of_event(event), query)


@blueprint.post("/external-events/<uuid:event_id>/open")
@requires(Permission.MANAGE_COHORTS)
@blueprint.response(200, ExternalEventOpenedSchema)
def open_external_event(event_id: UUID) -> dict[str, int]:
    """Open reviews of the plans it touches, as many as may open today; the others wait. Safe to repeat."""
    with unit_of_work() as uow:
        found, opened = events.open_event(uow, event_id)
        return {"found": found, "opened": opened}


@blueprint.post("/external-events/<uuid:event_id>/withdraw")
@requires(Permission.MANAGE_COHORTS)
@blueprint.response(200, ExternalEventWithdrawnSchema)
def withdraw_external_event(event_id: UUID) -> events.Withdrawn:
    """Take an event back: what waits for it goes, and reviews nobody was told of. Safe to repeat."""
    with unit_of_work() as uow:
        return events.withdraw_event(uow, event_id)
