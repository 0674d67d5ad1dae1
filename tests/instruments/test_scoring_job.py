"""Loading definitions, and scoring files of answers as a job."""

from __future__ import annotations

import csv
import json
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from sqlalchemy import func, select, text

from app.composition import JOB_KINDS
from app.domain import access
from app.domain.access import Role
from app.domain.errors import InvalidInput, NotFound
from app.domain.instruments import DefinitionError
from app.domain.item_csv import definition_from_item_csv
from app.features.clients.models import Client
from app.features.instruments import queries, runner
from app.features.instruments.commands import LoadDefinition
from app.features.instruments.models import Assessment, Instrument, InstrumentVersion
from app.features.instruments.service import load_definition
from app.features.jobs.models import Job, JobItem
from app.features.jobs.runner import work
from app.infra.runtime import Runtime
from tests.domain.instrument_maker import definition
from tests.factories import World
from tests.shared_data import data_file

FIVE = {"options": [{"value": v, "label": str(v)} for v in range(1, 6)]}


def load(runtime: Runtime, organization: UUID, raw: dict[str, Any]) -> UUID:
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        return load_definition(uow, LoadDefinition(raw=raw)).instrument_id


def run_jobs(runtime: Runtime, organization: UUID) -> None:
    assert not work(runtime, organization, JOB_KINDS, until=runtime.clock() + timedelta(minutes=5))


def ended(runtime: Runtime, organization: UUID, job_id: UUID) -> Job:
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        return uow.session.scalars(select(Job).where(Job.id == job_id)).one()


def stored(runtime: Runtime, organization: UUID) -> list[Assessment]:
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        return list(uow.session.scalars(select(Assessment).order_by(Assessment.client_id)))


def sheet(path: Path, rows: list[list[Any]], header: list[str] | None = None) -> Path:
    with path.open("w", newline="", encoding="utf-8") as handle:
        csv.writer(handle).writerows([header or ["external_id", "a1", "b1", "a2"], *rows])
    return path


def test_the_same_definition_is_one_version_and_a_changed_one_the_next(runtime: Runtime, world: World) -> None:
    organization = world.organization()
    first = load(runtime, organization, definition())
    assert load(runtime, organization, json.loads(json.dumps(definition()))) == first
    load(runtime, organization, definition(title="Another title"))
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        assert [v.version for v in queries.versions_of(uow, first)] == [2, 1]
        assert [i.title for i in uow.session.scalars(select(Instrument))] == ["Another title"]


def test_a_bad_definition_names_everything_and_stores_nothing(runtime: Runtime, world: World) -> None:
    organization = world.organization()
    with pytest.raises(DefinitionError) as raised:
        load(runtime, organization, definition(status="great", scales=[]))
    assert {p.field for p in raised.value.problems} >= {"status", "scales"}
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        assert uow.session.scalar(select(func.count()).select_from(InstrumentVersion)) == 0


def test_sheets_are_scored_and_bad_rows_listed_by_line(runtime: Runtime, world: World, tmp_path: Path) -> None:
    organization = world.organization()
    admin = world.person(organization, Role.ADMIN)
    ids = world.clients(organization, 2)
    instrument = load(runtime, organization, definition())
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        names = dict(uow.session.execute(text("SELECT id, external_id FROM clients")).all())  # type: ignore[arg-type]
    path = sheet(
        tmp_path / "answers.csv",
        [[names[ids[0]], 5, 3, 1], ["nobody", 1, 1, 1], [names[ids[1]], 9, 1, 1], [names[ids[1]], "", 2, 2], [1, 2]],
    )
    job_id = runner.import_responses(runtime, admin.actor, instrument, path)
    run_jobs(runtime, organization)
    job = ended(runtime, organization, job_id)
    assert (job.state, job.result) == ("done", {"stored": 2, "before": 0, "bad": 3})
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        result = uow.session.scalars(select(JobItem.result).where(JobItem.job_id == job_id)).one()
    assert result is not None
    assert [line for line, _ in result["rows"]] == [3, 4, 6]
    by_client = {a.client_id: a for a in stored(runtime, organization)}
    # Scale A: two items less one each, the second reversed; scale B: the mean of one item.
    assert by_client[ids[0]].scores == [8.0, 3.0]
    assert by_client[ids[0]].responses == [5, 3, 1]
    assert by_client[ids[1]].answered == [1, 1]


def test_the_same_file_again_stores_nothing_twice(runtime: Runtime, world: World, tmp_path: Path) -> None:
    organization = world.organization()
    admin = world.person(organization, Role.ADMIN)
    world.clients(organization, 3)
    instrument = load(runtime, organization, definition())
    path = sheet(tmp_path / "a.csv", [[1, 2, 3]] * 3, ["a1", "b1", "a2"])
    runner.import_responses(runtime, admin.actor, instrument, path, rows_in_order=True)
    # The clock stands still: of two jobs of one moment neither is the older.
    run_jobs(runtime, organization)
    again = runner.import_responses(runtime, admin.actor, instrument, path, rows_in_order=True)
    run_jobs(runtime, organization)
    assert len(stored(runtime, organization)) == 3
    assert ended(runtime, organization, again).result == {"stored": 0, "before": 3, "bad": 0}


def test_a_corrected_instrument_scores_the_same_file_anew(runtime: Runtime, world: World, tmp_path: Path) -> None:
    organization = world.organization()
    admin = world.person(organization, Role.ADMIN)
    world.clients(organization, 2)
    path = sheet(tmp_path / "a.csv", [[1, 2, 3]] * 2, ["a1", "b1", "a2"])
    for title, stored_after in (("As first printed", 2), ("Corrected", 4), ("Corrected", 4)):
        instrument = load(runtime, organization, definition(title=title))
        runner.import_responses(runtime, admin.actor, instrument, path, rows_in_order=True)
        run_jobs(runtime, organization)
        assert len(stored(runtime, organization)) == stored_after
    assert {a.version for a in stored(runtime, organization)} == {1, 2}


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"", "heading"),
        (b"external_id,a1,b1\n1,2,3\n", "a2"),
        (b"name,a1,b1,a2\n1,2,3,4\n", "person"),
        (b"\xff\xfe\x00", "UTF-8"),
        (b"external_id,a1,b1,a2\nx,1,2,\xff\n", "Line 2"),
        (b"external_id,a1,b1,a2\n" + b"x" * 1_100_000, "Line 2"),
        (b"external_id,a1,b1,a2\nx,\x00,2,3\n", "Line 2"),
    ],
)
def test_files_that_cannot_be_read_are_refused_with_a_sentence(
    runtime: Runtime, world: World, tmp_path: Path, content: bytes, word: str
) -> None:
    organization = world.organization()
    admin = world.person(organization, Role.ADMIN)
    instrument = load(runtime, organization, definition())
    (tmp_path / "bad.csv").write_bytes(content)
    with pytest.raises(InvalidInput, match=word):
        runner.import_responses(runtime, admin.actor, instrument, tmp_path / "bad.csv")


def test_an_instrument_of_another_organization_is_not_found(runtime: Runtime, world: World, tmp_path: Path) -> None:
    instrument = load(runtime, world.organization(), definition())
    other = world.person(world.organization(), Role.ADMIN)
    path = sheet(tmp_path / "a.csv", [["x", 1, 2, 3]])
    with pytest.raises(NotFound):
        runner.import_responses(runtime, other.actor, instrument, path)


def test_quoted_line_breaks_keep_chunks_and_line_numbers_right(runtime: Runtime, world: World, tmp_path: Path) -> None:
    organization = world.organization()
    admin = world.person(organization, Role.ADMIN)
    clients = world.clients(organization, 4001)
    instrument = load(runtime, organization, definition())
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        names = dict(uow.session.execute(text("SELECT id, external_id FROM clients")).all())  # type: ignore[arg-type]
    rows: list[list[Any]] = [[names[c], "two\nlines", 1, 2, 3] for c in clients]
    rows[4000][2] = 77
    path = sheet(tmp_path / "a.csv", rows, ["external_id", "remark", "a1", "b1", "a2"])
    job_id = runner.import_responses(runtime, admin.actor, instrument, path)
    run_jobs(runtime, organization)
    assert ended(runtime, organization, job_id).result == {"stored": 4000, "before": 0, "bad": 1}
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        listed = [r["rows"] for r in uow.session.scalars(select(JobItem.result)) if r and r["rows"]]
    assert listed[0][0][0] == 2 + 2 * 4000


@pytest.mark.data
def test_twelve_thousand_real_sheets_equal_an_independent_computation(
    runtime: Runtime, world: World, tmp_path: Path
) -> None:
    """Issue item 6: the stored scores equal sums taken from the files by other code."""
    items = data_file("instruments/ipip_big_five_50.csv").read_text(encoding="utf-8")
    answers = data_file("responses/ipip_big5/data.csv")
    organization = world.organization()
    admin = world.person(organization, Role.ADMIN)
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        uow.session.execute(
            text(
                "INSERT INTO clients (external_id, given_name, family_name, given_folded, family_folded,"
                " external_folded) SELECT 'P' || lpad(n::text, 6, '0'), 'A', 'B', 'a', 'b', 'p' || n"
                " FROM generate_series(1, 12000) n"
            )
        )
    details = {
        **{k: v for k, v in definition().items() if k not in ("items", "scales")},
        **FIVE,
        "id": "ipip-50",
        "title": "Five scales",
    }
    instrument = load(runtime, organization, definition_from_item_csv(items, details))
    job_id = runner.import_responses(runtime, admin.actor, instrument, answers, rows_in_order=True)
    run_jobs(runtime, organization)
    assert ended(runtime, organization, job_id).result == {"stored": 12000, "before": 0, "bad": 0}

    keys: dict[str, list[int]] = {}
    for row in csv.DictReader(items.splitlines()):
        keys.setdefault(row["domain"], []).append(1 if row["key"] == "+" else -1)
    with answers.open(encoding="utf-8", newline="") as handle:
        people = list(csv.DictReader(handle, delimiter="\t"))
    expected = {}
    for number, person in enumerate(people, start=1):
        sums: list[float | None] = []
        for scale, signs in keys.items():
            given = [int(person[f"{scale}{n}"]) for n in range(1, 11)]
            turned = [a if s > 0 else 6 - a for a, s in zip(given, signs, strict=True) if a]
            sums.append(10 * sum(turned) / len(turned) if len(turned) >= 8 else None)
        expected[f"P{number:06d}"] = sums
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        rows = uow.session.execute(
            select(Client.external_id, Assessment.scores).join(Client, Client.id == Assessment.client_id)
        ).all()
    assert len(rows) == 12000
    got = np.array([[np.nan if s is None else s for s in row.scores] for row in rows])
    wanted = np.array([[np.nan if s is None else s for s in expected[row.external_id]] for row in rows])
    np.testing.assert_allclose(got, wanted, rtol=1e-12)
    means = dict(zip(keys, np.nanmean(got, axis=0), strict=True))
    assert means == pytest.approx({"E": 30.11, "A": 38.45, "C": 33.47, "N": 30.97, "O": 39.09}, abs=0.5)
