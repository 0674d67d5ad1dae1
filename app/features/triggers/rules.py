"""The organization's rules and how many reviews may open in a day."""

from __future__ import annotations

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from app.domain.triggers import A_DAY, RULED, Reach, Rule, Trigger, check_rule, standard_rule, within
from app.features.audit.service import record
from app.features.triggers.models import TriggerFinding, TriggerRule, TriggerSettings
from app.infra.db.open import UnitOfWork


def rules_of(uow: UnitOfWork) -> dict[Trigger, Rule]:
    """Every rule as it is set, or as the standard has it, in their order."""
    stored = {row.kind: row for row in uow.session.scalars(select(TriggerRule))}
    return {kind: _rule(kind, stored.get(kind.value)) for kind in RULED}


def _rule(kind: Trigger, row: TriggerRule | None) -> Rule:
    if row is None:
        return standard_rule(kind)
    reach: Reach = "chosen" if row.reach == "chosen" else "any"
    return Rule(kind, row.active, row.number, reach)


def set_rule(uow: UnitOfWork, rule: Rule) -> Rule:
    """Set a rule; what it found and waits goes when it is off, and is brought up to date when it is next looked.

    Raises InvalidInput for a number out of its bounds.
    """
    rule = check_rule(rule)
    # A look in a worker holds these: what it has found is there before it is taken away.
    settings_of(uow, lock=True)
    values = {
        "active": rule.active,
        "number": rule.number,
        "reach": rule.reach,
        "updated_by": uow.actor.membership_id,
        "updated_at": uow.now,
    }
    uow.session.execute(
        insert(TriggerRule)
        .values(kind=rule.kind.value, **values)
        .on_conflict_do_update(index_elements=["organization_id", "kind"], set_=values)
    )
    if not rule.active:
        uow.session.execute(
            delete(TriggerFinding).where(TriggerFinding.kind == rule.kind.value, TriggerFinding.review_id.is_(None))
        )
    record(
        uow,
        "trigger.rule_set",
        "organization",
        uow.actor.organization_id,
        kind=rule.kind.value,
        active=rule.active,
        number=rule.number,
        reach=rule.reach,
    )
    return rule


def settings_of(uow: UnitOfWork, *, lock: bool = False) -> TriggerSettings:
    """The organization's settings, made with the standard where there are none; `lock` holds them until the end."""
    uow.session.execute(
        insert(TriggerSettings).values(a_day=A_DAY.standard).on_conflict_do_nothing(index_elements=["organization_id"])
    )
    statement = select(TriggerSettings).execution_options(populate_existing=True)
    return uow.session.scalars(statement.with_for_update() if lock else statement).one()


def set_a_day(uow: UnitOfWork, number: int) -> None:
    """Set how many reviews may open in a day. Raises InvalidInput for a number out of its bounds."""
    settings_of(uow, lock=True).a_day = within(number, A_DAY, "a_day")
    uow.session.flush()
    record(uow, "trigger.limit_set", "organization", uow.actor.organization_id, number=number)
