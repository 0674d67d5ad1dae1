"""Rolling out a version and back: what changes, what a person did stays, stages, limits, and the way back."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select, text

from app.composition import JOB_KINDS
from app.domain import access
from app.domain.access import Role
from app.domain.errors import Conflict, Forbidden, InvalidInput
from app.domain.rollouts import Choice, Outcome
from app.domain.steps import StepAction, StepKey
from app.features.audit.models import AuditEntry
from app.features.audit.service import verify
from app.features.jobs.models import JobItem
from app.features.jobs.runner import undo_job
from app.features.organizations.commands import SaveTerm
from app.features.organizations.settings import save_term
from app.features.plans import service as plans_service
from app.features.plans.commands import MoveStep, SetDueDate
from app.features.plans.models import PlanEvent
from app.features.reviews.engine import sweep_reviews
from app.features.rollouts import previews, queries, service
from app.features.rollouts.commands import NextStage
from app.infra.runtime import Runtime
from tests.factories import World
from tests.harness import Clock
from tests.rollouts.helpers import (
    START,
    add_version,
    begin,
    digest,
    finish,
    plans,
    recipe,
    steps_of,
    two_versions,
    version_of,
)

NOT_ASKED = "Not part of this template."


@pytest.fixture
def organization(world: World) -> UUID:
    return world.organization()


@pytest.fixture
def admin(world: World, organization: UUID) -> access.Actor:
    return world.person(organization, Role.ADMIN).actor


def _move(runtime: Runtime, actor: access.Actor, plan: UUID, step: StepKey, action: StepAction) -> None:
    with runtime.database.unit_of_work(actor) as uow:
        plans_service.move_step(uow, MoveStep(plan_id=plan, step=step, action=action, reason="It does not fit."))


def _set_due(runtime: Runtime, actor: access.Actor, plan: UUID, step: StepKey, day: date | None) -> None:
    with runtime.database.unit_of_work(actor) as uow:
        plans_service.set_due_date(uow, SetDueDate(plan_id=plan, step=step, due_on=day))


def _started(runtime: Runtime, organization: UUID, plan: UUID, step: int, status: str = "in_progress") -> None:
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        uow.session.execute(
            text("UPDATE plan_steps SET status = :status, changed_at = :now WHERE plan_id = :plan AND step = :step"),
            {"status": status, "now": uow.now, "plan": plan, "step": step},
        )


def _view(runtime: Runtime, actor: access.Actor, rollout: UUID) -> queries.View:
    with runtime.database.unit_of_work(actor) as uow:
        return queries.view_rollout(uow, rollout)


def _next(runtime: Runtime, actor: access.Actor, rollout: UUID, number: int, **values: Any) -> None:
    with runtime.database.unit_of_work(actor) as uow:
        service.next_stage(uow, NextStage(rollout_id=rollout, number=number, **values))


def _roll_back(runtime: Runtime, actor: access.Actor, rollout: UUID) -> None:
    with runtime.database.unit_of_work(actor) as uow:
        service.roll_back(uow, rollout)
    finish(runtime, actor.organization_id)


def test_a_version_reaches_plans_and_goes_back_as_it_was(
    runtime: Runtime, world: World, clock: Clock, organization: UUID, admin: access.Actor
) -> None:
    template = two_versions(world, organization)
    made = plans(world, organization, template, 3)
    other = plans(world, organization, world.template(organization), 1)[0]
    before = digest(runtime, organization)
    clock.now += timedelta(hours=1)
    rollout = begin(runtime, admin, template)
    finish(runtime, organization)
    for plan in made:
        steps = steps_of(runtime, organization, plan)
        assert steps[3] == ("skipped", None, NOT_ASKED)
        assert steps[6] == ("not_started", START + timedelta(days=100), None)
        assert steps[8] == ("not_started", START + timedelta(days=112), None)
        assert steps[7] == ("not_started", START + timedelta(days=98), None)
        assert version_of(runtime, organization, plan) == 2
    assert version_of(runtime, organization, other) == 1
    assert _view(runtime, admin, rollout).phase == "done"
    with runtime.database.unit_of_work(admin) as uow:
        told = uow.session.execute(select(PlanEvent.plan_id, PlanEvent.kind, PlanEvent.detail)).all()
        assert sorted(told) == sorted((plan, "rolled_out", {"from": 1, "to": 2}) for plan in made)
    clock.now += timedelta(hours=1)
    _roll_back(runtime, admin, rollout)
    assert digest(runtime, organization) == before
    view = _view(runtime, admin, rollout)
    assert (view.phase, view.left, view.done, view.kept) == ("rolled_back", 3, 0, 0)
    with runtime.database.unit_of_work(admin) as uow:
        for action in ("plan.rolled_out", "plan.rolled_back"):
            noted = select(func.count()).where(AuditEntry.action == action)
            assert uow.session.execute(noted).scalar_one() == 3
        assert verify(uow) == []


def test_what_a_person_did_wins_and_is_listed(
    runtime: Runtime, world: World, clock: Clock, organization: UUID, admin: access.Actor
) -> None:
    template = two_versions(world, organization)
    by_hand, skipped, worked, taken_up, written = plans(world, organization, template, 5)
    _set_due(runtime, admin, by_hand, StepKey.GOALS, date(2027, 1, 1))
    _set_due(runtime, admin, by_hand, StepKey.OPPORTUNITIES, None)
    _move(runtime, admin, skipped, StepKey.GOALS, StepAction.SKIP)
    _started(runtime, organization, worked, 3)
    _started(runtime, organization, worked, 6)
    _move(runtime, admin, taken_up, StepKey.REVIEW, StepAction.UNSKIP)
    with runtime.database.unit_of_work(admin) as uow:
        # Begun, skipped and taken up again: what was written is still there.
        uow.session.execute(
            text("INSERT INTO step_contents (plan_id, step, content) VALUES (:plan, 3, '{}')"), {"plan": written}
        )
    before = {plan: steps_of(runtime, organization, plan) for plan in (by_hand, skipped, worked, taken_up, written)}
    with runtime.database.unit_of_work(admin) as uow:
        seen = previews.preview(uow, template, 2, Choice.ALL)
    clock.now += timedelta(hours=1)
    rollout = begin(runtime, admin, template)
    finish(runtime, organization)
    after = {plan: steps_of(runtime, organization, plan) for plan in before}
    for plan, kept in ((by_hand, 6), (by_hand, 3), (skipped, 6), (worked, 3), (taken_up, 8), (written, 3)):
        assert after[plan][kept] == before[plan][kept]
    # A step that was begun moves with the version: nobody chose its day.
    assert after[worked][6] == ("in_progress", START + timedelta(days=100), None)
    assert after[by_hand][8][0] == "not_started"
    assert {version_of(runtime, organization, plan) for plan in before} == {2}
    with runtime.database.unit_of_work(admin) as uow:
        listed = {
            line.client_id: {(step.number, outcome) for step, outcome in line.steps}
            for line in queries.conflicts_of(uow, rollout)
        }
        client = dict(map(tuple, uow.session.execute(text("SELECT id, client_id FROM plans"))))
    assert listed == {
        client[by_hand]: {(3, "due_by_hand"), (6, "due_by_hand")},
        client[skipped]: {(6, "skipped_by_hand")},
        client[worked]: {(3, "worked_on")},
        client[taken_up]: {(8, "taken_up")},
        client[written]: {(3, "worked_on")},
    }
    # The preview said so, step by step.
    assert (seen.plans, seen.changed, seen.in_conflict, seen.conflicts) == (5, 5, 5, 6)
    assert {line.step.number: dict(line.counts) for line in seen.lines} == {
        3: {Outcome.LOSE: 2, Outcome.WORKED_ON: 2, Outcome.DUE_BY_HAND: 1},
        6: {Outcome.MOVE: 3, Outcome.DUE_BY_HAND: 1, Outcome.SKIPPED_BY_HAND: 1},
        8: {Outcome.GAIN: 4, Outcome.TAKEN_UP: 1},
    }
    assert _view(runtime, admin, rollout).conflicts == 6


def test_steps_not_started_leaves_what_was_begun(
    runtime: Runtime, world: World, organization: UUID, admin: access.Actor
) -> None:
    template = two_versions(world, organization)
    plan = plans(world, organization, template, 1)[0]
    for step in (3, 6):
        _started(runtime, organization, plan, step)
    before = steps_of(runtime, organization, plan)
    with runtime.database.unit_of_work(admin) as uow:
        seen = previews.preview(uow, template, 2, Choice.NOT_STARTED)
    assert {line.step.number: dict(line.counts) for line in seen.lines} == {
        3: {Outcome.LEFT: 1},
        6: {Outcome.LEFT: 1},
        8: {Outcome.GAIN: 1},
    }
    rollout = begin(runtime, admin, template, choice=Choice.NOT_STARTED)
    finish(runtime, organization)
    after = steps_of(runtime, organization, plan)
    assert (after[3], after[6], after[8][0]) == (before[3], before[6], "not_started")
    assert _view(runtime, admin, rollout).conflicts == 0


def test_a_step_that_is_done_keeps_its_day_and_is_no_conflict(
    runtime: Runtime, world: World, organization: UUID, admin: access.Actor
) -> None:
    template = two_versions(world, organization)
    plan = plans(world, organization, template, 1)[0]
    _started(runtime, organization, plan, 6, "completed")
    before = steps_of(runtime, organization, plan)[6]
    rollout = begin(runtime, admin, template)
    finish(runtime, organization)
    assert steps_of(runtime, organization, plan)[6] == before
    assert _view(runtime, admin, rollout).conflicts == 0


def test_what_was_touched_since_stays_at_rolling_back(
    runtime: Runtime, world: World, clock: Clock, organization: UUID, admin: access.Actor
) -> None:
    template = two_versions(world, organization)
    begun, moved, archived, whole = plans(world, organization, template, 4)
    before = {plan: steps_of(runtime, organization, plan) for plan in (begun, moved, archived, whole)}
    clock.now += timedelta(hours=1)
    rollout = begin(runtime, admin, template)
    finish(runtime, organization)
    clock.now += timedelta(hours=1)
    _started(runtime, organization, begun, 8)
    _started(runtime, organization, begun, 6)
    _set_due(runtime, admin, moved, StepKey.GOALS, date(2027, 2, 1))
    with runtime.database.unit_of_work(admin) as uow:
        uow.session.execute(text("UPDATE plans SET status = 'archived' WHERE id = :plan"), {"plan": archived})
    at = {plan: steps_of(runtime, organization, plan) for plan in before}
    _roll_back(runtime, admin, rollout)
    after = {plan: steps_of(runtime, organization, plan) for plan in before}
    assert after[whole] == before[whole]
    # The step that the version brought was begun: it stays. The day of goals goes back, begun or not.
    assert after[begun] == before[begun] | {8: at[begun][8], 6: ("in_progress", before[begun][6][1], None)}
    assert after[moved] == before[moved] | {6: at[moved][6]}
    assert after[archived] == at[archived]
    assert [version_of(runtime, organization, plan) for plan in (begun, moved, archived, whole)] == [1, 1, 2, 1]
    with runtime.database.unit_of_work(admin) as uow:
        states = uow.session.execute(select(JobItem.state, func.count()).group_by(JobItem.state)).all()
        assert dict(states) == {"undone": 1, "kept": 3}
        client = dict(map(tuple, uow.session.execute(text("SELECT id, client_id FROM plans"))))
        listed = {
            line.client_id: [step.number for step, _ in line.steps] for line in queries.conflicts_of(uow, rollout)
        }
        assert listed == {client[begun]: [8], client[moved]: [6], client[archived]: []}
    with pytest.raises(Conflict, match="rolled back already"):
        _roll_back(runtime, admin, rollout)


def test_stages_add_up_and_wait_for_a_person(
    runtime: Runtime, world: World, organization: UUID, admin: access.Actor
) -> None:
    template = two_versions(world, organization)
    made = plans(world, organization, template, 40)
    rollout = begin(runtime, admin, template, percent=5)
    with pytest.raises(Conflict, match="under way"):
        _next(runtime, admin, rollout, 2)
    with pytest.raises(Conflict, match="is open"):
        begin(runtime, admin, template)
    finish(runtime, organization)
    first = {plan for plan in made if version_of(runtime, organization, plan) == 2}
    assert len(first) == 2
    view = _view(runtime, admin, rollout)
    assert (view.phase, view.following, view.left) == ("waiting", 25, 38)
    # One more who joins by hand with the old version counts from the next stage on.
    plans(world, organization, template, 4)
    _next(runtime, admin, rollout, 2)
    _next(runtime, admin, rollout, 2)
    finish(runtime, organization)
    assert len(_view(runtime, admin, rollout).stages) == 2
    second = {plan for plan in made if version_of(runtime, organization, plan) == 2}
    assert first < second
    assert _view(runtime, admin, rollout).done == 11
    with pytest.raises(InvalidInput, match="larger share"):
        _next(runtime, admin, rollout, 3, percent=25)
    _next(runtime, admin, rollout, 3)
    finish(runtime, organization)
    view = _view(runtime, admin, rollout)
    assert (view.phase, view.left, view.done, view.following) == ("done", 0, 44, None)
    with pytest.raises(Conflict, match="has ended"):
        _next(runtime, admin, rollout, 4)


def test_too_many_conflicts_hold_it_until_more_are_allowed(
    runtime: Runtime, world: World, organization: UUID, admin: access.Actor
) -> None:
    template = two_versions(world, organization)
    for plan in plans(world, organization, template, 20):
        _set_due(runtime, admin, plan, StepKey.GOALS, date(2027, 1, 1))
    rollout = begin(runtime, admin, template, percent=25, most_conflicts=3)
    finish(runtime, organization)
    view = _view(runtime, admin, rollout)
    assert (view.phase, view.conflicts, view.done) == ("held", 5, 5)
    with pytest.raises(Conflict, match="than the 3 that are allowed"):
        _next(runtime, admin, rollout, 2)
    with pytest.raises(Conflict, match="than the 4 that are allowed"):
        _next(runtime, admin, rollout, 2, most_conflicts=4)
    _next(runtime, admin, rollout, 2, most_conflicts=5)
    finish(runtime, organization)
    assert _view(runtime, admin, rollout).done == 20
    # Between two batches it stops by itself as well: what is left of the stage is left out.
    _roll_back(runtime, admin, rollout)
    assert _view(runtime, admin, rollout).conflicts == 0


def test_a_running_stage_stops_by_itself_at_the_limit(
    runtime: Runtime, world: World, organization: UUID, admin: access.Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    template = two_versions(world, organization)
    for plan in plans(world, organization, template, 10):
        _set_due(runtime, admin, plan, StepKey.GOALS, date(2027, 1, 1))
    monkeypatch.setattr(service, "BATCH", 4)
    rollout = begin(runtime, admin, template, most_conflicts=3)
    finish(runtime, organization)
    view = _view(runtime, admin, rollout)
    assert (view.phase, view.done, view.left, view.following) == ("held", 4, 6, 100)
    _next(runtime, admin, rollout, 2, most_conflicts=100)
    finish(runtime, organization)
    assert _view(runtime, admin, rollout).phase == "done"


def test_stopping_keeps_what_is_done_and_it_can_go_back(
    runtime: Runtime, world: World, clock: Clock, organization: UUID, admin: access.Actor
) -> None:
    template = two_versions(world, organization)
    plans(world, organization, template, 8)
    before = digest(runtime, organization)
    clock.now += timedelta(hours=1)
    rollout = begin(runtime, admin, template, percent=25)
    finish(runtime, organization)
    _next(runtime, admin, rollout, 2)
    with runtime.database.unit_of_work(admin) as uow:
        service.stop(uow, rollout)
        service.stop(uow, rollout)
    finish(runtime, organization)
    view = _view(runtime, admin, rollout)
    assert (view.phase, view.done, view.left) == ("stopped", 2, 6)
    # The template is free for another.
    other = begin(runtime, admin, template)
    finish(runtime, organization)
    clock.now += timedelta(hours=1)
    _roll_back(runtime, admin, other)
    _roll_back(runtime, admin, rollout)
    assert digest(runtime, organization) == before


def test_rolling_back_stops_a_stage_that_is_under_way(
    runtime: Runtime, world: World, organization: UUID, admin: access.Actor
) -> None:
    template = two_versions(world, organization)
    plans(world, organization, template, 4)
    before = digest(runtime, organization)
    rollout = begin(runtime, admin, template)
    _roll_back(runtime, admin, rollout)
    assert digest(runtime, organization) == before
    assert _view(runtime, admin, rollout).phase == "rolled_back"


def test_a_later_version_keeps_a_plan_from_going_back_past_it(
    runtime: Runtime, world: World, clock: Clock, organization: UUID, admin: access.Actor
) -> None:
    template = two_versions(world, organization)
    add_version(runtime, organization, template, 3, recipe(goals=50))
    plan = plans(world, organization, template, 1)[0]
    before = digest(runtime, organization)
    rollouts = []
    for version in (2, 3):
        clock.now += timedelta(hours=1)
        rollouts.append(begin(runtime, admin, template, version=version))
        finish(runtime, organization)
    assert steps_of(runtime, organization, plan)[3][:2] == ("not_started", START + timedelta(days=42))
    _roll_back(runtime, admin, rollouts[0])
    assert version_of(runtime, organization, plan) == 3
    _roll_back(runtime, admin, rollouts[1])
    assert version_of(runtime, organization, plan) == 2
    assert digest(runtime, organization) != before


def test_last_out_first_back_is_as_before(
    runtime: Runtime, world: World, clock: Clock, organization: UUID, admin: access.Actor
) -> None:
    template = two_versions(world, organization)
    add_version(runtime, organization, template, 3, recipe(goals=50))
    plans(world, organization, template, 3)
    before = digest(runtime, organization)
    rollouts = []
    for version in (2, 3):
        clock.now += timedelta(hours=1)
        rollouts.append(begin(runtime, admin, template, version=version))
        finish(runtime, organization)
    for rollout in reversed(rollouts):
        clock.now += timedelta(hours=1)
        _roll_back(runtime, admin, rollout)
    assert digest(runtime, organization) == before


def test_only_joiners_changes_no_plan_and_turns_standing_assignments(
    runtime: Runtime, world: World, organization: UUID, admin: access.Actor
) -> None:
    template = two_versions(world, organization)
    plans(world, organization, template, 2)
    with runtime.database.unit_of_work(admin) as uow:
        uow.session.execute(text("INSERT INTO cohorts (name, kind) VALUES ('New', 'fixed')"))
        uow.session.execute(
            text(
                "INSERT INTO assignments (template_id, template_version, cohort_id, started_on, standing, state)"
                " SELECT :t, 1, c.id, :day, s, state FROM cohorts c CROSS JOIN"
                " (VALUES (true, 'active'), (false, 'active'), (true, 'ended')) AS v(s, state)"
            ),
            {"t": template, "day": START},
        )
    before = digest(runtime, organization)
    with runtime.database.unit_of_work(admin) as uow:
        seen = previews.preview(uow, template, 2, Choice.JOINERS)
        assert (seen.plans, seen.changed, seen.standing) == (2, 0, 1)
    rollout = begin(runtime, admin, template, choice=Choice.JOINERS)
    assert _view(runtime, admin, rollout).phase == "done"
    with runtime.database.unit_of_work(admin) as uow:
        rows = uow.session.execute(text("SELECT standing, state, template_version FROM assignments")).all()
        assert sorted(rows) == [(False, "active", 1), (True, "active", 2), (True, "ended", 1)]
        assert uow.session.execute(text("SELECT count(*) FROM plans WHERE template_version = 2")).scalar_one() == 0
    _roll_back(runtime, admin, rollout)
    assert digest(runtime, organization) == before


def test_days_follow_terms_and_a_term_that_is_gone_is_no_reason_to_guess(
    runtime: Runtime, world: World, organization: UUID, admin: access.Actor
) -> None:
    with runtime.database.unit_of_work(admin) as uow:
        for name, starts, ends in (
            ("Autumn", date(2026, 9, 1), date(2026, 12, 18)),
            ("Spring", date(2027, 2, 1), date(2027, 6, 1)),
        ):
            save_term(uow, SaveTerm(name=name, starts_on=starts, ends_on=ends))

    def due(term: str) -> dict[str, Any]:
        return {"enabled": True, "guidance": "x", "due": {"kind": "term", "term": term, "edge": "end"}}

    template = two_versions(world, organization, recipe(goals=due("Autumn")), recipe(goals=due("Spring")))
    first, second = plans(world, organization, template, 2)
    assert steps_of(runtime, organization, first)[6][1] == date(2026, 12, 18)
    rollout = begin(runtime, admin, template, percent=25)
    finish(runtime, organization)
    reached = first if version_of(runtime, organization, first) == 2 else second
    left = second if reached is first else first
    assert steps_of(runtime, organization, reached)[6][1] == date(2027, 6, 1)
    with runtime.database.unit_of_work(admin) as uow:
        uow.session.execute(text("DELETE FROM terms WHERE name = 'Autumn'"))
    _next(runtime, admin, rollout, 2, percent=100)
    finish(runtime, organization)
    assert steps_of(runtime, organization, left)[6][1] == date(2026, 12, 18)
    assert _view(runtime, admin, rollout).conflicts == 1
    with runtime.database.unit_of_work(admin) as uow:
        uow.session.execute(text("DELETE FROM terms WHERE name = 'Spring'"))
    with pytest.raises(InvalidInput, match="Spring"), runtime.database.unit_of_work(admin) as uow:
        previews.preview(uow, template, 2, Choice.ALL)


def test_another_review_policy_is_followed_and_goes_back(
    runtime: Runtime, world: World, clock: Clock, organization: UUID, admin: access.Actor
) -> None:
    yearly = recipe() | {"review_policy": {"cadence": {"kind": "every_months", "months": 12}}}
    template = two_versions(world, organization, recipe(), yearly)
    plan = plans(world, organization, template, 1)[0]

    def day() -> date:
        sweep_reviews(runtime, organization)
        with runtime.database.unit_of_work(admin) as uow:
            return uow.session.execute(text("SELECT next_review_on FROM plans WHERE id = :p"), {"p": plan}).scalar_one()

    half_a_year = day()
    before = digest(runtime, organization)
    clock.now += timedelta(hours=1)
    rollout = begin(runtime, admin, template)
    finish(runtime, organization)
    assert day().year == half_a_year.year + 1 or day().month != half_a_year.month
    _roll_back(runtime, admin, rollout)
    assert day() == half_a_year
    assert digest(runtime, organization) == before


def test_one_stage_can_be_undone_from_its_job(
    runtime: Runtime, world: World, clock: Clock, organization: UUID, admin: access.Actor
) -> None:
    template = two_versions(world, organization)
    plans(world, organization, template, 4)
    before = digest(runtime, organization)
    clock.now += timedelta(hours=1)
    rollout = begin(runtime, admin, template, percent=25)
    finish(runtime, organization)
    undo_job(runtime, admin, JOB_KINDS, _view(runtime, admin, rollout).stages[0].job.id)
    finish(runtime, organization)
    assert digest(runtime, organization) == before
    view = _view(runtime, admin, rollout)
    assert (view.phase, view.following) == ("waiting", 25)
    _next(runtime, admin, rollout, 2)
    finish(runtime, organization)
    assert _view(runtime, admin, rollout).done == 1


def test_repeating_the_request_begins_one(
    runtime: Runtime, world: World, organization: UUID, admin: access.Actor
) -> None:
    template = two_versions(world, organization)
    plans(world, organization, template, 2)
    first = begin(runtime, admin, template, idempotency_key="k")
    assert begin(runtime, admin, template, idempotency_key="k") == first
    with pytest.raises(Conflict, match="other choices"):
        begin(runtime, admin, template, idempotency_key="k", choice=Choice.NOT_STARTED)


def test_who_may_not_and_what_cannot(runtime: Runtime, world: World, organization: UUID, admin: access.Actor) -> None:
    template = two_versions(world, organization)
    counsellor = world.person(organization, Role.COUNSELLOR).actor
    with pytest.raises(Forbidden):
        begin(runtime, counsellor, template)
    with pytest.raises(InvalidInput, match="5, 25 or 100"):
        begin(runtime, admin, template, percent=50)
    with pytest.raises(InvalidInput, match="from 0 to"):
        begin(runtime, admin, template, most_conflicts=-1)
    with runtime.database.unit_of_work(admin) as uow:
        uow.session.execute(
            text(
                "INSERT INTO template_versions (template_id, version, content, checksum)"
                " SELECT template_id, 3, content, checksum FROM template_versions"
                " WHERE template_id = :t AND version = 2"
            ),
            {"t": template},
        )
    with pytest.raises(InvalidInput, match="draft"):
        begin(runtime, admin, template, version=3)


def test_nobody_to_reach_ends_at_once(runtime: Runtime, world: World, organization: UUID, admin: access.Actor) -> None:
    rollout = begin(runtime, admin, two_versions(world, organization))
    finish(runtime, organization)
    assert _view(runtime, admin, rollout).phase == "done"
