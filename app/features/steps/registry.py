"""The eight rooms by their step: the one place that knows them all."""

from __future__ import annotations

from app.domain.steps import StepKey
from app.features.plans.rooms import Room
from app.features.steps.action_plan.service import ROOM as ACTION_PLAN
from app.features.steps.ambition import content as ambition
from app.features.steps.ambition import report as ambition_report
from app.features.steps.ambition import values as ambition_values
from app.features.steps.career_choice.service import ROOM as CAREER_CHOICE
from app.features.steps.career_path.service import ROOM as CAREER_PATH
from app.features.steps.goals.service import ROOM as GOALS
from app.features.steps.opportunities import content as opportunities
from app.features.steps.opportunities import report as opportunities_report
from app.features.steps.review import content as review
from app.features.steps.review import report as review_report
from app.features.steps.self_assessment import content as self_assessment
from app.features.steps.self_assessment import report as self_assessment_report

ROOMS: dict[StepKey, Room] = {
    room.key: room
    for room in (
        Room(
            StepKey.AMBITION,
            ambition.Ambition,
            ambition.missing,
            ambition_report.report_section,
            settle=ambition_values.keep_settled,
            changes=ambition_report.changes_block,
        ),
        Room(
            StepKey.SELF_ASSESSMENT,
            self_assessment.SelfAssessment,
            self_assessment.missing,
            self_assessment_report.report_section,
        ),
        Room(
            StepKey.OPPORTUNITIES,
            opportunities.Opportunities,
            opportunities.missing,
            opportunities_report.report_section,
            settle=opportunities.settle,
            changes=opportunities_report.changes_blocks,
        ),
        CAREER_CHOICE,
        CAREER_PATH,
        GOALS,
        ACTION_PLAN,
        Room(StepKey.REVIEW, review.Review, review.missing, review_report.report_section),
    )
}
