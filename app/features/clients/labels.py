"""Labels: words put on clients, the organization's or a member's own, one or many at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, literal, or_, select, text
from sqlalchemy.dialects.postgresql import insert as pg_insert

from app.domain.access import Permission
from app.domain.errors import Conflict, FieldProblem, Forbidden, InvalidInput, NotFound
from app.domain.saying import later
from app.features.audit.service import record, record_each
from app.features.clients.commands import ClientChoice, CreateLabel
from app.features.clients.models import ClientLabel, Label
from app.features.clients.queries import chosen_clients, select_ids
from app.features.clients.service import mark_rules_stale
from app.infra.db.open import UnitOfWork

TONES = ("plain", "ok", "brass", "bad", "wait")
LONGEST = 60


@dataclass(frozen=True, slots=True)
class LabelLine:
    """A label, how many clients the actor sees have it, and whether the actor may change it."""

    label: Label
    clients: int
    mine: bool


def visible_labels(uow: UnitOfWork) -> Sequence[Label]:
    """The organization's labels and the actor's own, by name."""
    return uow.session.scalars(
        select(Label).where(_visible(uow)).order_by(func.lower(Label.name), Label.owner_id.nulls_first(), Label.id)
    ).all()


def list_labels(uow: UnitOfWork) -> list[LabelLine]:
    """The same with the number of clients that have each, whom the actor may see."""
    seen = chosen_clients(uow, select(ClientLabel.client_id))
    rows = uow.session.execute(
        select(ClientLabel.label_id, func.count().label("people"))
        .where(ClientLabel.client_id.in_(seen))
        .group_by(ClientLabel.label_id)
    ).all()
    counted: Mapping[UUID, int] = {row.label_id: row.people for row in rows}
    return [LabelLine(one, counted.get(one.id, 0), _may_change(uow, one)) for one in visible_labels(uow)]


def get_label(uow: UnitOfWork, label_id: UUID) -> Label:
    """A label the actor may put on clients. Raises NotFound for somebody else's own, or none."""
    found = uow.session.scalars(select(Label).where(Label.id == label_id, _visible(uow))).one_or_none()
    if found is None:
        raise NotFound("There is no such label.")
    return found


def labels_of(uow: UnitOfWork, clients: Sequence[UUID]) -> dict[UUID, list[Label]]:
    """The labels of each of these clients that the actor may see, by name."""
    found: dict[UUID, list[Label]] = {client: [] for client in clients}
    if not clients:
        return found
    rows = uow.session.execute(
        select(ClientLabel.client_id, Label)
        .join(Label, (Label.organization_id == ClientLabel.organization_id) & (Label.id == ClientLabel.label_id))
        .where(ClientLabel.client_id.in_(select_ids(clients)), _visible(uow))
        .order_by(func.lower(Label.name), Label.id)
    )
    for client, label in rows:
        found[client].append(label)
    return found


def create_label(uow: UnitOfWork, command: CreateLabel) -> Label:
    """Make a label. Raises InvalidInput for a bad or taken name, Forbidden to share without the right to."""
    if command.shared:
        _may_share(uow)
    elif uow.actor.membership_id is None:
        raise Forbidden("Only a member can have a label of their own.")
    name, tone = _checked(command.name, command.tone)
    made = uow.session.execute(
        pg_insert(Label)
        .values(
            name=name,
            tone=tone,
            owner_id=None if command.shared else uow.actor.membership_id,
            created_by=uow.actor.membership_id,
            created_at=uow.now,
        )
        .on_conflict_do_nothing(index_elements=["organization_id", "owner_id", "name"])
        .returning(Label.id)
    ).scalar_one_or_none()
    if made is None:
        raise InvalidInput([_taken(name)])
    label = get_label(uow, made)
    record(uow, "label.created", "label", made, **_told(label))
    return label


def change_label(uow: UnitOfWork, label_id: UUID, *, name: str, tone: str) -> Label:
    """Rename a label or draw it otherwise; who has it keeps it. Raises as `create_label`, and NotFound."""
    label = _own(uow, label_id)
    checked, tone = _checked(name, tone)
    taken = select(Label.id).where(
        Label.name == checked, Label.owner_id.is_not_distinct_from(label.owner_id), Label.id != label.id
    )
    if uow.session.scalars(taken).first() is not None:
        raise InvalidInput([_taken(checked)])
    label.name, label.tone = checked, tone
    record(uow, "label.changed", "label", label.id, **_told(label))
    return label


def delete_label(uow: UnitOfWork, label_id: UUID) -> None:
    """Take a label off everybody and away. Raises Conflict while a cohort's rule or a saved filter asks for it."""
    label = _own(uow, label_id)
    if used := uow.session.execute(_USED, {"label": str(label_id)}).scalars().all():
        raise Conflict(
            later(
                "The label %(name)s is asked for by %(where)s. Change that first.",
                name=label.name,
                where=", ".join(used[:5]),
            )
        )
    removed = uow.session.execute(
        select(func.count()).select_from(ClientLabel).where(ClientLabel.label_id == label_id)
    ).scalar_one()
    uow.session.execute(
        delete(Label).where(Label.id == label_id).execution_options(synchronize_session=False),
    )
    uow.session.expunge(label)
    record(uow, "label.deleted", "label", label_id, clients=removed, **_told(label))


# By name, because cohorts and filters stand above clients.
_USED = text(
    "SELECT name FROM (SELECT name, rule FROM cohorts WHERE rule IS NOT NULL"
    " UNION ALL SELECT name, rule FROM saved_filters) used"
    " WHERE jsonb_path_exists(rule, '$.*[*] ? (@.field == \"@label\").values[*] ? (@ == $label)',"
    " jsonb_build_object('label', cast(:label AS text))) ORDER BY name"
)


def put_labels(uow: UnitOfWork, label_id: UUID, clients: ClientChoice) -> list[UUID]:
    """Put a label on clients the actor may see, by one statement. Returns those who did not have it before.

    Raises NotFound for a label that is not the actor's to use.
    """
    label = get_label(uow, label_id)
    chosen = chosen_clients(uow, clients).subquery()
    # In one order, so that two who label the same people at once wait for each other and do not block.
    rows = select(literal(label.organization_id), literal(label.id), chosen.c.id, literal(uow.now)).order_by(
        chosen.c.id
    )
    put = pg_insert(ClientLabel).from_select(["organization_id", "label_id", "client_id", "since"], rows)
    changed = list(uow.session.scalars(put.on_conflict_do_nothing().returning(ClientLabel.client_id)))
    _note(uow, "label.put", label, changed)
    return changed


def take_labels(uow: UnitOfWork, label_id: UUID, clients: ClientChoice) -> list[UUID]:
    """Take a label off clients the actor may see, by one statement. Returns those who had it.

    Raises NotFound as `put_labels`.
    """
    label = get_label(uow, label_id)
    taken = (
        delete(ClientLabel)
        .where(ClientLabel.label_id == label.id, ClientLabel.client_id.in_(chosen_clients(uow, clients)))
        .returning(ClientLabel.client_id)
        .execution_options(synchronize_session=False)
    )
    changed = list(uow.session.scalars(taken))
    _note(uow, "label.taken", label, changed)
    return changed


def _note(uow: UnitOfWork, action: str, label: Label, changed: Sequence[UUID]) -> None:
    if not changed:
        return
    record_each(uow, action, "client", select_ids(changed), label=str(label.id), **_told(label))
    if label.owner_id is None:
        mark_rules_stale(uow)


def _told(label: Label) -> dict[str, str]:
    # A member's own word stays theirs: the ledger, which others read, tells that there was one and not which.
    return {"name": label.name} if label.owner_id is None else {}


def _visible(uow: UnitOfWork) -> ColumnElement[bool]:
    return or_(Label.owner_id.is_(None), Label.owner_id == uow.actor.membership_id)


def _own(uow: UnitOfWork, label_id: UUID) -> Label:
    label = get_label(uow, label_id)
    if label.owner_id is None:
        _may_share(uow)
    return label


def _may_change(uow: UnitOfWork, label: Label) -> bool:
    return label.owner_id is not None or uow.actor.may(Permission.MANAGE_COHORTS)


def _may_share(uow: UnitOfWork) -> None:
    if not uow.actor.may(Permission.MANAGE_COHORTS):
        raise Forbidden("The organization's labels are kept by its administrators. Make one of your own.")


def _checked(name: str, tone: str) -> tuple[str, str]:
    said = " ".join(name.split())
    if not said or len(said) > LONGEST:
        raise InvalidInput(
            [FieldProblem("name", later("Give it a name of at most %(most)s characters.", most=LONGEST))]
        )
    if tone not in TONES:
        raise InvalidInput([FieldProblem("tone", "Choose from the list.")])
    return said, tone


def _taken(name: str) -> FieldProblem:
    return FieldProblem("name", later("There is a label named %(name)s already. Choose another name.", name=name))
