"""The kinds of things that can be given, by name."""

from __future__ import annotations

from collections.abc import Mapping

from app.features.assignments import given_action, given_instrument, given_step, given_template
from app.features.assignments.gifts import Gift

GIFTS: Mapping[str, Gift] = {
    gift.what: gift
    for gift in (given_template.GIFT, given_step.STEP, given_instrument.GIFT, given_action.GIFT, given_step.DUE)
}
