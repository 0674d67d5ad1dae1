"""JSON of the inbox, of an organization's own words for mails, of its webhook, and of mail that came back."""

from __future__ import annotations

from marshmallow import fields

from app.features.messaging.wordings import MOST_BODY, MOST_SUBJECT
from app.infra.web.api.fields import Sentence, Truth
from app.infra.web.api.schemas import Strict


class NoticeSchema(Strict):
    """Something the member was told."""

    id = fields.UUID(required=True)
    kind = fields.String(required=True)
    sentence = fields.String(required=True, metadata={"description": "In the language of the request."})
    href = fields.String(required=True, metadata={"description": "The path of the page it is about."})
    created_at = fields.AwareDateTime(required=True)
    read_at = fields.AwareDateTime(required=True, allow_none=True)


class ReadSchema(Strict):
    """How many notices were marked as read."""

    read = fields.Integer(required=True)


class NewWordsSchema(Strict):
    """Subject and text of a mail with places such as `{given_name}`."""

    subject = Sentence(longest=MOST_SUBJECT, required=True)
    body = Sentence(longest=MOST_BODY, required=True)


class MailWordsSchema(Strict):
    """The words of one mail in one language."""

    name = fields.String(required=True)
    locale = fields.String(required=True)
    subject = fields.String(required=True)
    body = fields.String(required=True)
    own = fields.Boolean(required=True, metadata={"description": "Whether they are the organization's own words."})
    places = fields.List(fields.String(), required=True, metadata={"description": "What may stand in braces."})
    needed = fields.List(fields.String(), required=True, metadata={"description": "Places that must not be missing."})


class NewWebhookSchema(Strict):
    """The address that is told, and whether it is told now."""

    url = Sentence(longest=2000, required=True)
    active = Truth(load_default=True)


class WebhookSchema(Strict):
    """The organization's webhook with the key its signatures are checked by."""

    url = fields.String(required=True)
    active = fields.Boolean(required=True)
    key = fields.String(required=True)
    rest_until = fields.AwareDateTime(
        required=True, allow_none=True, metadata={"description": "Until when it is left alone, for it did not answer."}
    )


class ReturnedAddressSchema(Strict):
    """An address that gets no mail because mail to it came back."""

    address = fields.String(required=True)
    reason = fields.String(required=True)
    created_at = fields.AwareDateTime(required=True)


class AddressSchema(Strict):
    """One address."""

    address = Sentence(longest=254, required=True)
