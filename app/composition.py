"""Where the features are put together: the pages and APIs the web serves, and what workers run.

The only module that knows every feature; the web factory, the workers and the command line read it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from types import ModuleType
from uuid import UUID

from flask import Flask, current_app
from flask_babel import lazy_gettext

from app.apis import install_apis
from app.domain.access import Permission
from app.features.assignments import pages as assignments_pages
from app.features.assignments import runner as assignments_runner
from app.features.assignments import telling as assignments_telling
from app.features.audit import pages as audit_pages
from app.features.clients import duplicate_pages, label_pages, letter_pages, letters, roster_jobs, roster_pages
from app.features.clients import pages as clients_pages
from app.features.cohorts import pages as cohorts_pages
from app.features.cohorts import runner as cohorts_runner
from app.features.edits import letters as edits_letters
from app.features.edits import pages as edits_pages
from app.features.edits import runner as edits_runner
from app.features.extracts import keeping as extracts_keeping
from app.features.extracts import pages as extracts_pages
from app.features.extracts import runner as extracts_runner
from app.features.figures import class_pages
from app.features.figures import keeping as figures_keeping
from app.features.figures import pages as figures_pages
from app.features.figures.kept import sweep as forget_figure_marks
from app.features.identity import pages as identity_pages
from app.features.identity import profile, reset
from app.features.identity.messages import ThreadedPost
from app.features.instruments import hooks as instruments_hooks
from app.features.instruments import pages as instruments_pages
from app.features.instruments import result_pages, sitting_pages
from app.features.instruments import runner as instruments_runner
from app.features.jobs import pages as jobs_pages
from app.features.jobs.kinds import JobKind
from app.features.messaging import inbox_pages
from app.features.messaging import pages as messaging_pages
from app.features.messaging import settings_pages as message_settings_pages
from app.features.messaging.digest import with_digest
from app.features.messaging.kinds import MessageKind
from app.features.messaging.runner import send_outbox
from app.features.messaging.webhook import deliver_webhooks
from app.features.moves import cover_pages
from app.features.moves import pages as moves_pages
from app.features.moves import runner as moves_runner
from app.features.occupations import pages as occupations_pages
from app.features.organizations import entrance, people, repeats
from app.features.organizations import pages as organizations_pages
from app.features.organizations.edge import enter_by_token
from app.features.outcomes import file_jobs as outcomes_jobs
from app.features.outcomes import file_pages as outcomes_file_pages
from app.features.outcomes import letters as outcomes_letters
from app.features.outcomes import link_pages as outcomes_link_pages
from app.features.outcomes import pages as outcomes_pages
from app.features.overview import client_pages, my_plan, queue_pages
from app.features.overview import pages as overview_pages
from app.features.plans import marks as plan_marks
from app.features.plans import sharing_pages as template_sharing_pages
from app.features.plans import template_pages
from app.features.reports import cohort_pages as cohort_figures_pages
from app.features.reports import cohort_runner as cohort_figures_runner
from app.features.reports import keeping as reports_keeping
from app.features.reports import pages as reports_pages
from app.features.reports import runner as reports_runner
from app.features.reviews import board as reviews_board
from app.features.reviews import days_pages as reviews_days
from app.features.reviews import desk_pages as reviews_desk
from app.features.reviews import messages as reviews_messages
from app.features.reviews import own_pages as reviews_own
from app.features.reviews import pages as reviews_pages
from app.features.reviews import retake_pages as reviews_retakes
from app.features.reviews.engine import make_due_prompts, sweep_reviews
from app.features.rollouts import pages as rollouts_pages
from app.features.rollouts import runner as rollouts_runner
from app.features.schedules import letters as schedules_letters
from app.features.schedules import pages as schedules_pages
from app.features.schedules import runner as schedules_runner
from app.features.schedules.making import check_all as check_schedules
from app.features.schedules.making import make_due_runs
from app.features.schedules.settling import settle_ended as settle_schedules
from app.features.schedules.settling import wait_again
from app.features.scratches import pages as scratches_pages
from app.features.scratches.service import forget_expired
from app.features.selections import chosen_pages, graduate_pages
from app.features.selections import pages as selections_pages
from app.features.selections import runner as selections_runner
from app.features.steps import pages as plans_pages
from app.features.steps.action_plan import pages as actions_pages
from app.features.steps.action_plan.evidence import erase_removed
from app.features.steps.career_choice import pages as choice_pages
from app.features.steps.career_path import pages as career_path_pages
from app.features.steps.goals import pages as goals_pages
from app.features.triggers import pages as triggers_pages
from app.features.triggers.service import look_by_night
from app.infra.runtime import Runtime
from app.infra.web.page import install_page
from app.infra.web.throttle import Throttle

ROOT = Path(__file__).resolve().parent

# A result marks the steps that rest on it, in the transaction that stores it; questionnaires stand below plans.
instruments_hooks.listen(plan_marks.mark_results)

# Every module of pages; all of them must be imported before their blueprint is registered.
_PAGES: tuple[ModuleType, ...] = (
    audit_pages,
    jobs_pages,
    identity_pages,
    profile,
    reset,
    entrance,
    people,
    organizations_pages,
    roster_pages,
    occupations_pages,
    instruments_pages,
    sitting_pages,
    result_pages,
    outcomes_pages,
    outcomes_link_pages,
    outcomes_file_pages,
    template_pages,
    template_sharing_pages,
    plans_pages,
    goals_pages,
    career_path_pages,
    scratches_pages,
    choice_pages,
    actions_pages,
    clients_pages,
    letter_pages,
    duplicate_pages,
    label_pages,
    cohorts_pages,
    moves_pages,
    cover_pages,
    selections_pages,
    chosen_pages,
    graduate_pages,
    assignments_pages,
    rollouts_pages,
    messaging_pages,
    inbox_pages,
    message_settings_pages,
    reviews_pages,
    reviews_board,
    triggers_pages,
    reviews_days,
    reviews_desk,
    reviews_own,
    reviews_retakes,
    edits_pages,
    figures_pages,
    class_pages,
    my_plan,
    overview_pages,
    queue_pages,
    client_pages,
    reports_pages,
    cohort_figures_pages,
    extracts_pages,
    schedules_pages,
)
_KINDS: tuple[JobKind, ...] = (
    roster_jobs.CHECK,
    roster_jobs.APPLY,
    instruments_runner.KIND,
    *outcomes_jobs.KINDS,
    moves_runner.KIND,
    assignments_runner.KIND,
    assignments_runner.WITHDRAWAL,
    rollouts_runner.KIND,
    *edits_runner.KINDS,
    # Who waits for a scheduled report that failed is told once it was tried again.
    replace(reports_runner.KIND, retried=wait_again),
    cohort_figures_runner.KIND,
    extracts_runner.WRITE,
    schedules_runner.WRITE,
)
JOB_KINDS: dict[str, JobKind] = {kind.name: kind for kind in _KINDS}
MESSAGE_KINDS: dict[str, MessageKind] = with_digest(
    {
        kind.name: kind
        for kind in (
            *reviews_messages.KINDS,
            *letters.KINDS,
            *outcomes_letters.KINDS,
            *assignments_telling.KINDS,
            *edits_letters.MESSAGES,
            *schedules_letters.KINDS,
        )
    }
)


def current_runtime() -> Runtime:
    """The ports of the running web process."""
    return current_app.extensions["octant"]  # type: ignore[no-any-return] # put there by the factory


# The main navigation: endpoint, word, and what a role needs to see it. A client has "My plan" and the occupations.
NAVIGATION: tuple[tuple[str, str, Permission], ...] = (
    ("overview.my_plan", lazy_gettext("My plan"), Permission.OWN_PLAN),
    # Others find the occupations at the foot of every page: their navigation is full.
    ("occupations.index", lazy_gettext("Occupations"), Permission.OWN_PLAN),
    ("overview.today", lazy_gettext("Today"), Permission.READ_CLIENTS),
    ("overview.caseload", lazy_gettext("Caseload"), Permission.READ_CLIENTS),
    ("cohorts.index", lazy_gettext("Cohorts"), Permission.USE_COHORTS),
    ("templates.index", lazy_gettext("Templates"), Permission.USE_TEMPLATES),
    ("instruments.index", lazy_gettext("Instruments"), Permission.MANAGE_INSTRUMENTS),
    ("reviews.index", lazy_gettext("Reviews"), Permission.USE_COHORTS),
    ("roster.index", lazy_gettext("Import"), Permission.IMPORT_ROSTER),
    ("jobs.index", lazy_gettext("Jobs"), Permission.READ_JOBS),
    ("figures.aggregates", lazy_gettext("Aggregates"), Permission.READ_AGGREGATES),
    ("organizations.people", lazy_gettext("People"), Permission.MANAGE_PEOPLE),
    ("organizations.settings", lazy_gettext("Settings"), Permission.MANAGE_SETTINGS),
    ("audit.index", lazy_gettext("Audit"), Permission.READ_AUDIT),
)


def install(app: Flask) -> None:
    """Register every feature's pages and APIs, in the order of the ladder."""
    install_page(app, NAVIGATION, entrance.organizations_of_reader)
    app.extensions["octant_message_kinds"] = MESSAGE_KINDS
    # Modules of one feature share its blueprint, which is registered once.
    for blueprint in dict.fromkeys(module.blueprint for module in _PAGES):
        app.register_blueprint(blueprint)
    install_apis(app)


def bind(app: Flask) -> None:
    """What pages use that is made from the settings of the application's runtime."""
    settings = app.extensions["octant"].settings
    app.extensions["octant_throttle"] = Throttle(settings.broker_url, settings.key_for("throttle"))
    app.extensions["octant_post"] = ThreadedPost(settings)


def authenticate_api() -> None:
    """Set the actor of a request that carries a personal API token."""
    enter_by_token(current_runtime())


def prompt_organization(runtime: Runtime, organization_id: UUID, *, until: datetime, senders: int = 2) -> bool:
    """Make due prompts and reports, send the outbox, then settle reports; returns whether more may be done now.

    `senders` connections share the outbox: while one waits for the mail server's answer another prepares its mail.
    """
    due = make_due_prompts(runtime, organization_id, until=until)
    due |= make_due_runs(runtime, organization_id, until=until)
    unsent = send_outbox(runtime, organization_id, MESSAGE_KINDS, until=until, senders=senders)
    deliver_webhooks(runtime, organization_id, until)
    # Last, so that no mail waits for it, or stays where it fails; what it puts there leaves in the next round.
    settled = settle_schedules(runtime, organization_id, until=until)
    return due or unsent or settled


def sweep_organization(runtime: Runtime, organization_id: UUID) -> None:
    """Housekeeping of one organization; every part is harmless to repeat."""
    repeats.forget_old(runtime, organization_id)
    forget_expired(runtime, organization_id)
    selections_runner.forget_old(runtime, organization_id)
    forget_figure_marks(runtime, organization_id)
    # Before the rules of cohorts, which may ask who looks after somebody.
    moves_runner.sweep(runtime, organization_id)
    # Before the standing assignments, so that who joins a cohort now has a plan after this sweep.
    cohorts_runner.refresh_stale_cohorts(runtime, organization_id)
    assignments_runner.follow_standing(runtime, organization_id)
    # Before reviews are scheduled, which leaves those alone that are due today.
    look_by_night(runtime, organization_id)
    sweep_reviews(runtime, organization_id)
    erase_removed(runtime, organization_id)
    reports_keeping.forget_old(runtime, organization_id)
    extracts_keeping.forget_old(runtime, organization_id)
    figures_keeping.forget_old(runtime, organization_id)
    check_schedules(runtime, organization_id)
    settle_schedules(runtime, organization_id)
