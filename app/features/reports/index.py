"""The sheet that says what became of everybody of a job, in the organization's language."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass
from datetime import datetime
from pathlib import Path

from app.domain.saying import Say, Told
from app.domain.wording import first_large, people_words
from app.features.jobs.words import item_words
from app.features.organizations.service import organization_of
from app.infra.db.open import UnitOfWork
from app.infra.sheets import Workbook
from app.infra.speech import speaker

# Of the same content the same bytes: the sheet has no moment of its own.
_MOMENT = datetime(1980, 1, 1)  # noqa: DTZ001 # a sheet's properties have no zone


@dataclass(frozen=True, slots=True)
class Written:
    """One person of the job: the report, where there is one, else why there is none."""

    external_id: str
    name: str
    file: str
    part: int | None
    pages: int | None
    sha256: str
    state: str
    reason: str
    size: int | None
    not_printed: int | None


def _said(reason: str, _: Say, people: Mapping[str, str]) -> str:
    if isinstance(reason, Told):
        return reason.said(_, people)
    # Without text the catalogue answers with its own head.
    return _(reason) if reason else ""


def write_index(uow: UnitOfWork, path: Path, lines: Iterable[Written]) -> None:
    """Write the sheet to `path`, line by line."""
    organization = organization_of(uow)
    _ = speaker(organization.locale)
    people = people_words(organization.client_word, organization.counsellor_word, _)
    states = item_words(_)
    columns = [
        _("Id"),
        _("Name"),
        _("File"),
        _("Part"),
        _("Pages"),
        "SHA-256",
        _("What happened"),
        _("Why"),
        _("Size in bytes"),
        _("Characters not printed"),
    ]
    widths = [14, 28, 48, 7, 7, 68, 14, 48, 14, 12]
    with Workbook(path, title=organization.name, language=organization.locale, moment=_MOMENT) as book:
        sheet = book.sheet(first_large(people["clients"]), columns, widths=widths)
        for line in lines:
            cells = list(astuple(line))
            cells[6], cells[7] = states[line.state], _said(line.reason, _, people)
            sheet.write([cell if cell != "" else None for cell in cells])
