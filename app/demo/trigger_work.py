"""The phase of triggers: rules switched on, and an event outside recorded."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import text

from app.demo.build import Build
from app.demo.review_work import ANY_DAY, anything_due
from app.domain.cadence import EveryMonths, ReviewPolicy
from app.domain.triggers import Rule, Trigger
from app.features.occupations.families import family_of
from app.features.reviews.commands import SetPolicy
from app.features.reviews.settings import set_policy
from app.features.triggers.commands import RecordEvent
from app.features.triggers.events import open_event, record_event
from app.features.triggers.queries import event_lines
from app.features.triggers.rules import set_a_day, set_rule
from app.features.triggers.service import look

# Few enough that some wait, so that the page shows both.
_A_DAY = 6
_CHOSEN = text(
    "SELECT ref FROM plan_references WHERE kind = 'occupation' AND place = 'chosen'"
    " GROUP BY ref ORDER BY count(*) DESC, ref LIMIT 1"
)

# Of reviews that were opened, not joined.
_MAILS = text(
    "SELECT count(DISTINCT m.id) FROM messages m JOIN prompts p ON p.message_id = m.id"
    " JOIN trigger_findings f ON f.review_id = p.review_id AND f.opened_on IS NOT NULL WHERE m.state = 'sent'"
)


def open_by_triggers(build: Build) -> dict[str, Any]:
    """Switch some rules on, record a hiring freeze, and look once; a newer release has come since some chose."""
    admin, database = build.actor(), build.runtime.database
    with database.unit_of_work(admin) as uow:
        chosen = list(uow.session.execute(_CHOSEN).scalars())
        set_a_day(uow, _A_DAY)
        # As in `prompt_the_due`: the mails that say why leave at night too.
        policy = ReviewPolicy(cadence=EveryMonths(6), quiet_hours=None, weekdays=ANY_DAY)
        template_id = UUID(build.fact("assignment", "template"))
        set_policy(uow, SetPolicy(scope="template", subject_id=template_id, policy=policy))
        for kind in (Trigger.STEP_OVERDUE, Trigger.GOAL_MISSED, Trigger.FACTOR_CHANGED, Trigger.CONFIDENCE_DOWN):
            set_rule(uow, Rule(kind, active=True))
        set_rule(uow, Rule(Trigger.CATALOGUE_MOVED, active=True, reach="chosen"))
        today = uow.now.date()
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
    build.wait_until(lambda: not anything_due(build), "the mails that say why to leave")
    with database.unit_of_work(admin) as uow:
        mails = uow.session.execute(_MAILS).scalar_one()
    return {"touched": found, "opened": opened + looked.opened, "found": looked.found, "mails": mails}
