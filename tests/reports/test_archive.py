"""Archives of reports: parts that grow, kills, full disks, people who leave, names of every kind, and their end."""

from __future__ import annotations

import hashlib
import threading
import zipfile
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import delete, select, text, update

from app.composition import JOB_KINDS, sweep_organization
from app.domain import access
from app.domain.access import Role
from app.domain.errors import Conflict
from app.features.clients.models import Client
from app.features.jobs.models import JobItem, StoredFile
from app.features.jobs.runner import retry_job
from app.features.reports import archive, service
from app.features.reports.commands import ReportSelected
from app.features.reports.models import ReportPart
from app.features.reports.naming import ARCHIVE_FILE, CLIENT_FILE, COHORT, INDEX_FILE, WORKBOOK_FILE, file_stem
from app.features.selections.commands import Target
from app.features.selections.service import choose
from app.infra.runtime import Runtime
from tests.api.conftest import Callers
from tests.factories import Person, World
from tests.harness import Clock
from tests.identity.helpers import send
from tests.reports.archives import (
    KIB,
    actions,
    ask,
    content,
    files,
    index_of,
    packed,
    pretend,
    run,
    small,
    state_of,
)
from tests.reports.maker import cohort_of


def test_a_part_is_offered_while_others_are_still_written(runtime: Runtime, world: World, admin: Person) -> None:
    organization, short = admin.actor.organization_id, small(runtime)
    clients = world.clients(organization, 120)
    job_id = pretend(short, admin, clients, [20 * KIB + n for n in range(120)])
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        # Somebody in the middle is not done yet, so nobody behind them is taken in.
        uow.session.execute(update(JobItem).where(JobItem.position == 100).values(state="pending"))
    assert archive.grow(short, organization, job_id, seconds=60)
    (first,) = files(runtime, organization, job_id, ARCHIVE_FILE)
    assert first.size <= 1 << 20
    assert len(packed(runtime, [first])) == 50
    browser = world.browser(world_app(runtime), admin)
    assert first.name in browser.get(f"/jobs/{job_id}").text
    # It is taken while others are written, and noted.
    with browser.get(f"/files/{first.id}", follow_redirects=True, buffered=True) as taken:
        assert (taken.status_code, hashlib.sha256(taken.data).digest()) == (200, first.sha256)
    assert state_of(runtime, organization, job_id).state == "running"
    assert "file.downloaded" in actions(runtime, organization)
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        assert uow.session.scalars(select(ReportPart.next_position)).all() == [51]
        uow.session.execute(
            update(JobItem).where(JobItem.position == 100).values(state="failed", reason="Torn.", result=None)
        )
    run(short, organization)
    parts = files(runtime, organization, job_id, ARCHIVE_FILE)
    assert [part.name for part in parts] == ["Class of 2028 1.zip", "Class of 2028 2.zip", "Class of 2028 3.zip"]
    assert all(part.size <= 1 << 20 for part in parts)
    held = packed(runtime, parts)
    (index,) = files(runtime, organization, job_id, INDEX_FILE)
    assert held.pop("index.xlsx") == content(runtime, index)
    assert len(held) == 119
    lines = index_of(content(runtime, index))
    assert len(lines) == 120
    failed = [line for line in lines if line[6] == "failed"]
    assert [(line[2], line[3], line[7]) for line in failed] == [(None, None, "Torn.")]
    for line in lines:
        if line[6] == "done":
            assert hashlib.sha256(held[str(line[2])]).hexdigest() == line[5]
            with zipfile.ZipFile(runtime.storage.path(parts[int(str(line[3])) - 1].location)) as opened:
                assert line[2] in opened.namelist()


def world_app(runtime: Runtime) -> Flask:
    from app.factory import create_app  # the fixture `app` would have the settings of another runtime

    return create_app(runtime)


def test_the_same_reports_give_the_same_bytes_however_they_came_about(
    runtime: Runtime, world: World, admin: Person
) -> None:
    organization, short = admin.actor.organization_id, small(runtime)
    clients = world.clients(organization, 90)
    sizes, cohort = [30 * KIB + n for n in range(90)], cohort_of(runtime, organization, clients)
    made = []
    for hurry in (False, True):
        job_id = pretend(short, admin, clients, sizes, cohort=cohort)
        if hurry:
            # In many goes, each of which left something half written behind what counts.
            for last in range(60, 90, 5):
                with runtime.database.unit_of_work(access.system(organization)) as uow:
                    waiting = JobItem.position > last
                    uow.session.execute(
                        update(JobItem).where(JobItem.job_id == job_id, waiting).values(state="pending")
                    )
                archive.grow(short, organization, job_id, seconds=60)
                with runtime.database.unit_of_work(access.system(organization)) as uow:
                    uow.session.execute(update(JobItem).where(waiting).values(state="done"))
                    part = uow.session.scalars(select(ReportPart).where(ReportPart.file_id.is_(None))).one_or_none()
                if part is not None:
                    with Path(f"{runtime.storage.path(part.location)}.part").open("ab") as handle:
                        handle.write(b"half a report")
        run(short, organization)
        bundle = files(runtime, organization, job_id, ARCHIVE_FILE) + files(runtime, organization, job_id, INDEX_FILE)
        made.append([file.sha256 for file in bundle])
        assert state_of(runtime, organization, job_id).state == "done"
    assert len(made[0]) == 4
    assert made[0] == made[1]


def test_two_jobs_over_the_same_people_give_the_same_archive(runtime: Runtime, world: World, admin: Person) -> None:
    organization = admin.actor.organization_id
    cohort = cohort_of(runtime, organization, world.clients(organization, 3))
    digests = []
    for _ in range(2):
        job_id = ask(runtime, admin, cohort)
        run(runtime, organization)
        digests.append(
            [
                file.sha256
                for kind in (ARCHIVE_FILE, INDEX_FILE, WORKBOOK_FILE)
                for file in files(runtime, organization, job_id, kind)
            ]
        )
    assert len(digests[0]) == 3
    assert digests[0] == digests[1]


# As escapes, for what is not seen must not stand in a program: marks of direction, joiners, spaces without width.
NAMES = [
    ("محمد", "الأحمد\u200f"),
    ("李", "小龙"),
    ("\U0001f469\u200d\U0001f469\u200d\U0001f467", "\U0001f393" * 70),
    ("Zero\u200bwidth", "joined\u200d\ufeff"),
    ("../..", "\\\\share\\x"),
    ("CON", "a:b|c?"),
    ("É" * 100, "é" * 100),
]


def test_names_of_every_kind_are_packed_and_can_be_unpacked(
    runtime: Runtime, world: World, admin: Person, tmp_path: Path
) -> None:
    organization = admin.actor.organization_id
    clients = world.clients(organization, len(NAMES))
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        for client, (given, family) in zip(clients, NAMES, strict=True):
            uow.session.execute(update(Client).where(Client.id == client).values(given_name=given, family_name=family))
    job_id = ask(runtime, admin, cohort_of(runtime, organization, clients))
    run(runtime, organization)
    (part,) = files(runtime, organization, job_id, ARCHIVE_FILE)
    held = packed(runtime, [part])
    with zipfile.ZipFile(runtime.storage.path(part.location)) as opened:
        opened.extractall(tmp_path / "unpacked")
    unpacked = [path for path in (tmp_path / "unpacked").rglob("*") if path.is_file()]
    assert len(unpacked) == len(held) == len(NAMES) + 1
    assert all(path.read_bytes() == held[str(path.relative_to(tmp_path / "unpacked"))] for path in unpacked)
    together = "".join(held)
    assert all(seen in together for seen in ("محمد", "李 小龙", "\U0001f393"))
    assert not set("\u200b\u200d\u200f\ufeff\\|?:") & set(together)
    assert all(len(name.encode()) <= 255 for path in unpacked for name in path.parts)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("\u200fمحمد\u200f", "محمد"),
        ("a\u200bb\u200dc", "a b c"),
        ("\ufeffx\u2060y", "x y"),
        ("\U0001f393" * 80, "\U0001f393" * 57),
        ("\u200b", "report"),
    ],
)
def test_a_file_name_has_nothing_unseen_and_fits(given: str, kept: str) -> None:
    assert file_stem(given) == kept
    assert len(kept.encode()) <= 230


def test_who_is_erased_while_the_job_runs_is_in_no_part(runtime: Runtime, world: World, admin: Person) -> None:
    organization, short = admin.actor.organization_id, small(runtime)
    clients = world.clients(organization, 70)
    job_id = pretend(short, admin, clients, [10 * KIB + n for n in range(70)])
    actor = access.system(organization)
    with runtime.database.unit_of_work(actor) as uow:
        order = list(uow.session.scalars(select(JobItem.subject_id).order_by(JobItem.position)))
        uow.session.execute(update(JobItem).where(JobItem.position > 60).values(state="pending"))
    assert archive.grow(short, organization, job_id, seconds=60)
    with runtime.database.unit_of_work(actor) as uow:
        assert uow.session.scalars(select(ReportPart.entries)).one() == 60
        # One whose report has been taken in, and one whose has not.
        for gone in (order[4], order[65]):
            uow.session.execute(text("DELETE FROM cohort_members WHERE client_id = :c"), {"c": gone})
            uow.session.execute(delete(Client).where(Client.id == gone))
        theirs = list(
            uow.session.scalars(select(StoredFile.location).where(StoredFile.client_id.in_([order[4], order[65]])))
        )
        uow.session.execute(update(JobItem).where(JobItem.position > 60).values(state="done"))
    run(short, organization)
    held = packed(runtime, files(runtime, organization, job_id, ARCHIVE_FILE))
    lines = index_of(held["index.xlsx"])
    assert len(held) == 69
    assert [(line[0], line[2], line[6]) for line in lines if line[0] is None] == [(None, None, "left out")] * 2
    assert {hashlib.sha256(data).hexdigest() for name, data in held.items() if name != "index.xlsx"} == {
        line[5] for line in lines if line[5]
    }
    assert len(theirs) == 2
    assert not any(runtime.storage.path(location).exists() for location in theirs)
    listed = {file.client_id for file in files(runtime, organization, job_id, CLIENT_FILE)}
    assert listed == set(order) - {order[4], order[65]}


def test_what_failed_is_listed_and_tried_again_alone(runtime: Runtime, world: World, admin: Person, app: Flask) -> None:
    organization = admin.actor.organization_id
    clients = world.clients(organization, 4)
    job_id = ask(runtime, admin, cohort_of(runtime, organization, clients))
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        uow.session.execute(
            update(JobItem)
            .where(JobItem.subject_id.in_(clients[:2]))
            .values(state="failed", reason="It did not print.")
        )
    with pytest.raises(Conflict):
        retry_job(runtime, admin.actor, JOB_KINDS, job_id)
    run(runtime, organization)
    held = packed(runtime, files(runtime, organization, job_id, ARCHIVE_FILE))
    assert (
        sorted(str(line[7]) for line in index_of(held["index.xlsx"]) if line[6] == "failed")
        == ["It did not print."] * 2
    )
    browser = world.browser(app, admin)
    assert f"/jobs/{job_id}/retry" in browser.get(f"/jobs/{job_id}").text
    again = UUID(send(browser, f"/jobs/{job_id}/retry", f"/jobs/{job_id}").location.rsplit("/", 1)[1])
    # Asked for twice it is one job.
    assert retry_job(runtime, admin.actor, JOB_KINDS, job_id) == again
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        items = set(uow.session.scalars(select(JobItem.subject_id).where(JobItem.job_id == again)))
    assert items == set(clients[:2])
    run(runtime, organization)
    page = browser.get(f"/jobs/{again}").text
    assert f"/jobs/{job_id}" in page
    assert f"/jobs/{again}/retry" not in page
    assert len(packed(runtime, files(runtime, organization, again, ARCHIVE_FILE))) == 3
    with pytest.raises(Conflict):
        retry_job(runtime, admin.actor, JOB_KINDS, again)
    assert "job.retried" in actions(runtime, organization)


def test_the_api_tries_again_and_links(runtime: Runtime, world: World, admin: Person, app: Flask, clock: Clock) -> None:
    organization = admin.actor.organization_id
    clients = world.clients(organization, 2)
    job_id = ask(runtime, admin, cohort_of(runtime, organization, clients))
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        uow.session.execute(
            update(JobItem).where(JobItem.subject_id == clients[0]).values(state="failed", reason="No.")
        )
    run(runtime, organization)
    browser = world.browser(app, admin)
    caller = Callers(app, world).by_browser(admin)
    answer = caller.post(f"/jobs/{job_id}/retry")
    assert answer.status_code == 202
    assert answer.json["progress"]["total"] == 1
    (part,) = files(runtime, organization, job_id, ARCHIVE_FILE)
    given = caller.post(f"/files/{part.id}/link").json
    before = actions(runtime, organization).count("file.downloaded")
    taken = browser.get(given["href"], buffered=True)
    assert hashlib.sha256(taken.data).digest() == part.sha256
    assert actions(runtime, organization).count("file.downloaded") == before + 1
    # The rest of a download that broke off is no second one.
    rest = browser.get(given["href"], headers={"Range": "bytes=100-"}, buffered=True)
    assert (rest.status_code, rest.data) == (206, taken.data[100:])
    assert actions(runtime, organization).count("file.downloaded") == before + 1
    colleague = world.browser(app, world.person(organization, Role.ADMIN))
    assert colleague.get(given["href"]).status_code == 404
    assert app.test_client().get(given["href"]).status_code in (302, 401)
    token = given["href"].rsplit("/", 1)[1]
    for n in (3, 40, 80, 95):
        other = token[:n] + ("A" if token[n] != "A" else "B") + token[n + 1 :]
        assert browser.get(f"/files/link/{other}").status_code == 404
    clock.now += timedelta(minutes=61)
    assert world.browser(app, admin).get(given["href"]).status_code == 410


def test_asked_twice_at_once_it_is_one_job(live: Runtime) -> None:
    world = World(live)
    admin = world.person(world.organization(), Role.ADMIN)
    organization = admin.actor.organization_id
    clients = world.clients(organization, 3)
    cohort = cohort_of(live, organization, clients)
    ready, found = threading.Barrier(4), []

    def press(kind: str, key: str | None) -> None:
        ready.wait()
        if kind == "cohort":
            found.append((kind, ask(live, admin, cohort, key)))
            return
        with live.database.unit_of_work(admin.actor) as uow:
            selection = choose(uow, Target(client_ids=tuple(clients)))
            found.append((kind, service.report_selected(uow, ReportSelected(selection_id=selection.id)).id))

    # Two windows, so two keys; and the same people picked twice.
    asked = (("cohort", "a"), ("cohort", "b"), ("chosen", None), ("chosen", None))
    pressed = [threading.Thread(target=press, args=one) for one in asked]
    for thread in pressed:
        thread.start()
    for thread in pressed:
        thread.join()
    assert len(found) == 4
    assert len(set(found)) == 2
    run(live, organization)
    # Once it has ended, asking again is a new one.
    assert ask(live, admin, cohort) not in {job for _, job in found}


def test_reports_are_deleted_when_their_days_are_over(
    runtime: Runtime, world: World, admin: Person, app: Flask, clock: Clock
) -> None:
    organization = admin.actor.organization_id
    clients = world.clients(organization, 2)
    job_id = ask(runtime, admin, cohort_of(runtime, organization, clients))
    run(runtime, organization)
    folder = runtime.storage.path(f"{organization}/reports-{job_id}")
    # Two reports, the archive, its index, the workbook.
    assert len(list(folder.iterdir())) == 5
    browser = world.browser(app, admin)
    with runtime.database.unit_of_work(admin.actor) as uow:
        uow.session.execute(text("UPDATE organizations SET reports_kept_days = 7"))
    assert "Kept until" in browser.get(f"/jobs/{job_id}").text
    clock.now += timedelta(days=6, hours=23)
    sweep_organization(runtime, organization)
    assert len(list(folder.iterdir())) == 5
    clock.now += timedelta(hours=2)
    # A worker that dies after it withdrew them leaves what the next sweep deletes, and nothing that is offered.
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        uow.session.execute(update(StoredFile).values(expires_at=uow.now))
    assert world.browser(app, admin).get("/api/v1/files").json["items"] == []
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        assert service.files_of_client(uow, clients[0]) == []
        uow.session.execute(update(StoredFile).values(expires_at=None))
    sweep_organization(runtime, organization)
    assert not folder.exists()
    for kind in (CLIENT_FILE, ARCHIVE_FILE, INDEX_FILE, WORKBOOK_FILE):
        assert files(runtime, organization, job_id, kind) == []
    assert actions(runtime, organization).count("report.expired") == 1
    sweep_organization(runtime, organization)
    assert actions(runtime, organization).count("report.expired") == 1
    assert world.browser(app, admin).get(f"/jobs/{job_id}").status_code == 200


def test_every_job_of_reports_can_be_tried_again() -> None:
    assert JOB_KINDS[COHORT].retry is not None
