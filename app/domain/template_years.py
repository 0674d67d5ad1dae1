"""A recipe for next year: its terms exchanged for those of next year, fixed review days moved by the same distance."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta

from app.domain.cadence import OnDates
from app.domain.errors import FieldProblem, InvalidInput
from app.domain.reading import check_day
from app.domain.saying import later
from app.domain.steps import AroundTerm
from app.domain.template_content import TemplateContent
from app.domain.terms import Term

_YEAR = re.compile(r"(?<!\d)(?:(20\d\d)([/–-])(\d\d)(?!\d)|(20\d\d)(?!\d))")
# How far the start of next year's term may lie from a year after this year's for a guess without a year in the name.
_NEAR = timedelta(days=45)
_YEAR_LONG = timedelta(days=365)


def terms_named(content: TemplateContent) -> tuple[str, ...]:
    """The terms that due days count from, each once, in the order of the steps; also of steps that are off."""
    return tuple(dict.fromkeys(step.due.term for step in content.steps if isinstance(step.due, AroundTerm)))


def next_year_name(name: str) -> str:
    """The name with every year in it a year later, such as "2026/27" as "2027/28"; the same where it has no year."""

    def later_by_one(found: re.Match[str]) -> str:
        if found[4]:
            return str(int(found[4]) + 1)
        return f"{int(found[1]) + 1}{found[2]}{(int(found[3]) + 1) % 100:02d}"

    return _YEAR.sub(later_by_one, name)


def guess_term(name: str, terms: Sequence[Term]) -> str | None:
    """The term of next year: the one named a year later, else the one that starts about a year later; None for no such.

    Of several that start about a year later the one whose name is alike but for its figures comes first.
    """
    by_name = {term.name: term for term in terms}
    following = next_year_name(name)
    if following != name and following in by_name:
        return following
    this = by_name.get(name)
    if this is None:
        return None
    wanted = this.starts_on + _YEAR_LONG
    near = [term for term in terms if abs(term.starts_on - wanted) <= _NEAR]
    near.sort(key=lambda term: (_bare(term.name) != _bare(name), abs(term.starts_on - wanted), term.name))
    return near[0].name if near else None


def for_next_year(content: TemplateContent, chosen: Mapping[str, str], terms: Sequence[Term]) -> TemplateContent:
    """The recipe with each named term exchanged for the chosen one, and fixed review days moved.

    A fixed day moves as far as the term it is nearest to; where no term says how far, a year. Raises `InvalidInput`
    for a term without a choice or a choice that does not exist, each with its place.
    """
    known = {term.name: term for term in terms}
    problems = []
    for name in terms_named(content):
        target = chosen.get(name)
        if target is None:
            problems.append(
                FieldProblem(f"terms.{name}", later("Choose the term that follows %(term)s next year.", term=name))
            )
        elif target not in known:
            problems.append(FieldProblem(f"terms.{name}", later("There is no term %(term)s.", term=target)))
    if problems:
        raise InvalidInput(problems)
    steps = tuple(
        replace(step, due=replace(step.due, term=chosen[step.due.term])) if isinstance(step.due, AroundTerm) else step
        for step in content.steps
    )
    policy = content.review_policy
    if isinstance(policy.cadence, OnDates):
        moves = [(known[name], known[chosen[name]]) for name in terms_named(content) if name in known]
        days = sorted({_moved(day, moves) for day in policy.cadence.dates})
        if problems := [problem for day in days for problem in check_day("review_policy.cadence.dates", day)]:
            raise InvalidInput(problems)
        policy = replace(policy, cadence=OnDates(tuple(days)))
    return replace(content, steps=steps, review_policy=policy)


def _moved(day: date, moves: Sequence[tuple[Term, Term]]) -> date:
    if not moves:
        try:
            return day.replace(year=day.year + 1)
        except ValueError:
            return day.replace(year=day.year + 1, day=28)
    this, following = min(moves, key=lambda move: (_distance(day, move[0]), move[0].starts_on))
    return day + (following.starts_on - this.starts_on)


def _distance(day: date, term: Term) -> int:
    """Days from the term; none within it."""
    return max((term.starts_on - day).days, (day - term.ends_on).days, 0)


def _bare(name: str) -> str:
    return re.sub(r"[\d/–-]+", "", name).strip().casefold()
