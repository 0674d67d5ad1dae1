"""The phases of the demonstration in their order; each leaves the organization as a working day would."""

from __future__ import annotations

from app.demo import answer_work, cohort, plan_work, report_work, review_work, trigger_work
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
    ("writing", "Letting clients write and counsellors answer", plan_work.write_plans),
    ("taking_again", "Letting some answer a questionnaire again", answer_work.take_again),
    ("writing_zh", "The same in Chinese", plan_work.write_chinese_plans),
    ("prompting", "Prompting those who are due for a review", review_work.prompt_the_due),
    ("answering", "Letting some of them answer by the link in their mail", review_work.answer_some),
    ("reporting", "Writing a report for everyone", report_work.report_everyone),
    ("triggers", "Opening reviews for what happened beside the calendar", trigger_work.open_by_triggers),
)
