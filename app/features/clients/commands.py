"""Inputs of the use cases of clients."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID

from sqlalchemy import Select

# The clients of a bulk act: their ids, or a select of ids.
ClientChoice = Sequence[UUID] | Select[UUID]
CaseloadKind = Literal["primary", "supporting"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientDetails:
    """What is known of a client by hand. `attributes` by key, as typed; empty values are taken off."""

    external_id: str
    given_name: str
    family_name: str
    email: str | None = None
    time_zone: str | None = None
    locale: str | None = None
    attributes: Mapping[str, object] = field(default_factory=dict)
    active: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class DefineAttribute:
    """A new attribute; `key` is made from the label when it is empty."""

    label: str
    kind: str
    choices: Sequence[str] = ()
    key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeAttribute:
    """Another label, order or list of choices for an attribute; its key and kind stay."""

    attribute_id: UUID
    label: str
    choices: Sequence[str] = ()
    position: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignCounsellor:
    """Put clients in a counsellor's caseload. A client has one primary counsellor: a new one takes over."""

    counsellor_id: UUID
    clients: ClientChoice
    kind: CaseloadKind = "primary"


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveCounsellor:
    """Take clients off a counsellor's caseload."""

    counsellor_id: UUID
    clients: ClientChoice


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateLabel:
    """A new label: the organization's where it is shared, else the actor's own."""

    name: str
    tone: str = "plain"
    shared: bool = False
