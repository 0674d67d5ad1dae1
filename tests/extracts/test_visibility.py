"""Who gets what: only whom one may see at the moment the job works, and analysts counts of enough people alone."""

from __future__ import annotations

import csv
import io
from uuid import UUID

import pytest
from sqlalchemy import select, text, update

from app.domain import access
from app.domain.access import Role
from app.domain.errors import InvalidInput, NotFound
from app.domain.saying import plain
from app.features.clients.models import CaseloadEntry
from app.features.extracts import queries
from app.features.extracts.commands import RunExtract, SaveExtract
from app.features.extracts.keeping import forget_old
from app.features.extracts.service import check_definition, create_extract, run_extract, take_file
from app.features.jobs.models import Job
from app.features.organizations.models import Membership
from app.infra.runtime import Runtime
from tests.extracts.scene import WHO, ask, definition, file_of, finish, write
from tests.factories import Person, World
from tests.one_of_everything import fill

ID = ["client.external_id"]


def lines(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))[1:]


def external_ids(runtime: Runtime, person: Person, clients: list[UUID]) -> set[str]:
    with runtime.database.unit_of_work(access.system(person.actor.organization_id)) as uow:
        found = text("SELECT external_id FROM clients WHERE id = ANY(:ids)")
        return set(uow.session.scalars(found, {"ids": clients}))


def test_a_counsellor_gets_their_own_people_as_they_are_when_the_job_works(world: World, runtime: Runtime) -> None:
    organization = world.organization()
    counsellor = world.person(organization, Role.COUNSELLOR)
    mine, _others = world.clients(organization, 3), world.clients(organization, 3)
    other_organization = world.organization()
    world.clients(other_organization, 2)
    world.caseload(counsellor, mine)
    run_id = ask(runtime, counsellor, definition("clients", ID))
    # Between asking and writing one of them is handed over.
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        uow.session.execute(CaseloadEntry.__table__.delete().where(CaseloadEntry.client_id == mine[0]))
    finish(runtime, counsellor)
    content, run, _ = file_of(runtime, counsellor, run_id)
    assert {line[0] for line in lines(content)} == external_ids(runtime, counsellor, mine[1:])
    assert run.row_count == 2
    with runtime.database.unit_of_work(counsellor.actor) as uow:
        assert take_file(uow, run_id).size == len(content)
    # Whoever is in the file must stay theirs to see.
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        uow.session.execute(CaseloadEntry.__table__.delete().where(CaseloadEntry.client_id == mine[1]))
    with runtime.database.unit_of_work(counsellor.actor) as uow:
        run, _job, file = queries.get_run(uow, run_id)
        assert file is None
        with pytest.raises(NotFound):
            take_file(uow, run_id)


def test_what_others_asked_for_is_theirs(world: World, runtime: Runtime) -> None:
    organization = world.organization()
    one, other = world.person(organization, Role.COUNSELLOR), world.person(organization, Role.COUNSELLOR)
    foreign = world.person(world.organization(), Role.ADMIN)
    run_id = ask(runtime, one, definition("clients", ID))
    finish(runtime, one)
    for person in (other, foreign):
        with runtime.database.unit_of_work(person.actor) as uow, pytest.raises(NotFound):
            take_file(uow, run_id)
        with runtime.database.unit_of_work(person.actor) as uow:
            assert queries.list_extracts(uow) == []
            assert queries.runs_of(uow) == []


def test_whoever_works_here_no_more_gets_nothing(world: World, runtime: Runtime) -> None:
    organization = world.organization()
    counsellor = world.person(organization, Role.COUNSELLOR)
    run_id = ask(runtime, counsellor, definition("clients", ID))
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        uow.session.execute(
            update(Membership).where(Membership.id == counsellor.actor.membership_id).values(active=False)
        )
    finish(runtime, counsellor)
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        run, _, file = queries.get_run(uow, run_id)
        assert (run.file_id, file) == (None, None)


def test_an_analyst_gets_counts_of_enough_people_and_no_rows(world: World, runtime: Runtime) -> None:
    organization = world.organization()
    analyst = world.person(organization, Role.ANALYST)
    for programme, number in (("Law", 30), ("Economics", 12), ("Rare", 3)):
        people = world.clients(organization, number, attributes={"programme": programme, "year": 1})
        world.plans(organization, people, "cnnnnnnn")
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        uow.session.execute(
            text("INSERT INTO attribute_definitions (key, label, kind) VALUES ('programme', 'Programme', 'text')")
        )
    refused = (
        definition("clients", WHO),
        definition("clients", group=["client.external_id"]),
        definition("steps", group=["status"]),
        definition(
            "clients",
            group=["attribute.programme"],
            rule={"all": [{"field": "@active", "is": "is", "values": [True]}]},
        ),
    )
    for raw in refused:
        with runtime.database.unit_of_work(analyst.actor) as uow, pytest.raises(InvalidInput):
            create_extract(uow, SaveExtract(name="No", definition=raw))
    by_programme = definition("clients", group=["attribute.programme"])
    counted = dict(lines(write(runtime, analyst, by_programme)))
    # What the page of figures withholds: the rare one, and the next, because 45 less the others would tell of it.
    assert counted == {"Law": "30", "Economics": "withheld", "Rare": "withheld"}
    with runtime.database.unit_of_work(analyst.actor) as uow:
        shown = queries.preview(uow, check_definition(uow, by_programme), analyst.actor, plain)
        assert dict(shown.rows) == {"Law": 30, "Economics": None, "Rare": None}
    for form in ("xlsx", "jsonl", "parquet"):
        write(runtime, analyst, by_programme, form, name=form)
    # The file of counts is the analyst's to take, though jobs are not theirs to see.
    with runtime.database.unit_of_work(analyst.actor) as uow:
        for run, _ in queries.runs_of(uow):
            assert take_file(uow, run.id).kind == "extract"


def test_a_shared_report_of_rows_is_refused_to_an_analyst_and_one_turned_analyst(
    world: World, runtime: Runtime
) -> None:
    organization = world.organization()
    admin, analyst = world.person(organization, Role.ADMIN), world.person(organization, Role.ANALYST)
    world.clients(organization, 20)
    with runtime.database.unit_of_work(admin.actor) as uow:
        shared = create_extract(uow, SaveExtract(name="All", definition=definition("clients", ID), shared=True)).id
        made = run_extract(uow, RunExtract(extract_id=shared, form="csv", locale="en"))
    with runtime.database.unit_of_work(analyst.actor) as uow, pytest.raises(InvalidInput):
        run_extract(uow, RunExtract(extract_id=shared, form="csv", locale="en"))
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        uow.session.execute(update(Membership).where(Membership.id == admin.actor.membership_id).values(role="analyst"))
    finish(runtime, analyst)
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        run, job, _ = queries.get_run(uow, made.id)
        assert run.file_id is None
        assert job.state in ("done", "failed")


def test_asked_twice_with_one_key_is_one_job(world: World, runtime: Runtime) -> None:
    admin = world.person(world.organization(), Role.ADMIN)
    with runtime.database.unit_of_work(admin.actor) as uow:
        extract = create_extract(uow, SaveExtract(name="All", definition=definition("clients", ID)))
        runs = {
            run_extract(uow, RunExtract(extract_id=extract.id, form="csv", locale="en", idempotency_key="k")).id
            for _ in range(2)
        }
        assert len(runs) == 1
        assert len(uow.session.scalars(select(Job)).all()) == 1


@pytest.mark.parametrize("rows", ["clients", "steps", "actions", "assessments", "scores", "prompts", "remarks"])
def test_every_column_of_every_kind_can_be_read_in_every_form_and_counted_by(
    world: World, runtime: Runtime, rows: str
) -> None:
    filled = fill(world)
    with runtime.database.unit_of_work(filled.admin.actor) as uow:
        columns = list(queries.offered(uow, rows, plain))
    contents = {
        form: write(runtime, filled.admin, definition(rows, columns), form, name=form)
        for form in ("csv", "xlsx", "jsonl", "parquet")
    }
    known = len(lines(contents["csv"]))
    assert known == len(contents["jsonl"].splitlines())
    if rows not in ("steps", "actions"):
        assert known > 0
    for column in columns:
        raw = definition(rows, group=[column], order=[{"column": column, "descending": True}])
        with runtime.database.unit_of_work(filled.admin.actor) as uow:
            checked = queries.preview(uow, check_definition(uow, raw), filled.admin.actor, plain)
            assert sum(row[-2] for row in checked.rows) == known


def test_a_file_is_deleted_after_its_days_and_what_is_known_of_it_stays(world: World, runtime: Runtime) -> None:
    admin = world.person(world.organization(), Role.ADMIN)
    world.clients(admin.actor.organization_id, 2)
    run_id = ask(runtime, admin, definition("clients", ID))
    finish(runtime, admin)
    _, run, file = file_of(runtime, admin, run_id)
    assert forget_old(runtime, admin.actor.organization_id) == 0
    with runtime.database.unit_of_work(admin.actor) as uow:
        uow.session.execute(text("UPDATE stored_files SET created_at = created_at - interval '400 days'"))
    assert forget_old(runtime, admin.actor.organization_id) == 1
    assert not runtime.storage.path(file.location).exists()
    with runtime.database.unit_of_work(admin.actor) as uow:
        known, _, gone = queries.get_run(uow, run_id)
        assert gone is None
        assert (known.row_count, known.sha256, known.data_at) == (2, file.sha256, run.data_at)
        with pytest.raises(NotFound):
            take_file(uow, run_id)
