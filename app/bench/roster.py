"""Import a roster; the floor parses the same file and copies its rows into the same table, no row security."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from uuid import UUID, uuid4

from sqlalchemy import func, select

from app.bench.harness import Measured, Place, finish_jobs, interleaved, stopwatch
from app.domain import access
from app.domain.access import Role
from app.features.clients.models import AttributeDefinition, Client
from app.features.clients.roster_service import confirm_import, import_file
from app.features.identity.service import find_or_create_user
from app.features.organizations.service import add_member, find_actor

_HEADER = ("student id", "given name", "family name", "e-mail", "programme", "year", "campus")
_COPY = (
    "COPY clients (organization_id, external_id, given_name, family_name, email, given_folded, family_folded,"
    " email_folded, external_folded, attributes) FROM STDIN"
)


def _write(path: Path, rows: int) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(_HEADER)
        for n in range(rows):
            given, family = f"Given{n % 4001}", f"Family{n % 9973}"
            writer.writerow(
                (
                    f"S{n:07d}",
                    given,
                    family,
                    f"person{n}@example.org",
                    f"P{n % 12}",
                    1 + n % 4,
                    "Hill" if n % 3 else "Bay",
                )
            )


def _organization(place: Place) -> access.Actor:
    organization = place.organization()
    with place.runtime.database.identity_session() as session:
        user_id = find_or_create_user(session, f"{uuid4().hex}@example.org", "Admin").id
    with place.runtime.database.unit_of_work(access.system(organization)) as uow:
        add_member(uow, user_id=user_id, role=Role.ADMIN, name="Admin", email="admin@example.org")
        for position, (key, kind) in enumerate((("programme", "text"), ("year", "number"), ("campus", "text"))):
            uow.session.add(AttributeDefinition(key=key, label=key.title(), kind=kind, position=position))
    found = find_actor(place.runtime, organization, user_id)
    assert found is not None
    return found[0]


def _floor(place: Place, path: Path, organization: UUID) -> None:
    with (
        path.open(encoding="utf-8", newline="") as stream,
        place.superuser() as connection,
        connection.cursor() as cursor,
        cursor.copy(_COPY) as copy,
    ):
        for row in csv.DictReader(stream):
            given, family, email = row["given name"], row["family name"], row["e-mail"]
            attributes = {"programme": row["programme"], "year": int(row["year"]), "campus": row["campus"]}
            copy.write_row(
                (
                    organization,
                    row["student id"],
                    given,
                    family,
                    email,
                    given.casefold(),
                    family.casefold(),
                    email.casefold(),
                    row["student id"].casefold(),
                    json.dumps(attributes),
                )
            )


def measure(place: Place, rows: int, *, limit: float | None, runs: int = 5) -> Measured:
    """From the file on disk through check and apply to the finished job."""
    path = place.folder / f"roster-{rows}.csv"
    _write(path, rows)
    actors = [_organization(place) for _ in range(2 * runs)]
    place.settle()

    def floor(run: int) -> float:
        with stopwatch() as seconds:
            _floor(place, path, actors[2 * run].organization_id)
            return seconds()

    def ours(run: int) -> float:
        runtime, actor = place.runtime, actors[2 * run + 1]
        with stopwatch() as seconds:
            import_id = import_file(runtime, actor, path)
            finish_jobs(runtime, actor.organization_id)
            with runtime.database.unit_of_work(actor) as uow:
                confirm_import(uow, import_id)
            finish_jobs(runtime, actor.organization_id)
            taken = seconds()
        with runtime.database.unit_of_work(actor) as uow:
            assert uow.session.scalar(select(func.count()).select_from(Client)) == rows
        return taken

    return interleaved("import a roster", rows, floor, ours, limit=limit, runs=runs)
