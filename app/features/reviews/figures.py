"""What figures about reviews mean, once: Today, the caseload and the reviews page count by this.

Aggregates are of people, each counted by the last of their reviews; they share the days to answer.

A review counts as answered within seven days of its own, and only once those days are over, so that one that was asked
yesterday is neither answered nor missed. Figures of answers are of the month of today and the five before it.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, func

from app.features.plans.models import Plan
from app.features.reviews.models import Review

ANSWER_DAYS = 7
MONTHS = 6
SOON_DAYS = 30


def months_until(today: date) -> list[date]:
    """The first days of the months that figures of answers are of, the earliest first; the last is today's."""
    days = [today.replace(day=1)]
    while len(days) < MONTHS:
        days.append((days[-1] - timedelta(days=1)).replace(day=1))
    return days[::-1]


def answer_by(today: date) -> date:
    """The last day whose reviews are counted: their seven days to answer are over."""
    return today - timedelta(days=ANSWER_DAYS + 1)


def soon_by(today: date) -> date:
    """The last day of the reviews that are due soon."""
    return today + timedelta(days=SOON_DAYS)


def is_counted(since: Any, by: Any) -> ColumnElement[bool]:
    """Whether a review belongs to figures of answers; `since` and `by` are days, or parameters for them."""
    return Review.occurrence_on.between(since, by)


def in_time() -> ColumnElement[bool]:
    """Whether a review was answered within its seven days."""
    return Review.answered_at < Review.occurrence_on + func.make_interval(0, 0, 0, ANSWER_DAYS + 1)


def is_soon(by: Any) -> ColumnElement[bool]:
    """Whether a plan's next review is due soon and nobody was asked for it yet; `by` is a day, or a parameter."""
    return and_(Plan.next_review_on <= by, Plan.next_reminder == 0)
