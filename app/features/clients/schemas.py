"""JSON of clients, their attributes and their counsellors."""

from __future__ import annotations

from typing import get_args

from marshmallow import fields

from app.domain.attributes import AttributeKind
from app.features.clients.commands import CaseloadKind
from app.infra.web.api.fields import Choice, Free, Ids, QueryTruth, Sentence, Truth, Whole
from app.infra.web.api.schemas import PageQuery, Strict


class NewClientSchema(Strict):
    """What is known of a client by hand."""

    external_id = Sentence(required=True, metadata={"description": "The id your organization knows them by."})
    given_name = Sentence(required=True)
    family_name = Sentence(required=True)
    email = Sentence(longest=254, allow_none=True)
    time_zone = Sentence(longest=64, allow_none=True)
    locale = Sentence(longest=20, allow_none=True)
    attributes = Free(deepest=1, largest=500, metadata={"description": "Values by the key of their attribute."})
    active = Truth()


class ClientChangeSchema(Strict):
    """What to change of a client; fields left out stay. Attributes not named keep their value."""

    external_id = Sentence()
    given_name = Sentence()
    family_name = Sentence()
    email = Sentence(longest=254, allow_none=True)
    time_zone = Sentence(longest=64, allow_none=True)
    locale = Sentence(longest=20, allow_none=True)
    attributes = Free(deepest=1, largest=500)
    active = Truth()


class ContactSchema(Strict):
    """One message of this week."""

    message_id = fields.UUID(required=True)
    kind = fields.String(required=True)
    state = fields.String(required=True)
    at = fields.AwareDateTime(required=True, metadata={"description": "When it left, or when it may."})
    by = fields.String(
        required=True, allow_none=True, metadata={"description": "Who wrote or asked; null where Octant did."}
    )


class ContactsSchema(Strict):
    """What a client was written this week, and what is left of the budget."""

    cap = fields.Integer(required=True)
    used = fields.Integer(required=True)
    left = fields.Integer(required=True)
    messages = fields.List(fields.Nested(ContactSchema), required=True)


class NewLetterSchema(Strict):
    """A mail to a client. An urgent one leaves although the week's contacts are used up."""

    subject = Sentence(longest=200, required=True)
    text = Sentence(longest=5000, required=True)
    urgent = Truth(load_default=False)


class LetterSchema(Strict):
    """The message that was queued."""

    message_id = fields.UUID(required=True)


class ClientSchema(Strict):
    """A person whose career is planned."""

    id = fields.UUID(required=True)
    external_id = fields.String(required=True)
    given_name = fields.String(required=True)
    family_name = fields.String(required=True)
    email = fields.String(required=True, allow_none=True)
    time_zone = fields.String(required=True, allow_none=True)
    locale = fields.String(required=True, allow_none=True)
    attributes = fields.Dict(required=True)
    active = fields.Boolean(required=True)
    last_contact_at = fields.AwareDateTime(required=True, allow_none=True)
    created_at = fields.AwareDateTime(required=True)
    updated_at = fields.AwareDateTime(required=True)


class ClientQuery(PageQuery):
    """Which clients."""

    search = Sentence(metadata={"description": "Each word begins a name, the e-mail or the id."})
    counsellor = fields.UUID(metadata={"description": "The membership of who looks after them."})
    active = QueryTruth()


class AttributeSchema(Strict):
    """A typed attribute the organization keeps about its clients."""

    id = fields.UUID(required=True)
    key = fields.String(required=True)
    label = fields.String(required=True)
    kind = fields.String(required=True)
    choices = fields.List(fields.String(), required=True, allow_none=True)
    position = fields.Integer(required=True)


class NewAttributeSchema(Strict):
    """A new attribute; without a key one is made from the label."""

    label = Sentence(longest=80, required=True)
    kind = Choice(get_args(AttributeKind), required=True)
    key = Sentence(longest=40)
    choices = fields.List(Sentence(longest=200), load_default=list)


class AttributeChangeSchema(Strict):
    """Another label, order or list of choices; key and kind stay."""

    label = Sentence(longest=80, required=True)
    choices = fields.List(Sentence(longest=200), load_default=list)
    position = Whole(required=True)


class CounsellorSchema(Strict):
    """Somebody who looks after clients; the id is the membership's."""

    id = fields.UUID(required=True)
    name = fields.String(required=True)


class CaseloadCounsellorSchema(CounsellorSchema):
    """Who looks after a client, and how."""

    kind = fields.String(required=True)


class CaseloadChangeSchema(Strict):
    """Clients to put in a caseload."""

    client_ids = Ids(required=True)
    kind = Choice(get_args(CaseloadKind), load_default="primary")


class CaseloadRemovalSchema(Strict):
    """Clients to take off a caseload."""

    client_ids = Ids(required=True)


class ChangedSchema(Strict):
    """How many clients a bulk act changed."""

    changed = fields.Integer(required=True)


_TONES = ("plain", "ok", "brass", "bad", "wait")


class LabelSchema(Strict):
    """A word put on clients; one that is not shared is your own."""

    id = fields.UUID(required=True)
    name = fields.String(required=True)
    tone = fields.String(required=True)
    shared = fields.Boolean(required=True)


class NewLabelSchema(Strict):
    """A label to make."""

    name = Sentence(longest=60, required=True)
    tone = Choice(_TONES, load_default="plain")
    shared = Truth(load_default=False)


class LabelChangeSchema(Strict):
    """Another name or tone."""

    name = Sentence(longest=60)
    tone = Choice(_TONES)


class LabelUseSchema(Strict):
    """Clients to put a label on, or take it off."""

    client_ids = Ids(required=True)


class LabelledSchema(Strict):
    """How many clients changed."""

    changed = fields.Integer(required=True)
