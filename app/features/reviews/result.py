"""What a check-in's answers come to, computed when they are sent and kept with the review as plain JSON.

Nothing here changes the plan. The result names changes by keys ("step:goals", "factor:f1", "new:0",
"scale:<instrument>:<scale>", "data") and holds no sentence: pages say it in the reader's language.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select

from app.domain.change import drift
from app.domain.scoring import Direction, reliable_change
from app.domain.staleness import HOME, RESULTS, Aspect, Change, stale_steps, steps_reached
from app.domain.steps import StepKey
from app.features.instruments.errors_of_scales import errors_of_scales
from app.features.instruments.models import Assessment, Instrument, InstrumentVersion
from app.features.instruments.profile import ScaleLine, lines_of
from app.features.instruments.queries import parsed
from app.features.plans.models import PlanRevision
from app.features.plans.queries import PlanView
from app.features.plans.rooms import Surroundings
from app.features.reviews.answers import figures_said, steps_to_reopen
from app.features.reviews.models import Review
from app.features.steps.career_choice.again import inputs_now, inputs_of_choice, weigh_again
from app.features.steps.goals.content import take_levels
from app.features.steps.goals.figures import attain
from app.features.steps.opportunities.content import add_factors, take_changes
from app.features.steps.parts import action_status, aside, written
from app.infra.db.open import UnitOfWork

Contents = Mapping[StepKey, Mapping[str, Any]]
FORMAT = 1
# What of a plan has a day: where it is written, and the words for what is over.
_DATED = (
    ("goal", StepKey.GOALS, "goals"),
    ("milestone", StepKey.CAREER_PATH, "milestones"),
    ("action", StepKey.ACTION_PLAN, "actions"),
)


def compute_result(
    uow: UnitOfWork, view: PlanView, answers: Mapping[str, Any], before: Review | None, today: date
) -> dict[str, Any]:
    """The result of these answers over the plan as it stands; `before` is the check-in answered before this one.

    confidence · goals: T now and before with each level · scales: measured change since the last check-in · drift:
    days moved and late · match: the options weighed again · reopens: the steps with why · changes: what may be taken
    into a new revision · base: what the next check-in compares with.
    """
    contents = {step: row.content for step, row in view.contents.items()}
    base = (before.result or {}).get("base") if before is not None else None
    now = inputs_now(uow, view)
    then = (base or {}).get("inputs") or inputs_of_choice(contents.get(StepKey.CAREER_CHOICE, {}), now)
    match = weigh_again(uow, view, then, now) if then is not None else None
    scales = _scales(uow, view, before.answered_at if before is not None else None)
    factors = _factors(answers, contents)
    moved_by_data = match is not None and _data_moved(match)
    return {
        "format": FORMAT,
        "confidence": {
            "now": answers.get("confidence"),
            "before": before.answers.get("confidence") if before is not None else None,
        },
        "goals": _goals(answers, contents, today),
        "scales": scales,
        "drift": _drift(uow, view, contents, base, today),
        "match": match,
        "reopens": _reopens(answers, contents, scales, view, data=moved_by_data, now=uow.now),
        "changes": [
            *factors,
            *_step_changes(answers),
            *_scale_changes(scales),
            *([{"key": "data", "kind": "data", "label": "", "change": "moved", "controllable": "no"}] * moved_by_data),
        ],
        "base": {"inputs": now, "dates": dates_of(contents)},
    }


def with_factors(
    content: Mapping[str, Any], answers: Mapping[str, Any], only: Iterable[str] | None, at: datetime
) -> Any:
    """The content of step 3 with what the answers say of factors; `only` names the changes (keys) that are taken.

    A factor that was asked about and is not taken counts as looked at.
    """
    wanted = None if only is None else set(only)
    rows = {row["id"]: row for row in content.get("factors", ())}
    said = {
        factor: figures_said(rows[factor], change, answers.get("control", {}).get(factor))
        if wanted is None or f"factor:{factor}" in wanted
        else {}
        for factor, change in answers.get("factors", {}).items()
        if factor in rows
    }
    new = [row for n, row in enumerate(answers.get("new_factors", ())) if wanted is None or f"new:{n}" in wanted]
    return add_factors(take_changes(content, said, at), new, at)


def dates_of(contents: Contents) -> dict[str, Any]:
    """Every goal, milestone and action with a day or without, by what it is and its id: `{"text", "on"}`."""
    return {
        f"{what}:{row['id']}": {"text": row["text"], "on": row.get("due_on")}
        for what, step, name in _DATED
        for row in written(contents.get(step, {}), name, "text")
    }


def _goals(answers: Mapping[str, Any], contents: Contents, today: date) -> dict[str, Any]:
    levels = answers.get("goals", {})
    content = contents.get(StepKey.GOALS, {})
    around = Surroundings(contents=contents, today=today)
    now = attain(take_levels(content, levels, datetime.combine(today, datetime.min.time())), around)
    before = attain(content, around)
    return {
        "t": now.value,
        "before": before.value,
        "measured": now.measured,
        "measured_before": before.measured,
        "levels": [
            {"id": row["id"], "text": row["text"], "now": levels[row["id"]], "before": row.get("level")}
            for row in written(content, "goals", "text")
            if row["id"] in levels
        ],
    }


def _factors(answers: Mapping[str, Any], contents: Contents) -> list[dict[str, Any]]:
    rows = {row["id"]: row for row in written(contents.get(StepKey.OPPORTUNITIES, {}), "factors", "text")}
    control = answers.get("control", {})
    found = [
        {
            "key": f"factor:{factor}",
            "kind": "factor",
            "label": rows[factor]["text"],
            "change": "control" if change == "same" else change,
            "controllable": control.get(factor) or rows[factor].get("controllable"),
        }
        for factor, change in answers.get("factors", {}).items()
        if factor in rows and (change != "same" or figures_said(rows[factor], change, control.get(factor)))
    ]
    return found + [
        {
            "key": f"new:{number}",
            "kind": "new_factor",
            "label": row["text"],
            "change": "new",
            "controllable": row.get("controllable"),
        }
        for number, row in enumerate(answers.get("new_factors", ()))
    ]


def _step_changes(answers: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {"key": f"step:{step.value}", "kind": "step", "label": step.value, "change": choice, "controllable": "yes"}
        for step, choice in steps_to_reopen(answers).items()
    ]


def _scale_changes(scales: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [
        {
            "key": f"scale:{taken['key']}:{line['key']}",
            "kind": "scale",
            "label": f"{taken['title']}: {line['title']}",
            "change": line["change"],
            "controllable": None,
        }
        for taken in scales
        for line in taken["scales"]
        if line["change"] in (Direction.HIGHER.value, Direction.LOWER.value)
    ]


@dataclass(frozen=True, slots=True)
class _Taking:
    instrument: Instrument
    row: Assessment
    checksum: str
    definition: Mapping[str, Any]


def _scales(uow: UnitOfWork, view: PlanView, since: datetime | None) -> list[dict[str, Any]]:
    """Each questionnaire taken since the last check-in beside the taking before: every scale with band and change."""
    rows = uow.session.execute(
        select(Instrument, Assessment, InstrumentVersion.checksum, InstrumentVersion.definition)
        .join(Instrument, Instrument.id == Assessment.instrument_id)
        .join(
            InstrumentVersion,
            (InstrumentVersion.instrument_id == Assessment.instrument_id)
            & (InstrumentVersion.version == Assessment.version),
        )
        .where(Assessment.client_id == view.client.id)
        .order_by(Instrument.title, Assessment.instrument_id, Assessment.taken_at.desc(), Assessment.id)
    ).all()
    taken: dict[Any, list[_Taking]] = {}
    for row in rows:
        taken.setdefault(row[1].instrument_id, []).append(_Taking(*row))
    found = []
    for takings in taken.values():
        newest, *older = takings
        if since is not None and newest.row.taken_at <= since:
            continue
        # The taking that counted at the last check-in; for want of one, the one before.
        before = next((one for one in older if since is None or one.row.taken_at <= since), None) or next(
            iter(older), None
        )
        if before is not None:
            found.append(_compared(uow, newest, before))
    return found


def _compared(uow: UnitOfWork, newest: _Taking, before: _Taking) -> dict[str, Any]:
    definition = parsed(newest.checksum, newest.definition)
    errors = errors_of_scales(uow, newest.row.instrument_id, newest.row.version, definition)
    # Scores of different versions are not on one scale until somebody scores them again.
    comparable = before.row.version == newest.row.version
    lines = lines_of(definition, newest.row.scores, errors, before.row.scores if comparable else None)
    return {
        "key": newest.instrument.key,
        "title": definition.title,
        "measures": definition.measures,
        "on": newest.row.taken_at.date().isoformat(),
        "before_on": before.row.taken_at.date().isoformat(),
        "comparable": comparable,
        "scales": [
            {
                "key": line.key,
                "title": line.title,
                "score": line.score,
                "before": line.before,
                "band": None if line.edges is None else list(line.edges),
                "least_change": _least(line),
                "change": None if line.change is None else line.change.value,
            }
            for line in lines
        ],
    }


def _least(line: ScaleLine) -> float | None:
    """The smallest difference on this scale that is beyond error."""
    return None if line.error is None else reliable_change(0.0, 0.0, line.error.error, 0.0).least_change


def _drift(
    uow: UnitOfWork, view: PlanView, contents: Contents, base: Mapping[str, Any] | None, today: date
) -> dict[str, Any]:
    """How far the plan's days moved since the last check-in (or the last closed revision), and what is late today."""
    now = dates_of(contents)
    was = (base or {}).get("dates")
    if was is None:
        snapshot = uow.session.scalars(
            select(PlanRevision.snapshot)
            .where(PlanRevision.plan_id == view.plan.id)
            .order_by(PlanRevision.revision.desc())
            .limit(1)
        ).one_or_none()
        was = None if snapshot is None else dates_of({key: snapshot["steps"][key.value]["content"] for key in StepKey})
    moved = drift({key: _day(row) for key, row in (was or {}).items()}, {key: _day(row) for key, row in now.items()})
    days = {one.id: one.days for one in moved if one.days is not None}
    late = {key: (today - day).days for key in _open(contents) if (day := _day(now[key])) is not None and day < today}
    items = [
        {
            "what": key.split(":", 1)[0],
            "text": row["text"],
            "was": was[key]["on"] if was and key in was else None,
            "now": row["on"],
            "days": days.get(key),
            "late": late.get(key),
        }
        for key, row in now.items()
        if days.get(key) or key in late
    ]
    return {
        "compared": was is not None,
        "items": items,
        "dated": len(days),
        "mean": sum(days.values()) / len(days) if days else None,
    }


def _open(contents: Contents) -> list[str]:
    """What with a day is neither done nor dropped nor of another way."""
    goals = written(contents.get(StepKey.GOALS, {}), "goals", "text")
    actions = written(contents.get(StepKey.ACTION_PLAN, {}), "actions", "text")
    found = [
        f"goal:{row['id']}" for row in goals if (row.get("status") or "open") == "open" and not aside(row, contents)
    ]
    return found + [
        f"action:{row['id']}"
        for row in actions
        if action_status(row) in ("planned", "begun") and not aside(row, contents)
    ]


def _day(row: Mapping[str, Any]) -> date | None:
    return date.fromisoformat(row["on"]) if row.get("on") else None


def _data_moved(match: Mapping[str, Any]) -> bool:
    """Whether the data alone changed what the chosen option comes to."""
    return any(
        option["chosen"] and option["split"] is not None and abs(option["split"]["data"] or 0) >= _LEAST_MOVE
        for option in match["options"]
    )


# Of 100: less than is shown is no news.
_LEAST_MOVE = 0.05


def _reopens(
    answers: Mapping[str, Any],
    contents: Contents,
    scales: Sequence[Mapping[str, Any]],
    view: PlanView,
    *,
    data: bool,
    now: datetime,
) -> list[dict[str, Any]]:
    """The steps this opens again, in order: those the client named, and those that rest on what changed.

    `choice` is the client's (None: not named), `on` the aspects that changed or may change, `sure` whether one of
    them is known to have changed; with an adjusted step it is not, until the client has adjusted it.
    """
    wanted = steps_to_reopen(answers)
    on: dict[StepKey, dict[Aspect, bool]] = {}

    def reach(aspect: Aspect, *, sure: bool) -> None:
        for step in steps_reached(aspect):
            if contents.get(step):
                on.setdefault(step, {})[aspect] = on.get(step, {}).get(aspect, False) or sure

    for step, changes in _by_factors(answers, contents, now).items():
        for change in changes:
            on.setdefault(step, {})[change.aspect] = True
    for taken in scales:
        reliable = any(line["change"] in (Direction.HIGHER.value, Direction.LOWER.value) for line in taken["scales"])
        if reliable and taken["measures"] in RESULTS:
            reach(RESULTS[taken["measures"]], sure=True)
    if data:
        reach(Aspect.CATALOGUE, sure=True)
    for step, choice in wanted.items():
        for aspect, home in HOME.items():
            if home is step:
                reach(aspect, sure=choice == "rethink")
    begun = {row.step for row in view.steps if row.status in ("completed", "submitted", "returned", "in_progress")}
    return [
        {
            "step": step.value,
            "choice": wanted.get(step),
            "on": [aspect.value for aspect in Aspect if aspect in on.get(step, {})],
            "sure": step in wanted or any(on.get(step, {}).values()),
        }
        for step in StepKey
        if (step in wanted or step in on) and step.number in begun
    ]


def _by_factors(answers: Mapping[str, Any], contents: Contents, now: datetime) -> dict[StepKey, list[Change]]:
    before = contents.get(StepKey.OPPORTUNITIES)
    if before is None:
        return {}
    after = with_factors(before, answers, None, now)
    return stale_steps(contents, dict(contents) | {StepKey.OPPORTUNITIES: after})
