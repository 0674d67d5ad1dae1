"""One client's report: tagged, complete, in the client's language, with a fixed number of statements."""

from __future__ import annotations

import io

import pypdf
import pytest
from flask import Flask
from sqlalchemy import event, select, text

from app.domain import access
from app.domain.access import Role
from app.domain.errors import NotFound
from app.domain.steps import StepKey
from app.features.audit.models import AuditEntry
from app.features.plans.models import StepContent
from app.features.reports.document import Writer, documents
from app.features.reports.service import safe_name, write_client_report
from app.features.reports.sources import load_sources
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
    assert 2 <= len(pages) <= 4
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
    assert ["1", "goals"] in document["tiles"]
    assert ["0 of 2", "actions done"] in document["tiles"]


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
    assert counts[0] == counts[1] <= 10


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
    assert document["charts"][1]["rows"][0][2] == "not yet known"


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
    assert safe_name(given) == safe.strip(" .")


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
