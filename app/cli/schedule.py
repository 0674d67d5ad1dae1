"""`octant schedule`: reports by the calendar, as a named member sees them."""

from __future__ import annotations

from datetime import datetime, time
from uuid import UUID, uuid4

import click

from app.cli.acting import acting, at_work, colleague_called
from app.cli.targets import cohort_called, filter_called
from app.domain.access import Permission
from app.domain.errors import FieldProblem, InvalidInput, NotFound
from app.domain.recurrence import CADENCES, Recurrence
from app.domain.saying import later, plain, recalled
from app.domain.terms import TermEdge
from app.features.extracts.queries import list_extracts
from app.features.figures.layer import Question
from app.features.organizations.queries import today_here
from app.features.reports.commands import CohortQuestion
from app.features.reports.parts import Parts, choose_parts
from app.features.schedules import contents, service
from app.features.schedules.commands import WHEN_EMPTY, RunNow, SaveSchedule
from app.features.schedules.contents import Content
from app.features.schedules.models import Schedule
from app.features.schedules.queries import list_schedules, runs_of
from app.features.schedules.words import content_words
from app.infra.db.open import UnitOfWork

_DAY = click.DateTime(["%Y-%m-%d"])
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_EDGES: tuple[TermEdge, ...] = ("start", "end")


@click.group()
def schedule() -> None:
    """Reports by the calendar, as one member sees them."""


@schedule.command()
@acting
@click.option("--name", required=True, help="What to call it.")
@click.option("--report", metavar="NAME", help="Write this own report; its id as well.")
@click.option("--figure", metavar="KEY", help="Write this figure, as `GET /api/v1/figures` calls it.")
@click.option("--by", multiple=True, metavar="KEY", help="By this attribute, of a figure; twice for two.")
@click.option(
    "--within",
    multiple=True,
    metavar="KEY:PERIOD",
    help="Of who began or was last reviewed then, as `@started_term:Autumn 2025`; twice for the first and the last.",
)
@click.option("--aggregates", is_flag=True, help="Write all figures of the screen of aggregates.")
@click.option("--cohort-figures", metavar="NAME", help="Write this cohort in figures.")
@click.option("--beside", metavar="NAME", help="What the cohort stands beside: `term`, `organization` or a cohort.")
@click.option("--reports-of-cohort", metavar="NAME", help="Write the reports of this cohort's people.")
@click.option(
    "--reports-of-filter", metavar="NAME", help="Write the reports of whom this saved filter selects by then."
)
@click.option("--short", is_flag=True, help="Reports of one page.")
@click.option("--withhold", is_flag=True, help="Leave out small groups also for who may see the people.")
@click.option("--form", help="Its form: what can be chosen depends on what it writes; the first of them by default.")
@click.option("--every", "cadence", type=click.Choice(CADENCES), default="weekly", show_default=True)
@click.option("--weekday", type=click.Choice(_DAYS), default=_DAYS[0], show_default=True, help="For weekly ones.")
@click.option("--month-day", type=click.IntRange(1, 31), default=1, show_default=True, help="For monthly ones.")
@click.option("--edge", type=click.Choice(_EDGES), default=_EDGES[0], show_default=True, help="For those once a term.")
@click.option("--at", default="08:00", show_default=True, help="The time of day where the organization is.")
@click.option("--from", "starts_on", type=_DAY, help="The first day; today by default.")
@click.option("--until", "ends_on", type=_DAY, help="The last day; without end by default.")
@click.option("--when-empty", type=click.Choice(WHEN_EMPTY), default="say", show_default=True)
@click.option("--to", "readers", multiple=True, metavar="EMAIL", help="Who gets it; repeat it. You by default.")
def create(
    *,
    slug: str,
    email: str,
    name: str,
    report: str | None,
    figure: str | None,
    by: tuple[str, ...],
    within: tuple[str, ...],
    aggregates: bool,
    cohort_figures: str | None,
    beside: str | None,
    reports_of_cohort: str | None,
    reports_of_filter: str | None,
    short: bool,
    withhold: bool,
    form: str | None,
    cadence: str,
    weekday: str,
    month_day: int,
    edge: TermEdge,
    at: str,
    starts_on: datetime | None,
    ends_on: datetime | None,
    when_empty: str,
    readers: tuple[str, ...],
) -> None:
    """Keep a schedule of one thing to write: an own report, a figure, aggregates, a cohort, or reports of people."""
    if sum(map(bool, (report, figure, aggregates, cohort_figures, reports_of_cohort, reports_of_filter))) != 1:
        raise click.UsageError(
            "Say what to write in one way: --report, --figure, --aggregates, --cohort-figures, --reports-of-cohort,"
            " or --reports-of-filter."
        )
    if len(by) > 2 or len(within) > 2:
        raise click.UsageError("A figure is by at most two attributes, and within one period or from one to another.")
    try:
        moment = time.fromisoformat(at)
    except ValueError:
        raise click.UsageError("Give the time as HH:MM.") from None
    with at_work(slug, email, Permission.OWN_REPORTS) as uow:
        content: Content
        if report is not None:
            content = contents.extract(_report_called(uow, report))
        elif figure is not None:
            first, second = (*by, "", "")[:2]
            since, until = (*within[:1], *within[-1:], "", "")[:2]
            content = contents.figures(Question(figure, first, second, withhold, since, until))
        elif cohort_figures is not None:
            against = beside if beside in (None, "term", "organization") else str(cohort_called(uow, beside))
            question = CohortQuestion(cohort_called(uow, cohort_figures), against or "", withhold)
            content = contents.cohort(question)
        elif reports_of_cohort is not None:
            content = contents.clients_of_cohort(cohort_called(uow, reports_of_cohort), _parts(short=short))
        elif reports_of_filter is not None:
            content = contents.clients_of_filter(filter_called(uow, reports_of_filter), _parts(short=short))
        else:
            content = contents.aggregates(withhold=withhold)
        command = SaveSchedule(
            name=name,
            recurrence=Recurrence(
                cadence=cadence,
                at=moment,
                starts_on=starts_on.date() if starts_on else today_here(uow),
                ends_on=ends_on.date() if ends_on else None,
                weekday=_DAYS.index(weekday),
                month_day=month_day,
                edge=edge,
            ),
            content=content,
            form=form or content.sort.forms[0],
            recipients=tuple(colleague_called(uow, one) for one in readers or (email,)),
            when_empty=when_empty,
        )
        made = service.create_schedule(uow, command)
        following = made.next_at.isoformat() if made.next_at else "nothing to come"
        click.echo(f"{made.id}  {following}")


def _parts(*, short: bool) -> Parts:
    return choose_parts(form="short" if short else "whole")


def _report_called(uow: UnitOfWork, name: str) -> UUID:
    found = [one.extract.id for one in list_extracts(uow) if name in (one.extract.name, str(one.extract.id))]
    if not found:
        raise NotFound(later("There is no report named %(name)s.", name=name))
    if len(found) > 1:
        ids = ", ".join(map(str, found))
        raise InvalidInput([FieldProblem("report", f"Several reports are named {name}. Say which by its id: {ids}.")])
    return found[0]


@schedule.command("list")
@acting
def list_kept(slug: str, email: str) -> None:
    """Name each schedule: its id, its state, what it writes, when it is due next, and for how many."""
    with at_work(slug, email, Permission.OWN_REPORTS, reads=True) as uow:
        for line in list_schedules(uow):
            one = line.schedule
            report = content_words(one.what, one.question, line.subject, plain) or "deleted"
            following = one.next_at.isoformat() if one.next_at else "nothing to come"
            click.echo(f"{one.id}  {one.name} ({one.state})  {report}  {following}  {line.readers} readers")


@schedule.command()
@acting
@click.option("--schedule", "name", required=True, help="Its name or its id.")
def runs(slug: str, email: str, name: str) -> None:
    """What became of it for each reader, newest first."""
    with at_work(slug, email, Permission.OWN_REPORTS, reads=True) as uow:
        for line in runs_of(uow, _named(uow, name).id):
            click.echo(f"{line.run.occurrence_on}  {line.state}  {line.reader}  {recalled(line.reason) or ''}")


@schedule.command()
@acting
@click.option("--schedule", "name", required=True, help="Its name or its id.")
def run(slug: str, email: str, name: str) -> None:
    """Have it written now for each of its readers."""
    with at_work(slug, email, Permission.OWN_REPORTS) as uow:
        made = service.run_now(uow, RunNow(schedule_id=_named(uow, name).id, key=uuid4().hex))
    click.echo(f"{made} readers")


@schedule.command()
@acting
@click.option("--schedule", "name", required=True, help="Its name or its id.")
def pause(slug: str, email: str, name: str) -> None:
    """Let nothing come of it until it is resumed."""
    with at_work(slug, email, Permission.OWN_REPORTS) as uow:
        click.echo(service.pause_schedule(uow, _named(uow, name).id).state)


@schedule.command()
@acting
@click.option("--schedule", "name", required=True, help="Its name or its id.")
def resume(slug: str, email: str, name: str) -> None:
    """Let it go on from now."""
    with at_work(slug, email, Permission.OWN_REPORTS) as uow:
        click.echo(service.resume_schedule(uow, _named(uow, name).id).state)


@schedule.command()
@acting
@click.option("--schedule", "name", required=True, help="Its name or its id.")
def end(slug: str, email: str, name: str) -> None:
    """End it for good; what it made stays."""
    with at_work(slug, email, Permission.OWN_REPORTS) as uow:
        click.echo(service.end_schedule(uow, _named(uow, name).id).state)


def _named(uow: UnitOfWork, name: str) -> Schedule:
    found = [line.schedule for line in list_schedules(uow) if name in (line.schedule.name, str(line.schedule.id))]
    if not found:
        raise NotFound(later("There is no schedule named %(name)s.", name=name))
    return found[0]
