"""All a programmer must know about tenancy.

* A table of an organization's data derives from `TenantRow`: `organization_id` is first in its
  primary key, its unique constraints and its indexes, and references between such tables go
  through `tenant_key`, a composite foreign key, so that a reference across organizations cannot
  be stored.
* PostgreSQL enforces `POLICY` on every such table, forced, for reading and writing. The session
  names its organization once per transaction, transaction-locally (safe behind a pooler).
* A session is born for one actor and keeps it. The ORM adds the same criterion, so that a mistake
  fails in two places; only row security is the wall.
* A table that is not a tenant's is listed in `GLOBAL_TABLES` with its reason.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, MetaData, event, text
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    ORMExecuteState,
    Session,
    SessionTransaction,
    mapped_column,
    with_loader_criteria,
)

SETTING = "octant.organization_id"
CURRENT_ORGANIZATION = f"nullif(current_setting('{SETTING}', true), '')::uuid"
POLICY = f"organization_id = {CURRENT_ORGANIZATION}"

GLOBAL_TABLES: dict[str, str] = {
    "alembic_version": "which migrations ran; holds no person's data",
    "tenants": "the directory of organizations: id, slug and whether it is active; workers walk it to sweep each",
    "organization_wakes": "when each organization has something to do next; ids and moments only, for the sweeper",
    "users": "a person who signs in may belong to several organizations; readable by the sign-in role only",
    "user_sessions": "found by a cookie before any organization is known; readable by the sign-in role only",
    "user_tokens": "found by a link before any organization is known; readable by the sign-in role only",
    "user_places": "which organizations a user may look into after sign-in; ids only",
    "catalogue_releases": "which releases of public occupation data the operator imported; the application only reads",
    "occupations": "public occupation data, the same for everybody; the application only reads",
    "occupation_titles": "public occupation data: names occupations are searched by",
    "occupation_relations": "public occupation data: which occupations are related",
    "occupation_skills": "public occupation data: which skills an occupation asks for",
    "occupation_tasks": "public occupation data: what people in an occupation do",
    "outlook_figures": "public occupation data: growth, openings and pay",
}


class Base(DeclarativeBase):
    """The one registry of rows."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class TenantRow:
    """Mixed into every row of an organization's data; the database fills and checks the column."""

    organization_id: Mapped[UUID] = mapped_column(
        primary_key=True, server_default=text(CURRENT_ORGANIZATION), sort_order=-100
    )


class TenantEntity(TenantRow):
    """A tenant row with an id of its own: the key is (organization_id, id)."""

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=text("gen_random_uuid()"), sort_order=-99)


def tenant_key(column: str, target: str, *, ondelete: str | None = None) -> ForeignKeyConstraint:
    """A reference to another tenant row of the same organization.

    `column` is this table's column, `target` is `table.column` of the parent ("clients.id").
    """
    table, parent_column = target.split(".")
    return ForeignKeyConstraint(
        ["organization_id", column],
        [f"{table}.organization_id", f"{table}.{parent_column}"],
        ondelete=ondelete,
    )


def of_organization() -> ForeignKeyConstraint:
    """The reference of a table without another parent to its organization."""
    return ForeignKeyConstraint(["organization_id"], ["organizations.organization_id"])


class TenantSession(Session):
    """A session bound to one organization for life; made by `app.infra.db.open` only."""

    def __init__(
        self, organization_id: UUID, *, member_id: UUID | None = None, moment: datetime | None = None, **options: Any
    ) -> None:
        """Take the organization, who acts (None: Octant) and when, and the options of `Session`."""
        super().__init__(**options)
        self._organization_id = organization_id
        # What triggers that keep a history write beside the change: who and when; see `caseload_history`.
        self.named = {
            "organization": str(organization_id),
            "member": str(member_id or ""),
            "moment": moment.isoformat() if moment is not None else "",
        }
        # Made once: every statement takes it.
        self.criterion = with_loader_criteria(
            TenantRow, lambda cls: cls.organization_id == organization_id, include_aliases=True
        )

    @property
    def organization_id(self) -> UUID:
        """Whose rows this session works on. It cannot be set anew: a session is never turned to another tenant."""
        return self._organization_id


@event.listens_for(TenantSession, "after_begin")
def _name_organization(session: TenantSession, transaction: SessionTransaction, connection: Any) -> None:
    if not transaction.nested:
        connection.execute(
            text(
                "SELECT set_config('octant.organization_id', :organization, true),"
                " set_config('octant.member_id', :member, true), set_config('octant.moment', :moment, true),"
                " set_config('octant.job_id', '', true), set_config('octant.cover_id', '', true)"
            ),
            session.named,
        )


@event.listens_for(TenantSession, "do_orm_execute")
def _add_criteria(state: ORMExecuteState) -> None:
    if (
        state.is_column_load
        or state.is_relationship_load
        or not (state.is_select or state.is_update or state.is_delete)
    ):
        return
    state.statement = state.statement.options(
        state.session.criterion,  # type: ignore[attr-defined] # the event is TenantSession's own
    )
