"""The figures of match quality for a release, as `octant science` prints them and `docs/science.md` shows them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np

from app.domain.match_quality import (
    WITHIN,
    Flags,
    Floats,
    Quality,
    coverage_likeness,
    education_likeness,
    nearness,
    profile_likeness,
    quality,
    together,
)
from app.features.occupations.content import Content

BEGIN: Final = "<!-- figures: written by `octant science --write` -->"
END: Final = "<!-- end of figures -->"


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table: what ranks, and how much it finds."""

    name: str
    ranks_by: str
    quality: Quality


@dataclass(frozen=True, slots=True)
class Columns:
    """What occupations are compared by, for the rated occupations of a release in the order of their codes."""

    codes: tuple[str, ...]
    related: Flags
    interests: Floats
    values: Floats
    importance: Floats
    level: Floats
    coverage: Floats
    education: Floats
    zone: Floats


def columns_of(content: Content) -> Columns:
    """The likeness of every two rated occupations by each column."""
    rated = sorted((row for row in content.occupations if row.get("interests")), key=lambda row: str(row["code"]))
    codes = tuple(str(row["code"]) for row in rated)
    at = {code: number for number, code in enumerate(codes)}
    related = np.zeros((len(codes), len(codes)), dtype=np.bool_)
    for code, _, other, _ in content.relations:
        if code in at and other in at:
            related[at[code], at[other]] = True
    elements = {element: number for number, element in enumerate(sorted({key[1] for key in content.skills}))}
    # A release without skills has one column of which nothing is known.
    shape = (len(codes), max(len(elements), 1))
    importance, level, counted = np.full(shape, np.nan), np.full(shape, np.nan), np.zeros(shape, dtype=np.bool_)
    for (code, element), (important, needed, suppressed, not_relevant) in content.skills.items():
        if code in at:
            place = at[code], elements[element]
            importance[place] = np.nan if important is None else important
            level[place] = np.nan if needed is None else needed
            counted[place] = not (suppressed or not_relevant)
    return Columns(
        codes=codes,
        related=related,
        interests=profile_likeness(_rows(rated, "interests", 6)),
        values=profile_likeness(_rows(rated, "work_values", 6)),
        importance=profile_likeness(importance),
        level=profile_likeness(level),
        coverage=coverage_likeness(importance, level, counted),
        education=education_likeness(_rows(rated, "education", 12)),
        zone=nearness(np.array([row.get("job_zone") or np.nan for row in rated], dtype=np.float64)),
    )


def figures_of(columns: Columns) -> list[Figure]:
    """Each column alone, then what Octant puts together; columns of which the release has nothing are left out."""
    c = columns
    alone = [
        ("Interests", "correlation of the six interest scores: the order in which Octant shows matches", c.interests),
        ("Values", "correlation of the six work values", c.values),
        ("Skills: coverage", "how much of what is asked the own levels cover, as step 4 shows it", c.coverage),
        ("Skills: importance", "correlation of the importance of the skills", c.importance),
        ("Skills: level", "correlation of the levels of the skills", c.level),
        ("Education", "percent of jobs that ask for at most one's own level, as step 4 shows it", c.education),
        ("Job zone", "nearness of the job zone", c.zone),
    ]
    known = {name for name, _, likeness in alone if not np.isnan(likeness).all()}
    found = [Figure(name, by, quality(likeness, c.related)) for name, by, likeness in alone if name in known]
    joined = [
        (("Interests", "Values"), (c.interests, c.values)),
        (("Interests", "Skills: coverage"), (c.interests, c.coverage)),
        (("Interests", "Skills: importance"), (c.interests, c.importance)),
        (("Interests", "Skills: level"), (c.interests, c.level)),
        (("Interests", "Values", "Skills: coverage"), (c.interests, c.values, c.coverage)),
        (
            ("Interests", "Values", "Skills: coverage", "Education"),
            (c.interests, c.values, c.coverage, c.education),
        ),
    ]
    for names, likenesses in joined:
        if set(names) <= known:
            by = "the columns together, each from its worst to its best, all counting the same"
            found.append(Figure(" + ".join(names), by, quality(together(likenesses), c.related)))
    return found


def starter_figure(columns: Columns, starter: Content) -> Figure:
    """The same for the starter catalogue: related occupations are those of the release that the starter has too."""
    mine = sorted((row for row in starter.occupations if row["code"] in columns.codes), key=lambda row: row["code"])
    places = [columns.codes.index(row["code"]) for row in mine]
    likeness = profile_likeness(_rows(mine, "interests", 6))
    related = columns.related[np.ix_(places, places)]
    return Figure(
        f"Starter catalogue, {len(mine)} occupations",
        "correlation of the six interest scores; of the related occupations only those in the starter count",
        quality(likeness, related),
    )


def report_of(content: Content, starter: Content, today: date) -> str:
    """The table as Markdown, with the releases, the day and the command that makes it."""
    columns = columns_of(content)
    tables = content.release.tables
    others = sorted(
        f"{name} of {note['release']}" for name, note in tables.items() if note["release"] != content.release.label
    )
    chance = WITHIN / (len(columns.codes) - 1)
    lines = [
        f"Release {content.release.label}{' with ' + ', '.join(others) if others else ''}; {len(columns.codes)} rated "
        f"occupations, {int(columns.related.sum()):,} relations. Computed on {today.isoformat()} by "
        "`octant science FOLDER... --write docs/science.md`.",
        "",
        f"| ranked by | share of related among the first {WITHIN} | n | how |",
        "| --- | ---: | ---: | --- |",
    ]
    figures = [*figures_of(columns), starter_figure(columns, starter)]
    lines += [f"| {f.name} | {_figure(f.quality.share)} | {f.quality.occupations} | {f.ranks_by} |" for f in figures]
    lines += [
        f"| Chance | {_figure(chance)} | {len(columns.codes)} | a ranking by lot |",
        f"| Chance in the starter | {_figure(figures[-1].quality.chance)} | {figures[-1].quality.occupations} | "
        "a ranking by lot |",
    ]
    return "\n".join(lines)


def put_into(text: str, report: str) -> str:
    """A text with what stands between its two marks replaced by the report. Raises ValueError without the marks."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the file has no place for the figures; it needs a line {BEGIN} and a line {END}")
    return f"{before}{BEGIN}\n\n{report}\n\n{END}{after}"


def _figure(share: float | None) -> str:
    return "undefined" if share is None else f"{share:.3f}"


def _rows(rated: list[dict[str, object]], name: str, width: int) -> Floats:
    return np.array([row.get(name) or [np.nan] * width for row in rated], dtype=np.float64).reshape(len(rated), width)
