"""The forms of the rooms by their step; step 8 has none, its reviews are answered in a check-in."""

from __future__ import annotations

from app.domain.steps import StepKey
from app.features.steps.action_plan.forms import ActionPlanForm
from app.features.steps.ambition.forms import AmbitionForm
from app.features.steps.career_choice.forms import CareerChoiceForm
from app.features.steps.career_path.forms import CareerPathForm
from app.features.steps.goals.forms import GoalsForm
from app.features.steps.opportunities.forms import OpportunitiesForm
from app.features.steps.rowforms import RoomForm
from app.features.steps.self_assessment.forms import SelfAssessmentForm

FORMS: dict[StepKey, type[RoomForm]] = {
    StepKey.AMBITION: AmbitionForm,
    StepKey.SELF_ASSESSMENT: SelfAssessmentForm,
    StepKey.OPPORTUNITIES: OpportunitiesForm,
    StepKey.CAREER_CHOICE: CareerChoiceForm,
    StepKey.CAREER_PATH: CareerPathForm,
    StepKey.GOALS: GoalsForm,
    StepKey.ACTION_PLAN: ActionPlanForm,
}
