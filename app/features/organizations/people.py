"""The page of people: members with their role, invitations, and the act of accepting one."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, ngettext
from flask_login import current_user

from app.domain.access import Permission, Role
from app.domain.errors import FieldProblem, InvalidInput, OctantError
from app.features.identity.entry import open_session
from app.features.identity.forms import WelcomeForm
from app.features.identity.pages import attempt_of, enter, show_problems
from app.features.organizations import invitations, members
from app.features.organizations.commands import Invite
from app.features.organizations.entrance import work_in
from app.features.organizations.forms import ROLES, InviteForm, role_names
from app.features.organizations.notices import end_sessions, send_invitation
from app.infra.web.access import public, requires, signed_in
from app.infra.web.context import actor, runtime, unit_of_work
from app.infra.web.given import whole_in_form

blueprint = Blueprint("organizations", __name__)


def _page(form: InviteForm) -> ResponseReturnValue:
    with unit_of_work() as uow:
        return render_template(
            "organizations/people.html",
            form=form,
            members=members.staff_members(uow),
            caseloads=members.caseload_sizes(uow),
            invitations=invitations.pending_invitations(uow),
            now=uow.now,
            me=actor().membership_id,
            role_names=(names := role_names()),
            roles=[(role, names[role]) for role in ROLES],
        ), 422 if form.errors else 200


@blueprint.get("/people")
@requires(Permission.MANAGE_PEOPLE)
def people() -> ResponseReturnValue:
    """Members and open invitations."""
    return _page(InviteForm(formdata=None))


@blueprint.post("/people/invite")
@requires(Permission.MANAGE_PEOPLE)
def invite() -> ResponseReturnValue:
    """Invite somebody who works here."""
    form = InviteForm()
    if not form.validate_on_submit():
        return _page(form)
    command = Invite(email=form.email.data.strip(), name=form.name.data, role=Role(form.role.data))
    try:
        with unit_of_work() as uow:
            link = invitations.invite(uow, command)
    except InvalidInput as error:
        show_problems(form, error)
        return _page(form)
    except OctantError as error:
        form.email.errors = [error.sentence]
        return _page(form)
    send_invitation(command.email, command.name, link)
    flash(gettext("%(name)s is invited. The link in the mail works for 7 days.", name=command.name))
    return redirect(url_for("organizations.people"))


@blueprint.post("/people/invite-client/<uuid:client_id>")
@requires(Permission.MANAGE_PEOPLE)
def invite_client(client_id: UUID) -> ResponseReturnValue:
    """Invite a client to the portal, by the address on file."""
    with unit_of_work() as uow:
        command = invitations.client_to_invite(uow, client_id)
        link = invitations.invite(uow, command)
    send_invitation(command.email, command.name, link)
    flash(gettext("%(name)s is invited. The link in the mail works for 7 days.", name=command.name))
    return redirect(url_for("overview.client", client_id=client_id))


@blueprint.post("/people/invitations/<uuid:invitation_id>/resend")
@requires(Permission.MANAGE_PEOPLE)
def resend_invitation(invitation_id: UUID) -> ResponseReturnValue:
    """Send an open invitation again, with a new link."""
    with unit_of_work() as uow:
        invitation, link = invitations.renew_invitation(uow, invitation_id)
        email, name = invitation.email, invitation.name
    send_invitation(email, name, link)
    flash(gettext("A new link is on its way to %(name)s. The old one no longer works.", name=name))
    return redirect(url_for("organizations.people"))


@blueprint.post("/people/invitations/<uuid:invitation_id>/revoke")
@requires(Permission.MANAGE_PEOPLE)
def revoke_invitation(invitation_id: UUID) -> ResponseReturnValue:
    """Take an open invitation back."""
    with unit_of_work() as uow:
        invitations.revoke_invitation(uow, invitation_id)
    flash(gettext("The invitation is taken back. Its link no longer works."))
    return redirect(url_for("organizations.people"))


@blueprint.post("/people/<uuid:membership_id>/role")
@requires(Permission.MANAGE_PEOPLE)
def change_role(membership_id: UUID) -> ResponseReturnValue:
    """Give a member another role; they sign in again before they use it."""
    try:
        role = Role(request.form.get("role", ""))
    except ValueError:
        raise InvalidInput([FieldProblem("role", gettext("Choose a role from the list."))]) from None
    with unit_of_work() as uow:
        member = members.change_role(uow, membership_id, role)
    end_sessions(member)
    flash(gettext("%(name)s has the new role and is asked to sign in again.", name=member.name))
    return redirect(url_for("organizations.people"))


@blueprint.post("/people/<uuid:membership_id>/deactivate")
@requires(Permission.MANAGE_PEOPLE)
def deactivate(membership_id: UUID) -> ResponseReturnValue:
    """Keep a member out."""
    with unit_of_work() as uow:
        member = members.deactivate(uow, membership_id)
        left = members.caseload_sizes(uow).get(member.id, 0)
    end_sessions(member)
    flash(gettext("%(name)s can no longer come in. What they wrote stays.", name=member.name))
    if left:
        flash(
            ngettext(
                "%(num)s person is still in their caseload. Hand them over below.",
                "%(num)s people are still in their caseload. Hand them over below.",
                left,
            )
        )
    return redirect(url_for("organizations.people"))


@blueprint.post("/people/<uuid:membership_id>/minutes")
@requires(Permission.MANAGE_PEOPLE)
def set_minutes(membership_id: UUID) -> ResponseReturnValue:
    """Say how many minutes a week a member has for clients; empty takes the number away."""
    written = request.form.get("weekly_minutes", "").strip()
    minutes = whole_in_form("weekly_minutes")
    if written and minutes is None:
        raise InvalidInput([FieldProblem("weekly_minutes", gettext("Give a whole number."))])
    with unit_of_work() as uow:
        member = members.set_minutes(uow, membership_id, minutes)
    flash(gettext("The minutes of %(name)s are saved.", name=member.name))
    return redirect(url_for("organizations.people"))


@blueprint.post("/people/<uuid:membership_id>/reactivate")
@requires(Permission.MANAGE_PEOPLE)
def reactivate(membership_id: UUID) -> ResponseReturnValue:
    """Let a member in again."""
    with unit_of_work() as uow:
        member = members.reactivate(uow, membership_id)
    flash(gettext("%(name)s can come in again.", name=member.name))
    return redirect(url_for("organizations.people"))


@blueprint.route("/invitation/<link>", methods=["GET", "POST"])
@public("the link is the proof; opening it changes nothing, sending the form uses it up")
def accept_invitation(link: str) -> ResponseReturnValue:
    """Begin by an invitation: a new user sets name and password, a known one signs in."""
    invited = invitations.look_at_invitation(runtime(), link)
    form = WelcomeForm(data={"name": invited.name})
    if form.validate_on_submit():
        try:
            user_id = invitations.accept_as_new(
                runtime(), link, name=form.name.data.strip(), password=form.password.data
            )
        except InvalidInput as error:
            show_problems(form, error)
        else:
            return enter(open_session(runtime(), user_id, attempt_of(invited.email, "")), None)
    return render_template(
        "organizations/invitation.html",
        form=form,
        invited=invited,
        link=link,
        signed_in_as=current_user.email if current_user.is_authenticated else None,
    ), 422 if form.is_submitted() else 200


@blueprint.post("/invitation/<link>/join")
@signed_in
def join(link: str) -> ResponseReturnValue:
    """Accept as the signed-in user the invitation is for, and work there from now on."""
    work_in(invitations.accept_as_user(runtime(), link, current_user.id))
    return redirect(url_for("identity.enter_organization"))
