"""Octant in Simplified Chinese: the catalogue is whole, and pages, mails and errors are said in it."""

from __future__ import annotations

import re
import shutil
import subprocess
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po
from flask import Flask, render_template_string

from app.composition import MESSAGE_KINDS
from app.domain.access import Role
from app.domain.errors import NotFound
from app.domain.saying import later
from app.features.clients.models import AttributeDefinition
from app.features.jobs.models import Job
from app.features.messaging.kinds import Draft
from app.features.plans.words import step_names
from app.features.reviews.engine import PROMPT_KIND, make_due_prompts
from app.infra.runtime import Runtime
from app.infra.speech import speaker
from tests.clients.roster_files import check, csv_file
from tests.factories import Person, World
from tests.harness import Clock
from tests.reviews.helpers import make_plans
from tests.reviews.test_check_in import token_of
from tests.reviews.test_engine import EVERY_DAY

ROOT = Path(__file__).resolve().parents[1]
LOCALE = "zh_Hans_CN"
_PLACE = re.compile(r"%\(\w+\)s|\{\w+\}")
_CHINESE = re.compile(r"[\u4e00-\u9fff]")
STEPS = ("人生抱负", "自我评估", "机会分析", "职业选择", "职业路径", "目标", "行动计划", "评估与反馈")


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    """Every text for people in the sources as they are now, collected as `make messages` does it."""
    make = shutil.which("make")
    if make is None:
        pytest.skip("make is not installed")
    found = tmp_path_factory.mktemp("messages") / "messages.pot"
    subprocess.run([make, "-s", str(found)], cwd=ROOT, check=True)
    with found.open("rb") as file:
        return read_po(file)


@pytest.fixture(scope="module")
def catalogue() -> Catalog:
    with (ROOT / "app" / "translations" / LOCALE / "LC_MESSAGES" / "messages.po").open("rb") as file:
        return read_po(file, locale=LOCALE)


def _ids(catalogue: Catalog) -> set[tuple[str, ...]]:
    return {_forms(message.id) for message in catalogue if message.id}


def _forms(text: str | tuple[str, ...] | list[str]) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else tuple(text)


def _entries(catalogue: Catalog) -> list[Message]:
    return [message for message in catalogue if message.id]


def test_the_catalogue_has_every_text_and_no_other(collected: Catalog, catalogue: Catalog) -> None:
    assert len(_ids(collected)) > 1000
    assert _ids(collected) - _ids(catalogue) == set(), "run `make messages` and translate what is new"
    assert _ids(catalogue) - _ids(collected) == set(), "run `make messages`"
    assert not catalogue.obsolete


def test_every_text_is_translated(catalogue: Catalog) -> None:
    assert not catalogue.fuzzy
    assert (catalogue.num_plurals, catalogue.plural_expr) == (1, "0")
    for message in _entries(catalogue):
        said = _forms(message.string)
        assert not message.fuzzy, message.id
        assert len(said) == 1, message.id
        # Words of the other language stay only beside Chinese ones: "CSV", a name, an example.
        left = re.search(r"[A-Za-z]", _PLACE.sub("", said[0]))
        assert _CHINESE.search(said[0]) or not left, message.id
        assert said[0].strip(), message.id


def test_places_are_kept_exactly(catalogue: Catalog) -> None:
    for message in _entries(catalogue):
        *_, asked = _forms(message.id)
        (said,) = _forms(message.string)
        assert sorted(_PLACE.findall(said)) == sorted(_PLACE.findall(asked)), message.id
        # A template fills in places even where there are none, so a bare percent sign would end the page.
        assert "%" not in _PLACE.sub("", said), message.id


def test_people_are_called_what_the_organization_calls_them(catalogue: Catalog) -> None:
    """A sentence names `%(client)s` or `%(counsellor)s`, except where the words are chosen."""
    literal = re.compile(r"(?i)(?<!\()\b(client|counsellor)s?\b(?!\)s)")
    found = {form for message in _entries(catalogue) for form in _forms(message.id) if literal.search(form)}
    assert found == {
        *("client", "clients", "counsellor", "counsellors"),
        *("Word for a client", "Word for a counsellor"),
    }


def test_the_eight_steps_have_their_names() -> None:
    assert tuple(step_names(speaker(LOCALE)).values()) == STEPS


@pytest.fixture
def here(world: World) -> UUID:
    return world.organization(locale=LOCALE, time_zone="Asia/Shanghai", name="海港大学就业指导中心")


@pytest.fixture
def counsellor(world: World, here: UUID) -> Person:
    return world.person(here, Role.COUNSELLOR, "王芳")


def _visible(page: str) -> str:
    return " ".join(re.sub(r"<(script|style|svg).*?</\1>|<[^>]+>", " ", page, flags=re.S).split())


def test_who_is_not_known_yet_reads_what_their_browser_asks_for(app: Flask) -> None:
    browser = app.test_client()
    chinese = browser.get("/sign-in", headers={"Accept-Language": "zh-CN,zh;q=0.9"}).text
    assert '<html lang="zh-Hans-CN"' in chinese
    assert "登录" in _visible(chinese)
    assert "密码" in _visible(chinese)
    assert "Password" not in chinese
    assert '<html lang="en"' in browser.get("/sign-in", headers={"Accept-Language": "de"}).text


def test_the_caseload_is_chinese(app: Flask, world: World, here: UUID, counsellor: Person) -> None:
    clients = world.clients(here, 3)
    world.plans(here, clients, "csnnnnnn", due_on=date(2026, 1, 5))
    world.caseload(counsellor, clients)
    browser = world.browser(app, counsellor)
    for address in ("/", "/caseload", "/templates", "/cohorts", "/reviews", "/jobs", "/profile"):
        answer = browser.get(address)
        assert answer.status_code == 200, address
        assert '<html lang="zh-Hans-CN"' in answer.text
    page = _visible(browser.get("/caseload").text)
    for word in ("负责名单", "逾期", "上次联系", "等您处理：第 2 步"):
        assert word in page
    for word in ("Caseload", "Overdue", "Waiting", "Filter", "Apply", "Sign out", "Next date"):
        assert word not in page


def test_my_plan_is_chinese(app: Flask, world: World, here: UUID) -> None:
    person = world.client_person(here, name="李雷")
    assert person.actor.client_id is not None
    world.plan(here, person.actor.client_id)
    browser = world.browser(app, person)
    page = _visible(browser.get("/my-plan").text)
    for name in STEPS:
        assert name in page
    for word in ("Ambition", "not started", "My plan", "Step 1", "Due"):
        assert word not in page
    step = _visible(browser.get("/my-plan/steps/1").text)
    assert "保存" in step
    assert "提交" in step
    assert "Save" not in step


def test_a_check_in_and_its_mail_are_chinese(app: Flask, runtime: Runtime, here: UUID, clock: Clock) -> None:
    make_plans(runtime, here, 1, started_on=date(2026, 3, 7), recipe=EVERY_DAY)
    clock.now = datetime(2026, 9, 7, 4, tzinfo=UTC)
    make_due_prompts(runtime, here, until=clock.now + timedelta(seconds=9))
    browser, token = app.test_client(), token_of(runtime, here)
    page = browser.get(f"/check-in/{token}").text
    assert '<html lang="zh-Hans-CN"' in page
    assert "开始回顾" in page
    assert "Begin" not in page
    app.config["WTF_CSRF_ENABLED"] = False
    asked = browser.post(f"/check-in/{token}", follow_redirects=True).text
    assert "您对自己的规划有多大把握？" in asked
    thanks = browser.post(f"/check-in/{token}/answers", data={"confidence": "7"}, follow_redirects=True).text
    assert '<html lang="zh-Hans-CN"' in thanks
    assert "谢谢您" in thanks

    params = {"given_name": "雷", "link": str(UUID(int=1)), "day": "2026-09-07", "counsellor": "王芳", "reminder": 1}
    draft = Draft(
        organization_id=here,
        organization_name="海港大学",
        message_id=UUID(int=2),
        recipient_name="李雷",
        locale=LOCALE,
        params=params,
        unsubscribe_url="https://octant.example.org/u",
    )
    words = MESSAGE_KINDS[PROMPT_KIND].render(runtime.settings, draft)
    assert words.subject == "再次提醒：花五分钟看看您的规划"
    assert "雷，您好" in words.text
    assert "2026年9月7日" in words.text
    assert 'lang="zh-Hans-CN"' in words.html
    assert "Hello" not in words.text + words.html


def test_an_error_is_said_where_it_is_shown(app: Flask, world: World, counsellor: Person) -> None:
    browser = world.browser(app, counsellor)
    answer = browser.get(f"/plans/{UUID(int=7)}")
    assert answer.status_code == 404
    assert "没有这份规划，或您无权查看。" in answer.text
    with app.test_request_context(headers={"Accept-Language": "zh"}):
        shown = render_template_string("{{ sentence|said }}", sentence=NotFound("There is no such cohort.").sentence)
        assert shown == "没有这个群组。"
        # Nobody's page says the plain words, an organization's its own.
        sentence = later("Only the %(counsellor)s can freeze a revision.")
        assert render_template_string("{{ sentence|said }}", sentence=sentence) == "只有咨询师可以冻结修订版。"
        # What is not in the catalogue stays; a percent sign in it does no harm.
        assert render_template_string("{{ sentence|said }}", sentence="“100% cotton” is no day.") == (
            "“100% cotton” is no day."
        )


def test_the_reasons_of_bad_rows_are_chinese(
    app: Flask, runtime: Runtime, world: World, here: UUID, tmp_path: Path
) -> None:
    """A worker wrote them, without knowing who will read them; the values in them stay as they are."""
    admin = world.person(here, Role.ADMIN, "李静")
    with runtime.database.unit_of_work(admin.actor) as uow:
        uow.session.add(AttributeDefinition(key="year", label="年级", kind="number"))
    rows = [
        ["1", "王 芳", "a@example.org", "", "2"],
        ["1", "李 雷", "a@example.org", "", "2"],
        ["3", "韩 梅", "c@example.org", "Mars", "first"],
    ]
    file = csv_file(tmp_path / "a.csv", rows, ("学号", "姓名", "邮箱", "时区", "年级"))
    mapping = {"external_id": 0, "full_name": 1, "email": 2, "time_zone": 3, "attribute:year": 4}
    roster = check(runtime, admin.actor, file, mapping=mapping)
    browser = world.browser(app, admin)
    page = _visible(browser.get(f"/import/{roster.id}").text)
    for sentence in (
        "第 3 行也有相同的编号。",
        "第 2 行也有相同的电子邮箱。",
        "“Mars”不是时区。",
        "“first”不是数字。",
    ):
        assert sentence in page
    for word in ("The same", "is not a", "Write it"):
        assert word not in page
    sheet = browser.get(f"/import/{roster.id}/rows.csv").data.decode("utf-8-sig")
    assert "“Mars”不是时区。" in sheet
    assert "is not a time zone" not in sheet


def test_a_job_says_its_reason_in_chinese(app: Flask, runtime: Runtime, world: World, here: UUID) -> None:
    admin = world.person(here, Role.ADMIN, "李静")
    with runtime.database.unit_of_work(admin.actor) as uow:
        job = Job(kind="roster.check", state="failed", created_by=admin.actor.membership_id)
        job.error = later("Rows of this part that could not be taken: %(rows)s.", rows=12)
        uow.session.add(job)
        uow.session.flush()
        job_id = job.id
    page = world.browser(app, admin).get(f"/jobs/{job_id}").text
    assert "这一部分有 12 行无法导入。" in page
    assert "could not be taken" not in page
