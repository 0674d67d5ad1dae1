"""Which JSON APIs there are, in the order the document lists them; a part of the composition."""

from __future__ import annotations

from flask import Flask

from app.features.assignments import api as assignments
from app.features.audit import api as audit
from app.features.clients import api as clients
from app.features.clients import roster_api as roster
from app.features.cohorts import api as cohorts
from app.features.instruments import api as instruments
from app.features.jobs import api as jobs
from app.features.messaging import api as messaging
from app.features.occupations import api as occupations
from app.features.organizations import api as organizations
from app.features.organizations import me_api, repeats
from app.features.plans import api as plans
from app.features.plans import templates_api as templates
from app.features.reports import api as reports
from app.features.reviews import check_in_api as check_ins
from app.features.reviews import days_api as review_days
from app.features.reviews import decisions_api as reviews
from app.features.scratches import api as scratches
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
        roster,
        cohorts,
        occupations,
        instruments,
        templates,
        plans,
        steps,
        opportunities,
        career_path,
        scratches,
        choice,
        actions,
        assignments,
        reviews,
        review_days,
        check_ins,
        triggers,
        messaging,
        reports,
        jobs,
        audit,
    )
    install_api(app, [feature.blueprint for feature in features], repeats)
