"""JSON of the signed-in member, their tokens and their organization."""

from __future__ import annotations

from typing import Any

from marshmallow import ValidationError, fields, validates_schema

from app.domain.access import SCOPES, Role
from app.features.organizations.members import MOST_MINUTES
from app.infra.web.api.fields import Choice, Day, QueryTruth, Sentence, Truth, Whole
from app.infra.web.api.schemas import PageQuery, Strict

STAFF_ROLES = (Role.ADMIN, Role.COUNSELLOR, Role.ANALYST)
ROLES = (*STAFF_ROLES, Role.CLIENT)


class PlaceSchema(Strict):
    """The organization a request works in."""

    organization_id = fields.UUID(required=True)
    name = fields.String(required=True)
    time_zone = fields.String(required=True)
    locale = fields.String(required=True)


class MeSchema(Strict):
    """Who asks: the member, their role, and what this request may do."""

    membership_id = fields.UUID(required=True, allow_none=True)
    name = fields.String(required=True)
    role = fields.String(required=True)
    permissions = fields.List(fields.String(), required=True)
    scopes = fields.List(fields.String(), required=True, allow_none=True)
    organization = fields.Nested(PlaceSchema, required=True)


class TokenSchema(Strict):
    """A personal token without its secret."""

    id = fields.UUID(required=True)
    name = fields.String(required=True)
    scopes = fields.List(fields.String(), required=True)
    created_at = fields.AwareDateTime(required=True)
    expires_at = fields.AwareDateTime(required=True)
    used_at = fields.AwareDateTime(required=True, allow_none=True)


class NewTokenSchema(Strict):
    """What a new token is to be."""

    name = Sentence(longest=80, required=True)
    scopes = fields.List(Sentence(longest=20), required=True, metadata={"description": ", ".join(SCOPES)})
    days = Whole(least=1, most=366, load_default=90)


class MadeTokenSchema(TokenSchema):
    """A new token with its text, which is shown this once."""

    token = fields.String(required=True)


class OrganizationSchema(Strict):
    """The organization's settings."""

    organization_id = fields.UUID(required=True)
    name = fields.String(required=True)
    time_zone = fields.String(required=True)
    locale = fields.String(required=True)
    client_word = fields.String(required=True)
    counsellor_word = fields.String(required=True)
    accent = fields.String(required=True, allow_none=True)
    shares_caseloads = fields.Boolean(required=True)
    small_cell_threshold = fields.Integer(required=True)
    contact_cap = fields.Integer(required=True)
    reports_kept_days = fields.Integer(required=True)


class SettingsChangeSchema(Strict):
    """Settings to change; those left out stay."""

    name = Sentence(longest=120)
    time_zone = Sentence(longest=64)
    locale = Sentence(longest=20)
    client_word = Sentence(longest=40)
    counsellor_word = Sentence(longest=40)
    accent = Sentence(longest=7, allow_none=True)
    shares_caseloads = Truth()
    small_cell_threshold = Whole(least=5, most=30)
    contact_cap = Whole(least=1, most=20)
    reports_kept_days = Whole(least=1, most=3650)


class NewTermSchema(Strict):
    """A term's name and its first and last day."""

    name = Sentence(longest=80, required=True)
    starts_on = Day(required=True)
    ends_on = Day(required=True)


class TermSchema(Strict):
    """A named date range of the organization's year."""

    id = fields.UUID(required=True)
    name = fields.String(required=True)
    starts_on = fields.Date(required=True)
    ends_on = fields.Date(required=True)


class MemberQuery(PageQuery):
    """Which members."""

    role = Choice(ROLES)
    active = QueryTruth()


class MembershipSchema(Strict):
    """A member of the organization."""

    id = fields.UUID(required=True)
    name = fields.String(required=True)
    email = fields.String(required=True)
    role = fields.String(required=True)
    active = fields.Boolean(required=True)
    weekly_minutes = fields.Integer(
        required=True, allow_none=True, metadata={"description": "Minutes a week for clients; null: not said."}
    )
    created_at = fields.AwareDateTime(required=True)


class MembershipChangeSchema(Strict):
    """Another role, whether the member may come in, or the minutes a week they have for clients (null: not said)."""

    role = Choice(STAFF_ROLES)
    active = Truth()
    weekly_minutes = Whole(most=MOST_MINUTES, allow_none=True)


class NewInvitationSchema(Strict):
    """Whom to invite to work here; or a client to the portal, by id alone."""

    email = Sentence(longest=254)
    name = Sentence(longest=120)
    role = Choice(STAFF_ROLES)
    client_id = fields.UUID(metadata={"description": "Invites this client by the address on file."})

    @validates_schema
    def _either(self, data: dict[str, Any], **_: Any) -> None:
        wanted = {"client_id"} if "client_id" in data else {"email", "name", "role"}
        wrong = {name: ["This is needed. Add it."] for name in wanted - set(data)}
        wrong |= {name: ["Leave this out beside a client's id."] for name in set(data) - wanted}
        if wrong:
            raise ValidationError(wrong)


class InvitationSchema(Strict):
    """An invitation nobody has accepted yet."""

    id = fields.UUID(required=True)
    email = fields.String(required=True)
    name = fields.String(required=True)
    role = fields.String(required=True)
    client_id = fields.UUID(required=True, allow_none=True)
    expires_at = fields.AwareDateTime(required=True)
    created_at = fields.AwareDateTime(required=True)
