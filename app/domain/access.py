"""Who may do what: the roles, the permissions and the grant table, on one screen."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal
from uuid import UUID


class Role(StrEnum):
    """A user's role in one organization; `SYSTEM` is a worker acting for the organization."""

    ADMIN = "admin"
    COUNSELLOR = "counsellor"
    ANALYST = "analyst"
    CLIENT = "client"
    SYSTEM = "system"


class Permission(StrEnum):
    """One thing a role may do; which rows it may do it to is each feature's `policy`."""

    OWN_PLAN = "own_plan"
    READ_CLIENTS = "read_clients"
    WORK_PLANS = "work_plans"
    ASSIGN = "assign"
    USE_TEMPLATES = "use_templates"
    MANAGE_TEMPLATES = "manage_templates"
    ROLL_OUT = "roll_out"
    USE_COHORTS = "use_cohorts"
    MANAGE_COHORTS = "manage_cohorts"
    MANAGE_INSTRUMENTS = "manage_instruments"
    READ_JOBS = "read_jobs"
    READ_ALL_JOBS = "read_all_jobs"
    REPORT_CLIENTS = "report_clients"
    READ_AGGREGATES = "read_aggregates"
    READ_ALL_AGGREGATES = "read_all_aggregates"
    OWN_REPORTS = "own_reports"
    IMPORT_ROSTER = "import_roster"
    MANAGE_PEOPLE = "manage_people"
    MANAGE_SETTINGS = "manage_settings"
    READ_AUDIT = "read_audit"
    USE_API = "use_api"
    READ_OCCUPATIONS = "read_occupations"


P = Permission
GRANTS: dict[Role, frozenset[Permission]] = {
    Role.CLIENT: frozenset({P.OWN_PLAN, P.READ_OCCUPATIONS}),
    Role.ANALYST: frozenset({P.READ_AGGREGATES, P.READ_ALL_AGGREGATES, P.OWN_REPORTS, P.USE_API, P.READ_OCCUPATIONS}),
    Role.COUNSELLOR: frozenset(
        {
            P.READ_CLIENTS,
            P.WORK_PLANS,
            P.ASSIGN,
            P.USE_TEMPLATES,
            P.USE_COHORTS,
            P.READ_JOBS,
            P.REPORT_CLIENTS,
            P.READ_AGGREGATES,
            P.OWN_REPORTS,
            P.USE_API,
            P.READ_OCCUPATIONS,
        }
    ),
    Role.ADMIN: frozenset(P) - {P.OWN_PLAN},
    Role.SYSTEM: frozenset(P) - {P.OWN_PLAN, P.MANAGE_PEOPLE, P.USE_API},
}

# What a personal token of the API may do, by scope; never more than its owner's role grants.
SCOPES: dict[str, frozenset[Permission]] = {
    "read": frozenset(
        {
            P.READ_CLIENTS,
            P.USE_TEMPLATES,
            P.USE_COHORTS,
            P.READ_JOBS,
            P.READ_ALL_JOBS,
            P.READ_AGGREGATES,
            P.READ_ALL_AGGREGATES,
            P.READ_OCCUPATIONS,
        }
    ),
    "plans": frozenset({P.READ_CLIENTS, P.WORK_PLANS, P.READ_JOBS}),
    "assign": frozenset(
        {P.READ_CLIENTS, P.ASSIGN, P.ROLL_OUT, P.USE_TEMPLATES, P.USE_COHORTS, P.READ_JOBS, P.READ_ALL_JOBS}
    ),
    "clients": frozenset(
        {P.READ_CLIENTS, P.IMPORT_ROSTER, P.USE_COHORTS, P.MANAGE_COHORTS, P.READ_JOBS, P.READ_ALL_JOBS}
    ),
    "templates": frozenset({P.USE_TEMPLATES, P.MANAGE_TEMPLATES, P.MANAGE_INSTRUMENTS}),
    "reports": frozenset(
        {
            P.READ_CLIENTS,
            P.REPORT_CLIENTS,
            P.READ_AGGREGATES,
            P.READ_ALL_AGGREGATES,
            P.OWN_REPORTS,
            P.READ_JOBS,
            P.READ_ALL_JOBS,
        }
    ),
    "admin": frozenset({P.MANAGE_PEOPLE, P.MANAGE_SETTINGS, P.READ_AUDIT}),
}


def scope_permissions(scopes: Iterable[str], *, changing: bool) -> frozenset[Permission]:
    """What scopes allow; where the request changes something, `read` allows nothing. Unknown scopes allow nothing."""
    granted = (SCOPES.get(scope, frozenset()) for scope in scopes if not (changing and scope == "read"))
    return frozenset[Permission]().union(*granted)


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who acts, in which organization; fixed for the life of a session.

    `membership_id` is None for the system. `client_id` is set for clients and for a review opened
    by its link (`kind="link"`), which may touch that client's one review and nothing else.
    """

    organization_id: UUID
    role: Role
    kind: Literal["member", "system", "link"] = "member"
    membership_id: UUID | None = None
    user_id: UUID | None = None
    client_id: UUID | None = None
    name: str = ""
    shares_caseloads: bool = False
    # How many notices were unread in their inbox when they came in; every page shows it.
    unread: int = 0
    permissions: frozenset[Permission] = frozenset()

    def may(self, permission: Permission) -> bool:
        """Whether the actor's role grants the permission."""
        return permission in self.permissions


def member(
    role: Role,
    organization_id: UUID,
    *,
    membership_id: UUID,
    user_id: UUID | None = None,
    client_id: UUID | None = None,
    name: str = "",
    shares_caseloads: bool = False,
    unread: int = 0,
) -> Actor:
    """An actor for a signed-in member, with the permissions of their role."""
    return Actor(
        organization_id=organization_id,
        role=role,
        membership_id=membership_id,
        user_id=user_id,
        client_id=client_id,
        name=name,
        shares_caseloads=shares_caseloads,
        unread=unread,
        permissions=GRANTS[role],
    )


def system(organization_id: UUID) -> Actor:
    """The actor a worker uses: one organization, no person."""
    return Actor(
        organization_id=organization_id,
        role=Role.SYSTEM,
        kind="system",
        name="Octant",
        permissions=GRANTS[Role.SYSTEM],
    )


def review_link(organization_id: UUID, client_id: UUID) -> Actor:
    """The actor of a review opened by its signed link: no permission but that review's own routes."""
    return Actor(organization_id=organization_id, role=Role.CLIENT, kind="link", client_id=client_id)
