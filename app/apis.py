"""Which JSON APIs there are, in the order the document lists them; a part of the composition."""

from __future__ import annotations

from flask import Flask

from app.features.assignments import api as assignments
from app.features.audit import api as audit
from app.features.clients import api as clients
from app.features.clients import duplicate_api as duplicates
from app.features.clients import labels_api as labels
from app.features.clients import roster_api as roster
from app.features.cohorts import api as cohorts
from app.features.edits import api as edits
from app.features.extracts import api as extracts
from app.features.figures import api as figures
from app.features.instruments import api as instruments
from app.features.jobs import api as jobs
from app.features.messaging import api as messaging
from app.features.moves import api as moves
from app.features.occupations import api as occupations
from app.features.organizations import api as organizations
from app.features.organizations import me_api, repeats
from app.features.outcomes import file_api as outcomes
from app.features.overview import api as queues
from app.features.plans import api as plans
from app.features.plans import templates_api as templates
from app.features.reports import api as reports
from app.features.reports import cohort_api as cohort_figures
from app.features.reviews import check_in_api as check_ins
from app.features.reviews import days_api as review_days
from app.features.reviews import decisions_api as reviews
from app.features.rollouts import api as rollouts
from app.features.schedules import api as schedules
from app.features.scratches import api as scratches
from app.features.selections import api as filters
from app.features.steps import api as steps
from app.features.steps.action_plan import api as actions
from app.features.steps.career_choice import api as choice
from app.features.steps.career_path import api as career_path
from app.features.steps.opportunities import api as opportunities
from app.features.triggers import api as triggers
from app.infra.web.api.install import install_api


def install_apis(app: Flask) -> None:
    """Register every feature's API below /api/v1, with its document."""
    features = (
        me_api,
        organizations,
        clients,
        labels,
        roster,
        duplicates,
        cohorts,
        moves,
        occupations,
        instruments,
        outcomes,
        templates,
        plans,
        steps,
        opportunities,
        career_path,
        scratches,
        choice,
        actions,
        filters,
        assignments,
        rollouts,
        reviews,
        review_days,
        check_ins,
        triggers,
        edits,
        messaging,
        queues,
        figures,
        reports,
        cohort_figures,
        extracts,
        schedules,
        jobs,
        audit,
    )
    install_api(app, [feature.blueprint for feature in features], repeats)
