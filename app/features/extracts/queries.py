"""Reads of own reports: which there are, what one may ask for, the first rows, and the files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_, select, true

from app.domain.access import Actor, Permission
from app.domain.errors import NotFound
from app.domain.rules import Field
from app.domain.saying import Say
from app.domain.wording import first_large, people_words
from app.features.clients.models import Client
from app.features.clients.policy import visible_clients
from app.features.clients.queries import attributes
from app.features.extracts.columns import Column, columns_of, own_columns
from app.features.extracts.counted import count_safely
from app.features.extracts.definition import Definition
from app.features.extracts.models import Extract, ExtractRun
from app.features.extracts.statements import Reading, plain, read
from app.features.jobs.models import Job, StoredFile
from app.features.jobs.policy import may_have_whole, visible_files
from app.features.organizations.models import Membership, Organization
from app.features.selections.queries import Words, filter_fields, moment_of
from app.infra.db.holding import Hold, only_read
from app.infra.db.open import UnitOfWork

PREVIEWED = 20


@dataclass(frozen=True, slots=True)
class Line:
    """A report that is kept, whose it is, and whether the actor may change it."""

    extract: Extract
    owner: str
    mine: bool


@dataclass(frozen=True, slots=True)
class Preview:
    """The first rows as they would stand in the file: headings, and cells (None: empty, or a count withheld)."""

    headings: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    withheld: bool


def must_not_see_small(actor: Actor) -> bool:
    """Whether the actor gets counts only, and of enough people."""
    return not actor.may(Permission.READ_CLIENTS)


def visible_extracts(actor: Actor) -> ColumnElement[bool]:
    """A criterion over `Extract`: one's own, and what others share."""
    return or_(Extract.shared, Extract.owner_id == actor.membership_id)


def list_extracts(uow: UnitOfWork) -> list[Line]:
    """The actor's reports and those shared with everybody, by name."""
    rows = uow.session.execute(
        select(Extract, Membership.name)
        .join(
            Membership,
            and_(Membership.organization_id == Extract.organization_id, Membership.id == Extract.owner_id),
        )
        .where(visible_extracts(uow.actor))
        .order_by(func.lower(Extract.name), Extract.id)
    )
    return [Line(one, owner, may_change(uow, one)) for one, owner in rows]


def get_extract(uow: UnitOfWork, extract_id: UUID, hold: Hold = only_read) -> Extract:
    """A report the actor may use. Raises NotFound for somebody else's own, or none."""
    found: Extract | None = uow.session.scalars(
        hold(select(Extract).where(Extract.id == extract_id, visible_extracts(uow.actor)))
    ).one_or_none()
    if found is None:
        raise NotFound("There is no such report, or it is not yours to use.")
    return found


def may_change(uow: UnitOfWork, extract: Extract) -> bool:
    """Whether it is the actor's, or shared and the actor keeps the organization's groups."""
    own = extract.owner_id == uow.actor.membership_id
    return own or (extract.shared and uow.actor.may(Permission.MANAGE_COHORTS))


def offered(uow: UnitOfWork, rows: str, _: Say) -> dict[str, Column]:
    """Every column of a kind of rows, called as the reader calls them."""
    return columns_of(rows, attributes(uow), _)


def fields_of(uow: UnitOfWork, rows: str, _: Say, words: Words | None = None, *, own_labels: bool) -> tuple[Field, ...]:
    """What conditions may be about: the people, as saved filters ask for them, and the rows' own columns."""
    return (*filter_fields(uow, words, own_labels=own_labels), *(column.about for column in own_columns(rows, _)))


def reading_of(uow: UnitOfWork, definition: Definition, actor: Actor, _: Say) -> Reading:
    """What a definition reads for an actor as things are in this transaction."""
    place = uow.session.execute(select(Organization.time_zone, Organization.client_word)).one()
    people = people_words(place.client_word, "", _)["clients"]
    return read(
        definition,
        offered(uow, definition.rows, _),
        visible_clients(actor),
        here=actor.organization_id,
        moment=moment_of(uow),
        time_zone=place.time_zone,
        counts=(_("Number"), first_large(people)),
    )


def preview(uow: UnitOfWork, definition: Definition, actor: Actor, _: Say) -> Preview:
    """The first rows, or counts, as the actor may see them."""
    if must_not_see_small(actor):
        counted = count_safely(uow, definition, offered(uow, definition.rows, _), _)
        headings = (*counted.headings, _("People"))
        lines = [(*values, number) for values, number in counted.lines[:PREVIEWED]]
        return Preview(headings, tuple(lines), withheld=True)
    reading = reading_of(uow, definition, actor, _)
    rows = uow.session.execute(plain(reading).limit(PREVIEWED)).all()
    words = [cell.words for cell in reading.cells]
    said = [tuple(_said(v, w) for v, w in zip(row, words, strict=True)) for row in rows]
    return Preview(tuple(cell.label for cell in reading.cells), tuple(said), withheld=False)


def _said(value: Any, words: Mapping[str, str] | None) -> Any:
    return value if words is None or value is None else words.get(value, value)


def runs_of(uow: UnitOfWork, *, extract_id: UUID | None = None, limit: int = 20) -> Sequence[tuple[ExtractRun, Job]]:
    """The files the actor asked for, newest first, with their jobs."""
    found = (
        select(ExtractRun, Job)
        .join(Job, and_(Job.organization_id == ExtractRun.organization_id, Job.id == ExtractRun.job_id))
        .where(ExtractRun.owner_id == uow.actor.membership_id)
    )
    if extract_id is not None:
        found = found.where(ExtractRun.extract_id == extract_id)
    rows = uow.session.execute(found.order_by(ExtractRun.created_at.desc(), ExtractRun.id).limit(limit))
    return [(run, job) for run, job in rows]


def get_run(uow: UnitOfWork, run_id: UUID) -> tuple[ExtractRun, Job, StoredFile | None]:
    """A file that was asked for, with its job, and with the file itself once it is there and the actor may have it.

    Raises NotFound for one that somebody else asked for, but for whoever may read everybody's jobs.
    """
    mine = ExtractRun.owner_id == uow.actor.membership_id
    row = uow.session.execute(
        select(ExtractRun, Job)
        .join(Job, and_(Job.organization_id == ExtractRun.organization_id, Job.id == ExtractRun.job_id))
        .where(ExtractRun.id == run_id, true() if uow.actor.may(Permission.READ_ALL_JOBS) else mine)
    ).one_or_none()
    if row is None:
        raise NotFound("There is no such file, or it is not yours.")
    run, job = row
    return run, job, _file_of(uow, run)


def _file_of(uow: UnitOfWork, run: ExtractRun) -> StoredFile | None:
    """The file, if the actor may still have it: one that names people only while all of them are theirs to see.

    Counts of enough people are their owner's while the owner may see those of the whole organization.
    """
    may_have = visible_files(uow.actor)
    if run.withheld and run.owner_id == uow.actor.membership_id and may_have_whole(uow.actor):
        may_have = StoredFile.expires_at.is_(None)
    return uow.session.scalars(select(StoredFile).where(StoredFile.id == run.file_id, may_have)).one_or_none()


def clients_in(reading: Reading) -> Any:
    """A statement of the ids of everybody whom a reading tells of."""
    return (
        select(Client.id).select_from(reading.source).where(*reading.where).distinct().params(own_today=reading.today)
    )
