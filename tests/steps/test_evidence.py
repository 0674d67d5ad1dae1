"""Evidence of actions: what is taken and refused (W7), who sees it, removal and return, and the files on disk."""

from __future__ import annotations

import io
import resource
import time
from datetime import timedelta
from pathlib import PurePosixPath
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from app.domain import access
from app.domain.access import Role
from app.domain.errors import Conflict, Forbidden, InvalidInput, NotFound
from app.domain.file_names import safe_name
from app.domain.saying import plain
from app.features.audit.models import AuditEntry
from app.features.steps.action_plan import evidence
from app.features.steps.action_plan.evidence import AddEvidence
from app.features.steps.action_plan.evidence_files import KINDS, check_file
from app.features.steps.action_plan.models import ActionEvidence
from app.infra.runtime import Runtime
from tests.factories import Person, World
from tests.harness import Clock
from tests.plans.scenes import Scene
from tests.steps.action_scene import client, scene, write_actions
from tests.steps.files import GOOD, PDF, PNG, hostile

__all__ = ["client", "scene"]

HOSTILE = hostile()


def add(
    runtime: Runtime, person: Person, scene: Scene, name: str = "certificate.pdf", content: bytes = PDF
) -> ActionEvidence:
    return evidence.add_evidence(runtime, person.actor, AddEvidence(scene.plan_id, "a3", name), io.BytesIO(content))


def stored_files(runtime: Runtime, scene: Scene) -> list[str]:
    return runtime.storage.locations(scene.organization, "evidence")


@pytest.mark.parametrize("name", GOOD)
def test_papers_pictures_and_documents_are_taken(name: str) -> None:
    safe, media_type = check_file(name, GOOD[name], plain)
    assert safe == name
    assert media_type == KINDS[name.rpartition(".")[2].lower()].media_type


@pytest.mark.parametrize("what", HOSTILE)
def test_w7_hostile_files_are_refused_quickly_with_a_sentence(what: str) -> None:
    name, content = HOSTILE[what]
    before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
    with pytest.raises(InvalidInput) as caught:
        check_file(name, content, plain)
    assert time.monotonic() - began < 2
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 * 1024
    (problem,) = caught.value.problems
    assert problem.field == "file"
    assert problem.sentence.endswith(".")


def test_w7_there_are_at_least_forty_of_them() -> None:
    assert len(HOSTILE) >= 40


@given(st.text(max_size=300))
def test_a_name_keeps_nothing_that_deceives_or_harms(name: str) -> None:
    safe = safe_name(name)
    assert 1 <= len(safe) <= 120
    assert safe == PurePosixPath(safe).name
    assert not set(safe) & set('<>:"/\\|?*;%\x00\u202e')
    assert safe not in (".", "..")
    assert safe.isprintable()


def test_names_are_readable_afterwards() -> None:
    for given_name, kept in {
        "C:\\Users\\me\\My certificate.pdf": "My certificate.pdf",
        "../../etc/passwd.pdf": "passwd.pdf",
        "证书 2026.pdf": "证书 2026.pdf",
        "con.pdf": "_con.pdf",
        "x" * 300 + ".pdf": "x" * 116 + ".pdf",
        "a\u202efdp.exe": "afdp.exe",
        "...": "file",
    }.items():
        assert safe_name(given_name) == kept


def test_a_client_adds_takes_removes_and_brings_back(
    world: World, app: Flask, client: FlaskClient, scene: Scene, clock: Clock
) -> None:
    runtime = world.runtime
    page = client.get("/my-plan/actions/a3").text
    assert "None yet." in page
    sent = client.post("/my-plan/actions/a3/files", data={"file": (io.BytesIO(PDF), "My certificate.pdf")})
    assert sent.status_code == 302
    with runtime.database.unit_of_work(scene.client.actor) as uow:
        (row,) = evidence.evidence_of(uow, scene.plan_id)
    assert row.location is not None
    assert row.location.startswith(f"{scene.organization}/evidence/")
    assert "certificate" not in row.location
    page = client.get("/my-plan/actions/a3").text
    assert "My certificate.pdf" in page
    assert "My certificate.pdf" in client.get("/my-plan/steps/7").text
    taken = client.get(f"/plans/{scene.plan_id}/evidence/{row.id}", buffered=True)
    assert taken.data == PDF
    assert taken.mimetype == "application/pdf"
    assert taken.headers["Content-Disposition"] == 'attachment; filename="My certificate.pdf"'
    assert taken.headers["X-Content-Type-Options"] == "nosniff"
    assert taken.headers["Cache-Control"] == "no-store"
    # The same file again is the one that is there.
    client.post("/my-plan/actions/a3/files", data={"file": (io.BytesIO(PDF), "again.pdf")})
    assert len(stored_files(runtime, scene)) == 1
    client.post(f"/my-plan/evidence/{row.id}/remove")
    assert client.get(f"/plans/{scene.plan_id}/evidence/{row.id}", buffered=True).status_code == 404
    assert "Bring it back" in client.get("/my-plan/actions/a3").text
    clock.now += timedelta(days=6)
    client = world.browser(app, scene.client)
    assert evidence.erase_removed(runtime, scene.organization) == 0
    client.post(f"/my-plan/evidence/{row.id}/restore")
    assert client.get(f"/plans/{scene.plan_id}/evidence/{row.id}", buffered=True).data == PDF


def test_after_seven_days_a_removed_file_is_deleted_for_good(
    world: World, app: Flask, client: FlaskClient, scene: Scene, clock: Clock
) -> None:
    runtime = world.runtime
    row = add(runtime, scene.client, scene)
    kept = add(runtime, scene.client, scene, "photo.png", PNG)
    client.post(f"/my-plan/evidence/{row.id}/remove")
    clock.now += timedelta(days=7)
    client = world.browser(app, scene.client)
    page = client.get("/my-plan/actions/a3").text
    assert "photo.png" in page
    assert "certificate.pdf" not in page
    assert evidence.erase_removed(runtime, scene.organization) == 1
    assert evidence.erase_removed(runtime, scene.organization) == 0
    assert stored_files(runtime, scene) == [kept.location]
    answer = client.post(f"/my-plan/evidence/{row.id}/restore")
    assert answer.status_code == 409
    assert "deleted for good" in answer.text


def test_a_refused_file_says_why_and_leaves_nothing(client: FlaskClient, runtime: Runtime, scene: Scene) -> None:
    for name, content in (("a.exe", b"MZ"), ("a.pdf", b"<html>"), ("a.docx", HOSTILE["macros in docx"][1])):
        answer = client.post("/my-plan/actions/a3/files", data={"file": (io.BytesIO(content), name)})
        assert answer.status_code == 422
        assert "error-summary" in answer.text
    nothing = client.post("/my-plan/actions/a3/files", data={})
    assert (nothing.status_code, "Choose a file." in nothing.text) == (422, True)
    assert client.post("/my-plan/actions/gone/files", data={"file": (io.BytesIO(PDF), "a.pdf")}).status_code == 404
    assert stored_files(runtime, scene) == []


def test_there_is_a_number_beyond_which_none_is_taken(runtime: Runtime, scene: Scene) -> None:
    for n in range(evidence.MOST_FILES_OF_ACTION):
        add(runtime, scene.client, scene, f"{n}.pdf", PDF + str(n).encode())
    with pytest.raises(InvalidInput, match="There are already 10 files"):
        add(runtime, scene.client, scene, "more.pdf", PDF + b"more")
    assert len(stored_files(runtime, scene)) == evidence.MOST_FILES_OF_ACTION


def test_removing_makes_room_for_others_and_bringing_back_needs_it(runtime: Runtime, scene: Scene) -> None:
    first = add(runtime, scene.client, scene, "0.pdf", PDF + b"0")
    for n in range(1, evidence.MOST_FILES_OF_ACTION):
        add(runtime, scene.client, scene, f"{n}.pdf", PDF + str(n).encode())
    with runtime.database.unit_of_work(scene.client.actor) as uow:
        evidence.remove_evidence(uow, scene.plan_id, first.id)
    add(runtime, scene.client, scene, "more.pdf", PDF + b"more")
    with (
        pytest.raises(InvalidInput, match="There are already 10 files"),
        runtime.database.unit_of_work(scene.client.actor) as uow,
    ):
        evidence.restore_evidence(uow, scene.plan_id, first.id)
    with runtime.database.unit_of_work(scene.client.actor) as uow:
        assert len(evidence.evidence_of(uow, scene.plan_id)) == evidence.MOST_FILES_OF_ACTION


def test_adding_and_removing_in_turns_does_not_fill_the_disk(
    runtime: Runtime, scene: Scene, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evidence, "MOST_REMOVED", 3)
    for n in range(3):
        row = add(runtime, scene.client, scene, f"{n}.pdf", PDF + str(n).encode())
        with runtime.database.unit_of_work(scene.client.actor) as uow:
            evidence.remove_evidence(uow, scene.plan_id, row.id)
    with pytest.raises(InvalidInput, match="You removed 3 files"):
        add(runtime, scene.client, scene, "more.pdf", PDF + b"more")
    assert len(stored_files(runtime, scene)) == 3
    clock.now += evidence.UNDO_WINDOW
    evidence.erase_removed(runtime, scene.organization)
    add(runtime, scene.client, scene, "more.pdf", PDF + b"more")


def test_t2_others_neither_see_nor_change_it(world: World, app: Flask, runtime: Runtime, scene: Scene) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    row = add(runtime, scene.client, scene)
    where = f"/plans/{scene.plan_id}/evidence/{row.id}"
    counsellor = world.browser(app, scene.counsellor)
    assert counsellor.get(where, buffered=True).data == PDF
    assert "certificate.pdf" in counsellor.get(f"/plans/{scene.plan_id}/steps/7").text
    assert counsellor.post(f"/my-plan/evidence/{row.id}/remove").status_code == 403
    other_plan = world.plan(scene.organization, world.clients(scene.organization, 1)[0])
    assert (
        world.browser(app, scene.admin).get(f"/plans/{other_plan}/evidence/{row.id}", buffered=True).status_code == 404
    )
    strangers = [
        world.person(scene.organization, Role.COUNSELLOR),
        world.client_person(scene.organization),
        world.person(world.organization(), Role.ADMIN),
    ]
    for person in strangers:
        assert world.browser(app, person).get(where, buffered=True).status_code == 404
        with pytest.raises((NotFound, Forbidden)):
            add(runtime, person, scene)
    assert app.test_client().get(where, buffered=True).status_code == 302
    with pytest.raises(Forbidden):
        add(runtime, scene.counsellor, scene)


def test_what_happens_to_files_is_audited_and_told(world: World, app: Flask, runtime: Runtime, scene: Scene) -> None:
    row = add(runtime, scene.client, scene)
    for person in (scene.client, scene.counsellor):
        world.browser(app, person).get(f"/plans/{scene.plan_id}/evidence/{row.id}", buffered=True)
    with runtime.database.unit_of_work(scene.client.actor) as uow:
        evidence.remove_evidence(uow, scene.plan_id, row.id)
    with runtime.database.unit_of_work(scene.client.actor) as uow:
        evidence.restore_evidence(uow, scene.plan_id, row.id)
    with runtime.database.unit_of_work(access.system(scene.organization)) as uow:
        actions = uow.session.scalars(
            select(AuditEntry.action).where(AuditEntry.subject_id == row.id).order_by(AuditEntry.sequence)
        ).all()
    # Only the counsellor's download is noted: the client's is their own file.
    assert actions == ["evidence.added", "evidence.downloaded", "evidence.removed", "evidence.restored"]
    page = world.browser(app, scene.counsellor).get(f"/plans/{scene.plan_id}/steps/7").text
    assert "Amara Okafor added a file to an action of step 7" in page


def test_an_archived_plan_takes_no_files(runtime: Runtime, scene: Scene) -> None:
    from app.features.plans.models import Plan

    with runtime.database.unit_of_work(access.system(scene.organization)) as uow:
        uow.session.scalars(select(Plan).where(Plan.id == scene.plan_id)).one().status = "archived"
    with pytest.raises(Conflict, match="archived"):
        add(runtime, scene.client, scene)
    assert stored_files(runtime, scene) == []


def test_files_of_a_removed_action_stay_until_the_client_removes_them(
    client: FlaskClient, runtime: Runtime, scene: Scene, clock: Clock
) -> None:
    row = add(runtime, scene.client, scene)
    write_actions(runtime, scene, clock.now.date(), actions=[{"id": "z", "text": "Something else"}])
    page = client.get("/my-plan/steps/7").text
    assert "its action is not in the plan any more" in page
    removed = client.post(f"/my-plan/evidence/{row.id}/remove")
    assert removed.location == "/my-plan/steps/7"
    assert "certificate.pdf" not in client.get("/my-plan/steps/7").text


def test_a_file_that_is_gone_from_disk_is_said(client: FlaskClient, runtime: Runtime, scene: Scene) -> None:
    row = add(runtime, scene.client, scene)
    assert row.location is not None
    runtime.storage.delete(row.location)
    assert client.get(f"/plans/{scene.plan_id}/evidence/{row.id}", buffered=True).status_code == 404
    assert client.get(f"/plans/{scene.plan_id}/evidence/{uuid4()}", buffered=True).status_code == 404
