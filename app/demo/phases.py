"""The phases of the demonstration in their order; each leaves the organization as a working day would."""

from __future__ import annotations

from app.demo import (
    answer_work,
    cohort,
    earlier_work,
    extract_work,
    filter_work,
    handover_work,
    message_work,
    outcome_work,
    plan_work,
    report_work,
    review_work,
    rollout_work,
    schedule_work,
    trigger_work,
)
from app.demo.build import Phase

PHASES: tuple[Phase, ...] = (
    ("organizations", "Making two organizations and the people who work there", cohort.organizations),
    ("catalogue", "Taking the starter catalogue of occupations", answer_work.catalogue),
    ("workers", "Waiting until the workers listen", cohort.workers),
    ("roster", "Importing a roster of made-up people", cohort.people),
    ("assignment", "Giving everyone the eight-step plan", cohort.plans),
    ("scoring", "Scoring their answers to a questionnaire", answer_work.answers),
    ("questionnaires", "Scoring their answers to the other questionnaires", answer_work.questionnaires),
    ("second_organization", "Filling the second organization, in Chinese", cohort.second_organization),
    ("earlier", "Letting those who began first look at their plans for the first time", earlier_work.check_in_before),
    ("writing", "Letting clients write and counsellors answer", plan_work.write_plans),
    ("taking_again", "Letting some answer a questionnaire again", answer_work.take_again),
    ("writing_zh", "The same in Chinese", plan_work.write_chinese_plans),
    ("prompting", "Prompting those who are due for a review", review_work.prompt_the_due),
    ("answering", "Letting some of them answer by the link in their mail", review_work.answer_some),
    ("deciding", "Letting counsellors decide about most of the answers", review_work.decide_some),
    ("returning", "Letting a mail come back", message_work.let_a_mail_come_back),
    ("reporting", "Writing a report for everyone", report_work.report_everyone),
    ("labelling", "Putting labels on some people and keeping two filters", filter_work.label_and_keep),
    ("own_reports", "Keeping two reports of their own and writing their files", extract_work.keep_reports),
    ("triggers", "Opening reviews for what happened beside the calendar", trigger_work.open_by_triggers),
    ("rollout", "Rolling a new version of the template out to one plan in four", rollout_work.roll_out_new_version),
    ("handing_over", "Handing some people over, and covering for who is away", handover_work.hand_over),
    ("graduating", "Letting a class graduate, and recording what became of most", outcome_work.let_a_class_graduate),
    ("cohort_figures", "Writing a cohort in figures, beside another", report_work.write_figures),
    ("scheduling", "Having reports of every kind written by the calendar", schedule_work.keep_schedules),
)
