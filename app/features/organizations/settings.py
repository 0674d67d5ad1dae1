"""Use cases of an organization's settings and terms."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from flask_babel import gettext
from sqlalchemy import select

from app.domain.contrast import can_be_accent, is_colour
from app.domain.errors import FieldProblem, InvalidInput, NotFound
from app.domain.reading import check_day
from app.domain.wording import CLIENT_WORDS, COUNSELLOR_WORDS
from app.features.audit.service import record
from app.features.organizations.commands import ChangeSettings, SaveTerm
from app.features.organizations.models import Organization, Term
from app.features.organizations.service import is_time_zone, organization_of
from app.infra.db.open import UnitOfWork
from app.infra.locales import LANGUAGES


def change_settings(uow: UnitOfWork, command: ChangeSettings) -> Organization:
    """Write the settings; records which changed. Raises InvalidInput naming each field at fault."""
    problems = []
    if not command.name.strip():
        problems.append(FieldProblem("name", gettext("Give the organization a name.")))
    if not is_time_zone(command.time_zone):
        problems.append(FieldProblem("time_zone", gettext("Choose a time zone from the list.")))
    if command.locale not in LANGUAGES:
        problems.append(FieldProblem("locale", gettext("Choose a language from the list.")))
    if command.client_word not in CLIENT_WORDS:
        problems.append(FieldProblem("client_word", gettext("Choose a word from the list.")))
    if command.counsellor_word not in COUNSELLOR_WORDS:
        problems.append(FieldProblem("counsellor_word", gettext("Choose a word from the list.")))
    for name, least, most, sentence in (
        ("small_cell_threshold", 5, 30, gettext("Choose a number from 5 to 30.")),
        ("contact_cap", 1, 20, gettext("Choose a number from 1 to 20.")),
        ("reports_kept_days", 1, 3650, gettext("Choose a number from 1 to 3650.")),
    ):
        if not least <= getattr(command, name) <= most:
            problems.append(FieldProblem(name, sentence))
    accent = (command.accent or "").strip().lower() or None
    if accent is not None and not is_colour(accent):
        problems.append(FieldProblem("accent", gettext("Write the colour as # and six digits, such as #0b6b66.")))
    elif accent is not None and not can_be_accent(accent):
        sentence = gettext("This colour is too light to be read on white. Choose a darker one.")
        problems.append(FieldProblem("accent", sentence))
    if problems:
        raise InvalidInput(problems)
    organization = organization_of(uow)
    values = {
        # On one line: the name stands in the subject and the sender of mails.
        "name": " ".join(command.name.split()),
        "time_zone": command.time_zone,
        "locale": command.locale,
        "client_word": command.client_word,
        "counsellor_word": command.counsellor_word,
        "accent": accent,
        "shares_caseloads": command.shares_caseloads,
        "small_cell_threshold": command.small_cell_threshold,
        "contact_cap": command.contact_cap,
        "reports_kept_days": command.reports_kept_days,
    }
    changed = {key: value for key, value in values.items() if getattr(organization, key) != value}
    for key, value in changed.items():
        setattr(organization, key, value)
    if changed:
        record(uow, "settings.changed", "organization", uow.actor.organization_id, **changed)
    return organization


def terms_of(uow: UnitOfWork) -> Sequence[Term]:
    """The organization's terms, the latest first."""
    return uow.session.scalars(select(Term).order_by(Term.starts_on.desc(), Term.name)).all()


def save_term(uow: UnitOfWork, command: SaveTerm) -> Term:
    """Add a term or change one. Raises InvalidInput for dates out of order or a name in use, NotFound."""
    name = command.name.strip()
    if not name:
        raise InvalidInput([FieldProblem("name", gettext("Give the term a name, such as Autumn 2026."))])
    if command.ends_on < command.starts_on:
        sentence = gettext("The term ends before it starts. Choose a later last day.")
        raise InvalidInput([FieldProblem("ends_on", sentence)])
    if problems := [*check_day("starts_on", command.starts_on), *check_day("ends_on", command.ends_on)]:
        raise InvalidInput(problems)
    same = uow.session.scalars(select(Term).where(Term.name == name)).one_or_none()
    if same is not None and same.id != command.term_id:
        raise InvalidInput([FieldProblem("name", gettext("There is a term of this name already."))])
    term = Term() if command.term_id is None else _term(uow, command.term_id)
    term.name, term.starts_on, term.ends_on = name, command.starts_on, command.ends_on
    uow.session.add(term)
    uow.session.flush()
    dates = {"starts_on": command.starts_on.isoformat(), "ends_on": command.ends_on.isoformat()}
    record(uow, "term.saved", "term", term.id, **dates)
    return term


def remove_term(uow: UnitOfWork, term_id: UUID) -> None:
    """Remove a term; due dates counted from it were written as days and stay. Raises NotFound."""
    uow.session.delete(_term(uow, term_id))
    uow.session.flush()
    record(uow, "term.removed", "term", term_id)


def _term(uow: UnitOfWork, term_id: UUID) -> Term:
    term = uow.session.scalars(select(Term).where(Term.id == term_id)).one_or_none()
    if term is None:
        raise NotFound(gettext("There is no such page, or it is not yours to see."))
    return term
