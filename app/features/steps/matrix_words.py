"""What a decision matrix (`app.features.steps.matrix`) lacks and says, in sentences and as blocks of a report. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from app.domain import decisions
from app.domain.saying import Say
from app.features.plans.rooms import Block, Content, Listing, Paragraph, Table
from app.features.steps.matrix import Matrix, Weights


def missing_of(matrix: Matrix, least: int, _: Say) -> list[str]:
    """What the matrix lacks: enough criteria with a weight, usable weights, every rating that counts."""
    said = []
    weights = matrix.weights
    undecided = weights.asked and not weights.shares
    found = len(matrix.criteria) if undecided else sum(share > 0 for share in weights.shares.values())
    if found < least:
        said.append(_("Criteria with a weight so far: %(found)s. Weight at least %(least)s.", found=found, least=least))
    if undecided and weights.lack != "none":
        said.append(weights_words(matrix, _))
    said += [_("Rate “%(name)s” on every criterion that counts.", name=matrix.options[one]) for one in matrix.unrated]
    return said


def weights_words(matrix: Matrix, _: Say) -> str:
    """Where the weights come from and how well comparisons agree; empty where nothing is weighted yet."""
    weights = matrix.weights
    if weights.lack == "none":
        return ""
    if not weights.asked:
        return _("The weights are those given directly, from 0 to 10.")
    if weights.lack:
        return (_fallen_back if weights.shares else _undecided)(matrix, _)
    return _(
        "The weights come from comparing two criteria at a time. The comparisons agree well enough: their "
        "consistency ratio is %(ratio)s, and up to 0.10 is acceptable.",
        ratio=ratio_words(weights),
    )


def _undecided(matrix: Matrix, _: Say) -> str:
    """Nothing has a weight, and why the comparisons give none."""
    weights = matrix.weights
    match weights.lack:
        case "open":
            return _(
                "The weights come from comparing two criteria at a time. Still to compare: %(open)s of %(all)s.",
                open=len(weights.left),
                all=len(weights.pairs),
            )
        case "too_many":
            return _(
                "At most %(most)s criteria can be compared two at a time. Leave some out, or weigh them directly.",
                most=decisions.MOST_COMPARED,
            )
    said = _(
        "The comparisons contradict each other too much to be used as weights: their consistency ratio is %(ratio)s, "
        "and up to 0.10 is acceptable.",
        ratio=ratio_words(weights),
    )
    return f"{said} {contradiction_words(matrix, _)}"


def _fallen_back(matrix: Matrix, _: Say) -> str:
    """The weights given directly count, and why the comparisons do not."""
    weights = matrix.weights
    match weights.lack:
        case "open":
            return _("The weights are those given directly: pairs still to compare: %(left)s.", left=len(weights.left))
        case "too_many":
            return _("The weights are those given directly: only 2 to 10 criteria can be compared.")
    said = _(
        "The weights are those given directly: the comparisons contradict each other too much (consistency ratio "
        "%(ratio)s, more than .10), so they are not used as weights.",
        ratio=ratio_words(weights),
    )
    return f"{said} {contradiction_words(matrix, _)}"


def ratio_words(weights: Weights) -> str:
    """The consistency ratio with two decimals; empty before all pairs are compared."""
    return "" if weights.pairwise is None else f"{weights.pairwise.consistency_ratio:.2f}"


def contradiction_words(matrix: Matrix, _: Say) -> str:
    """The comparison that fits the others least; empty where they may serve as weights."""
    found = matrix.weights.pairwise
    if found is None or found.usable or found.worst is None:
        return ""
    worst = found.worst
    first, second = (matrix.criteria[matrix.weights.order[place]] for place in (worst.first, worst.second))
    said, implied = worst.said, worst.implied
    if said < 1:
        # Always told from the one that was said to matter more.
        first, second, said, implied = second, first, 1 / said, 1 / implied
    values = {"first": first, "second": second, "said": times_words(said)}
    if implied >= 1:
        return _(
            "Look at this pair again: you said “%(first)s” is %(said)s times as important as “%(second)s”; your other "
            "comparisons make it %(implied)s times.",
            **values,
            implied=times_words(implied),
        )
    return _(
        "Look at this pair again: you said “%(first)s” is %(said)s times as important as “%(second)s”; your other "
        "comparisons say the opposite, that “%(second)s” is %(implied)s times as important.",
        **values,
        implied=times_words(1 / implied),
    )


def times_words(times: float) -> str:
    """How many times: 3, 2.5; whole where it is so to one decimal."""
    return f"{times:.0f}" if abs(times - round(times)) < 0.05 else f"{times:.1f}"


def sensitivity_words(matrix: Matrix, _: Say) -> list[str]:
    """How firm the result is: for each criterion the smallest change of its weight that changes who leads, the
    smallest first; what no weight changes; what is dominated, and what decides nothing. Empty while nothing leads."""
    if not matrix.leaders:
        return []
    names, criteria = matrix.options, matrix.criteria
    if len(matrix.leaders) > 1:
        said = [
            _(
                "%(names)s are level. The least change of a weight or rating decides between them.",
                names=quoted(names[one] for one in matrix.leaders),
            )
        ]
    else:
        said = _changes(matrix, _)
    said += [
        _(
            "“%(option)s” is never better than %(others)s and at least once worse: no weights make it lead.",
            option=names[option],
            others=quoted(names[one] for one in others),
        )
        for option, others in matrix.dominated.items()
    ]
    said += [
        _("“%(criterion)s” decides nothing: all are rated alike on it.", criterion=criteria[one]) for one in matrix.flat
    ]
    return said


def _changes(matrix: Matrix, _: Say) -> list[str]:
    """What would change the one that leads; empty for a single option."""
    if len(matrix.options) < 2:
        return []
    if not matrix.shifts:
        leader = matrix.options[matrix.leaders[0]]
        return [_("“%(leader)s” leads, and no change of a single weight changes that.", leader=leader)]
    said = []
    for shift in matrix.shifts:
        sentence = (
            _("If “%(criterion)s” counted more than %(becomes)s percent (now %(now)s), “%(rival)s” would lead.")
            if shift.becomes > shift.weight
            else _("If “%(criterion)s” counted less than %(becomes)s percent (now %(now)s), “%(rival)s” would lead.")
        )
        values = {
            "criterion": matrix.criteria[shift.criterion],
            "becomes": percent(shift.becomes),
            "now": percent(shift.weight),
            "rival": matrix.options[shift.rival],
        }
        said.append(sentence % values)
    if matrix.firm:
        names = quoted(matrix.criteria[one] for one in matrix.firm)
        said.append(_("No weight of these alone changes who leads: %(criteria)s.", criteria=names))
    return said


def quoted(names: Iterable[str]) -> str:
    """Names in a row, each in marks."""
    return ", ".join(f"“{name}”" for name in names)


def percent(share: float) -> str:
    """A share of 1 in percent, with one decimal where it has one: 0.125 is 12.5, 0.5 is 50."""
    return f"{share * 100:.1f}".removesuffix(".0")


def reasons_of(matrix: Matrix, content: Content, _: Say) -> list[str]:
    """The comparisons that say why, one line each, the more important criterion first."""
    lines = []
    for row in content.get("pairs", ()):
        first, second, times = row["first"], row["second"], row.get("times")
        if not times or first not in matrix.criteria or second not in matrix.criteria:
            continue
        if times < 1:
            first, second, times = second, first, 1 / times
        names = {"first": matrix.criteria[first], "second": matrix.criteria[second]}
        said = (
            _("“%(first)s” and “%(second)s” matter alike", **names)
            if abs(times - 1) < 0.01
            else _("“%(first)s” matters %(times)s times as much as “%(second)s”", times=times_words(times), **names)
        )
        lines.append(f"{said}: {row['why']}" if row.get("why") else said)
    return lines


def blocks_of(matrix: Matrix, content: Content, _: Say, *, heading: str, option: str) -> tuple[Block, ...]:
    """The matrix in a report: totals with their basis, ratings, where the weights are from, how firm it is.

    `heading` stands over the table, `option` is what one row of it is called.
    """
    if not matrix.criteria or not matrix.options:
        return ()
    shares = matrix.weights.shares
    columns = (
        option,
        _("Weighted mean"),
        _("Weights behind it"),
        *(
            _("%(name)s (%(weight)s%%)", name=name, weight=percent(shares[one])) if one in shares else name
            for one, name in matrix.criteria.items()
        ),
    )
    rows = tuple(
        (
            matrix.options[one],
            _("not known") if (total := matrix.totals.get(one)) is None else f"{total:.2f}",
            "" if one not in matrix.basis else f"{percent(matrix.basis[one])}%",
            *(str(matrix.ratings[one].get(criterion, _("not rated"))) for criterion in matrix.criteria),
        )
        for one in matrix.ordered()
    )
    found: list[Block] = [Table(heading, columns, rows)]
    if said := weights_words(matrix, _):
        found.append(Paragraph(_("Where the weights come from"), said))
    if matrix.weights.asked and (reasons := reasons_of(matrix, content, _)):
        found.append(Listing(_("Criteria compared"), tuple(reasons)))
    if firm := sensitivity_words(matrix, _):
        found.append(Listing(_("How firm the result is"), tuple(firm)))
    return tuple(found)
