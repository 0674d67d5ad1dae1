"""An organization's own words for its mails: what may stand in them, keeping them, and mails made of them.

Users write texts with named places and nothing else (`app.domain.places`); markup and the way out of such mail are
Octant's.
"""

from __future__ import annotations

from collections.abc import Mapping

from markupsafe import Markup, escape
from sqlalchemy import select, text

from app.domain.errors import FieldProblem, InvalidInput, NotFound
from app.domain.places import BadPlaces, check_places, fill_places, parse_places, places_in
from app.domain.saying import later
from app.features.audit.service import record
from app.features.messaging.kinds import Draft, MessageKind, OwnWords, Wording, Words
from app.features.messaging.models import MessageTemplate
from app.features.messaging.rendering import Shared, render_mail
from app.infra.db.open import UnitOfWork
from app.infra.drawing.svg import ACCENT
from app.infra.locales import LANGUAGES

MOST_SUBJECT, MOST_BODY = 200, 5000
# A place takes a few letters and its value many thousand: without a limit one text makes mails of megabytes.
MOST_OF_ONE = 3
_LONGEST_SUBJECT = 400
_SAVE = text(
    "INSERT INTO message_templates (name, locale, subject, body, updated_by, updated_at)"
    " VALUES (:name, :locale, :subject, :body, :by, :now)"
    " ON CONFLICT (organization_id, name, locale) DO UPDATE SET subject = excluded.subject, body = excluded.body,"
    " updated_by = excluded.updated_by, updated_at = excluded.updated_at, version = message_templates.version + 1"
    " RETURNING id, version"
)


def wordings_of(kinds: Mapping[str, MessageKind]) -> dict[str, Wording]:
    """Every mail whose words may be replaced, by its name."""
    return {wording.name: wording for kind in kinds.values() for wording in kind.wordings}


def find_wording(kinds: Mapping[str, MessageKind], name: str, locale: str) -> Wording:
    """The wording of this name. Raises NotFound for a name or a language there is none of."""
    wording = wordings_of(kinds).get(name)
    if wording is None or locale not in LANGUAGES:
        raise NotFound("There is no such mail to write words for.")
    return wording


def check_words(wording: Wording, words: OwnWords) -> None:
    """Raise InvalidInput naming `subject` or `body` for words that cannot be used, with the places that can."""
    problems = []
    for field, written, most in (("subject", words.subject, MOST_SUBJECT), ("body", words.body, MOST_BODY)):
        try:
            check_places(written, wording.places)
        except BadPlaces as error:
            problems.append(FieldProblem(field, error.args[0]))
            continue
        places = places_in(written)
        if often := sorted({place for place in places if places.count(place) > MOST_OF_ONE}):
            sentence = later(
                "Put each place in at most %(most)s times: %(places)s.",
                most=MOST_OF_ONE,
                places=", ".join(f"{{{place}}}" for place in often),
            )
            problems.append(FieldProblem(field, sentence))
        if not 0 < len(written.strip()) <= most:
            problems.append(
                FieldProblem(field, later("Write between %(least)s and %(most)s characters.", least=1, most=most))
            )
        elif field == "body" and (missing := sorted(wording.needed - set(places))):
            sentence = later(
                "Without %(places)s the mail is of no use. Put it in.", places=", ".join(f"{{{m}}}" for m in missing)
            )
            problems.append(FieldProblem(field, sentence))
    if problems:
        raise InvalidInput(problems)


def own_words(uow: UnitOfWork) -> dict[tuple[str, str], MessageTemplate]:
    """The organization's own words, by name and language."""
    return {(row.name, row.locale): row for row in uow.session.scalars(select(MessageTemplate))}


def save_words(uow: UnitOfWork, wording: Wording, locale: str, words: OwnWords) -> MessageTemplate:
    """Keep an organization's own words for a mail in one language. Raises InvalidInput as `check_words` does."""
    words = OwnWords(" ".join(words.subject.split()), words.body.replace("\r\n", "\n").strip())
    check_words(wording, words)
    values = {"name": wording.name, "locale": locale, "subject": words.subject, "body": words.body}
    saved = uow.session.execute(_SAVE, values | {"by": uow.actor.membership_id, "now": uow.now}).one()
    record(
        uow, "message_template.saved", "message_template", saved.id,
        kind=wording.name, locale=locale, version=saved.version,
    )  # fmt: skip
    return _find(uow, wording.name, locale)


def remove_words(uow: UnitOfWork, wording: Wording, locale: str) -> None:
    """Go back to the words that come with Octant; harmless where they are in use already."""
    found = uow.session.scalars(
        select(MessageTemplate).where(MessageTemplate.name == wording.name, MessageTemplate.locale == locale)
    ).one_or_none()
    if found is not None:
        record(uow, "message_template.removed", "message_template", found.id, kind=wording.name, locale=locale)
        uow.session.delete(found)
        uow.session.flush()


def _find(uow: UnitOfWork, name: str, locale: str) -> MessageTemplate:
    same = select(MessageTemplate).where(MessageTemplate.name == name, MessageTemplate.locale == locale)
    return uow.session.scalars(same.execution_options(populate_existing=True)).one()


def shipped_words(name: str, locale: str, shared: Shared, own: Mapping[str, str]) -> OwnWords:
    """The words that come with Octant as a text with places, from the mail's own template.

    `own` gives each of the template's values the place that stands for it. The line that ends such mail is left out.
    """
    subject, body, _ = render_mail(name, locale, shared, own)
    return OwnWords(subject, body.strip())


def render_own(
    draft: Draft, words: OwnWords, values: Mapping[str, str], markup: Mapping[str, Markup] | None = None
) -> Words:
    """The mail of an organization's own words. `values` are shown as they are, `markup` instead of them in HTML."""
    subject = " ".join(fill_places(words.subject, values).split())
    # The reasons of a check-in would make a subject of many lines.
    shown = {"subject": subject[:_LONGEST_SUBJECT], "body": fill_places(words.body, values)}
    shared = {"lang": draft.locale.replace("_", "-"), "accent": draft.accent or ACCENT}
    own = shown | {"paragraphs": paragraphs(words.body, values, markup or {})}
    if draft.unsubscribe_url:
        own["unsubscribe_url"] = draft.unsubscribe_url
    return Words(*render_mail("own", draft.locale, shared, own))


def paragraphs(body: str, values: Mapping[str, str], markup: Mapping[str, Markup]) -> Markup:
    """The body as HTML: an empty line begins a paragraph. What is not `markup` is escaped."""
    shown = []
    for paragraph in body.split("\n\n"):
        if not paragraph.strip():
            continue
        parts = parse_places(paragraph.strip("\n"))
        filled = Markup("").join(
            (markup[part] if part in markup else escape(values[part])) if index % 2 else escape(part)
            for index, part in enumerate(parts)
        )
        # A list or a table stands for itself; everything else is a paragraph.
        alone = len(parts) == 3 and not parts[0].strip() and not parts[2].strip()
        block = alone and parts[1] in markup and not markup[parts[1]].startswith("<a ")
        shown.append(filled if block else Markup("<p>{}</p>").format(filled.replace("\n", Markup("<br>\n"))))
    return Markup("\n").join(shown)


def words_in_use(uow: UnitOfWork) -> dict[str, dict[str, OwnWords]]:
    """The organization's own words by language and name, as mails are written with them."""
    found: dict[str, dict[str, OwnWords]] = {}
    for row in uow.session.execute(text("SELECT name, locale, subject, body FROM message_templates")):
        found.setdefault(row.locale, {})[row.name] = OwnWords(row.subject, row.body)
    return found
