"""What becomes of graduates: the statuses of the published first-destination standard, classes, and how they count.

A class is named by the year it ends in: that of 2026 graduated from 1 July 2025 to 30 June 2026, and what is known of
it by 31 December 2026 counts. Nothing known is no status: it is the absence of one. The two rates are those of
`app.domain.destinations`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from app.domain.destinations import Destinations
from app.domain.errors import FieldProblem
from app.domain.folding import fold
from app.domain.reading import check_day
from app.domain.saying import later

FULL_TIME, PART_TIME = "employed_full_time", "employed_part_time"
SERVICE, MILITARY, EDUCATION = "service", "military", "continuing_education"
SEEKING_WORK, SEEKING_EDUCATION, NOT_SEEKING = "seeking_employment", "seeking_education", "not_seeking"
# In the order of the standard's sheet.
STATUSES: Final = (
    FULL_TIME,
    PART_TIME,
    SERVICE,
    MILITARY,
    EDUCATION,
    SEEKING_WORK,
    SEEKING_EDUCATION,
    NOT_SEEKING,
)
EMPLOYED: Final = (FULL_TIME, PART_TIME)
# As whom somebody is employed; "organization" is the usual case.
EMPLOYMENTS: Final = ("organization", "entrepreneur", "temporary", "freelance", "internship")
SOURCES: Final = ("survey", "counsellor", "employer", "social_profile", "institution", "other")
LONGEST: Final[Mapping[str, int]] = {"employer": 200, "title": 200, "place": 200, "occupation": 200}
MOST_SALARY = 1_000_000_000
# Of the first and last day that can be given.
FIRST_CLASS, LAST_CLASS = 1900, 2201
# The standard asks institutions to know at least so much of a class.
AIMED_KNOWLEDGE = 0.65
_CURRENCY = re.compile(r"[A-Z]{3}", re.ASCII)
_WORDS: Final[Mapping[str, str]] = {
    FULL_TIME: "fulltime employedfulltime employedft workingfulltime ft 全职 全职就业",
    PART_TIME: "parttime employedparttime employedpt workingparttime pt 兼职 兼职就业",
    SERVICE: "service volunteer volunteerservice volunteering serviceprogram serviceprogramme 志愿服务",
    MILITARY: "military militaryservice armedforces 服役 参军 军队",
    EDUCATION: "continuingeducation education furthereducation furtherstudy graduateschool study studying 升学 深造",
    SEEKING_WORK: "seekingemployment stillseeking seeking seekingwork unemployed lookingforwork 求职中 待业",
    SEEKING_EDUCATION: "seekingeducation seekingcontinuingeducation planningtocontinueeducation 准备升学 拟升学",
    NOT_SEEKING: "notseeking notseekingemployment notseekingemploymentorcontinuingeducation 不求职 暂不求职",
}
_STATUS_OF: Final = {word: status for status, words in _WORDS.items() for word in words.split()}
_EMPLOYMENT_WORDS: Final[Mapping[str, str]] = {
    "organization": "organization organisation employer traditional regular permanent 单位",
    "entrepreneur": "entrepreneur founder ownbusiness selfemployed startup 创业",
    "temporary": "temporary contract temp temporarycontract 临时 合同工",
    "freelance": "freelance freelancer 自由职业",
    "internship": "internship fellowship internshiporfellowship postgraduateinternship 实习",
}
_EMPLOYMENT_OF: Final = {word: kind for kind, words in _EMPLOYMENT_WORDS.items() for word in words.split()}
_SOURCE_WORDS: Final[Mapping[str, str]] = {
    "survey": "survey questionnaire 问卷 调查",
    "counsellor": "counsellor counselor adviser advisor staff 辅导员 顾问",
    "employer": "employer company 雇主 单位",
    "social_profile": "socialprofile socialmedia profile network 社交网络",
    "institution": "institution registry faculty clearinghouse university school 学校",
    "other": "other 其他",
}
_SOURCE_OF: Final = {word: source for source, words in _SOURCE_WORDS.items() for word in words.split()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """One thing known of a graduate; what is not known of it is None or empty.

    `known_on` is the day it was true and known, `salary` a year's in whole units of `currency` (three letters).
    `occupation` is a code or title as it was typed; the catalogue says whether there is one.
    """

    status: str
    known_on: date
    source: str
    employment: str | None = None
    employer: str = ""
    title: str = ""
    occupation: str = ""
    place: str = ""
    salary: int | None = None
    currency: str | None = None


def class_of(graduated_on: date) -> int:
    """The class of a day of graduation, by the year it ends in: 1 July 2025 to 30 June 2026 is 2026."""
    return graduated_on.year + (graduated_on.month >= 7)


def days_of_class(year: int) -> tuple[date, date]:
    """The first and last day on which a class graduates."""
    return date(year - 1, 7, 1), date(year, 6, 30)


def counts_until(year: int) -> date:
    """The last day of collection: what became known of a class later is kept and counts no more."""
    return date(year, 12, 31)


def problems_of(given: Destination, today: date) -> list[FieldProblem]:
    """What is wrong with what somebody wrote, field by field; nothing where it can be kept."""
    problems: list[FieldProblem] = []
    for field, value, words in (("status", given.status, STATUSES), ("source", given.source, SOURCES)):
        if value not in words:
            problems.append(FieldProblem(field, later("Choose one of: %(kinds)s.", kinds=", ".join(words))))
    if given.employment is not None and given.employment not in EMPLOYMENTS:
        kinds = ", ".join(EMPLOYMENTS)
        problems.append(FieldProblem("employment", later("Choose one of: %(kinds)s.", kinds=kinds)))
    elif given.employment is not None and given.status not in EMPLOYED:
        problems.append(FieldProblem("employment", later("Only somebody employed has a kind of employment.")))
    problems += check_day("known_on", given.known_on) or (
        [FieldProblem("known_on", later("This day is still to come. Give the day it was known."))]
        if given.known_on > today
        else []
    )
    problems += [
        FieldProblem(field, later("Write at most %(most)s characters.", most=most))
        for field, most in LONGEST.items()
        if len(getattr(given, field)) > most
    ]
    return problems + _salary_problems(given)


def _salary_problems(given: Destination) -> list[FieldProblem]:
    if given.salary is None and given.currency is None:
        return []
    if given.salary is None:
        return [FieldProblem("salary", later("Give the amount, or leave the currency empty."))]
    if given.status not in EMPLOYED:
        return [FieldProblem("salary", later("Only somebody employed has a salary."))]
    found = []
    if not 0 <= given.salary <= MOST_SALARY:
        bounds = {"least": 0, "most": MOST_SALARY}
        found.append(FieldProblem("salary", later("Give a whole number from %(least)s to %(most)s.", **bounds)))
    if given.currency is None or not _CURRENCY.fullmatch(given.currency):
        found.append(FieldProblem("currency", later("Give the currency as three letters, such as EUR.")))
    return found


def status_called(word: str) -> str | None:
    """The status that a cell of somebody's file means; None where it means none that is known."""
    return _called(word, STATUSES, _STATUS_OF)


def employment_called(word: str) -> str | None:
    """The kind of employment that a cell of a file means, or None."""
    return _called(word, EMPLOYMENTS, _EMPLOYMENT_OF)


def source_called(word: str) -> str | None:
    """The source that a cell of a file means, or None."""
    return _called(word, SOURCES, _SOURCE_OF)


def _called(word: str, known: Sequence[str], words: Mapping[str, str]) -> str | None:
    plain = "".join(sign for sign in fold(word) if sign.isalnum())
    exact = {one.replace("_", ""): one for one in known}
    return exact.get(plain) or words.get(plain)


def destinations_of(graduates: int, counts: Mapping[str, int]) -> Destinations:
    """A class as the rates take it, from how many have each status; raises ValueError for counts that cannot be."""
    number = {status: counts.get(status, 0) for status in STATUSES}
    return Destinations(
        graduates=graduates,
        employed=number[FULL_TIME] + number[PART_TIME],
        service=number[SERVICE],
        military=number[MILITARY],
        continuing_education=number[EDUCATION],
        still_seeking=number[SEEKING_WORK] + number[SEEKING_EDUCATION],
        not_seeking=number[NOT_SEEKING],
    )
