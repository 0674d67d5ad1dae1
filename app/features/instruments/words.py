"""What results are called and what they mean, in plain sentences; the caller says them in the reader's language."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.domain.instruments import Instrument
from app.domain.saying import Say
from app.domain.scoring import Direction
from app.features.instruments.profile import InterestShape, Profile, ScaleLine
from app.infra.drawing.charts import Bar
from app.infra.drawing.interest_map import interest_map_svg
from app.infra.drawing.profile_bars import profile_bars_svg

# More orders than this say nothing: the letters are too close together.
_MOST_CODES = 6
# More bars than this are parted into pictures that stand beside each other where there is room.
_MOST_BARS = 12


def area_words(_: Say) -> dict[str, str]:
    """Each letter's area in one or two words."""
    return {
        "R": _("Doing"),
        "I": _("Finding out"),
        "A": _("Creating"),
        "S": _("Helping"),
        "E": _("Persuading"),
        "C": _("Organizing"),
    }


def trust_words(_: Say) -> dict[str, str]:
    """The four words for how far an instrument can be trusted."""
    return {
        "published_unaltered": _("published, unaltered"),
        "published_adapted": _("published, adapted"),
        "original_under_study": _("original, under study"),
        "reflection_only": _("reflection only"),
    }


def change_words(_: Say) -> dict[Direction, str]:
    """What is said of a scale since the time before."""
    return {
        Direction.HIGHER: _("higher"),
        Direction.LOWER: _("lower"),
        Direction.NO_CHANGE: _("no change beyond error"),
        Direction.UNKNOWN: _("not yet known"),
    }


def trust_sentences(definition: Instrument, *, known_errors: bool, people: int | None, _: Say) -> list[str]:
    """How far a result can be trusted, in sentences: the label, what the bands are, that nobody is compared."""
    said = [status_sentences(definition.status, _)[0]]
    if definition.ranking:
        said.append(
            _(
                "This is an order of your own: each point for one is a point less for another. So it says what comes"
                " first for you, not how much of anything you want."
            )
        )
    elif len(definition.scales) == len(definition.items):
        said.append(_("Each score is a single answer, so how exact it is cannot be known. Ask for a second opinion."))
    elif not known_errors:
        said.append(_("How exact the scores are is not yet known: fewer than 100 people have answered all of it here."))
    elif people is None:
        said.append(_("A score is never exact: the line across each bar shows where it may lie (95 percent)."))
    else:
        said.append(
            _(
                "A score is never exact: the line across each bar shows where it may lie (95 percent), as found from"
                " %(people)s people here.",
                people=people,
            )
        )
    return [*said, *status_sentences(definition.status, _)[1:]]


def status_sentences(status: str, _: Say) -> tuple[str, ...]:
    """The label of a result, and for the last two of the four that nobody is compared."""
    label = _("How far this can be trusted: %(trust)s.", trust=trust_words(_)[status])
    if status in ("original_under_study", "reflection_only"):
        return label, _("For thinking and talking about. No comparison with other people is made.")
    return (label,)


@dataclass(frozen=True, slots=True)
class Drawn:
    """A picture with its words and the table of the same figures."""

    title: str
    svg: str
    alt: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def figure(value: float | None, _: Say) -> str:
    """A score in at most one decimal; words where it is undefined."""
    return _("not enough answers") if value is None else f"{value:.1f}".removesuffix(".0")


def band_in_words(edges: tuple[float, float] | None, _: Say) -> str:
    """The error band of a score as a table's cell."""
    return _("not yet known") if edges is None else f"{edges[0]:.1f} – {edges[1]:.1f}"


def pictures_of(
    definition: Instrument, lines: tuple[ScaleLine, ...], _: Say, *, before: str | None = None
) -> list[Drawn]:
    """The scales as pictures of bars: one for each range of scores, and no more bars in one than a screen holds.

    The scales of a ranking come in the order that the answers give; `before` is the day compared with, in words.
    """
    if definition.ranking:
        lines = tuple(sorted(lines, key=lambda line: -(-1 if line.score is None else line.score)))
    groups = [tuple(lines[n] for n in group) for group in picture_groups([(line.low, line.high) for line in lines])]
    titles = picture_titles(definition.title, len(groups), _)
    return [_bars(group, title, _, before=before) for group, title in zip(groups, titles, strict=True)]


def picture_groups(limits: Sequence[tuple[float, float]]) -> list[list[int]]:
    """Which scales, by their number, belong into one picture: those of one range, and at most twelve, evenly parted."""
    groups = []
    for one in dict.fromkeys(limits):
        same = [number for number, its in enumerate(limits) if its == one]
        parts = -(-len(same) // _MOST_BARS)
        size = -(-len(same) // parts)
        groups += [same[first : first + size] for first in range(0, len(same), size)]
    return groups


def picture_titles(title: str, number: int, _: Say) -> list[str]:
    """The titles of so many pictures of one result: the result's own, numbered where there are several."""
    if number == 1:
        return [title]
    return [_("%(title)s, %(n)s of %(all)s", title=title, n=n, all=number) for n in range(1, number + 1)]


def order_of(lines: tuple[ScaleLine, ...]) -> list[tuple[int, str]] | None:
    """The scales of a ranking by place, equals in the same place; None where one has too few answers."""
    if any(line.score is None for line in lines):
        return None
    scores = {line.title: line.score or 0.0 for line in lines}
    return [
        (1 + sum(other > score for other in scores.values()), title)
        for title, score in sorted(scores.items(), key=lambda pair: -pair[1])
    ]


def _bars(lines: tuple[ScaleLine, ...], title: str, _: Say, *, before: str | None = None) -> Drawn:
    low, high = min(line.low for line in lines), max(line.high for line in lines)
    bars = [
        Bar(line.title, line.score, figure(line.score, _), *(line.edges or (None, None)))
        for line in lines
        if line.score is not None
    ]
    columns = [_("Scale"), _("Score"), _("Possible"), _("Error band")]
    changes = change_words(_)
    rows = []
    for line in lines:
        row = [
            line.title,
            figure(line.score, _),
            f"{line.low:g} – {line.high:g}",
            band_in_words(line.edges, _),
        ]
        if before is not None:
            row += [figure(line.before, _), changes[line.change or Direction.UNKNOWN]]
        rows.append(tuple(row))
    if before is not None:
        columns += [before, _("Since then")]
    said = "; ".join(f"{bar.label} {bar.shown}" for bar in bars)
    description = _("Scores from %(low)s to %(high)s", low=f"{low:g}", high=f"{high:g}")
    svg = profile_bars_svg(bars, title=title, description=description, limits=(low, high)) if bars else ""
    return Drawn(title, svg, _("Bars of the scores: %(scores)s", scores=said), tuple(columns), tuple(rows))


def map_of(shape: InterestShape, lines: tuple[ScaleLine, ...], _: Say) -> Drawn:
    """The map of the two dimensions, with the figures beside it."""
    where, words = shape.dimensions, area_words(_)
    poles = (_("Things"), _("People"), _("Data"), _("Ideas"))
    title = _("Things or people, data or ideas")
    sentence = map_sentence(shape, _)
    # Who likes one area wholly and the others not at all lies at twice the range, well inside the corner.
    most = 2.5 * max(line.high - line.low for line in lines)
    svg = interest_map_svg(
        where.things_people,
        where.data_ideas,
        most=most,
        areas=words,
        poles=poles,
        title=title,
        description=sentence,
        error=shape.map_error,
    )
    edges = shape.map_error or (None, None)
    rows = tuple(
        (name, f"{value:+.1f}", _("not yet known") if error is None else f"± {error:.1f}")
        for name, value, error in (
            (_("Things (+) or people (−)"), where.things_people, edges[0]),
            (_("Data (+) or ideas (−)"), where.data_ideas, edges[1]),
        )
    )
    return Drawn(title, svg, sentence, (_("Dimension"), _("Where you are"), _("Error band")), rows)


def map_sentence(shape: InterestShape, _: Say) -> str:
    """Which way the interests lean, or that they lean no way beyond error."""
    where, error = shape.dimensions, shape.map_error
    if where.angle is None:
        return _("All areas balance each other out, so there is no direction.")
    leans = []
    for value, edge, plus, minus in (
        (where.things_people, error[0] if error else None, _("things"), _("people")),
        (where.data_ideas, error[1] if error else None, _("data"), _("ideas")),
    ):
        if edge is None or abs(value) > edge:
            leans.append(plus if value > 0 else minus)
    if not leans:
        return _("Near the middle: no direction beyond error.")
    if error is None:
        return _("Leaning towards %(ways)s. How sure this is, is not yet known.", ways=_(" and ").join(leans))
    return _("Leaning towards %(ways)s, beyond error.", ways=_(" and ").join(leans))


def shape_sentences(shape: InterestShape, profile_high: float, _: Say, *, exact: bool) -> list[tuple[str, str]]:
    """The code, elevation, differentiation and consistency as (name, sentence); `exact`: errors are known."""
    spread = shape.differentiation
    return [
        (_("Order of areas"), _codes(shape, _, exact=exact)),
        (
            _("How much in all"),
            _(
                "%(mean)s of %(most)s on average over the six areas. It says how much you like activities at all, not"
                " which.",
                mean=f"{shape.elevation:.1f}",
                most=f"{profile_high:g}",
            ),
        ),
        (
            _("How distinct"),
            _("The areas are all equal, so no area stands out.")
            if spread.di5 == 0
            else _(
                "%(range)s points lie between the highest and the lowest area, with a typical spread of %(spread)s."
                " The more, the clearer your preferences.",
                range=f"{spread.di5:.1f}".removesuffix(".0"),
                spread=f"{spread.di7:.1f}",
            ),
        ),
        (_("How well the top two go together"), _consistency(shape, _)),
    ]


def _codes(shape: InterestShape, _: Say, *, exact: bool) -> str:
    if len(shape.codes) == 1:
        code = shape.codes[0]
        words = area_words(_)
        names = ", ".join(words[letter] for letter in code)
        if exact:
            return _("%(code)s (%(names)s), each clearly above the next.", code=code, names=names)
        return _("%(code)s (%(names)s). How sure this order is, is not yet known.", code=code, names=names)
    shown = ", ".join(shape.codes[:_MOST_CODES])
    if len(shape.codes) > _MOST_CODES:
        return _(
            "Not settled: %(number)s orders are possible within error, among them %(codes)s. Read the bars instead.",
            number=len(shape.codes),
            codes=shown,
        )
    return _("Some areas tie. Each of these orders fits your answers: %(codes)s.", codes=shown)


def _consistency(shape: InterestShape, _: Say) -> str:
    if len(shape.consistency) != 1:
        return _("Not defined: it is open which two areas come first.")
    return {
        3: _("They are neighbours on the hexagon: many occupations ask for both (level 3 of 3)."),
        2: _("They lie two steps apart on the hexagon: some occupations ask for both (level 2 of 3)."),
        1: _("They lie opposite each other on the hexagon: few occupations ask for both (level 1 of 3)."),
    }[shape.consistency[0]]


def answering_sentences(profile: Profile, _: Say) -> list[str]:
    """For the counsellor: how the questions were answered. Never part of a score."""
    answering = profile.answering
    said = []
    if answering.median_seconds is None:
        said.append(_("It was not timed."))
    else:
        said.append(
            _("Half of the questions took at most %(seconds)s seconds each.", seconds=f"{answering.median_seconds:.1f}")
        )
    if answering.hasty:
        said.append(_("That is faster than one can read them."))
    if answering.straight:
        said.append(_("The same answer was given many times in a row."))
    missed = sum(not answer for answer in profile.assessment.responses)
    if missed:
        said.append(_("Questions left out: %(number)s.", number=missed))
    said.append(_("This never changes a score. Talk about it if it looks odd."))
    return said
