"""One client's report: tagged, complete, in the client's language, with a fixed number of statements."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

import pikepdf
import pypdf
import pytest
from flask import Flask
from sqlalchemy import event, select, text

from app.domain import access
from app.domain.access import Role
from app.domain.errors import InvalidInput, NotFound
from app.domain.steps import StepKey
from app.features.audit.models import AuditEntry
from app.features.clients.commands import CreateLabel
from app.features.clients.labels import create_label, put_labels
from app.features.plans.commands import AddComment
from app.features.plans.models import Plan, PlanStep, StepContent
from app.features.plans.revisions import freeze_revision
from app.features.plans.service import add_comment
from app.features.reports.document import TEMPLATE, Writer, documents
from app.features.reports.naming import file_stem
from app.features.reports.parts import PARTS, choose_parts
from app.features.reports.service import write_client_report
from app.features.reports.sources import Sources, load_sources
from app.features.reviews.models import Review
from app.features.steps.parts import MOST_LINE, MOST_TEXT
from app.infra.pdf.press import press
from app.infra.runtime import Runtime
from tests.factories import World
from tests.infra.test_pdf import check_accessible, packed
from tests.reports.maker import fill_plans


def test_a5_the_report_is_accessible_and_holds_the_plan(runtime: Runtime, world: World) -> None:
    organization = world.organization(name="Northern Career Centre")
    admin = world.person(organization, Role.ADMIN)
    counsellor = world.person(organization, Role.COUNSELLOR, "Lena Moreau")
    clients = world.clients(organization, 1, given_name="Ana", family_name="#strike[x]")
    world.caseload(counsellor, clients)
    fill_plans(runtime, world, organization, clients)
    report = write_client_report(runtime, admin.actor, clients[0])
    check_accessible(report.pdf, lang="en-IE", title="Career plan of Ana #strike[x]")
    pages = [packed(page.extract_text()) for page in pypdf.PdfReader(io.BytesIO(report.pdf)).pages]
    assert 4 <= len(pages) <= 7
    said = "".join(pages)
    for wanted in (
        "Ana#strike[x]",
        "LenaMoreau",
        "Amade-upquestionnaire",
        "Nocomparisonwithotherpeopleismade",
        "reflectiononly",
        "Howexactthescoresareisnotyetknown",
        "Finishthethesis",
        "Pastreviews",
        "answered:theplaniskept",
        "2of7",
    ):
        assert wanted in said, wanted
    assert report.name.endswith(" Ana #strike[x].pdf")
    with runtime.database.unit_of_work(admin.actor) as uow:
        noted = uow.session.scalars(select(AuditEntry).where(AuditEntry.action == "report.made")).one()
        assert noted.subject_id == clients[0]


def test_the_tiles_count_the_goals_and_actions_that_count_now(runtime: Runtime, world: World) -> None:
    organization = world.organization()
    clients = world.clients(organization, 1)
    fill_plans(runtime, world, organization, clients)
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        row = uow.session.scalars(select(StepContent).where(StepContent.step == StepKey.GOALS.number)).one()
        first, *others = row.content["goals"]
        row.content = row.content | {"goals": [first | {"status": "dropped"}, *others]}
        uow.session.flush()
        ((_, document),) = documents(load_sources(uow, clients))
    assert ["1", "goals"] in document["story"]["tiles"]
    assert ["0 of 2", "actions done"] in document["story"]["tiles"]


def test_who_may_have_a_report(runtime: Runtime, world: World) -> None:
    organization = world.organization()
    me = world.client_person(organization)
    other = world.clients(organization, 1)[0]
    assert me.actor.client_id is not None
    assert write_client_report(runtime, me.actor, me.actor.client_id).pdf.startswith(b"%PDF-")
    counsellor = world.person(organization, Role.COUNSELLOR)
    stranger = world.person(world.organization(), Role.ADMIN)
    for actor in (me.actor, counsellor.actor, stranger.actor, world.person(organization, Role.ANALYST).actor):
        with pytest.raises(NotFound):
            write_client_report(runtime, actor, other)


def test_a_chinese_report_is_marked_as_such(runtime: Runtime, world: World) -> None:
    organization = world.organization(locale="zh_Hans_CN")
    clients = world.clients(organization, 1)
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        sources = load_sources(uow, clients)
    ((_, document),) = documents(sources)
    assert (document["lang"], document["region"]) == ("zh", "CN")
    assert Writer(sources, "xx").locale == "en"


def test_statements_do_not_grow_with_the_clients(runtime: Runtime, world: World) -> None:
    organization = world.organization()
    clients = world.clients(organization, 12)
    fill_plans(runtime, world, organization, clients)
    counts = []
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        said: list[str] = []
        connection = uow.session.connection()
        event.listen(connection, "before_cursor_execute", lambda *given: said.append(given[2]))
        load_sources(uow, clients)
        for some in (clients[:2], clients):
            said.clear()
            assert len(load_sources(uow, some).clients) == len(some)
            counts.append(len(said))
    assert counts[0] == counts[1] <= 11


def test_an_error_band_comes_from_a_hundred_own_answers(runtime: Runtime, world: World) -> None:
    organization = world.organization()
    clients = world.clients(organization, 1)
    fill_plans(runtime, world, organization, clients)
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        uow.session.execute(
            text(
                "INSERT INTO assessments (client_id, instrument_id, version, taken_at, source, source_key, responses,"
                " scores, answered) SELECT client_id, instrument_id, version, now(), 'import', 'own-' || n,"
                " ARRAY[1 + n % 5, 3, 1 + (n * 2) % 5]::smallint[], ARRAY[(n % 5) + 4 - (n * 2) % 5, 3]::float8[],"
                " ARRAY[2, 1]::smallint[] FROM assessments a CROSS JOIN generate_series(1, 120) n"
                " WHERE a.source_key = 'test-6'"
            )
        )
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        sources = load_sources(uow, clients)
    (errors,) = sources.errors.values()
    # Scale B has one item, so it has no consistency and no band.
    assert set(errors) <= {"A"}
    ((_, document),) = documents(sources)
    # Scales of another range have a picture of their own.
    charts = [b for section in document["sections"] for b in section["blocks"] if b["kind"] == "chart"]
    if errors:
        assert charts[1]["rows"][0][2] == "not yet known"
    else:
        # Where nothing is known of any scale, there is no column to say so on every line.
        assert charts[1]["columns"] == ["Scale", "Score", *charts[1]["columns"][2:]]
        assert "Error band" not in charts[1]["columns"]


@pytest.mark.parametrize(
    ("given", "safe"),
    [
        ("S1 Ana", "S1 Ana"),
        ("../../etc/passwd", ".. etc passwd"),
        ("a/b\\c:d*e?f", "a b c d e f"),
        ("\u202eevil\x00", "evil"),
        ("...", "report"),
        ("张伟 / Zhang", "张伟 Zhang"),
        ("x" * 300, "x" * 80),
    ],
)
def test_file_names_are_safe_everywhere(given: str, safe: str) -> None:
    assert file_stem(given) == safe.strip(" .")


def test_the_page_sends_the_file(app: Flask, runtime: Runtime, world: World) -> None:
    organization = world.organization()
    me = world.client_person(organization)
    admin = world.person(organization, Role.ADMIN)
    answer = world.browser(app, admin).get(f"/clients/{me.actor.client_id}/report.pdf")
    assert (answer.status_code, answer.mimetype) == (200, "application/pdf")
    assert "attachment" in answer.headers["Content-Disposition"]
    own = world.browser(app, me).get("/my-plan/report.pdf")
    assert own.data.startswith(b"%PDF-")
    assert world.browser(app, me).get(f"/clients/{me.actor.client_id}/report.pdf").status_code == 403


PART_TITLES = {
    "story": "The story so far",
    "changes": "What changed since revision 1, closed on ",
    "dates": "Next dates",
} | {key.value: f"{key.number}  " for key in StepKey}


def _sources(runtime: Runtime, organization: UUID, clients: list[UUID]) -> Sources:
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        return load_sources(uow, clients)


def _printed(document: dict[str, Any]) -> bytes:
    printed = press().print_one(TEMPLATE, document)
    assert printed.problem is None, printed.problem
    return printed.pdf


def _pages(pdf: bytes) -> list[str]:
    return [packed(page.extract_text()) for page in pypdf.PdfReader(io.BytesIO(pdf)).pages]


def _bookmarks(pdf: bytes) -> list[str]:
    with pikepdf.open(io.BytesIO(pdf)) as opened, opened.open_outline() as outline:
        (top,) = outline.root
        return [str(item.title) for item in top.children]


def _revised(runtime: Runtime, organization: UUID, client: UUID) -> None:
    """Close the plan's revision and change its goals and the step's status in the next."""
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        plan = uow.session.scalars(select(Plan).where(Plan.client_id == client)).one()
        freeze_revision(uow, plan, "A year has passed.")
        row = uow.session.scalars(
            select(StepContent).where(StepContent.plan_id == plan.id, StepContent.step == StepKey.GOALS.number)
        ).one()
        first, *others = row.content["goals"]
        row.content = row.content | {"goals": [first | {"text": "Publish the thesis"}, *others]}
        line = uow.session.scalars(
            select(PlanStep).where(PlanStep.plan_id == plan.id, PlanStep.step == StepKey.GOALS.number)
        ).one()
        line.status = "completed"


def test_the_parts_chosen_are_in_the_report_and_no_other(runtime: Runtime, world: World) -> None:
    organization = world.organization()
    clients = world.clients(organization, 1)
    fill_plans(runtime, world, organization, clients)
    _revised(runtime, organization, clients[0])
    sources = _sources(runtime, organization, clients)
    for named in (PARTS, ("story",), ("dates", "goals"), ("changes",), ("self_assessment", "review")):
        ((_, document),) = documents(sources, choose_parts(named))
        marks = _bookmarks(_printed(document))
        assert {title for part in named for title in marks if title.startswith(PART_TITLES[part])} == set(marks)
        assert len(marks) == len(named)
    with pytest.raises(InvalidInput):
        choose_parts(["story", "notes"])
    with pytest.raises(InvalidInput):
        choose_parts(form="long")


def test_what_changed_since_the_last_revision_is_told_and_a_tampered_one_is_not_believed(
    runtime: Runtime, world: World
) -> None:
    organization = world.organization()
    clients = world.clients(organization, 1)
    fill_plans(runtime, world, organization, clients)
    assert _sources(runtime, organization, clients).clients[0].before is None
    _revised(runtime, organization, clients[0])
    sources = _sources(runtime, organization, clients)
    ((_, document),) = documents(sources, choose_parts(["changes"]))
    (section,) = document["sections"]
    reason, goals = section["blocks"]
    assert reason["text"] == "A year has passed."
    assert goals["heading"] == "6  Goals"
    assert goals["lines"][0] == "It stands: completed; before: not started"
    assert any(line.startswith("New: ") and "Publish the thesis" in line for line in goals["lines"])
    assert any(line.startswith("Before: ") and "Finish the thesis" in line for line in goals["lines"])
    source = sources.clients[0]
    assert source.before is not None
    source.before = replace(source.before, intact=False)
    ((_, document),) = documents(sources, choose_parts(["changes"]))
    (block,) = document["sections"][0]["blocks"]
    assert "checksum differs" in block["text"]


LONG = {
    "latin": "An ambition that goes on and on without ever coming to its end " * 60,
    "endless": "x" * 4000,
    "chinese": "我想在一个安静的地方长期从事细致的研究工作，并把成果讲给别人听。" * 100,
    "arabic": "أريد أن أعمل في مختبر هادئ وأشرح ما أجده للآخرين " * 80,
    "mixed": "👩‍🔬\u200b\u202e zero\u200dwidth 張偉 ﷽ ‎ e\u0301 🇮🇪 " * 90,
}


@pytest.mark.parametrize("script", list(LONG))
def test_the_story_and_the_short_report_stay_on_one_page(runtime: Runtime, world: World, script: str) -> None:
    organization = world.organization(name=LONG[script][:150])
    clients = world.clients(organization, 1, given_name=LONG[script][:60], family_name=LONG[script][:60])
    fill_plans(runtime, world, organization, clients)
    said = LONG[script]
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        for row in uow.session.scalars(select(StepContent)):
            row.content = _longer(row.content, said)
    sources = _sources(runtime, organization, clients)
    sources.clients[0].reviews = []
    ((_, short),) = documents(sources, choose_parts(form="short"))
    assert len(_pages(_printed(short))) == 1
    ((_, story),) = documents(sources, choose_parts(["story"]))
    pdf = _printed(story)
    assert len(_pages(pdf)) in ((2, 3) if script == "mixed" else (2,))
    if script == "mixed":
        ((_, whole),) = documents(sources)
        check_accessible(_printed(whole), lang="en-IE")


def _longer(value: Any, said: str) -> Any:
    """The content with every text as long as it may be."""
    if isinstance(value, dict):
        longest = dict.fromkeys(("statement", "why", "fits", "reason"), MOST_TEXT)
        longest |= dict.fromkeys(("text", "name", "measure"), MOST_LINE)
        return {
            name: said[: longest[name]] if name in longest and each else _longer(each, said)
            for name, each in value.items()
        }
    return [_longer(each, said) for each in value] if isinstance(value, list) else value


def test_identical_content_gives_identical_bytes(runtime: Runtime, world: World) -> None:
    organization = world.organization()
    clients = world.clients(organization, 1)
    fill_plans(runtime, world, organization, clients)
    sources = _sources(runtime, organization, clients)
    first, again = (_printed(document) for _ in range(2) for _client, document in documents(sources))
    assert first == again


def test_what_was_written_for_other_eyes_is_in_no_report(runtime: Runtime, world: World) -> None:
    organization = world.organization()
    admin = world.person(organization, Role.ADMIN)
    clients = world.clients(organization, 1)
    fill_plans(runtime, world, organization, clients)
    with runtime.database.unit_of_work(admin.actor) as uow:
        plan = uow.session.scalars(select(Plan)).one()
        add_comment(uow, AddComment(plan_id=plan.id, step=StepKey.GOALS, body="MARKED in the thread"))
        label = create_label(uow, CreateLabel(name="MARKED label", shared=False))
        put_labels(uow, label.id, clients)
        review = uow.session.scalars(select(Review)).one()
        review.meeting_on, review.meeting_note = date(2026, 9, 9), "MARKED meeting"
        review.returned_at, review.returned_note = uow.now, "MARKED given back"
        review.answers = {"note": "MARKED answer"}
    _revised(runtime, organization, clients[0])
    for parts in (choose_parts(), choose_parts(form="short")):
        ((_, document),) = documents(_sources(runtime, organization, clients), parts)
        assert "MARKED" not in json.dumps(document)
        assert "MARKED" not in "".join(_pages(_printed(document)))


def test_pages_and_json_take_the_choice(app: Flask, runtime: Runtime, world: World) -> None:
    organization = world.organization()
    clients = world.clients(organization, 1)
    fill_plans(runtime, world, organization, clients)
    admin = world.person(organization, Role.ADMIN)
    browser = world.browser(app, admin)
    client = clients[0]
    page = browser.get(f"/clients/{client}")
    assert all(f'name="part" value="{part}"' in page.text for part in PARTS)
    chosen = browser.get(f"/clients/{client}/report.pdf?part=goals&part=dates")
    assert _bookmarks(chosen.data) == ["Next dates", "6  Goals"]
    short = browser.get(f"/clients/{client}/report.pdf?form=short")
    assert len(_pages(short.data)) == 1
    assert browser.get(f"/clients/{client}/report.pdf?part=notes").status_code == 422
    api = browser.get(f"/api/v1/clients/{client}/report?parts=goals&parts=dates")
    assert _bookmarks(api.data) == ["Next dates", "6  Goals"]
    assert browser.get(f"/api/v1/clients/{client}/report?parts=notes").status_code == 422
    with runtime.database.unit_of_work(admin.actor) as uow:
        details = [
            row.detail for row in uow.session.scalars(select(AuditEntry).where(AuditEntry.action == "report.made"))
        ]
    assert {"form": "short"} in details
    assert {"parts": ["goals", "dates"]} in details
