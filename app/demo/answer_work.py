"""Phases about what comes from files: the catalogue of occupations, questionnaires, and answers to them."""

from __future__ import annotations

import csv
import json
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from app.demo.build import Build, DemoError
from app.demo.questionnaire import leanings_of, write_answers
from app.domain import item_csv
from app.domain.answer_sheets import read_format
from app.domain.definition_files import Beside, definition_of_file
from app.domain.errors import InvalidInput
from app.domain.known_tables import recognized
from app.features.clients.models import Client
from app.features.instruments.builtin import add_built_in, add_built_ins, built_ins
from app.features.instruments.commands import LoadDefinition, SaveAnswers
from app.features.instruments.models import Assessment
from app.features.instruments.runner import import_responses
from app.features.instruments.service import load_definition
from app.features.instruments.sittings import begin_sitting, save_answers
from app.features.occupations import store
from app.features.occupations.bls import read_bls
from app.features.occupations.onet import read_onet
from app.infra.db.open import UnitOfWork

# What step 2 asks of everybody, beside a questionnaire of the user; the others are there for whoever wants them.
ASKED = ("interests", "values")
# Which part of the people has answered what comes with Octant; somebody always has not answered yet.
_SHARES = {"interests": 0.75, "values": 0.75, "skills": 0.5, "paths": 0.5, "adaptability": 0.6}
_DAYS_AGO = 26
_NOT_FINISHED = 10


def catalogue(build: Build) -> dict[str, Any]:
    """The user's release of occupations and projections, beside the starter; nothing where none was named."""
    found = []
    if build.inputs.onet:
        found.append(store.store(build.owner_url, read_onet(build.inputs.onet)).key)
    if build.inputs.bls is not None:
        found.append(store.store(build.owner_url, read_bls(build.inputs.bls)).key)
    return {"imported": found}


def load_questionnaires(build: Build, uow: UnitOfWork) -> list[str]:
    """Load the questionnaires that come with Octant and the user's; returns the keys of those that step 2 asks for."""
    add_built_ins(uow)
    keys = [built_ins()[name].definition.id for name in ASKED]
    if build.inputs.instrument is not None:
        raw = read_instrument(build.inputs.instrument)
        load_definition(uow, LoadDefinition(raw=raw))
        keys.append(str(raw["id"]))
    return keys


def read_instrument(path: Path) -> dict[str, Any]:
    """A definition from a JSON file, or from a CSV table of items; one that Octant knows keeps its own answers.

    Raises DefinitionError with the places to mend.
    """
    text = path.read_text(encoding="utf-8-sig")
    if path.suffix.lower() == ".json":
        with suppress(ValueError, TypeError):
            return dict(json.loads(text))
        raise DemoError(f"{path.name} is not readable as a JSON object.")
    with suppress(csv.Error, InvalidInput):
        rows = [row for row in csv.reader(text.splitlines()) if row]
        if rows and recognized(rows[0], len(rows) - 1) is not None:
            return definition_of_file(path.name, text.encode(), Beside())
    key = "".join(c if c.isalnum() else "-" for c in path.stem).strip("-") or "instrument"
    details = {
        "id": key,
        "version": "1",
        "language": "en",
        "title": path.stem.replace("_", " "),
        # What a table of items does not say is not claimed: results are for reflection until somebody loads
        # a whole definition.
        "status": "reflection_only",
        "licence": {"name": "as the file's owner says", "text": "Brought by the user of this demonstration."},
        "attribution": f"the file {path.name}",
        "citation": "none given",
        "options": [{"value": value, "label": f"{value} of 5"} for value in range(1, 6)],
    }
    return item_csv.definition_from_item_csv(text, details)


@dataclass(frozen=True, slots=True)
class _Person:
    external_id: str
    programme: str


def _people(build: Build, slug: str = "harbour") -> list[_Person]:
    with build.runtime.database.unit_of_work(build.actor(f"admin@{slug}.example.org", slug)) as uow:
        rows = uow.session.execute(
            select(Client.external_id, Client.attributes).where(Client.active).order_by(Client.external_id)
        )
        return [_Person(row.external_id, str(row.attributes.get("programme", ""))) for row in rows]


def answers(build: Build) -> dict[str, Any]:
    """Answer sheets scored by a job as assessments of step 2: the user's, else made-up ones about interests."""
    admin = build.actor()
    path = build.inputs.responses
    with build.runtime.database.unit_of_work(admin) as uow:
        if build.inputs.instrument is None:
            loaded = add_built_in(uow, "interests")
        else:
            loaded = load_definition(uow, LoadDefinition(raw=read_instrument(build.inputs.instrument)))
    if path is None:
        path = _made_up(build, "interests", _people(build))
    when = build.runtime.clock() - timedelta(days=_DAYS_AGO)
    try:
        job_id = import_responses(build.runtime, admin, loaded.instrument_id, path, taken_at=when)
    except InvalidInput as refused:
        if not any(problem.field == "person" for problem in refused.problems):
            raise
        build.say(f"  {path.name} names no person: its first row is taken as the first id of the roster, and so on")
        job_id = import_responses(build.runtime, admin, loaded.instrument_id, path, rows_in_order=True, taken_at=when)
    scored = build.wait_for_job(job_id)
    with build.runtime.database.unit_of_work(admin) as uow:
        made = uow.session.execute(select(func.count()).select_from(Assessment)).scalar_one()
    rows = _answer_rows(path)
    left_out = rows - scored["stored"] - scored["before"]
    if left_out:
        build.say(
            f"  {left_out:,} of {rows:,} answer rows of {path.name} were left out:"
            " nobody in the roster for them, or not readable as answers"
        )
    return {"instrument": str(loaded.instrument_id), "assessments": made, "rows": rows, "left_out": left_out}


def _made_up(build: Build, name: str, people: list[_Person], *, again: bool = False) -> Path:
    """A file of made-up answers of the first part of the people to a questionnaire that comes with Octant."""
    programmes = {person.external_id: person.programme for person in people}
    ids = list(programmes) if again else list(programmes)[: max(1, int(len(people) * _SHARES[name]))]
    path = build.folder / f"answers-{name}{'-again' if again else ''}.csv"
    write_answers(
        path,
        built_ins()[name].definition,
        ids,
        seed=build.keep.seed + again,
        leaning=lambda person: leanings_of(programmes[person]),
    )
    return path


def _answer_rows(path: Path) -> int:
    """Rows of a file of answers that hold anything, without its heading."""
    with path.open("rb") as source:
        form = read_format(source)
        source.seek(form.first_row)
        lines = (line.decode("utf-8", "replace") for line in source)
        return sum(1 for row in csv.reader(lines, delimiter=form.delimiter) if row)


def questionnaires(build: Build) -> dict[str, Any]:
    """Made-up answers to whatever comes with Octant and is not answered yet, each scored by a job of its own."""
    admin, people = build.actor(), _people(build)
    left = [name for name in _SHARES if name != "interests" or build.inputs.instrument is not None]
    jobs = []
    for number, name in enumerate(left):
        with build.runtime.database.unit_of_work(admin) as uow:
            instrument = add_built_in(uow, name).instrument_id
        when = build.runtime.clock() - timedelta(days=_DAYS_AGO - number)
        jobs.append(import_responses(build.runtime, admin, instrument, _made_up(build, name, people), taken_at=when))
    return {"questionnaires": len(left), "assessments": sum(build.wait_for_job(job)["stored"] for job in jobs)}


def take_again(build: Build) -> dict[str, Any]:
    """Some whose choice is made answer about their interests again, so that it may no longer rest on their newest."""
    # A demonstration kept from an earlier version did not note them.
    admin, names = build.actor(), set(build.keep.phases["writing"].get("finished", ()))
    people = [person for person in _people(build) if person.external_id in names]
    if not people:
        return {"again": 0}
    with build.runtime.database.unit_of_work(admin) as uow:
        instrument = add_built_in(uow, "interests").instrument_id
    path = _made_up(build, "interests", people, again=True)
    return {"again": build.wait_for_job(import_responses(build.runtime, admin, instrument, path))["stored"]}


def begin_one(uow: UnitOfWork, instrument_id: UUID) -> None:
    """The client who acts begins a questionnaire and leaves it after some questions."""
    sitting = begin_sitting(uow, instrument_id)
    middle = sitting.definition.lowest + 2
    given = {item.id: middle + number % 2 for number, item in enumerate(sitting.definition.items[:_NOT_FINISHED])}
    save_answers(uow, SaveAnswers(sitting_id=sitting.row.id, answers=given, position=3))
