"""A client's report as the plain values that the template `reports/client.typ` sets: finished words, no markup."""

from __future__ import annotations

import re
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
from app.features.reports.sources import PlanSource, Source, Sources, Taking
from app.features.steps.parts import action_status, live_actions, live_goals
from app.features.steps.registry import ROOMS
from app.infra.drawing.charts import Bar, bars_svg
from app.infra.drawing.dial import DialSegment, DialWords, dial_svg
from app.infra.drawing.svg import ACCENT
from app.infra.locales import LANGUAGES, regional
from app.infra.speech import speaker

TEMPLATE = "reports/client.typ"
_DRAWN_WIDTH = re.compile(r"<svg[^>]*? width=\"([\d.]+)\"")
# A drawing this wide, in its own pixels, takes the whole width of the page.
_PAGE_WIDTH = 600


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

    def _coloured(self, svg: str) -> str:
        """A drawing in the organization's colour: printed, it has no stylesheet that could give it one."""
        return svg.replace(f'"{ACCENT}"', f'"{self.accent}"')

    def client(self, source: Source) -> dict[str, Any]:
        """The document of one client."""
        _ = self.say
        organization = self.sources.organization
        title = _("Career plan of %(name)s", name=source.name)
        facts = [[_("Id"), source.external_id]]
        if source.counsellor:
            facts.append([first_large(self.words["counsellor"]), source.counsellor])
        if source.plan:
            facts += [[_("Template"), source.plan.template], [_("Started"), self.day(source.plan.started_on)]]
        return {
            "moment": int(self.sources.now.timestamp()),
            "lang": self.babel.language,
            "region": self.babel.territory,
            "rtl": self.babel.text_direction == "rtl",
            "title": title,
            "description": _("Steps, results, goals and reviews as of %(day)s", day=self.day(self.today)),
            "organization": organization.name,
            "accent": self.accent,
            "name": source.name,
            "subtitle": _("Career plan, as of %(day)s", day=self.day(self.today)),
            "footer": f"{organization.name} · {title}",
            "facts": facts,
            "dial": self._dial(source.plan) if source.plan else None,
            "tiles": self._tiles(source) if source.plan else [],
            "plan": self._plan(source.plan) if source.plan else None,
            "charts": self._charts(source),
            "sections": self._sections(source) if source.plan else [],
            "words": {
                "plan": _("The eight steps"),
                "no_plan": _("There is no active plan yet. The %(counsellor)s can assign one.", **self.words),
                "missing": _("Characters that could not be printed"),
                "missing_note": _(
                    "No font installed here has these characters; a hollow box stands for each. "
                    "The pages of Octant show them."
                ),
            },
        }

    def _dial(self, plan: PlanSource) -> dict[str, str]:
        key = (plan.revision, *((line.key, line.status, line.stale) for line in plan.steps))
        if key not in self._dials:
            self._dials[key] = self._draw_dial(plan)
        return self._dials[key]

    def _draw_dial(self, plan: PlanSource) -> dict[str, str]:
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
            "svg": self._coloured(dial_svg(segments, size="card", revision=plan.revision, words=words)),
            "alt": _("Dial of the eight steps: %(steps)s", steps=said),
        }

    def _tiles(self, source: Source) -> list[list[str]]:
        _ = self.say
        plan = source.plan
        assert plan is not None
        counted = [line for line in plan.steps if line.status != "skipped"]
        done = sum(line.status == "completed" for line in counted)
        open_dues = [line.due_on for line in counted if line.due_on and line.status not in ("completed", "submitted")]
        late = sum(due < self.today for due in open_dues)
        actions = live_actions(plan.contents)
        acted = sum(action_status(action) == "done" for action in actions)
        return [
            [_("%(done)s of %(all)s", done=done, all=len(counted)), _("steps completed")],
            [str(late), _("steps overdue")],
            [str(len(live_goals(plan.contents))), _("goals")],
            [_("%(done)s of %(all)s", done=acted, all=len(actions)), _("actions done")],
            [self.day(plan.next_review_on), _("next review")],
        ]

    def _plan(self, plan: PlanSource) -> dict[str, Any]:
        _ = self.say
        rows = []
        for line in plan.steps:
            status = self.statuses[line.status]
            if line.stale:
                status += ", " + _("look again")
            if line.due_on and line.due_on < self.today and line.status not in ("completed", "submitted", "skipped"):
                status += ", " + _("overdue")
            rows.append(
                [f"{line.key.number}  {self.steps[line.key]}", status, self.day(line.due_on), self.day(line.changed_at)]
            )
        return {"columns": [_("Step"), _("Status"), _("Due"), _("Last change")], "rows": rows}

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
            row = [scale.title, shown, band_in_words(edges, _)]
            if comparable and before is not None:
                row.append(self._change(before.scores[number], value, known.error if known else None))
            rows.append(row)
        columns = [_("Scale"), _("Score"), _("Error band")]
        if comparable and before is not None:
            columns.append(_("Since %(day)s", day=self.day(before.taken_at)))
        name = picture_titles(definition.title, of, _)[nth]
        title = _("%(title)s, %(day)s", title=name, day=self.day(taking.taken_at))
        svg = bars_svg(
            bars,
            title=title,
            description=_("Scores from %(low)s to %(high)s", low=f"{low:g}", high=f"{high:g}"),
            limits=(low, high),
        )
        said = "; ".join(f"{bar.label} {bar.shown}" for bar in bars)
        return {
            "title": title,
            # What is said of all of them is said once.
            "notes": self._notes(definition, bool(errors), low, high) if nth == 0 else [],
            "svg": self._coloured(svg) if bars else None,
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

    def _sections(self, source: Source) -> list[dict[str, Any]]:
        plan = source.plan
        assert plan is not None
        _ = self.say
        reviews = [(on, outcome or state) for on, state, outcome in source.reviews]
        around = Surroundings(
            contents=plan.contents, reviews=reviews, today=self.today, catalogue=self.sources.catalogue
        )
        sections = []
        for key, room in ROOMS.items():
            content = plan.contents.get(key, {})
            section = room.report(content, around, _)
            blocks = [self._block(block) for block in section.blocks]
            if key is StepKey.REVIEW and source.revisions:
                rows = [[str(number), self.day(at), reason] for number, at, reason in source.revisions]
                columns = [_("Revision"), _("Closed"), _("Why")]
                blocks.append({"kind": "table", "heading": _("Earlier revisions"), "columns": columns, "rows": rows})
            if blocks:
                sections.append({"title": f"{key.number}  {section.title}", "blocks": blocks})
        return sections

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
                picture = {"kind": "picture", "heading": heading, "svg": self._coloured(svg), "alt": alt}
                return picture | {"width": _width(svg)} | self._figures(columns, rows)

    def _figures(self, columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> dict[str, Any]:
        # A column in which nobody wrote anything only narrows the others.
        used = [n for n in range(len(columns)) if n == 0 or any(row[n] for row in rows)]
        cells = [[self._cell(row[n]) for n in used] for row in rows]
        return {"columns": [columns[n] for n in used], "rows": cells}


def _width(svg: str) -> float:
    """How much of the page's width a drawing takes, in percent: one made for a phone is not blown up to the page."""
    drawn = _DRAWN_WIDTH.search(svg)
    return min(100.0, 100 * float(drawn[1]) / _PAGE_WIDTH) if drawn else 100.0


def documents(sources: Sources) -> Iterator[tuple[UUID, dict[str, Any]]]:
    """Pairs of (client id, document), each client in their own language, made one by one as they are asked for."""
    writers: dict[str, Writer] = {}
    for source in sources.clients:
        locale = source.locale or sources.organization.locale
        if locale not in writers:
            writers[locale] = Writer(sources, locale)
        yield source.id, writers[locale].client(source)
