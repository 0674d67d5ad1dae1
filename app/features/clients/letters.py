"""What staff write to a client themselves. It passes the contact budget like every message; see `messaging.budget`."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID, uuid4

from markupsafe import Markup
from sqlalchemy import text

from app.config import Settings
from app.domain.errors import Conflict, FieldProblem, InvalidInput
from app.domain.saying import later
from app.features.audit.service import record
from app.features.clients.queries import get_client
from app.features.messaging.contacts import Contacts, contacts_of
from app.features.messaging.kinds import Draft, MessageKind, OwnWords, Words
from app.features.messaging.service import message_id_for, queue_messages
from app.features.messaging.wordings import render_own
from app.infra.db.open import UnitOfWork

LETTER_KIND, URGENT_LETTER_KIND = "staff_letter", "staff_letter_urgent"
MOST_SUBJECT, MOST_TEXT = 200, 5000
_WORDS = OwnWords("{subject}", "{text}\n\n{sender}\n{organization}")


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteLetter:
    """A letter to one client; an urgent one leaves although the week's contacts are used up."""

    client_id: UUID
    subject: str
    text: str
    urgent: bool = False


def contacts_with(uow: UnitOfWork, client_id: UUID) -> Contacts:
    """What a client was written this week and what is left of their budget. Raises NotFound for one not visible."""
    get_client(uow, client_id)
    return contacts_of(uow, [client_id])[client_id]


def write_letter(uow: UnitOfWork, command: WriteLetter) -> UUID:
    """Write to a client by mail, with the writer's address for answers; returns the message's id.

    Raises NotFound for a client the actor may not see, Conflict where there is no address, InvalidInput naming
    `subject` or `text`.
    """
    client = get_client(uow, command.client_id)
    subject, written = " ".join(command.subject.split()), command.text.replace("\r\n", "\n").strip()
    problems = [
        FieldProblem(field, later("Write between %(least)s and %(most)s characters.", least=1, most=most))
        for field, value, most in (("subject", subject, MOST_SUBJECT), ("text", written, MOST_TEXT))
        if not 0 < len(value) <= most
    ]
    if problems:
        raise InvalidInput(problems)
    if not client.email:
        raise Conflict("There is no e-mail address on file. Add one first.")
    # By name: a membership's address is asked for here alone.
    writer = uow.session.execute(
        text("SELECT name, email FROM memberships WHERE id = :m"), {"m": uow.actor.membership_id}
    ).one()
    locale = uow.session.execute(text("SELECT locale FROM organizations")).scalar_one()
    key = f"letter:{uuid4()}"
    queue_messages(
        uow,
        [
            {
                "dedupe_key": key,
                "kind": URGENT_LETTER_KIND if command.urgent else LETTER_KIND,
                "recipient": client.email,
                "recipient_name": f"{client.given_name} {client.family_name}",
                "locale": client.locale or locale,
                "params": {"subject": subject, "text": written, "sender": writer.name, "reply_to": writer.email},
                "client_id": client.id,
                "due_at": uow.now,
                "not_before": uow.now,
            }
        ],
    )
    message_id = message_id_for(uow.actor.organization_id, key)
    record(uow, "message.written", "message", message_id, urgent=command.urgent)
    return message_id


def render_letter(_: Settings, draft: Draft) -> Words:
    """A letter as its writer wrote it, with who wrote it below; for letters to many too."""
    values = {name: str(draft.params[name]) for name in ("subject", "text", "sender")}
    # What somebody wrote keeps its paragraphs in HTML as well.
    written = Markup("\n").join(
        Markup("<p>{}</p>").format(Markup("<br>\n").join(part.split("\n"))) for part in values["text"].split("\n\n")
    )
    return render_own(draft, _WORDS, values | {"organization": draft.organization_name}, {"text": written})


# A person wrote to a person, so no reader can decline it as one of many; it still counts in the budget unless its
# writer says that it cannot wait.
KINDS: tuple[MessageKind, ...] = (
    MessageKind(name=LETTER_KIND, optional=False, render=render_letter),
    MessageKind(name=URGENT_LETTER_KIND, optional=False, urgent=True, render=render_letter),
)
