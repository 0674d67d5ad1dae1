"""JSON of the inbox, of an organization's own words for mails, of its webhook, and of mail that came back."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from app.domain.access import Permission
from app.domain.errors import NotFound
from app.features.messaging.bounces import bounced_addresses, try_again
from app.features.messaging.inbox import own_notices, read_all, read_notice
from app.features.messaging.inbox_pages import EVERYBODY
from app.features.messaging.kinds import OwnWords, Wording
from app.features.messaging.models import MessageTemplate, Notice, SuppressedAddress, Webhook
from app.features.messaging.notice_words import notice_words
from app.features.messaging.schemas import (
    AddressSchema,
    MailWordsSchema,
    NewWebhookSchema,
    NewWordsSchema,
    NoticeSchema,
    ReadSchema,
    ReturnedAddressSchema,
    WebhookSchema,
)
from app.features.messaging.settings_pages import message_kinds
from app.features.messaging.webhook import find_webhook, remove_webhook, renew_key, save_webhook, signing_keys
from app.features.messaging.wordings import find_wording, own_words, remove_words, save_words, wordings_of
from app.infra.db.open import UnitOfWork
from app.infra.locales import LANGUAGES
from app.infra.web.access import requires
from app.infra.web.api.blueprint import ApiBlueprint
from app.infra.web.api.paging import page, whole
from app.infra.web.api.schemas import PageQuery, page_of
from app.infra.web.context import runtime, unit_of_work
from app.infra.web.words import say_here

blueprint = ApiBlueprint(
    "Messages", __name__, description="The inbox, words of mails, the webhook, addresses whose mail came back."
)
_ONE_MAIL = "/message-templates/<name>/<locale>"


def _told(notice: Notice) -> dict[str, Any]:
    sentence = notice_words(notice.kind, notice.params, say_here)
    own = {name: getattr(notice, name) for name in ("id", "kind", "href", "created_at", "read_at")}
    return own | {"sentence": sentence}


@blueprint.get("/inbox")
@requires(*EVERYBODY)
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(200, page_of(NoticeSchema))
def list_notices(query: dict[str, Any]) -> dict[str, Any]:
    """What you were told, the latest first."""
    with unit_of_work() as uow:
        found = page(uow, own_notices(uow.actor), (Notice.created_at, Notice.id), query, descending=True)
        return found | {"items": [_told(notice) for notice in found["items"]]}


@blueprint.post("/inbox/<uuid:notice_id>/read")
@requires(*EVERYBODY)
@blueprint.response(200, NoticeSchema)
def mark_notice_read(notice_id: UUID) -> dict[str, Any]:
    """Mark one of your notices as read; harmless to repeat."""
    with unit_of_work() as uow:
        return _told(read_notice(uow, notice_id))


@blueprint.post("/inbox/read")
@requires(*EVERYBODY)
@blueprint.response(200, ReadSchema)
def mark_inbox_read() -> dict[str, int]:
    """Mark everything in your inbox as read."""
    with unit_of_work() as uow:
        return {"read": read_all(uow)}


def _words(wording: Wording, locale: str, kept: MessageTemplate | None) -> dict[str, Any]:
    shown = wording.shipped(locale) if kept is None else OwnWords(kept.subject, kept.body)
    return {
        "name": wording.name,
        "locale": locale,
        "subject": shown.subject,
        "body": shown.body,
        "own": kept is not None,
        "places": sorted(wording.places),
        "needed": sorted(wording.needed),
    }


@blueprint.get("/message-templates")
@requires(Permission.MANAGE_SETTINGS)
@blueprint.response(200, page_of(MailWordsSchema))
def list_message_templates() -> dict[str, Any]:
    """The words of every mail that may be written anew, in each language."""
    with unit_of_work() as uow:
        own = own_words(uow)
    found = wordings_of(message_kinds()).values()
    return whole([_words(one, locale, own.get((one.name, locale))) for one in found for locale in LANGUAGES])


@blueprint.put(_ONE_MAIL)
@requires(Permission.MANAGE_SETTINGS)
@blueprint.arguments(NewWordsSchema)
@blueprint.response(200, MailWordsSchema)
def set_message_template(body: dict[str, Any], name: str, locale: str) -> dict[str, Any]:
    """Write a mail in your own words; a place that is not known is refused with those that are."""
    wording = find_wording(message_kinds(), name, locale)
    with unit_of_work() as uow:
        return _words(wording, locale, save_words(uow, wording, locale, OwnWords(body["subject"], body["body"])))


@blueprint.delete(_ONE_MAIL)
@requires(Permission.MANAGE_SETTINGS)
@blueprint.response(204)
def remove_message_template(name: str, locale: str) -> None:
    """Go back to the words that come with Octant."""
    wording = find_wording(message_kinds(), name, locale)
    with unit_of_work() as uow:
        remove_words(uow, wording, locale)


def _hook(uow: UnitOfWork, hook: Webhook) -> dict[str, Any]:
    key = signing_keys(runtime().settings, uow.actor.organization_id, hook.salt)[0]
    return {"url": hook.url, "active": hook.active, "key": key, "rest_until": hook.rest_until}


def _found(uow: UnitOfWork) -> Webhook:
    hook = find_webhook(uow)
    if hook is None:
        raise NotFound("There is no webhook.")
    return hook


@blueprint.get("/webhook")
@requires(Permission.MANAGE_SETTINGS)
@blueprint.response(200, WebhookSchema)
def read_webhook() -> dict[str, Any]:
    """The organization's webhook; 404 where there is none."""
    with unit_of_work() as uow:
        return _hook(uow, _found(uow))


@blueprint.put("/webhook")
@requires(Permission.MANAGE_SETTINGS)
@blueprint.arguments(NewWebhookSchema)
@blueprint.response(200, WebhookSchema)
def set_webhook(body: dict[str, Any]) -> dict[str, Any]:
    """Name the address that is told of messages and notices, or switch it off."""
    with unit_of_work() as uow:
        return _hook(uow, save_webhook(uow, runtime().settings, body["url"], active=body["active"]))


@blueprint.post("/webhook/key")
@requires(Permission.MANAGE_SETTINGS)
@blueprint.response(200, WebhookSchema)
def renew_webhook_key() -> dict[str, Any]:
    """Give the webhook another key; the old one signs nothing any more."""
    with unit_of_work() as uow:
        hook = _found(uow)
        renew_key(uow, hook)
        return _hook(uow, hook)


@blueprint.delete("/webhook")
@requires(Permission.MANAGE_SETTINGS)
@blueprint.response(204)
def delete_webhook() -> None:
    """Tell nobody any more."""
    with unit_of_work() as uow:
        remove_webhook(uow)


@blueprint.get("/returned-addresses")
@requires(Permission.MANAGE_SETTINGS)
@blueprint.response(200, page_of(ReturnedAddressSchema))
def list_returned_addresses() -> dict[str, Any]:
    """Addresses that get no mail because mail to them came back, the latest first."""
    with unit_of_work() as uow:
        found: list[SuppressedAddress] = bounced_addresses(uow)
        return whole(found)


@blueprint.post("/returned-addresses/release")
@requires(Permission.MANAGE_SETTINGS)
@blueprint.arguments(AddressSchema)
@blueprint.response(204)
def release_returned_address(body: dict[str, Any]) -> None:
    """Send to an address again whose mail came back."""
    with unit_of_work() as uow:
        try_again(uow, body["address"])
