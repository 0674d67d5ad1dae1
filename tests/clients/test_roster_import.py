"""Roster imports from file to clients and back: upsert, guard rails, undo, resumption."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, text

from app.domain import access
from app.domain.access import Role
from app.domain.errors import Conflict, Forbidden, InvalidInput, NotFound
from app.features.assignments.commands import Assign
from app.features.assignments.runner import follow_standing
from app.features.assignments.service import assign
from app.features.audit.models import AuditEntry
from app.features.audit.service import verify
from app.features.clients import roster_jobs, roster_reader, roster_service
from app.features.clients.models import AttributeDefinition, Client, RosterRow
from app.features.cohorts.models import Cohort, CohortMember
from app.features.jobs.models import Job
from app.features.plans.models import Plan
from app.features.reviews.models import Prompt, Review
from app.infra.db.open import Bell
from app.infra.runtime import Runtime
from tests.clients.roster_files import check, csv_file, faults, found, people, state, take, work_off
from tests.factories import Person, World


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pieces of three rows, so that a small file has many."""
    monkeypatch.setattr(roster_reader.pieces, "__kwdefaults__", {"size": 3})
    monkeypatch.setattr(roster_reader, "CHUNK_ROWS", 3)


def _admin(world: World) -> Person:
    return world.person(world.organization(), Role.ADMIN)


def _clients(runtime: Runtime, person: Person) -> dict[str, Client]:
    with runtime.database.unit_of_work(person.actor) as uow:
        return {c.external_id: c for c in uow.session.scalars(select(Client))}


def test_a_roster_creates_updates_and_skips(runtime: Runtime, world: World, tmp_path: Path, small_pieces: None) -> None:
    admin = _admin(world)
    first = check(runtime, admin.actor, csv_file(tmp_path / "a.csv", people(10)))
    assert (first.state, first.counts["new"], first.counts["bad"], first.guards) == ("checked", 10, 0, [])
    assert _clients(runtime, admin) == {}
    taken = take(runtime, admin.actor, first.id)
    assert taken.state == "applied"
    rows = people(10)
    rows[3][2] = "O’Dwyer  Ní"
    second = check(runtime, admin.actor, csv_file(tmp_path / "b.csv", [*rows, *people(2, first=11)]))
    assert {k: second.counts[k] for k in ("rows", "new", "changed", "unchanged")} == {
        "rows": 12,
        "new": 2,
        "changed": 1,
        "unchanged": 9,
    }
    before = {k: c.updated_at for k, c in _clients(runtime, admin).items()}
    runtime.database.clock.now = runtime.clock().replace(hour=15)  # type: ignore[attr-defined] # the test's clock
    take(runtime, admin.actor, second.id)
    after = _clients(runtime, admin)
    assert len(after) == 12
    assert (after["S4"].family_name, after["S4"].family_folded) == ("O’Dwyer Ní", "o’dwyer ni")
    assert {k for k, moment in before.items() if after[k].updated_at != moment} == {"S4"}
    assert (after["S12"].email, after["S12"].email_folded, after["S12"].active) == (
        "s12@example.org",
        "s12@example.org",
        True,
    )
    with runtime.database.unit_of_work(admin.actor) as uow:
        assert verify(uow) == []
        assert uow.session.scalars(select(Job.state).where(Job.id == taken.apply_job_id)).one() == "done"


def test_good_rows_are_taken_while_bad_ones_wait(runtime: Runtime, world: World, tmp_path: Path) -> None:
    admin = _admin(world)
    counsellor = world.person(admin.actor.organization_id, Role.COUNSELLOR)
    with runtime.database.unit_of_work(admin.actor) as uow:
        uow.session.add(AttributeDefinition(key="start", label="Start", kind="date"))
        uow.session.add(AttributeDefinition(key="year", label="Year", kind="number"))
    headers = ("Number", "Full name", "Email", "Start", "Year", "Adviser", "Active", "Time zone")
    good = ["1", "Byrne, Aoife", "aoife@example.org", "2026-09-01", "2", counsellor.email.upper(), "yes", "asia/tokyo"]
    rows = [
        good,
        ["", "No Number", "", "", "", "", "", ""],
        ["3", "", "c@example.org", "", "", "", "", ""],
        ["4", "Bad Mail", "not an address", "", "", "", "", ""],
        ["5", "Bad Date", "", "2026-02-30", "two", "", "", ""],
        ["6", "Bad Adviser", "", "", "", "nobody@example.org", "perhaps", "Mars/Base"],
        ["7", "Twice One", "", "", "", "", "", ""],
        ["7", "Twice Two", "", "", "", "", "", ""],
        ["8", "Mail One", "same@example.org", "", "", "", "", ""],
        ["9", "Mail Two", "SAME@example.org", "", "", "", "", ""],
        ["10", "Too Many", "", "", "", "", "", "", "more"],
        ["11", "=cmd|'/c calc'!A1", "", "", "", "", "", ""],
        ["12", "Nul\x00l", "", "", "", "", "", ""],
        ["13", "x" * 40_000, "", "", "", "", "", ""],
        ["14", "Short Row"],
    ]
    checked = check(runtime, admin.actor, csv_file(tmp_path / "a.csv", rows, headers))
    wrong = faults(runtime, admin.actor, checked.id)
    assert sorted(wrong) == [3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14, 15]
    assert [p[0] for p in wrong[6]] == ["Start", "Year"]
    assert [p[0] for p in wrong[7]] == ["Time zone", "Active", "Adviser"]
    assert "line 9" in wrong[8][0][1]
    assert "line 8" in wrong[9][0][1]
    assert "line 11" in wrong[10][0][1]
    assert "9 cells" in wrong[12][0][1]
    assert all(sentence for problems in wrong.values() for _, sentence, _ in problems)
    take(runtime, admin.actor, checked.id)
    clients = _clients(runtime, admin)
    assert set(clients) == {"1", "11", "14"}
    first = clients["1"]
    assert (first.given_name, first.family_name, first.time_zone) == ("Aoife", "Byrne", "Asia/Tokyo")
    assert first.attributes == {"start": "2026-09-01", "year": 2}
    assert (clients["11"].given_name, clients["11"].family_name) == ("=cmd|'/c", "calc'!A1")
    with runtime.database.unit_of_work(admin.actor) as uow:
        entry = uow.session.execute(text("SELECT membership_id, client_id, kind FROM caseload_entries")).one()
    assert tuple(entry) == (counsellor.actor.membership_id, first.id, "primary")


def test_guard_rails_stop_for_a_yes(runtime: Runtime, world: World, tmp_path: Path, small_pieces: None) -> None:
    admin = _admin(world)
    take(runtime, admin.actor, check(runtime, admin.actor, csv_file(tmp_path / "a.csv", people(20))).id)
    two = people(2, email="new{n}@example.org") + people(18, first=3)
    assert check(runtime, admin.actor, csv_file(tmp_path / "b.csv", two)).guards == []
    three = people(3, email="new{n}@example.org") + people(17, first=4)
    changed = check(runtime, admin.actor, csv_file(tmp_path / "c.csv", three))
    assert changed.guards == [{"kind": "emails", "number": 3, "of": 20}]
    with runtime.database.unit_of_work(admin.actor) as uow, pytest.raises(Conflict):
        roster_service.confirm_import(uow, changed.id)
    assert take(runtime, admin.actor, changed.id, yes=True).confirmed_by == admin.actor.membership_id
    few = check(runtime, admin.actor, csv_file(tmp_path / "d.csv", people(3, first=15)), deactivate_missing=True)
    assert few.counts["missing"] == 17
    assert few.guards == [{"kind": "deactivating", "number": 17, "of": 3}]
    take(runtime, admin.actor, few.id, yes=True)
    assert {k for k, c in _clients(runtime, admin).items() if c.active} == {"S15", "S16", "S17"}
    # Somebody who was missing and is in the file again, unchanged, becomes active again.
    back = check(
        runtime,
        admin.actor,
        csv_file(tmp_path / "e.csv", [[*r, "yes"] for r in people(2, first=19)], (*"ABCD", "Active")),
        mapping={"external_id": 0, "given_name": 1, "family_name": 2, "email": 3, "active": 4},
    )
    take(runtime, admin.actor, back.id)
    assert _clients(runtime, admin)["S19"].active


def test_undo_keeps_what_somebody_changed_and_lists_it(
    runtime: Runtime, world: World, tmp_path: Path, small_pieces: None
) -> None:
    admin = _admin(world)
    take(runtime, admin.actor, check(runtime, admin.actor, csv_file(tmp_path / "a.csv", people(4))).id)
    rows = [[a, "New" + b, c, d] for a, b, c, d in people(4)] + people(4, first=5)
    second = check(runtime, admin.actor, csv_file(tmp_path / "b.csv", rows))
    take(runtime, admin.actor, second.id)
    clients = _clients(runtime, admin)
    with runtime.database.unit_of_work(admin.actor) as uow:
        uow.session.execute(text("UPDATE clients SET given_name = 'Own' WHERE external_id IN ('S2', 'S6')"))
        uow.session.execute(
            text(
                "INSERT INTO stored_files (kind, name, media_type, size, sha256, location, client_id)"
                " VALUES ('note', 'n', 'text/plain', 1, '', 'x', :c)"
            ),
            {"c": clients["S7"].id},
        )
    runtime.doorbell.rung.clear()  # type: ignore[attr-defined] # the test's doorbell
    roster_service.undo_import(runtime, admin.actor, second.id)
    work_off(runtime, admin.actor.organization_id)
    after = _clients(runtime, admin)
    assert set(after) == {"S1", "S2", "S3", "S4", "S6", "S7"}
    assert [after[k].given_name for k in ("S1", "S2", "S3")] == ["Given1", "Own", "Given3"]
    with runtime.database.unit_of_work(admin.actor) as uow:
        kept = uow.session.scalars(select(RosterRow.external_id).where(RosterRow.outcome == "kept")).all()
    assert sorted(kept) == ["S2", "S6", "S7"]
    assert found(runtime, admin.actor, second.id).state == "undone"
    assert (Bell.SWEEP, admin.actor.organization_id) in runtime.doorbell.rung  # type: ignore[attr-defined] # as above


def test_undo_takes_back_plans_that_came_by_themselves_and_that_nobody_touched(
    runtime: Runtime, world: World, tmp_path: Path, small_pieces: None
) -> None:
    admin = _admin(world)
    organization = admin.actor.organization_id
    template = world.template(organization)
    with runtime.database.unit_of_work(admin.actor) as uow:
        everyone = Cohort(name="Everyone", kind="fixed", created_at=uow.now)
        uow.session.add(everyone)
        uow.session.flush()
        assign(
            uow,
            Assign(template_id=template, version=1, started_on=date(2026, 9, 7), cohort_id=everyone.id, standing=True),
        )
    work_off(runtime, organization)
    taken = check(runtime, admin.actor, csv_file(tmp_path / "a.csv", people(6)))
    take(runtime, admin.actor, taken.id)
    clients = _clients(runtime, admin)
    with runtime.database.unit_of_work(admin.actor) as uow:
        uow.session.add_all(
            CohortMember(cohort_id=everyone.id, client_id=c.id, since=uow.now) for c in clients.values()
        )
    follow_standing(runtime, organization)
    work_off(runtime, organization)
    with runtime.database.unit_of_work(admin.actor) as uow:
        assert uow.session.execute(text("SELECT count(*) FROM plans")).scalar_one() == 6
        # One was begun, one is prompted for, one was changed by hand: these three are work.
        uow.session.execute(text("UPDATE plans SET touched_at = now() WHERE client_id = :c"), {"c": clients["S1"].id})
        plan = uow.session.scalars(select(Plan).where(Plan.client_id == clients["S2"].id)).one()
        review = Review(plan_id=plan.id, occurrence_on=date(2026, 9, 7))
        uow.session.add(review)
        uow.session.flush()
        uow.session.add(
            Prompt(plan_id=plan.id, occurrence_on=date(2026, 9, 7), reminder=0, due_at=uow.now, review_id=review.id)
        )
        uow.session.execute(text("UPDATE clients SET given_name = 'Own' WHERE external_id = 'S3'"))
    roster_service.undo_import(runtime, admin.actor, taken.id)
    work_off(runtime, organization)
    assert set(_clients(runtime, admin)) == {"S1", "S2", "S3"}
    with runtime.database.unit_of_work(admin.actor) as uow:
        assert uow.session.execute(text("SELECT count(*) FROM plans")).scalar_one() == 3
        undone = select(func.count()).where(AuditEntry.action == "plan.assignment_undone")
        assert uow.session.execute(undone).scalar_one() == 3
        assert verify(uow) == []


_CELL = st.sampled_from(["", "A", "Zoë", "b b", "李"])
_PERSON = st.tuples(
    st.integers(1, 12),
    _CELL,
    st.sampled_from(["Ó", "Murphy"]),
    st.booleans(),
    st.sampled_from(["", "yes", "no"]),
    st.sampled_from(["", "c1", "c2"]),
    st.sampled_from(["", "1", "2"]),
)
_FILE = st.lists(_PERSON, min_size=1, max_size=12, unique_by=lambda p: p[0])


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(files=st.lists(st.tuples(_FILE, st.booleans()), min_size=2, max_size=3), full=st.booleans())
def test_upsert_and_undo_return_to_the_identical_state(  # noqa: PLR0917 # pytest and hypothesis name them
    runtime: Runtime,
    world: World,
    tmp_path: Path,
    small_pieces: None,
    files: Sequence[tuple[Sequence[tuple[Any, ...]], bool]],
    full: bool,
) -> None:
    organization = world.organization()
    admin = world.person(organization, Role.ADMIN)
    mails = {f"c{i}": world.person(organization, Role.COUNSELLOR).email for i in (1, 2)} | {"": ""}
    with runtime.database.unit_of_work(admin.actor) as uow:
        uow.session.add(AttributeDefinition(key="year", label="Year", kind="number"))
    headers = ("id", "given name", "family name", "e-mail", "active", "adviser", "year")
    cut = len(headers) if full else 4
    for number, (persons, missing) in enumerate(files):
        rows = [
            [
                f"S{i}",
                given_name,
                family,
                f"s{i}{given_name.isascii()}@example.org" if mail else "",
                act,
                mails[adviser],
                year,
            ]
            for i, given_name, family, mail, act, adviser, year in persons
        ]
        path = csv_file(tmp_path / f"{number}.csv", [row[:cut] for row in rows], headers[:cut])
        before = state(runtime, organization)
        checked = check(runtime, admin.actor, path, deactivate_missing=missing)
        assert checked.state == "checked", checked.refusal
        assert state(runtime, organization) == before
        if not checked.counts["new"] + checked.counts["changed"] + checked.counts["deactivating"]:
            continue
        take(runtime, admin.actor, checked.id, yes=True)
        clients = _clients(runtime, admin)
        for i, given_name, family, _, act, _, year in persons:
            if full:
                assert clients[f"S{i}"].active == (act != "no")
                assert clients[f"S{i}"].attributes == ({"year": int(year)} if year else {})
            assert (clients[f"S{i}"].given_name, clients[f"S{i}"].family_name) == (given_name, family)
        # The same file again changes nothing, however it was taken.
        again = check(runtime, admin.actor, path)
        assert again.counts["new"] + again.counts["changed"] == 0
        if number % 2:
            roster_service.undo_import(runtime, admin.actor, checked.id)
            work_off(runtime, organization)
            assert state(runtime, organization) == before


def test_j1_work_stopped_at_random_points_is_resumed_without_doing_a_row_twice(
    runtime: Runtime, world: World, tmp_path: Path, small_pieces: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Stopped(BaseException):
        """As good as a kill: nothing after it runs, and no handler of errors sees it."""

    admin = _admin(world)
    chance, kills = random.Random(7), 0

    def sometimes(function: Any) -> Any:
        def call(*args: Any, **options: Any) -> Any:
            nonlocal kills
            before, after = (chance.random() < 0.25 for _ in "12")
            if before and kills < 40:
                kills += 1
                raise Stopped
            result = function(*args, **options)
            if after and kills < 40:
                kills += 1
                raise Stopped
            return result

        return call

    for module, name in (
        (roster_jobs.reader, "read_piece"),
        (roster_jobs, "_store_checked"),
        (roster_jobs, "_store_found"),
        (roster_jobs.sql, "mark_bad"),
        (roster_jobs.sql.Applying, "take"),
    ):
        monkeypatch.setattr(module, name, sometimes(getattr(module, name)))

    def keep_working() -> None:
        for _ in range(200):
            try:
                return work_off(runtime, admin.actor.organization_id)
            except Stopped:
                # A killed worker's lease runs out.
                runtime.database.clock.now += timedelta(hours=1)  # type: ignore[attr-defined] # the test's clock
        raise AssertionError("never finished")

    for module in ("claims", "runner"):
        monkeypatch.setattr(f"app.features.jobs.{module}.MAX_ATTEMPTS", 100)
    import_id = roster_service.import_file(runtime, admin.actor, csv_file(tmp_path / "a.csv", people(40)))
    keep_working()
    with runtime.database.unit_of_work(admin.actor) as uow:
        roster_service.confirm_import(uow, import_id)
    keep_working()
    assert kills > 10
    assert found(runtime, admin.actor, import_id).counts["new"] == 40
    with runtime.database.unit_of_work(admin.actor) as uow:
        assert uow.session.scalar(select(func.count(Client.id))) == 40
        result = uow.session.scalars(select(Job.result).where(Job.kind == "roster.apply")).one()
    assert result["created"] == 40


def test_t4_imports_of_others_are_not_found(runtime: Runtime, world: World, tmp_path: Path) -> None:
    mine, other = _admin(world), _admin(world)
    checked = check(runtime, mine.actor, csv_file(tmp_path / "a.csv", people(2)))
    with runtime.database.unit_of_work(other.actor) as uow, pytest.raises(NotFound):
        roster_service.confirm_import(uow, checked.id)
    counsellor = world.person(mine.actor.organization_id, Role.COUNSELLOR)
    with pytest.raises(Forbidden):
        roster_service.import_file(runtime, counsellor.actor, tmp_path / "a.csv")
    take(runtime, mine.actor, checked.id)
    assert _clients(runtime, other) == {}


def test_a_mapping_that_misses_the_number_is_refused_by_field(runtime: Runtime, world: World, tmp_path: Path) -> None:
    admin = _admin(world)
    path = csv_file(tmp_path / "a.csv", people(2))
    with pytest.raises(InvalidInput) as refused:
        roster_service.import_file(runtime, admin.actor, path, {"given_name": 1, "family_name": 1, "email": 9})
    assert [p.field for p in refused.value.problems] == ["email", "external_id", "family_name"]


def test_an_e_mail_of_somebody_outside_the_file_is_named(runtime: Runtime, world: World, tmp_path: Path) -> None:
    admin = _admin(world)
    take(runtime, admin.actor, check(runtime, admin.actor, csv_file(tmp_path / "a.csv", people(2))).id)
    clash = check(runtime, admin.actor, csv_file(tmp_path / "b.csv", [["S9", "A", "B", "S1@EXAMPLE.org"]]))
    assert "number S1" in faults(runtime, admin.actor, clash.id)[2][0][1]
    with runtime.database.unit_of_work(admin.actor) as uow, pytest.raises(Conflict):
        roster_service.confirm_import(uow, clash.id)


def test_taking_a_roster_makes_rule_cohorts_stale(runtime: Runtime, world: World, tmp_path: Path) -> None:
    admin = _admin(world)
    with runtime.database.unit_of_work(access.system(admin.actor.organization_id)) as uow:
        uow.session.execute(
            text("INSERT INTO cohorts (name, kind, rule) VALUES ('r', 'rule', '{}'), ('f', 'fixed', NULL)")
        )
    take(runtime, admin.actor, check(runtime, admin.actor, csv_file(tmp_path / "a.csv", people(2))).id)
    with runtime.database.unit_of_work(admin.actor) as uow:
        rows = uow.session.execute(text("SELECT name, stale FROM cohorts ORDER BY name")).all()
    assert [tuple(r) for r in rows] == [("f", False), ("r", True)]
