"""The phase of labels and filters: words on some people, questions that are kept, and the time counsellors have."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select, update

from app.demo.build import Build
from app.demo.cohort import COUNSELLORS
from app.features.clients.commands import CreateLabel
from app.features.clients.labels import create_label, put_labels, visible_labels
from app.features.clients.models import Client
from app.features.clients.policy import visible_clients
from app.features.organizations.models import Membership
from app.features.selections.commands import SaveFilter
from app.features.selections.filters import create_filter
from app.features.selections.queries import list_filters
from app.infra.db.open import UnitOfWork

# Name, tone, whether it is the organization's, and every how manieth person has it.
_SHARED = (("Scholarship", "brass", 7), ("Back from leave", "wait", 11))
_OWN = ("Call in spring", "bad", 9)
DECIDED = "Decided, and nothing planned yet"
_FILTERS = (
    (
        "Overdue and not met for two months",
        [
            {"field": "@active", "is": "is", "values": [True]},
            {"field": "@overdue", "is": "at_least", "values": [1]},
            {"field": "@contact", "is": "weeks_ago", "values": [8]},
        ],
    ),
    (
        DECIDED,
        [
            {"field": "@step_4", "is": "is", "values": ["completed"]},
            {"field": "@step_7", "is": "is", "values": ["not_started"]},
        ],
    ),
)
_MINUTES = (900, 600, 1200)


def label_and_keep(build: Build) -> dict[str, Any]:
    """Put labels on some people and keep two filters for everybody; what an interrupted run made is left as it is."""
    admin, database = build.actor(), build.runtime.database
    with database.unit_of_work(admin) as uow:
        for name, tone, every in _SHARED:
            _label(uow, CreateLabel(name=name, tone=tone, shared=True), every)
        known = {line.filter.name for line in list_filters(uow)}
        for name, conditions in _FILTERS:
            if name not in known:
                create_filter(uow, SaveFilter(name=name, rule={"all": conditions}, shared=True))
    for email, minutes in zip(COUNSELLORS, _MINUTES, strict=False):
        actor = build.actor(email)
        with database.unit_of_work(actor) as uow:
            name, tone, every = _OWN
            _label(uow, CreateLabel(name=name, tone=tone), every)
            uow.session.execute(
                update(Membership).where(Membership.id == actor.membership_id).values(weekly_minutes=minutes)
            )
    return {"labels": len(_SHARED) + len(COUNSELLORS), "filters": len(_FILTERS)}


def _label(uow: UnitOfWork, command: CreateLabel, every: int) -> None:
    if command.name in {label.name for label in visible_labels(uow)}:
        return
    ids = uow.session.scalars(
        select(Client.id).where(Client.active, visible_clients(uow.actor)).order_by(Client.external_id)
    ).all()
    put_labels(uow, create_label(uow, command).id, ids[::every])
