"""Step 8: the place of the reviews; their answers are reviews, this step only shows them."""

from __future__ import annotations

from app.domain.saying import Say
from app.features.plans.rooms import Content, Surroundings
from app.features.steps.parts import StrictSchema


class Review(StrictSchema):
    """The step holds nothing of its own: a review is answered in its check-in."""


def missing(content: Content, around: Surroundings, _: Say) -> list[str]:
    """A review must have been answered."""
    return [] if around.reviews else [_("Answer your first review. We send you a message when it is due.")]
