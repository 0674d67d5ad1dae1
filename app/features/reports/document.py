"""A client's report as the plain values that the template `reports/client.typ` sets: finished words, no markup."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date

from app.domain.instruments import Instrument
from app.domain.saying import Say
from app.domain.scoring import band, reliable_change
from app.domain.steps import StepKey
from app.domain.wording import first_large, people_words
from app.features.instruments.words import band_in_words, picture_groups, picture_titles, trust_sentences
from app.features.plans.rooms import Block, Cell, Listing, Paragraph, Picture, Surroundings, Table
from app.features.plans.words import status_words, step_names
from app.features.reports.changed import changed_blocks
from app.features.reports.heights import drawn, keep_the_end
from app.features.reports.parts import WHOLE, Parts, part_words
from app.features.reports.sources import PlanSource, Source, Sources, StepLine, Taking
from app.features.reports.story import clipped, next_days, told
from app.features.steps.parts import action_status, live_actions, live_goals
from app.features.steps.registry import ROOMS
from app.infra.drawing.charts import Bar, bars_svg
from app.infra.drawing.dial import DialSegment, DialWords, dial_svg
from app.infra.drawing.svg import ACCENT
from app.infra.locales import LANGUAGES, regional
from app.infra.pdf.documents import said_of_itself
from app.infra.speech import speaker

TEMPLATE = "reports/client.typ"
# Bars that stand beside their table: as wide as leaves letters of the text's size, as high as a line of the table.
_BARS, _BAR_LABELS, _BAR_ROW = 400, 170, 23
# The story has to stay on its page whatever was written: letters of the ambition, and of each step.
_STORY, _SHORT_STORY = (320, 190), (170, 105)
# So many of the next days, each so wide.
_DATES, _SHORT_DATES = (20, 140), (4, 70)
_STILL_OPEN = frozenset({"not_started", "in_progress", "returned"})


class Writer:
    """Writes documents in one language for one organization at one moment."""

    def __init__(self, sources: Sources, locale: str) -> None:
        """Take what the documents share; `locale` is one of Octant's languages, else English is written."""
        self.sources = sources
        self.locale = locale if locale in LANGUAGES else "en"
        self.say: Say = speaker(self.locale)
        self.babel = Locale.parse(regional(self.locale, sources.organization.time_zone))
        self.zone = ZoneInfo(sources.organization.time_zone)
        self.today = sources.now.astimezone(self.zone).date()
        self.accent = sources.organization.accent or ACCENT
        self.words = people_words(sources.organization.client_word, sources.organization.counsellor_word, self.say)
        self.steps = step_names(self.say)
        self.statuses = status_words(self.say)
        # Many plans stand alike and many days are the same.
        self._days: dict[date, str] = {}
        self._dials: dict[tuple[Any, ...], dict[str, str]] = {}

    def day(self, value: date | datetime | None) -> str:
        """A day in the reader's way; a dash for none. Moments are read in the organization's zone."""
        if value is None:
            return "–"
        if isinstance(value, datetime):
            value = value.astimezone(self.zone).date()
        if value not in self._days:
            self._days[value] = format_date(value, "medium", locale=self.babel)
        return self._days[value]

    def coloured(self, svg: str) -> str:
        """A drawing in the organization's colour: printed, it has no stylesheet that could give it one."""
        return svg.replace(f'"{ACCENT}"', f'"{self.accent}"')

    def said_of_itself(self, title: str, moment: datetime) -> dict[str, Any]:
        """What a document of these says of itself; see `app.infra.pdf.documents`."""
        organization = self.sources.organization.name
        return said_of_itself(
            self.say, self.babel, title=title, organization=organization, accent=self.accent, moment=moment
        )

    def client(self, source: Source, parts: Parts = WHOLE) -> dict[str, Any]:
        """The document of one client with the parts chosen; what nobody wrote anything for is left out."""
        _ = self.say
        organization = self.sources.organization
        plan = source.plan
        no_plan = _("There is no active plan yet. The %(counsellor)s can assign one.", **self.words)
        title = _("Career plan of %(name)s", name=source.name)
        itself = self.said_of_itself(title, self.sources.now)
        return itself | {
            "description": _("Steps, results, goals and reviews as of %(day)s", day=self.day(self.today)),
            "name": source.name,
            "subtitle": _("Career plan, as of %(day)s", day=self.day(self.today)),
            "footer": f"{organization.name} · {clipped(title, 70)}",
            "short": parts.short,
            "facts": self._facts(source),
            "dial": self._dial(plan, named=not parts.short) if plan else None,
            "no-plan": None if plan else no_plan,
            "story": self._story(source, plan, short=parts.short) if plan and "story" in parts else None,
            "dates": self._dates(source, plan, short=parts.short) if plan and "dates" in parts else None,
            "sections": [] if parts.short else self._sections(source, parts),
            "words": itself["words"] | {"contents": _("In this report")},
        }

    def _facts(self, source: Source) -> list[list[str]]:
        _ = self.say
        facts = [[_("Id"), source.external_id]]
        if source.counsellor:
            facts.append([first_large(self.words["counsellor"]), source.counsellor])
        if plan := source.plan:
            facts += [
                [_("Template"), plan.template],
                [_("Started"), self.day(plan.started_on)],
                [_("Revision"), str(plan.revision)],
            ]
        return facts

    def _story(self, source: Source, plan: PlanSource, *, short: bool) -> dict[str, Any]:
        """The plan on one page: how far it is, the ambition, and for each step what it came to."""
        _ = self.say
        most_quoted, most = _SHORT_STORY if short else _STORY
        statement = clipped(plan.contents.get(StepKey.AMBITION, {}).get("statement") or "", most_quoted)
        came_to = told(source, self.sources.definitions, self.day, _)
        rows = []
        for line in plan.steps:
            status = self.statuses[line.status]
            if line.stale:
                status += ", " + _("look again")
            late = self._late(line)
            if late:
                status += ", " + _("overdue")
            due = _("due %(day)s", day=self.day(line.due_on)) if line.due_on and line.status in _STILL_OPEN else ""
            said = came_to[line.key]
            # What is quoted above is not said once more.
            said = "" if line.key is StepKey.AMBITION and clipped(said, most_quoted) == statement else said
            rows.append(
                {
                    "number": str(line.key.number),
                    "step": self.steps[line.key],
                    "said": clipped(said, most),
                    "status": status,
                    "done": line.status == "completed",
                    "late": late,
                    "due": due,
                }
            )
        return {
            "title": part_words(_)["story"],
            "quote": {"heading": _("My ambition"), "text": statement} if statement else None,
            "tiles": self._tiles(plan),
            "columns": [_("Step"), _("What it came to so far"), _("Status")],
            "rows": rows,
        }

    def _late(self, line: StepLine) -> bool:
        return line.due_on is not None and line.due_on < self.today and line.status in _STILL_OPEN

    def _dates(self, source: Source, plan: PlanSource, *, short: bool) -> dict[str, Any] | None:
        """What comes next and what is late, the earliest first; None without a day."""
        _ = self.say
        days = next_days(source, plan, self.today, _)
        most, widest = _SHORT_DATES if short else _DATES
        rows = []
        for one in days[:most]:
            what = clipped(one.what, widest)
            what = _("%(what)s (overdue)", what=what) if one.late else what
            rows.append([self.day(one.on), what, one.place])
        more = len(days) - len(rows)
        said = _("Later days stand with their steps: %(count)s more.", count=more) if more else None
        columns = [_("Day"), _("What"), _("Step")]
        return {"title": part_words(_)["dates"], "columns": columns, "rows": rows, "said": said} if rows else None

    def _dial(self, plan: PlanSource, *, named: bool) -> dict[str, str]:
        key = (named, plan.revision, *((line.key, line.status, line.stale) for line in plan.steps))
        if key not in self._dials:
            self._dials[key] = self._draw_dial(plan, named=named)
        return self._dials[key]

    def _draw_dial(self, plan: PlanSource, *, named: bool) -> dict[str, str]:
        _ = self.say
        segments = [
            DialSegment(
                number=line.key.number,
                status=line.status,  # type: ignore[arg-type] # the column holds only these words
                label=self.steps[line.key],
                stale=line.stale,
                href=None,
            )
            for line in plan.steps
        ]
        words = DialWords(
            title=_("Plan progress"), revision=_("revision"), stale=_("look again"), statuses=self.statuses
        )
        said = "; ".join(f"{s.key.number} {self.steps[s.key]}: {self.statuses[s.status]}" for s in plan.steps)
        return {
            "svg": self.coloured(
                dial_svg(segments, size="plan" if named else "card", revision=plan.revision, words=words)
            ),
            "alt": _("Dial of the eight steps: %(steps)s", steps=said),
        }

    def _tiles(self, plan: PlanSource) -> list[list[str]]:
        _ = self.say
        counted = [line for line in plan.steps if line.status != "skipped"]
        done = sum(line.status == "completed" for line in counted)
        late = sum(self._late(line) for line in counted)
        actions = live_actions(plan.contents)
        acted = sum(action_status(action) == "done" for action in actions)
        return [
            [_("%(done)s of %(all)s", done=done, all=len(counted)), _("steps completed")],
            [str(late), _("steps overdue")],
            [str(len(live_goals(plan.contents))), _("goals")],
            [_("%(done)s of %(all)s", done=acted, all=len(actions)), _("actions done")],
            [self.day(plan.next_review_on), _("next review")],
        ]

    def _charts(self, source: Source) -> list[dict[str, Any]]:
        latest: dict[Any, list[Taking]] = {}
        for taking in source.takings:
            latest.setdefault(taking.instrument_id, []).append(taking)
        charts = []
        for takings in latest.values():
            scales = self.sources.definitions[takings[0].instrument_id, takings[0].version].scales
            groups = picture_groups([(scale.low, scale.high) for scale in scales])
            before = takings[1] if len(takings) > 1 else None
            charts += [self._chart(takings[0], before, n, len(groups), group) for n, group in enumerate(groups)]
        return charts

    def _chart(self, taking: Taking, before: Taking | None, nth: int, of: int, group: Sequence[int]) -> dict[str, Any]:
        _ = self.say
        key = (taking.instrument_id, taking.version)
        definition, errors = self.sources.definitions[key], self.sources.errors[key]
        comparable = before is not None and before.version == taking.version
        low, high = definition.scales[group[0]].low, definition.scales[group[0]].high
        bars, rows = [], []
        for number in group:
            scale = definition.scales[number]
            value, known = taking.scores[number], errors.get(scale.id)
            edges = band(value, known.error) if value is not None and known else None
            if edges:
                edges = (max(edges[0], scale.low), min(edges[1], scale.high))
            shown = _("not enough answers") if value is None else f"{value:.1f}"
            if value is not None:
                bars.append(Bar(scale.title, value, shown, *(edges or (None, None))))
            # Where no error is known at all, the notes say so once.
            row = [scale.title, shown, *([band_in_words(edges, _)] if errors else [])]
            if comparable and before is not None:
                row.append(self._change(before.scores[number], value, known.error if known else None))
            rows.append(row)
        columns = [_("Scale"), _("Score"), *([_("Error band")] if errors else [])]
        if comparable and before is not None:
            columns.append(_("Since %(day)s", day=self.day(before.taken_at)))
        name = picture_titles(definition.title, of, _)[nth]
        title = _("%(title)s, %(day)s", title=name, day=self.day(taking.taken_at))
        svg = bars_svg(
            bars,
            title=title,
            description=_("Scores from %(low)s to %(high)s", low=f"{low:g}", high=f"{high:g}"),
            limits=(low, high),
            width=_BARS,
            label_width=_BAR_LABELS,
            row=_BAR_ROW,
        )
        said = "; ".join(f"{bar.label} {bar.shown}" for bar in bars)
        return {
            "kind": "chart",
            "heading": title,
            # What is said of all of them is said once.
            "notes": self._notes(definition, bool(errors), low, high) if nth == 0 else [],
            "svg": self.coloured(svg) if bars else None,
            "alt": _("Bars of the scores: %(scores)s", scores=said),
            "columns": columns,
            "rows": rows,
        }

    def _notes(self, definition: Instrument, has_errors: bool, low: float, high: float) -> list[str]:
        _ = self.say
        first, *others = trust_sentences(definition, known_errors=has_errors, people=None, _=_)
        return [first, _("Scores go from %(low)s to %(high)s.", low=f"{low:g}", high=f"{high:g}"), *others]

    def _change(self, before: float | None, after: float | None, error: float | None) -> str:
        _ = self.say
        if before is None or after is None or error is None:
            return _("not known")
        # The index takes a standard deviation and a reliability; an error is the same with reliability 0.
        change = reliable_change(before, after, error, 0.0)
        words = {
            "higher": _("higher"),
            "lower": _("lower"),
            "no_change": _("no change beyond error"),
            "unknown": _("not known"),
        }
        return words[change.direction.value]

    def _sections(self, source: Source, parts: Parts) -> list[dict[str, Any]]:
        _ = self.say
        plan = source.plan
        reviews = [(on, outcome or state) for on, state, outcome in source.reviews]
        around = Surroundings(
            contents=plan.contents if plan else {},
            reviews=reviews,
            today=self.today,
            catalogue=self.sources.catalogue,
        )
        sections: list[dict[str, Any]] = []
        for key in ROOMS:
            if key.value in parts and (blocks := self._step(key, source, around)):
                line = next((line for line in plan.steps if line.key is key), None) if plan else None
                status = self.statuses[line.status] if line else ""
                title = self.steps[key]
                sections.append({"number": str(key.number), "title": title, "status": status, "blocks": blocks})
        if "changes" in parts and plan and (before := source.before):
            blocks = changed_blocks(plan, before, around, self.day, _)
            title = _("What changed since revision %(number)s, closed on %(day)s",
                      number=before.revision, day=self.day(before.closed_at))  # fmt: skip
            sections.append({"number": None, "title": title, "status": "", "blocks": blocks})
        keep_the_end(sections)
        return sections

    def _step(self, key: StepKey, source: Source, around: Surroundings) -> list[dict[str, Any]]:
        """What a step came to; results of questionnaires belong to the second, also of one who has no plan."""
        _ = self.say
        blocks = self._charts(source) if key is StepKey.SELF_ASSESSMENT else []
        if source.plan is None:
            return blocks
        told_there = ROOMS[key].report(around.contents.get(key, {}), around, _).blocks
        # What a page shows only when it is asked for is no reading on paper.
        blocks += [self._block(block) for block in told_there if not (isinstance(block, Table) and block.folded)]
        if key is StepKey.REVIEW and source.revisions:
            rows = [[str(number), self.day(at), reason] for number, at, reason in source.revisions]
            columns = [_("Revision"), _("Closed"), _("Why")]
            blocks.append({"kind": "table", "heading": _("Earlier revisions"), "columns": columns, "rows": rows})
        return blocks

    def _cell(self, value: str | date) -> str:
        return self.day(value) if isinstance(value, date) else value

    def _block(self, block: Block) -> dict[str, Any]:
        match block:
            case Paragraph(heading, text):
                return {"kind": "text", "heading": heading, "text": text}
            case Listing(heading, lines):
                return {"kind": "list", "heading": heading, "lines": list(lines)}
            case Table(heading, columns, rows):
                return {"kind": "table", "heading": heading} | self._figures(columns, rows)
            case Picture(heading, svg, alt, columns, rows):
                picture = {"kind": "picture", "heading": heading, "svg": self.coloured(svg), "alt": alt}
                return picture | drawn(svg) | self._figures(columns, rows)

    def _figures(self, columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> dict[str, Any]:
        # A column in which nobody wrote anything only narrows the others.
        used = [n for n in range(len(columns)) if n == 0 or any(row[n] for row in rows)]
        cells = [[self._cell(row[n]) for n in used] for row in rows]
        return {"columns": [columns[n] for n in used], "rows": cells}


def documents(sources: Sources, parts: Parts = WHOLE) -> Iterator[tuple[UUID, dict[str, Any]]]:
    """Pairs of (client id, document), each client in their own language, made one by one as they are asked for."""
    writers: dict[str, Writer] = {}
    for source in sources.clients:
        locale = source.locale or sources.organization.locale
        if locale not in writers:
            writers[locale] = Writer(sources, locale)
        yield source.id, writers[locale].client(source, parts)
