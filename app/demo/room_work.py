"""What people of the demonstration do inside a step, through the use cases its pages call."""

from __future__ import annotations

from uuid import UUID

from app.demo.stories import Story
from app.demo.telling import Telling, content_of
from app.domain.steps import StepKey
from app.features.instruments.queries import newest_results
from app.features.occupations import whole
from app.features.occupations.releases import current_release
from app.features.plans.commands import SaveContent
from app.features.plans.queries import PlanView, surroundings_of, view_plan
from app.features.plans.service import save_content
from app.features.scratches.commands import BeginScratch
from app.features.scratches.service import begin_scratch, share_scratch
from app.features.steps.action_plan.feeds import renew_feed
from app.features.steps.career_choice.matches import read_matches
from app.features.steps.career_choice.service import Recommend, TakeOccupation, recommend, take_occupation
from app.features.steps.career_path.finder import find_routes, own_levels
from app.features.steps.registry import ROOMS
from app.features.steps.tools import Desk, act_on
from app.infra.db.open import UnitOfWork


def write_step(
    uow: UnitOfWork, plan_id: UUID, step: StepKey, story: Story, turn: int, *, undecided: bool = False
) -> None:
    """The client writes a step. Step 4 begins with a shortlist from the matches, step 5 ends with a route taken."""
    release = current_release(uow)
    titles = whole.titles_of_all(uow, release) if release else {}
    telling = Telling(uow.now.date(), turn, release.key if release else None, titles)
    if step is StepKey.CAREER_CHOICE and story.codes:
        _take_shortlist(uow, plan_id, telling.known(story))
    view = view_plan(uow, plan_id)
    content = content_of(story, step, telling, view.content(step))
    if undecided:
        content |= {"chosen": None, "runner_up": None, "reason": ""}
    _save(uow, view, step, content)
    if step is StepKey.CAREER_PATH:
        _take_route(uow, plan_id)


def _save(uow: UnitOfWork, view: PlanView, step: StepKey, content: dict[str, object]) -> None:
    save_content(
        uow, SaveContent(plan_id=view.plan.id, step=step, content=content, over=view.version(step)), ROOMS[step]
    )


def _take_shortlist(uow: UnitOfWork, plan_id: UUID, codes: list[str]) -> None:
    """Take what the story names, and the best match that it does not name."""
    best = next((code for code in read_matches(uow, view_plan(uow, plan_id)).codes() if code not in codes), None)
    for code in [*codes, *([best] if best else [])]:
        take_occupation(uow, TakeOccupation(plan_id, code))


def _take_route(uow: UnitOfWork, plan_id: UUID) -> None:
    """Take the first route that is found to the target; the starter knows no related occupations, so it has none."""
    step = StepKey.CAREER_PATH
    view = view_plan(uow, plan_id)
    around = surroundings_of(uow, view, step)
    own = own_levels(newest_results(uow, view.client.id, ["skills"]).get("skills"))
    routes = find_routes(uow, view.content(step), around.contents, own).routes
    if routes:
        codes = ",".join(stage["code"] for stage in routes[0])
        desk = Desk(uow, view, step, view.content(step), around, open=True)
        _save(uow, view, step, act_on(desk, f"routes/take:{codes}"))


def recommend_one(uow: UnitOfWork, plan_id: UUID, reason: str) -> None:
    """The counsellor recommends the best match that is not on the client's shortlist; nothing without matches."""
    view = view_plan(uow, plan_id)
    taken = {row.get("code") for row in view.content(StepKey.CAREER_CHOICE).get("options", ())}
    best = next((code for code in read_matches(uow, view).codes() if code not in taken), None)
    if best is not None:
        recommend(uow, Recommend(plan_id, best, reason))


def choose_another(uow: UnitOfWork, plan_id: UUID, reason: str) -> None:
    """The client takes the runner-up; what rests on the first choice is marked as worth another look."""
    view, step = view_plan(uow, plan_id), StepKey.CAREER_CHOICE
    content = view.content(step)
    changed = {"chosen": content["runner_up"], "runner_up": content["chosen"], "reason": reason}
    _save(uow, view, step, content | changed)


def look_ahead(uow: UnitOfWork, plan_id: UUID, title: str) -> None:
    """The client tries the runner-up on a copy, shares it with the counsellor, and makes a calendar address."""
    second = view_plan(uow, plan_id).content(StepKey.CAREER_CHOICE).get("runner_up")
    changes = ({"kind": "occupation", "option": second}, {"kind": "hours", "hours_week": 5})
    copy = begin_scratch(uow, BeginScratch(plan_id=plan_id, title=title, changes=changes))
    share_scratch(uow, plan_id, copy.id, shared=True)
    renew_feed(uow, plan_id)
