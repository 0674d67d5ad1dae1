"""Reads of saved filters: which there are, what one may ask for, and how many clients one selects now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, or_, select

from app.domain.access import Permission
from app.domain.errors import NotFound
from app.domain.rules import ATTENTIONS, STATUSES, Field, Rule, parse_rule, plan_fields, stored_rule
from app.features.clients.models import Client
from app.features.clients.policy import sees_everybody, visible_clients
from app.features.cohorts.models import Cohort
from app.features.cohorts.policy import visible_cohorts
from app.features.cohorts.queries import rule_fields
from app.features.organizations.models import Membership
from app.features.organizations.queries import today_here
from app.features.plans.models import PlanTemplate, TemplateVersion
from app.features.selections.criteria import Moment, criterion_of_filter
from app.features.selections.models import SavedFilter
from app.infra.db.holding import Hold, only_read
from app.infra.db.open import UnitOfWork
from app.infra.db.whole import joined_as_sets


@dataclass(frozen=True, slots=True)
class FilterLine:
    """A saved filter, whose it is, and whether the actor may change it."""

    filter: SavedFilter
    owner: str
    mine: bool


@dataclass(frozen=True, slots=True)
class Words:
    """What fields, statuses and reasons are called, in the reader's language."""

    fields: Mapping[str, str]
    statuses: Mapping[str, str]
    attentions: Mapping[str, str]


def list_filters(uow: UnitOfWork) -> list[FilterLine]:
    """The actor's filters and those shared with everybody, by name."""
    rows = uow.session.execute(
        select(SavedFilter, Membership.name)
        .join(Membership, Membership.id == SavedFilter.owner_id)
        .where(visible_filters(uow))
        .order_by(func.lower(SavedFilter.name), SavedFilter.id)
    )
    return [FilterLine(saved, owner, may_change(uow, saved)) for saved, owner in rows]


def get_filter(uow: UnitOfWork, filter_id: UUID, hold: Hold = only_read) -> SavedFilter:
    """A filter the actor may use. Raises NotFound for somebody else's own, or none."""
    found: SavedFilter | None = uow.session.scalars(
        hold(select(SavedFilter).where(SavedFilter.id == filter_id, visible_filters(uow)))
    ).one_or_none()
    if found is None:
        raise NotFound("There is no such filter, or it is not yours to use.")
    return found


def visible_filters(uow: UnitOfWork) -> ColumnElement[bool]:
    """A criterion over `SavedFilter`: one's own, and what others share."""
    return or_(SavedFilter.shared, SavedFilter.owner_id == uow.actor.membership_id)


def may_change(uow: UnitOfWork, saved: SavedFilter) -> bool:
    """Whether it is the actor's, or shared and the actor keeps the organization's groups."""
    return saved.owner_id == uow.actor.membership_id or (saved.shared and uow.actor.may(Permission.MANAGE_COHORTS))


def filter_fields(uow: UnitOfWork, words: Words | None = None, *, own_labels: bool = True) -> tuple[Field, ...]:
    """What a filter may ask for; a shared one cannot ask for labels that only its owner sees (`own_labels`)."""
    of_clients = rule_fields(uow, words.fields if words else None, own_labels=own_labels)
    cohorts = uow.session.execute(
        select(Cohort.id, Cohort.name)
        .where(Cohort.archived_at.is_(None), visible_cohorts(uow.actor))
        .order_by(func.lower(Cohort.name), Cohort.id)
    ).all()
    said = words or _PLAIN
    of_plans = plan_fields(
        [(str(row.id), row.name) for row in cohorts],
        _templates(uow),
        said.fields,
        said.statuses,
        said.attentions,
    )
    return (*of_clients, *of_plans)


def _templates(uow: UnitOfWork) -> list[tuple[str, str]]:
    rows = uow.session.execute(
        select(PlanTemplate.id, PlanTemplate.name, TemplateVersion.version)
        .join(TemplateVersion, TemplateVersion.template_id == PlanTemplate.id)
        .where(TemplateVersion.state == "published")
        .order_by(func.lower(PlanTemplate.name), PlanTemplate.id, TemplateVersion.version)
    ).all()
    whole = dict.fromkeys((str(row.id), row.name) for row in rows)
    versions = [(f"{row.id}:{row.version}", f"{row.name} · {row.version}") for row in rows]
    return sorted([*whole, *versions], key=lambda pair: (pair[1].lower(), pair[0]))


def moment_of(uow: UnitOfWork) -> Moment:
    """When a filter is asked in this transaction, by the organization's day."""
    return Moment(uow.now, today_here(uow))


def read_rule(uow: UnitOfWork, raw: object) -> Rule:
    """A rule as somebody sent it, checked against what there is. Raises InvalidInput naming each bad condition."""
    return parse_rule(raw, filter_fields(uow))


def matching(uow: UnitOfWork, rule: Rule) -> Select[UUID]:
    """Ids of the clients the actor may see whom the rule selects now."""
    return select(Client.id).where(visible_clients(uow.actor), criterion_of_filter(rule, moment_of(uow)))


def count_filter(uow: UnitOfWork, rule: Rule) -> int:
    """How many clients the actor may see the rule selects now, by one statement."""
    criterion = criterion_of_filter(rule, moment_of(uow))
    counted = select(func.count()).select_from(Client).where(visible_clients(uow.actor), criterion)
    with joined_as_sets(uow, whole=sees_everybody(uow.actor)):
        return uow.session.execute(counted).scalar_one()


def sizes(uow: UnitOfWork, filters: Sequence[SavedFilter]) -> dict[UUID, int]:
    """How many clients each selects now."""
    return {saved.id: count_filter(uow, stored_rule(saved.rule)) for saved in filters}


# Names for checking a rule, where nobody reads them but in a problem's sentence.
_PLAIN = Words(
    {
        "@cohort": "cohort",
        "@plan": "plan",
        "@template": "template",
        **{f"@step_{number}": f"step {number}" for number in range(1, 9)},
        "@step": "any step",
        "@attention": "attention",
        "@overdue": "steps overdue",
        "@due": "step due",
        "@review": "next review",
        "@contact": "last contact",
        "@silent": "silence",
        "@search": "name, e-mail or id",
    },
    {status: status.replace("_", " ") for status in STATUSES},
    {reason: reason.replace("_", " ") for reason in ATTENTIONS},
)
