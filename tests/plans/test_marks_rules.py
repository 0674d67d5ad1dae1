"""What keeps marks right by construction: who writes contents, who is told of results, and two transactions at once."""

from __future__ import annotations

import re
import threading
import time
from pathlib import Path

import pytest
from sqlalchemy import delete, select, text

from app.domain import access
from app.domain.steps import StepKey
from app.features.instruments import hooks
from app.features.plans.marks import mark_results
from app.features.plans.models import PlanStep, StepMark
from app.infra.runtime import Runtime
from tests.factories import World
from tests.plans.test_marks import Desk, choice

FEATURES = Path(__file__).resolve().parents[2] / "app" / "features"


def test_contents_are_written_where_marks_are_kept_and_nowhere_else() -> None:
    writes = re.compile(r"\bStepContent\(|\w\.content\b[^=\n]*[^=!<>]=[^=]|(?:INTO|UPDATE) step_contents")
    writers = {
        str(path.relative_to(FEATURES))
        for path in FEATURES.rglob("*.py")
        if "StepContent" in (said := path.read_text()) and writes.search(said) and path.name != "models.py"
    }
    # Levels are no part of any fingerprint (tests/plans/test_marks.py).
    assert writers == {"plans/service.py"}


def test_a_result_that_nobody_hears_of_is_not_stored(monkeypatch: pytest.MonkeyPatch, world: World) -> None:
    desk = Desk(world)
    assert mark_results in hooks._listeners
    monkeypatch.setattr(hooks, "_listeners", [])
    with pytest.raises(RuntimeError, match="nobody listens"):
        desk.take("interests")


@pytest.mark.committed
def test_of_two_transactions_that_set_and_take_away_marks_the_second_sees_the_first(live: Runtime) -> None:
    desk = Desk(World(live))
    desk.fill()
    desk.save(StepKey.CAREER_CHOICE, choice("o2"))
    actor = access.system(desk.organization)
    place = {"plan_id": desk.plan_id, "step": StepKey.GOALS.number}
    begun, problems = threading.Event(), []

    def take_away() -> None:
        try:
            with live.database.unit_of_work(actor) as uow:
                uow.session.execute(text("SELECT 1"))
                begun.set()
                # Waits for the other at the step's row, having seen none of its marks.
                uow.session.execute(delete(StepMark).filter_by(**place, aspect="occupation"))
        except Exception as error:
            problems.append(error)

    other = threading.Thread(target=take_away)
    with live.database.unit_of_work(actor) as uow:
        uow.session.add(StepMark(**place, aspect="milestones", detail={}, changed_at=uow.now))
        uow.session.flush()
        other.start()
        begun.wait(5)
        time.sleep(0.3)
    other.join(10)
    assert problems == []
    with live.database.unit_of_work(actor) as uow:
        left = uow.session.scalars(select(StepMark.aspect).filter_by(**place)).all()
        stale = uow.session.scalars(select(PlanStep.stale).filter_by(**place)).one()
    assert (list(left), stale) == (["milestones"], True)
