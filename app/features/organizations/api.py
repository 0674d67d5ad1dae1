"""JSON of the organization: settings, terms, members, invitations."""

from __future__ import annotations

from dataclasses import fields as command_fields
from typing import Any
from uuid import UUID

from flask import Response, after_this_request
from sqlalchemy import select

from app.domain.access import Permission, Role
from app.domain.errors import NotFound
from app.features.identity.service import fold_email
from app.features.organizations import invitations, members, settings
from app.features.organizations.commands import ChangeSettings, Invite, SaveTerm
from app.features.organizations.models import Invitation, Membership, Organization, Term
from app.features.organizations.notices import end_sessions, send_invitation
from app.features.organizations.schemas import (
    InvitationSchema,
    MemberQuery,
    MembershipChangeSchema,
    MembershipSchema,
    NewInvitationSchema,
    NewTermSchema,
    OrganizationSchema,
    SettingsChangeSchema,
    TermSchema,
)
from app.features.organizations.service import organization_of
from app.infra.db.open import UnitOfWork
from app.infra.web.access import requires
from app.infra.web.api.blueprint import ApiBlueprint
from app.infra.web.api.once import once
from app.infra.web.api.paging import page
from app.infra.web.api.schemas import PageQuery, page_of
from app.infra.web.context import unit_of_work

blueprint = ApiBlueprint("Organization", __name__, description="Settings, terms, members and invitations.")
_READERS = (Permission.READ_CLIENTS, Permission.READ_AGGREGATES, Permission.MANAGE_SETTINGS)


@blueprint.get("/organization")
@requires(*_READERS)
@blueprint.response(200, OrganizationSchema)
def read_organization() -> Organization:
    """The organization's settings."""
    with unit_of_work() as uow:
        return organization_of(uow)


@blueprint.patch("/organization")
@requires(Permission.MANAGE_SETTINGS)
@blueprint.arguments(SettingsChangeSchema)
@blueprint.response(200, OrganizationSchema)
def change_organization(body: dict[str, Any]) -> Organization:
    """Change settings; those left out stay."""
    with unit_of_work() as uow:
        kept = organization_of(uow)
        values = {field.name: getattr(kept, field.name) for field in command_fields(ChangeSettings)}
        return settings.change_settings(uow, ChangeSettings(**values | body))


@blueprint.get("/terms")
@requires(*_READERS)
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(200, page_of(TermSchema))
def list_terms(query: dict[str, Any]) -> dict[str, Any]:
    """The organization's terms, the latest first."""
    with unit_of_work() as uow:
        return page(uow, select(Term), (Term.starts_on, Term.id), query, descending=True)


@blueprint.post("/terms")
@requires(Permission.MANAGE_SETTINGS)
@once
@blueprint.arguments(NewTermSchema)
@blueprint.response(201, TermSchema)
def create_term(uow: UnitOfWork, body: dict[str, Any]) -> Term:
    """Add a term."""
    return settings.save_term(uow, SaveTerm(**body))


@blueprint.put("/terms/<uuid:term_id>")
@requires(Permission.MANAGE_SETTINGS)
@blueprint.arguments(NewTermSchema)
@blueprint.response(200, TermSchema)
def change_term(body: dict[str, Any], term_id: UUID) -> Term:
    """Change a term's name or days."""
    with unit_of_work() as uow:
        if uow.session.scalars(select(Term.id).where(Term.id == term_id)).one_or_none() is None:
            raise NotFound("There is no such term.")
        return settings.save_term(uow, SaveTerm(term_id=term_id, **body))


@blueprint.delete("/terms/<uuid:term_id>")
@requires(Permission.MANAGE_SETTINGS)
@blueprint.response(204)
def delete_term(term_id: UUID) -> None:
    """Remove a term; due days counted from it stay."""
    with unit_of_work() as uow:
        settings.remove_term(uow, term_id)


@blueprint.get("/members")
@requires(Permission.MANAGE_PEOPLE)
@blueprint.arguments(MemberQuery, location="query")
@blueprint.response(200, page_of(MembershipSchema))
def list_memberships(query: dict[str, Any]) -> dict[str, Any]:
    """Members by name; clients with access to the portal are members too."""
    with unit_of_work() as uow:
        found = select(Membership)
        if "role" in query:
            found = found.where(Membership.role == query["role"])
        if "active" in query:
            found = found.where(Membership.active.is_(query["active"]))
        return page(uow, found, (Membership.name, Membership.id), query)


@blueprint.patch("/members/<uuid:membership_id>")
@requires(Permission.MANAGE_PEOPLE)
@blueprint.arguments(MembershipChangeSchema)
@blueprint.response(200, MembershipSchema)
def change_membership(body: dict[str, Any], membership_id: UUID) -> Membership:
    """Give a member another role, or keep them out or let them in (their sessions here end), or set their minutes."""
    with unit_of_work() as uow:
        member = uow.session.scalars(select(Membership).where(Membership.id == membership_id)).one_or_none()
        if member is None:
            raise NotFound("There is no such member.")
        if "active" in body:
            (members.reactivate if body["active"] else members.deactivate)(uow, membership_id)
        if "role" in body:
            members.change_role(uow, membership_id, Role(body["role"]))
        if "weekly_minutes" in body:
            members.set_minutes(uow, membership_id, body["weekly_minutes"])
    if body.keys() & {"role", "active"}:
        end_sessions(member)
    return member


@blueprint.get("/invitations")
@requires(Permission.MANAGE_PEOPLE)
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(200, page_of(InvitationSchema))
def list_invitations(query: dict[str, Any]) -> dict[str, Any]:
    """Invitations nobody has accepted, the newest first."""
    with unit_of_work() as uow:
        waiting = select(Invitation).where(Invitation.accepted_at.is_(None))
        return page(uow, waiting, (Invitation.created_at, Invitation.id), query, descending=True)


@blueprint.post("/invitations")
@requires(Permission.MANAGE_PEOPLE)
@once
@blueprint.arguments(NewInvitationSchema)
@blueprint.response(201, InvitationSchema)
def create_invitation(uow: UnitOfWork, body: dict[str, Any]) -> Invitation:
    """Invite somebody; the link is mailed and works for seven days."""
    if "client_id" in body:
        command = invitations.client_to_invite(uow, body["client_id"])
    else:
        command = Invite(email=body["email"], name=body["name"], role=Role(body["role"]))
    link = invitations.invite(uow, command)
    _mail_after_commit(command.email, command.name, link)
    newest = select(Invitation).where(Invitation.accepted_at.is_(None), Invitation.email == fold_email(command.email))
    return uow.session.scalars(newest).one()


@blueprint.post("/invitations/<uuid:invitation_id>/resend")
@requires(Permission.MANAGE_PEOPLE)
@blueprint.response(200, InvitationSchema)
def resend_invitation(invitation_id: UUID) -> Invitation:
    """Send an open invitation again with a new link; the old one ends."""
    with unit_of_work() as uow:
        invitation, link = invitations.renew_invitation(uow, invitation_id)
    send_invitation(invitation.email, invitation.name, link)
    return invitation


@blueprint.delete("/invitations/<uuid:invitation_id>")
@requires(Permission.MANAGE_PEOPLE)
@blueprint.response(204)
def revoke_invitation(invitation_id: UUID) -> None:
    """Take an open invitation back; its link ends."""
    with unit_of_work() as uow:
        invitations.revoke_invitation(uow, invitation_id)


def _mail_after_commit(email: str, name: str, link: str) -> None:
    # `once` commits when the view has returned; only an answer that says so sends the mail.
    @after_this_request
    def _send(response: Response) -> Response:
        if response.status_code == 201:
            send_invitation(email, name, link)
        return response
