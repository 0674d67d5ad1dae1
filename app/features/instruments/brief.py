"""A score where there is room for one line: with its error band, its range, and how far it can be trusted."""

from __future__ import annotations

from app.domain.instruments import Instrument
from app.domain.saying import Say
from app.features.instruments.profile import ScaleLine
from app.features.instruments.words import figure, trust_words


def score_in_words(line: ScaleLine, _: Say) -> str:
    """The score of one scale, never without its band (95 percent) or the word that the band is not yet known."""
    if line.score is None:
        return _("too few answers")
    given = {"score": figure(line.score, _), "low": f"{line.low:g}", "high": f"{line.high:g}"}
    if line.edges is None:
        return _("%(score)s of %(low)s to %(high)s; how exact is not yet known", **given)
    return _(
        "%(score)s, likely %(from)s to %(to)s, of %(low)s to %(high)s",
        **given,
        **{"from": f"{line.edges[0]:.1f}", "to": f"{line.edges[1]:.1f}"},
    )


def trust_in_words(definition: Instrument, _: Say) -> str:
    """How far an instrument can be trusted, and that its scores compare nobody with others."""
    return _(
        "Trust: %(trust)s. “Likely” is where the score may lie (95 percent). Nobody is compared with others.",
        trust=trust_words(_)[definition.status],
    )
