"""Use cases of clients: who they are, what is kept about them, who looks after them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import available_timezones

from sqlalchemy import Select, and_, delete, func, literal, select, text
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.exc import IntegrityError

from app.domain.attributes import define, key_for, read_values
from app.domain.errors import FieldProblem, InvalidInput, NotFound
from app.domain.folding import fold
from app.domain.saying import later
from app.features.audit.service import record, record_each
from app.features.clients.commands import (
    AssignCounsellor,
    ChangeAttribute,
    ClientDetails,
    DefineAttribute,
    RemoveCounsellor,
)
from app.features.clients.models import AttributeDefinition, CaseloadEntry, Client
from app.features.clients.queries import attributes, chosen_clients, get_client, select_ids
from app.features.organizations.models import Membership
from app.infra.db.open import Bell, UnitOfWork
from app.infra.locales import is_locale

_EMAIL = re.compile(r"[^@\s,;<>\"]+@[^@\s,;<>\"]+\.[^@\s,;<>\".]+")
_TAKEN = later("Somebody else has this id already. Open them instead, or check the id.")


def create_client(uow: UnitOfWork, details: ClientDetails) -> Client:
    """Add one client by hand. Raises InvalidInput naming each field that cannot be taken."""
    values = _checked(uow, details)
    client_id = uuid4()
    made = uow.session.execute(
        pg_insert(Client)
        .values(id=client_id, created_at=uow.now, updated_at=uow.now, **values)
        .on_conflict_do_nothing(index_elements=["organization_id", "external_id"])
        .returning(Client.id)
    ).scalar_one_or_none()
    if made is None:
        raise InvalidInput([FieldProblem("external_id", _TAKEN)])
    record(uow, "client.created", "client", client_id)
    mark_rules_stale(uow)
    return get_client_row(uow, client_id)


def edit_client(uow: UnitOfWork, client_id: UUID, details: ClientDetails) -> Client:
    """Change what is known of a client. Attributes that `details` does not name keep their value.

    Raises NotFound for a client the actor may not see, InvalidInput naming each bad field.
    """
    client = get_client(uow, client_id)
    values = _checked(uow, details)
    values["attributes"] = {
        **{key: value for key, value in client.attributes.items() if key not in details.attributes},
        **values["attributes"],
    }
    changed = sorted(name for name, value in values.items() if getattr(client, name) != value)
    if not changed:
        return client
    try:
        with uow.session.begin_nested():
            for name in changed:
                setattr(client, name, values[name])
            client.updated_at = uow.now
            # The next roster must compare the row again: it no longer is what was last imported.
            client.row_digest = None
            uow.session.flush()
    except IntegrityError:
        raise InvalidInput([FieldProblem("external_id", _TAKEN)]) from None
    record(uow, "client.edited", "client", client_id, fields=[n for n in changed if not n.endswith("_folded")])
    mark_rules_stale(uow)
    return client


def get_client_row(uow: UnitOfWork, client_id: UUID) -> Client:
    """A client's row whatever the actor's caseload; for use cases that have checked it."""
    return uow.session.scalars(select(Client).where(Client.id == client_id)).one()


def folded(*, given_name: str, family_name: str, email: str | None, external_id: str) -> dict[str, str | None]:
    """The columns searched by; whoever writes a name writes these with it."""
    return {
        "given_folded": fold(given_name),
        "family_folded": fold(family_name),
        "email_folded": fold(email) if email else None,
        "external_folded": fold(external_id),
    }


def is_email(address: str) -> bool:
    """Whether an address can be one: one @, a dot after it, no space, at most 254 characters."""
    return len(address) <= 254 and _EMAIL.fullmatch(address) is not None


def _checked(uow: UnitOfWork, details: ClientDetails) -> dict[str, Any]:
    """The columns of a client from what was typed."""
    problems = []
    names = {name: " ".join(getattr(details, name).split()) for name in ("external_id", "given_name", "family_name")}
    wanted = {
        "external_id": "Give the id your organization knows this person by.",
        "given_name": "Write the given name.",
        "family_name": "Write the family name.",
    }
    for name, sentence in wanted.items():
        if not names[name]:
            problems.append(FieldProblem(name, sentence))
        elif len(names[name]) > 200:
            problems.append(FieldProblem(name, "Use at most 200 characters."))
        elif "\x00" in names[name]:
            problems.append(FieldProblem(name, "This contains characters that cannot be printed. Type it again."))
    email = (details.email or "").strip() or None
    if email and not is_email(email):
        problems.append(FieldProblem("email", "This is not an e-mail address. Write it like name@example.org."))
    if details.time_zone and details.time_zone not in available_timezones():
        problems.append(FieldProblem("time_zone", "Choose a time zone by its name, such as Europe/Dublin."))
    if details.locale and not is_locale(details.locale):
        problems.append(FieldProblem("locale", "Choose a language by its code, such as en or zh_Hans."))
    values, bad = read_values(attributes(uow), details.attributes)
    problems += [FieldProblem(f"attributes.{problem.field}", problem.sentence) for problem in bad]
    if problems:
        raise InvalidInput(problems)
    return {
        **names,
        "email": email,
        "time_zone": details.time_zone or None,
        "locale": details.locale or None,
        "attributes": values,
        "active": details.active,
        **folded(email=email, **names),
    }


def record_contact(uow: UnitOfWork, client_id: UUID) -> None:
    """Note that the client was met or spoken to now. Raises NotFound for a client the actor may not see."""
    client = get_client(uow, client_id)
    client.last_contact_at = uow.now
    record(uow, "client.contacted", "client", client_id)


def define_attribute(uow: UnitOfWork, command: DefineAttribute) -> AttributeDefinition:
    """Add an attribute at the end of the list. Raises InvalidInput for a bad definition or a taken key."""
    checked = define(
        key=command.key or key_for(command.label), label=command.label, kind=command.kind, choices=command.choices
    )
    last = select(func.coalesce(func.max(AttributeDefinition.position), 0) + 1).scalar_subquery()
    made = uow.session.execute(
        pg_insert(AttributeDefinition)
        .values(
            key=checked.key,
            label=checked.label,
            kind=checked.kind,
            choices=list(checked.choices) or None,
            position=last,
        )
        .on_conflict_do_nothing(index_elements=["organization_id", "key"])
        .returning(AttributeDefinition.id)
    ).scalar_one_or_none()
    if made is None:
        raise InvalidInput([FieldProblem("label", "There is an attribute with this name already. Choose another.")])
    record(uow, "attribute.defined", "attribute", made, key=checked.key, kind=checked.kind)
    return _attribute(uow, made)


def change_attribute(uow: UnitOfWork, command: ChangeAttribute) -> AttributeDefinition:
    """Rename or reorder an attribute, or change its choices; values already kept stay as they are.

    Raises NotFound, or InvalidInput for a bad definition.
    """
    row = _attribute(uow, command.attribute_id)
    checked = define(key=row.key, label=command.label, kind=row.kind, choices=command.choices)
    row.label, row.position, row.choices = checked.label, command.position, list(checked.choices) or None
    record(uow, "attribute.changed", "attribute", row.id, key=row.key)
    return row


def _attribute(uow: UnitOfWork, attribute_id: UUID) -> AttributeDefinition:
    found = uow.session.scalars(select(AttributeDefinition).where(AttributeDefinition.id == attribute_id)).one_or_none()
    if found is None:
        raise NotFound("There is no such attribute.")
    return found


def assign_counsellor(uow: UnitOfWork, command: AssignCounsellor) -> int:
    """Put clients in a counsellor's caseload, in three statements however many. Returns how many changed.

    Raises NotFound for a counsellor who is not an active one of this organization. Clients the actor may
    not see are left out.
    """
    _counsellor(uow, command.counsellor_id)
    chosen = _frozen(uow, command)
    if command.kind == "primary":
        uow.session.execute(
            delete(CaseloadEntry)
            .where(
                CaseloadEntry.client_id.in_(chosen),
                CaseloadEntry.kind == "primary",
                CaseloadEntry.membership_id != command.counsellor_id,
            )
            .execution_options(synchronize_session=False)
        )
    rows = select(
        literal(uow.actor.organization_id),
        literal(command.counsellor_id),
        chosen.subquery().c[0],
        literal(command.kind),
        literal(uow.now),
    )
    put = pg_insert(CaseloadEntry).from_select(["organization_id", "membership_id", "client_id", "kind", "since"], rows)
    changed = uow.session.scalars(
        put.on_conflict_do_update(
            index_elements=["organization_id", "membership_id", "client_id"],
            set_={"kind": put.excluded.kind, "since": put.excluded.since},
            where=CaseloadEntry.kind != put.excluded.kind,
        ).returning(CaseloadEntry.client_id)
    ).all()
    _note_caseload(uow, "caseload.assigned", changed, counsellor=str(command.counsellor_id), kind=command.kind)
    return len(changed)


def remove_counsellor(uow: UnitOfWork, command: RemoveCounsellor) -> int:
    """Take clients off a counsellor's caseload. Returns how many were on it."""
    removed = uow.session.scalars(
        delete(CaseloadEntry)
        .where(
            CaseloadEntry.client_id.in_(_frozen(uow, command)),
            CaseloadEntry.membership_id == command.counsellor_id,
        )
        .returning(CaseloadEntry.client_id)
        .execution_options(synchronize_session=False)
    ).all()
    _note_caseload(uow, "caseload.removed", removed, counsellor=str(command.counsellor_id))
    return len(removed)


def _frozen(uow: UnitOfWork, command: AssignCounsellor | RemoveCounsellor) -> Select[UUID]:
    # A counsellor handing over their own clients would lose sight of them half-way: the ids are read once. Their rows
    # are locked, in one order, so that of two who move the same people at once the second sees what the first did.
    chosen = chosen_clients(uow, command.clients).order_by(Client.id).with_for_update(of=Client, key_share=True)
    return select_ids(uow.session.scalars(chosen).all())


def _counsellor(uow: UnitOfWork, membership_id: UUID) -> Membership:
    found = uow.session.scalars(
        select(Membership).where(
            and_(
                Membership.id == membership_id,
                Membership.active,
                Membership.role.in_(("counsellor", "admin")),
            )
        )
    ).one_or_none()
    if found is None:
        raise NotFound(later("There is no such %(counsellor)s, or they no longer work here."))
    return found


def _note_caseload(uow: UnitOfWork, action: str, clients: Sequence[UUID], **detail: str) -> None:
    if clients:
        record_each(uow, action, "client", select_ids(clients), **detail)
        mark_rules_stale(uow)


def mark_rules_stale(uow: UnitOfWork) -> None:
    """Say that the rules of cohorts must be applied again; call it after changing clients, once a transaction.

    By name, because cohorts stand above clients. Also where a cohort is stale already: waiting for its row
    is what keeps a refresh that is under way from missing this change.
    """
    uow.session.flush()
    uow.session.execute(
        text(
            "UPDATE cohorts SET stale = true WHERE id IN"
            " (SELECT id FROM cohorts WHERE kind = 'rule' AND archived_at IS NULL ORDER BY id FOR UPDATE)"
        )
    )
    uow.ring(Bell.SWEEP)
