"""The phase of triggers: rules switched on, an event outside recorded, and a release that moved an occupation."""

from __future__ import annotations

from typing import Any

from sqlalchemy import text

from app.demo.build import Build
from app.domain.triggers import Rule, Trigger
from app.features.occupations import store
from app.features.occupations.families import family_of
from app.features.occupations.starter import read_starter
from app.features.triggers.commands import RecordEvent
from app.features.triggers.events import open_event, record_event
from app.features.triggers.queries import event_lines
from app.features.triggers.rules import set_a_day, set_rule
from app.features.triggers.service import look

# Few enough that some wait, so that the page shows both.
_A_DAY = 6
_CHOSEN = text(
    "SELECT ref FROM plan_references WHERE kind = 'occupation' AND place = 'chosen'"
    " GROUP BY ref ORDER BY count(*) DESC, ref LIMIT 2"
)


def open_by_triggers(build: Build) -> dict[str, Any]:
    """Switch some rules on, record a hiring freeze, bring in a release with made-up changes, and look once."""
    admin, database = build.actor(), build.runtime.database
    with database.unit_of_work(admin) as uow:
        chosen = list(uow.session.execute(_CHOSEN).scalars())
        set_a_day(uow, _A_DAY)
        for kind in (Trigger.STEP_OVERDUE, Trigger.GOAL_MISSED, Trigger.FACTOR_CHANGED, Trigger.CONFIDENCE_DOWN):
            set_rule(uow, Rule(kind, active=True))
        set_rule(uow, Rule(Trigger.CATALOGUE_MOVED, active=True, reach="chosen"))
        today = uow.now.date()
    moved = False
    if len(chosen) > 1 and not build.inputs.onet:
        moved = _move(build.owner_url, chosen[1])
    with database.unit_of_work(admin) as uow:
        event = RecordEvent(
            title="Hiring freeze in the county",
            words="Public employers in the county fill no posts before the summer. Look at your second choice with us.",
            happened_on=today,
            families=(family_of(chosen[0]),) if chosen else (),
            actions=() if chosen else ("work",),
            reach="chosen",
        )
        # A start that goes on where the last one stopped records it once.
        known = event_lines(uow)
        found, opened = open_event(uow, known[0].event.id if known else record_event(uow, event).id)
    with database.unit_of_work(admin) as uow:
        looked = look(uow)
    return {"touched": found, "opened": opened + looked.opened, "found": looked.found, "release": moved}


def _move(owner_url: str, code: str) -> bool:
    """The starter once more with another job zone for one occupation, and a label that says that it is made up."""
    content = read_starter()
    content.release.label += "-made-up"
    for row in content.occupations:
        if row["code"] == code:
            row["job_zone"] += -1 if row["job_zone"] > 2 else 1
            return store.store(owner_url, content).new
    return False
