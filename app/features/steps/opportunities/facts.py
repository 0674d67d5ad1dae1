"""Facts of the occupations beside a scan, as blocks: figures to compare, required education, and whom to credit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from app.domain.saying import Say
from app.features.occupations.credit import credit_lines
from app.features.occupations.words import education_words, join_words, zone_words
from app.features.plans.rooms import Block, Content, Listing, Picture, Surroundings, Table
from app.features.steps.opportunities.figures import Beside, beside
from app.infra.drawing.environment import EducationRow, education_svg

# As many occupations as fit beside each other on a page of paper.
_ABREAST = 3


def facts_blocks(content: Content, around: Surroundings, _: Say) -> list[Block]:
    """The occupations compared, a figure a row; how much education their jobs ask for; the sources.

    Occupations of which nothing is known here (none imported, or a revision kept without figures) are only named.
    """
    occupations = beside(content, around)
    known = [each for each in occupations if each.facts]
    blocks: list[Block] = []
    if unknown := [each.name for each in occupations if not each.facts]:
        blocks.append(Listing(_("Occupations looked up"), tuple(unknown)))
    rows = _figure_rows(known, _)
    told = [(name, find) for name, find in rows if any(find(each) for each in known)]
    for first in range(0, len(known), _ABREAST):
        blocks.append(_compared(known[first : first + _ABREAST], told, number=first // _ABREAST + 1, _=_))
    level = content.get("education")
    if drawn := _education([each for each in known if each.by_level], level, _):
        blocks.append(drawn)
    if known:
        untold = [name for name, find in rows if not any(find(each) for each in known)]
        missing = [_("Not known of any of them: %(figures)s.", figures=", ".join(untold))] if untold else []
        blocks.append(Listing(_("Where these figures come from"), (*missing, *_sources(known, around, _))))
    return blocks


def share_words(share: float | None, _: Say) -> str:
    """The share of an occupation's jobs that ask for at most the client's education, in a sentence."""
    if share is None:
        return _("not known")
    return _("%(n)s percent of the jobs ask for at most your level", n=_rounded(share))


def _rounded(share: float) -> str:
    """A share in whole percent; what is little but not nothing does not become 0."""
    return "<1" if 0 < share < 0.5 else f"{share:.0f}"  # what rounds to 0


_Row = tuple[str, Callable[[Beside], str | None]]


def _figure_rows(occupations: Sequence[Beside], _: Say) -> list[_Row]:
    """What each occupation is compared by: its name, and how it is found."""
    zones = zone_words(_)
    rows: list[_Row] = [
        (_("In my plan it is"), lambda each: _standing(each, _)),
        (_("Growth"), lambda each: _growth(each, _)),
        (_("Openings a year"), lambda each: _whole(_of(each, "openings"))),
        (_("Median pay a year"), lambda each: _pay(each, _)),
        (_("Usual education at entry"), lambda each: _of(each, "education")),
        (_("Usual experience"), lambda each: _asked(each, "experience", _)),
        (_("Usual training on the job"), lambda each: _asked(each, "training", _)),
        (_("Self-employed"), lambda each: _percent(_of(each, "self_employed"), _)),
        (_("Preparation (job zone)"), lambda each: zones.get(each.facts.job_zone or 0) if each.facts else None),
        (
            _("Jobs asking for at most my education"),
            lambda each: None if each.at_most is None else _("%(n)s percent", n=_rounded(each.at_most)),
        ),
        (_("Figures of"), lambda each: _dates(each, _)),
    ]
    if all(each.looked_up and not each.chosen for each in occupations):
        # All stand in the list above; only what step 4 adds needs to be told apart.
        del rows[0]
    return rows


def _compared(occupations: Sequence[Beside], rows: Sequence[_Row], *, number: int, _: Say) -> Table:
    heading = _("Occupations beside each other") if number == 1 else _("Occupations beside each other, %(n)s", n=number)
    return Table(
        heading,
        (_("Figure"), *(each.name for each in occupations)),
        tuple((name, *(find(each) or _("not known") for each in occupations)) for name, find in rows),
    )


def _of(each: Beside, name: str) -> Any:
    return getattr(each.facts.outlook, name) if each.facts and each.facts.outlook else None


def _asked(each: Beside, name: str, _: Say) -> str | None:
    """What is asked for, in the source's words; its “None” says that nothing is, not that nothing is known."""
    said = _of(each, name)
    return _("none asked for") if said == "None" else said


def _standing(each: Beside, _: Say) -> str:
    if each.chosen:
        return _("my first choice")
    return _("looked up here") if each.looked_up else _("an option of step 4")


def _growth(each: Beside, _: Say) -> str | None:
    said = _percent(_of(each, "growth"), _, signed=True)
    return f"{said} · " + _("Growing") if said and _of(each, "growing") else said


def _percent(value: float | None, _: Say, *, signed: bool = False) -> str | None:
    if value is None:
        return None
    sign = "+" if signed and value > 0 else ""
    return _("%(n)s percent", n=f"{sign}{value:.1f}".replace("-", "−"))


def _whole(value: int | None) -> str | None:
    return None if value is None else f"{value:,}"


def _pay(each: Beside, _: Say) -> str | None:
    wage, words = _of(each, "wage"), _of(each, "wage_text")
    if wage is not None:
        return _("%(n)s dollars", n=f"{wage:,.0f}")
    return _("%(n)s dollars", n=words) if words else None


def _dates(each: Beside, _: Say) -> str:
    """The country and the dates of an occupation's figures, each table's own."""
    said = [_("United States")]
    if each.facts and each.facts.outlook:
        how = join_words(_)[each.facts.outlook.join]
        said.append(_("outlook and pay %(period)s, %(how)s", period=each.facts.outlook.release, how=how))
    if each.facts and each.release:
        for kind, table, name in (
            ("education", "education", _("education asked for")),
            ("job_zone", "job_zones", _("job zone")),
        ):
            source = each.facts.sources.get(kind)
            label = each.release.label_of(table)
            if source and label:
                dated = f"{source[1]}, " if source[1] else ""
                said.append(f"{name} {dated}" + _("release %(label)s", label=label))
    return "; ".join(said)


def _education(occupations: Sequence[Beside], level: int | None, _: Say) -> Picture | None:
    if not occupations:
        return None
    words = education_words(_)
    heading = _("Education the jobs ask for")
    alt = _(
        "For each occupation and each of twelve levels of education: the percent of jobs that ask for at most that "
        "level. The bars rise to all jobs."
    )
    mark = ""
    if level:
        mark = _("my level: %(n)s, %(name)s", n=level, name=words[level])
        alt += " " + _("Full bars and a pointer show my level.")
    svg = education_svg(
        [
            EducationRow(
                each.name,
                share_words(each.at_most, _) if level else _("say which education you have, in this step"),
                each.by_level or (),
            )
            for each in occupations
        ],
        level=level,
        mark=mark,
        title=heading,
        description=alt,
    )
    columns = (_("At most"), *(each.name for each in occupations))
    rows = tuple(
        (
            f"{number}: {name}",
            *(_("%(n)s percent", n=_rounded((each.by_level or ())[number - 1])) for each in occupations),
        )
        for number, name in words.items()
    )
    return Picture(heading, svg, alt, columns, rows)


def credit_of(occupations: Sequence[Beside], around: Surroundings, _: Say) -> list[str]:
    """Whom to name where figures of these occupations are shown; empty where none are known."""
    releases = {each.release.key: each.release for each in occupations if each.release and each.facts}
    outlook = around.catalogue.outlook if any(each.facts and each.facts.outlook for each in occupations) else None
    return credit_lines(list(releases.values()), outlook, _)


def _sources(known: Sequence[Beside], around: Surroundings, _: Say) -> list[str]:
    said = credit_of(known, around, _)
    if any(_of(each, "growing") for each in known):
        said.append(
            _(
                "“Growing” is a mark of Octant: faster growth than all jobs together, and at least as many openings as "
                "the middle occupation."
            )
        )
    said += [
        _(
            "“%(name)s” was taken from a release that is not here; its figures are from release %(label)s.",
            name=each.name,
            label=each.release.label,
        )
        for each in known
        if each.elsewhere and each.release
    ]
    if any(each.release and each.release.starter for each in known):
        said.append(
            _(
                "This is the starter catalogue, an excerpt without outlook, pay and education. Whoever runs this "
                "installation can bring in the whole."
            )
        )
    return said
