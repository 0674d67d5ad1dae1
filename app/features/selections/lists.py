"""A list of ids or e-mail addresses, pasted or in a file, as a selection."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from uuid import UUID

from sqlalchemy import ARRAY, Select, Text, func, literal, select, union

from app.domain.errors import FieldProblem, InvalidInput
from app.domain.folding import fold
from app.domain.saying import later
from app.features.clients.models import Client
from app.features.clients.policy import visible_clients
from app.features.clients.queries import select_ids
from app.features.clients.roster_reader import table_rows
from app.features.selections.models import Selection
from app.features.selections.service import freeze
from app.infra.db.open import UnitOfWork

MOST_LINES = 200_000
# So many unknown lines are kept to be shown, each so long.
MOST_UNKNOWN, _LONGEST = 5_000, 200
Line = tuple[int, str]


def lines_of_text(text: str) -> list[Line]:
    """(line, what is written) of a pasted list: one a line, or several separated by commas, semicolons or tabs."""
    return [
        (number, one.strip())
        for number, line in enumerate(text.splitlines(), start=1)
        for one in re.split(r"[,;\t]", line)
        if one.strip()
    ]


def lines_of_file(path: Path) -> list[Line]:
    """(line, first cell) of every row of a CSV or XLSX file. Raises InvalidInput for what is no table of text."""
    found: list[Line] = []
    for number, cells in table_rows(path):
        written = next((cell.strip().replace("\x00", "\ufffd") for cell in cells if cell.strip()), "")
        if written:
            found.append((number, written))
        if len(found) > MOST_LINES:
            break
    return found


def choose_listed(uow: UnitOfWork, lines: Sequence[Line], *, name: str = "") -> Selection:
    """Freeze whoever the lines name by external id or e-mail, whatever their case, with the lines nobody is known by.

    Of a shared e-mail everybody is chosen; a client the actor may not see counts as unknown. Raises InvalidInput for no
    line, too many, or where nobody is known by any.
    """
    if not lines:
        raise InvalidInput([FieldProblem("text", "Paste at least one id or e-mail address.")])
    if len(lines) > MOST_LINES:
        raise InvalidInput([FieldProblem("text", later("List at most %(most)s at a time.", most=f"{MOST_LINES:,}"))])
    keys = {written: fold(written) for _, written in lines}
    found = uow.session.execute(
        select(Client.id, Client.external_folded, Client.email_folded).where(
            Client.id.in_(_named(set(keys.values()))), visible_clients(uow.actor)
        )
    ).all()
    known = {row.external_folded for row in found} | {row.email_folded for row in found}
    unknown = [(number, written[:_LONGEST]) for number, written in lines if keys[written] not in known]
    if unknown and unknown[0] == lines[0] and len(lines) > 1 and _is_heading(lines[0][1]):
        unknown = unknown[1:]
    if not found:
        raise InvalidInput([FieldProblem("text", "Nobody you see is known by any of these. Check the ids.")])
    return freeze(
        uow, select_ids([row.id for row in found]), origin="list", name=name[:120], unknown=unknown[:MOST_UNKNOWN]
    )


def _named(keys: Iterable[str]) -> Select[UUID]:
    # Two looks by index, each key once; the folded columns sort by code point, and saying so keeps their index usable.
    wanted = select(func.unnest(literal(list(keys), ARRAY(Text)), type_=Text()).collate("C"))

    by_id = select(Client.id).where(Client.external_folded.in_(wanted))
    by_email = select(Client.id).where(Client.email_folded.in_(wanted))
    either = union(by_id, by_email).subquery()
    return select(either.c.id)


def _is_heading(written: str) -> bool:
    """Whether a first line reads as the column's name: a few letters and no figure or address."""
    return "@" not in written and not any(sign.isdigit() for sign in written)
