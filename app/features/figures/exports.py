"""Figures as files, and what is kept of each file: the question, the moment, the layout, how many lines, the checksum.

The same answer of the same moment in the same language gives the same bytes, so that a checksum tells whether a file is
what was exported.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from babel.dates import format_datetime
from sqlalchemy import select

from app.domain.access import Permission
from app.domain.errors import NotFound
from app.domain.saying import Say
from app.features.audit.service import record
from app.features.figures.files import csv_file, write_workbook
from app.features.figures.layer import Answer, Question
from app.features.figures.models import FigureExport
from app.features.figures.words import about
from app.features.jobs.models import StoredFile
from app.features.jobs.policy import may_have_whole
from app.infra.db.open import UnitOfWork
from app.infra.sheets import XLSX

FILE = "figures"
FORMS = ("xlsx", "csv")
MEDIA_TYPES = {
    "pdf": "application/pdf",
    "csv": "text/csv; charset=utf-8",
    "xlsx": XLSX,
}
# What the files look like. Raise it with every change of their bytes, so that two checksums can be compared.
TEMPLATE = "figures/1"


@dataclass(frozen=True, slots=True)
class Reader:
    """In whose language a file is: `locale` of its words, `region` of its days, the zone, the word for counsellors."""

    say: Say
    locale: str
    region: str
    time_zone: str
    counsellor: str


@dataclass(frozen=True, slots=True)
class Made:
    """A file of figures as it was made."""

    form: str
    locale: str
    data_at: datetime
    threshold: int | None
    rows: int
    sha256: bytes


def told_of(answer: Answer, reader: Reader) -> Sequence[tuple[str, str]]:
    """What has to stand beside an answer in a file."""
    moment = format_datetime(answer.moment, tzinfo=ZoneInfo(reader.time_zone), locale=reader.region)
    return about(answer, reader.say, moment)


def write_answers(path: Path, form: str, answers: Sequence[Answer], reader: Reader, title: str = "") -> None:
    """Write answers of one moment as a file of one of `FORMS`; a workbook of one is titled by its figure."""
    told = [(answer, told_of(answer, reader)) for answer in answers]
    if form == "csv":
        path.write_bytes(csv_file(told, reader.say, reader.counsellor))
    else:
        title = title or reader.say(answers[0].figure.name)
        write_workbook(path, told, reader.say, reader.counsellor, language=reader.locale, title=title)


def name_of(answers: Sequence[Answer], form: str) -> str:
    """What a file of answers of one moment is called: by the figure, or where there are several as their page."""
    what = answers[0].figure.key if len(answers) == 1 else "aggregates"
    return f"{what} {answers[0].moment.date().isoformat()}.{form}"


def keep_export(
    uow: UnitOfWork,
    owner: UUID,
    question: Question | None,
    made: Made,
    *,
    job_id: UUID | None = None,
    file_id: UUID | None = None,
) -> FigureExport:
    """Keep what is known of a file of figures for whom it was made; no question is all of the aggregates."""
    export = FigureExport(
        owner_id=owner,
        question={} if question is None else question.as_asked(),
        form=made.form,
        locale=made.locale,
        template=TEMPLATE,
        data_at=made.data_at,
        threshold=made.threshold,
        row_count=made.rows,
        sha256=made.sha256,
        job_id=job_id,
        file_id=file_id,
        created_at=uow.now,
    )
    uow.session.add(export)
    uow.session.flush()
    return export


def made_of(answers: Sequence[Answer], form: str, locale: str, content: bytes) -> Made:
    """What is known of a file of answers of one moment."""
    moment, threshold = answers[0].moment, answers[0].threshold
    rows = sum(len(answer.numbers) for answer in answers)
    return Made(form, locale, moment, threshold, rows, hashlib.sha256(content).digest())


def get_export(uow: UnitOfWork, export_id: UUID) -> tuple[FigureExport, StoredFile | None]:
    """What is kept of one of the actor's files, with the file while it is kept and theirs to have.

    Exact figures are theirs only while they may see people, and those of the whole organization only while they may see
    all of it. Raises NotFound for another's.
    """
    export = uow.session.scalars(
        select(FigureExport).where(FigureExport.id == export_id, FigureExport.owner_id == uow.actor.membership_id)
    ).one_or_none()
    if export is None:
        raise NotFound("There is no such file, or it is not yours.")
    if export.threshold is None and not uow.actor.may(Permission.READ_CLIENTS):
        return export, None
    file = uow.session.scalars(
        select(StoredFile).where(StoredFile.id == export.file_id, StoredFile.expires_at.is_(None))
    ).one_or_none()
    return export, file if file is not None and (may_have_whole(uow.actor) or not file.whole) else None


def take_export(uow: UnitOfWork, export_id: UUID) -> StoredFile:
    """A kept file to be downloaded, noted in the audit ledger. Raises NotFound for one the actor may not have."""
    export, file = get_export(uow, export_id)
    if file is None:
        raise NotFound("There is no such file, or it is not yours.")
    record(uow, "figures.downloaded", "figure_export", export.id, file=str(file.id))
    return file


def exports_of(uow: UnitOfWork, *, limit: int = 20) -> list[FigureExport]:
    """The files of figures made for the actor, newest first."""
    found = select(FigureExport).where(FigureExport.owner_id == uow.actor.membership_id)
    return list(uow.session.scalars(found.order_by(FigureExport.created_at.desc(), FigureExport.id).limit(limit)))


def as_detail(question: Question) -> dict[str, Any]:
    """A question as the audit ledger notes it."""
    told = {"figure": question.figure, "by": [key for key in (question.first, question.second) if key]}
    return told | ({"since": question.since, "until": question.until} if question.since else {})
