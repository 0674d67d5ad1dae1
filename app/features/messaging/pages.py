"""Ending optional mail: one click for mail programs (RFC 8058), a page with a button for people."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, g, render_template
from flask.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue
from sqlalchemy import select, text

from app.domain import access
from app.features.messaging.kinds import UNSUBSCRIBE_PURPOSE
from app.features.messaging.models import Message
from app.features.messaging.service import DECLINED, suppress_address
from app.infra.links import read_token
from app.infra.web.access import public
from app.infra.web.context import Place, runtime

blueprint = Blueprint("messaging", __name__)


@blueprint.get("/unsubscribe/<token>")
@public("the link in a mail is the proof; looking changes nothing, for mail scanners follow links")
def unsubscribe(token: str) -> ResponseReturnValue:
    """Ask whether to end these mails."""
    known = _message_of(token) is not None
    return render_template("messaging/unsubscribe.html", token=token, known=known), 200 if known else 404


@blueprint.post("/unsubscribe/<token>")
@public("mail programs send this without a cookie; the signed link is the proof")
def end_mail(token: str) -> ResponseReturnValue:
    """Send no more optional mail to the address of the mail the link was in; harmless to repeat."""
    named = _message_of(token)
    if named is None:
        return render_template("messaging/unsubscribe.html", token=token, known=False), 404
    organization_id, message_id = named
    with runtime().database.unit_of_work(access.system(organization_id), request_id=g.request_id) as uow:
        address = uow.session.scalars(select(Message.recipient).where(Message.id == message_id)).one()
        suppress_address(uow, address, DECLINED)
    return render_template("messaging/unsubscribed.html")


@blueprint.record_once
def _without_form_token(state: BlueprintSetupState) -> None:
    # A mail program has no session to take a form token from (RFC 8058, section 3.1).
    state.app.extensions["csrf"].exempt(end_mail)


def _message_of(token: str) -> tuple[UUID, UUID] | None:
    named = read_token(runtime().settings, UNSUBSCRIBE_PURPOSE, token)
    if named is None:
        return None
    with runtime().database.unit_of_work(access.system(named[0]), request_id=g.request_id) as uow:
        locale = uow.session.scalars(select(Message.locale).where(Message.id == named[1])).one_or_none()
        # By name, because organizations stand above the outbox on the ladder.
        house = uow.session.execute(
            text(
                "SELECT organization_id, name, time_zone, locale, client_word, counsellor_word, accent,"
                " small_cell_threshold FROM organizations"
            )
        ).one()
    if locale is None:
        return None
    g.locale, g.place = locale, Place(**house._mapping)
    return named
