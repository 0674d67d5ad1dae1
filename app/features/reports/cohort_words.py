"""A cohort's picture in words: sections with their definition, drawing and table, alike for page, PDF and workbook."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from app.domain.saying import Say, later, say_sentence
from app.features.figures.definitions import PEOPLE, Figure
from app.features.figures.layer import Answer, Number
from app.features.figures.words import part_words, percent_words, small_groups_words
from app.features.reports.cohort_picture import COHORT, ORGANIZATION, TERM, CohortPicture, Line
from app.infra.drawing.paired_bars import ShareBar, paired_bars_svg

GLANCE = "glance"
_GLANCE_TITLE = later("At a glance")
_GLANCE_TEXT = later("Each figure counts people of whom it is so; its meaning stands with it in the table.")
# So many lines of bars and table stay on one page.
_MOST_LINES = 16


@dataclass(frozen=True, slots=True)
class Section:
    """One figure, or those of one part each together; `meanings` has one for each line where they differ.

    `mean` says that its figures are no counts; `unit` is then what they are means of.
    """

    key: str
    title: str
    text: str
    names: tuple[str, ...]
    lines: tuple[Line, ...]
    meanings: tuple[str, ...] = ()
    mean: bool = False
    unit: str = ""
    out_of: bool = False
    digits: int = 1

    @property
    def compared(self) -> bool:
        """Whether any line stands beside another."""
        return any(line.other is not None for line in self.lines)


@dataclass(frozen=True, slots=True)
class Speaker:
    """Says a picture in one language, with an organization's words for people."""

    say: Say
    people: Mapping[str, str]

    def told(self, sentence: str) -> str:
        """A sentence of the code."""
        return say_sentence(sentence, self.say, self.people)

    def sections(self, picture: CohortPicture) -> list[Section]:
        """What is shown, in the order of the figures; counts of one part come first, together."""
        alone = [
            (answer.figure, lines) for answer, lines in picture.figures if not (answer.figure.per or answer.figure.mean)
        ]
        found = []
        if alone:
            found.append(
                Section(
                    GLANCE,
                    self.told(_GLANCE_TITLE),
                    self.told(_GLANCE_TEXT),
                    tuple(self.told(figure.name) for figure, _ in alone),
                    tuple(lines[0] for _, lines in alone),
                    tuple(self.told(figure.definition) for figure, _ in alone),
                    out_of=any(figure.of != PEOPLE for figure, _ in alone),
                )
            )
        for answer, lines in picture.figures:
            if answer.figure.per or answer.figure.mean:
                found += self._sections_of(answer, lines)
        return found

    def _sections_of(self, answer: Answer, lines: Sequence[Line]) -> Iterator[Section]:
        """A figure of many parts: scales by their questionnaire, and no more than stay on a page."""
        figure = answer.figure
        for title, named in self._grouped(answer, lines):
            for begin in range(0, len(named), _MOST_LINES):
                some = named[begin : begin + _MOST_LINES]
                yield Section(
                    figure.key,
                    title + (f" ({begin // _MOST_LINES + 1})" if len(named) > _MOST_LINES else ""),
                    self.told(figure.definition),
                    tuple(name for name, _ in some),
                    tuple(line for _, line in some),
                    mean=figure.mean,
                    unit=self.told(figure.unit),
                    out_of=figure.of != PEOPLE,
                    digits=1 if figure.by_step else 2,
                )

    def _grouped(self, answer: Answer, lines: Sequence[Line]) -> Iterator[tuple[str, list[tuple[str, Line]]]]:
        name = self.told(answer.figure.name)
        if answer.figure.per != "scale":
            names = part_words(answer, self.say)
            yield name, [(names[line.part], line) for line in lines]
            return
        # A scale's key is "<questionnaire>:<scale>", its name "<scale> · <title>".
        for _, some in groupby(lines, key=lambda line: line.part.rpartition(":")[0]):
            labels = [(answer.parts[line.part].rpartition(" · "), line) for line in some]
            yield f"{name} · {labels[0][0][2]}", [(scale, line) for (scale, _, _), line in labels]

    def groups(self, picture: CohortPicture, section: Section) -> list[str]:
        """What the bars of a section are of: the cohort, and what it stands beside."""
        return [picture.name, self.beside(picture)] if section.compared else [picture.name]

    def beside(self, picture: CohortPicture) -> str:
        """What the cohort stands beside, named; empty where it stands alone."""
        _ = self.say
        other = picture.other
        if other.kind == TERM:
            return _("the same people, %(term)s", term=other.name)
        if other.kind == ORGANIZATION:
            return _("the organization") if picture.whole else _("your caseload")
        return other.name if other.kind == COHORT else ""

    def columns(self, section: Section) -> list[str]:
        """What heads the table of a section."""
        _ = self.say
        first = _("Figure") if section.key == GLANCE else _("Part")
        if section.mean:
            beside = [_("Compared: people"), _("Compared: mean"), _("Compared: interval"), _("Difference")]
            return [first, _("People"), section.unit, _("Interval"), *(beside if section.compared else [])]
        beside = [_("Compared: number"), _("Compared: share"), _("Difference")] if section.compared else []
        return [first, *([_("Out of")] if section.out_of else []), _("Number"), _("Share"), *beside]

    def rows(self, section: Section) -> list[list[str]]:
        """The table of a section as text; withheld numbers say so."""
        rows = []
        for name, line in zip(section.names, section.lines, strict=True):
            row = [name, *self._cells(section, line.this)]
            if section.compared:
                cells = self._cells(section, line.other) if line.other else ["–"] * (3 if section.mean else 2)
                # What the compared are out of would make the table too wide.
                row += cells[section.out_of and not section.mean and line.other is not None :]
                row.append(difference(line))
            rows.append(row)
        return rows

    def _cells(self, section: Section, number: Number) -> list[str]:
        if section.mean:
            people = self.say("withheld") if number.people is None else f"{number.people:,}"
            return [people, self._mean(section, number, number.mean), self._interval(section, number)]
        out_of = [self.say("withheld") if number.people is None else f"{number.people:,}"] if section.out_of else []
        return [*out_of, self.number(number), self.share(number)]

    def _mean(self, section: Section, number: Number, value: float | None) -> str:
        if number.people is None:
            return self.say("withheld")
        return "–" if value is None else _rounded(value, section.digits)

    def _interval(self, section: Section, number: Number) -> str:
        if number.low is None or number.high is None:
            return self._mean(section, number, None)
        return " – ".join(_rounded(end, section.digits) for end in (number.low, number.high))

    def number(self, number: Number) -> str:
        """A number as text."""
        return self.say("withheld") if number.number is None else f"{number.number:,}"

    def share(self, number: Number) -> str:
        """A share as text; a dash for a share of nobody."""
        if number.number is None:
            return self.say("withheld")
        return percent_words(number) or "–"

    def drawing(
        self, picture: CohortPicture, section: Section, *, narrow: bool = False, paper: bool = False
    ) -> tuple[str, str]:
        """The bars of a section as SVG (`narrow`: for a phone, `paper`: for half of a printed page), and what they say
        for who does not see them."""
        groups = self.groups(picture, section)
        scale = _scale(section) if section.mean else (0.0, 100.0)
        rows = [
            (
                name,
                [
                    self._bar(number, section, scale)
                    for number in ([line.this, line.other] if section.compared else [line.this])
                ],
            )
            for name, line in zip(section.names, section.lines, strict=True)
        ]
        said = "; ".join(f"{name}: {', '.join(bar.shown for bar in bars)}" for name, bars in rows)
        alt = self.say("Bars of %(title)s. %(figures)s", title=section.title, figures=said)
        svg = paired_bars_svg(rows, groups, title=section.title, description=section.text, narrow=narrow, paper=paper)
        return svg, alt

    def _bar(self, number: Number | None, section: Section, scale: tuple[float, float]) -> ShareBar:
        if number is None:
            return ShareBar(None, "–")
        shown = self._mean(section, number, number.mean) if section.mean else self.share(number)
        value = number.mean if section.mean else number.percent
        if value is None or number.number is None:
            return ShareBar(None, shown)
        low, high = scale

        def place(at: float | None) -> float | None:
            return None if at is None else (at - low) / (high - low)

        return ShareBar(place(value), shown, place(0.0) or 0.0, place(number.low), place(number.high))

    def about(self, picture: CohortPicture, moment: str, day: str) -> list[tuple[str, str]]:
        """What has to stand beside the figures: whose they are, their moment, what they are compared with."""
        _ = self.say
        people = picture.people
        facts = [(_("Cohort"), picture.name), (_("People with a plan"), self.number(people.this))]
        if picture.other.kind == TERM:
            facts.append((_("Compared with"), _("%(beside)s (until %(day)s)", beside=self.beside(picture), day=day)))
        elif picture.other.kind:
            facts.append((_("Compared with"), self.beside(picture)))
        if people.other is not None:
            facts.append((_("People there"), self.number(people.other)))
        whose = _("All people of the cohort.") if picture.whole else _("Those of the cohort in your caseload.")
        rule = small_groups_words(picture.threshold, _)
        return [*facts, (_("Counted"), whose), (_("As of"), moment), (_("Small groups"), rule)]

    def definition_of_people(self, figures: Sequence[Figure]) -> str:
        """Whom all figures are of."""
        return self.told(next(figure.definition for figure in figures if figure.key == PEOPLE))


def _rounded(value: float, digits: int) -> str:
    # What is nothing when rounded has no sign.
    return f"{round(value, digits) or 0.0:,.{digits}f}"


def _scale(section: Section) -> tuple[float, float]:
    """From where to where the means of a section and their intervals reach; nothing is among it."""
    numbers = [number for line in section.lines for number in (line.this, line.other) if number is not None]
    ends = [end for one in numbers for end in (one.mean, one.low, one.high) if end is not None]
    low, high = min([0.0, *ends]), max([0.0, *ends])
    return low, high if high > low else low + 1.0


def difference(line: Line) -> str:
    """By how much the shares (in points) or the means differ; a dash where that is not known exactly."""
    points = points_of(line)
    return "–" if points is None else f"{points:+.1f}" if points else "0.0"


def points_of(line: Line) -> float | None:
    """The difference of the shares in points, or of the means; None where either is withheld, a bound or of nobody."""
    values = [_value(line.this), None if line.other is None else _value(line.other)]
    if values[0] is None or values[1] is None:
        return None
    return round(values[0] - values[1], 1)


def _value(number: Number) -> float | None:
    if number.number is None or number.bound:
        return None
    return number.percent if number.mean is None else number.mean
