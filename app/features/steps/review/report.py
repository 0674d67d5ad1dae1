"""Step 8 as blocks of a report or page."""

from __future__ import annotations

from app.domain.saying import Say
from app.features.plans.rooms import Block, Content, Section, Surroundings, Table
from app.features.steps.review.words import review_words


def report_section(content: Content, around: Surroundings, _: Say) -> Section:
    """The past reviews, newest first."""
    blocks: list[Block] = []
    if around.reviews:
        words = review_words(_)
        cells = tuple((on, words.get(outcome, _("answered"))) for on, outcome in around.reviews)
        blocks.append(Table(_("Past reviews"), (_("Day"), _("Result")), cells))
    return Section(_("Review"), tuple(blocks))
