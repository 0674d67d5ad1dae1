"""How a client's report is broken into pages: nothing runs off them, and no page has a few lines alone."""

from __future__ import annotations

import io
from typing import Any

import pypdf
import pytest

from app.domain import access
from app.features.reports.document import TEMPLATE, documents
from app.features.reports.heights import drawn, keep_the_end
from app.features.reports.sources import load_sources
from app.infra.pdf.press import press
from app.infra.runtime import Runtime
from tests.factories import World
from tests.infra.test_pdf import check_accessible
from tests.reports.maker import fill_plans


def _section(*blocks: dict[str, Any]) -> dict[str, Any]:
    return {"number": "8", "title": "Review", "status": "", "blocks": list(blocks)}


def _table(rows: int) -> dict[str, Any]:
    return {"kind": "table", "heading": "Past reviews", "columns": ["Day", "Result"], "rows": [["1", "kept"]] * rows}


@pytest.mark.parametrize(
    ("before", "last", "whole", "joined"),
    [
        (_section(_table(3)), _section(_table(1)), True, True),
        # What is before it fills a page by itself.
        (_section(_table(3), _table(40)), _section(_table(1)), True, False),
        (_section(_table(3)), _section(_table(12)), True, False),
        (_section(_table(3)), _section(_table(60)), False, False),
        (_section(_table(3)), _section({"kind": "text", "heading": "Why", "text": "字" * 4000}), False, False),
    ],
)
def test_the_end_is_kept_together_where_it_is_short(
    before: dict[str, Any], last: dict[str, Any], *, whole: bool, joined: bool
) -> None:
    sections = [before | {}, last | {}]
    keep_the_end(sections)
    assert (sections[1]["whole"], sections[1]["joined"]) == (whole, joined)
    alone = [last | {}]
    keep_the_end(alone)
    assert (alone[0]["whole"], alone[0]["joined"]) == (whole, False)


def test_a_drawing_is_as_wide_as_it_was_made() -> None:
    assert drawn('<svg class="x" width="340" height="100">') == {
        "width": 50,
        "high": pytest.approx(25.6, 0.01),
        "tall": False,
    }
    assert drawn('<svg class="x" width="1360" height="1360">')["tall"]


# As escapes, for what is not seen must not stand in a program.
_NAMES = {
    "arabic": "محمد عبد الرحمن الأحمد",
    "chinese": "欧阳 小龙",
    "emoji": "\U0001f469\u200d\U0001f469\u200d\U0001f467 Zoë \U0001f393",
    "unseen": "Ze\u200bro Wi\u2060dth\ufeff \u202eevil",
    "endless": "Wolfeschlegelsteinhausenbergerdorff" * 3,
}


@pytest.mark.parametrize("name", list(_NAMES))
def test_a_report_bears_whatever_name_its_client_has(runtime: Runtime, world: World, name: str) -> None:
    organization = world.organization()
    clients = world.clients(organization, 1, given_name=_NAMES[name], family_name="Ende")
    fill_plans(runtime, world, organization, clients)
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        ((_, document),) = documents(load_sources(uow, clients))
    printed = press().print_one(TEMPLATE, document)
    assert printed.problem is None
    # Signs that print nothing are left out of the title, and those that no font has stand there as boxes.
    told = name not in ("emoji", "unseen")
    check_accessible(printed.pdf, lang="en-IE", title=f"Career plan of {_NAMES[name]} Ende" if told else None)
    cover, *_pages, last = (page.extract_text() for page in pypdf.PdfReader(io.BytesIO(printed.pdf)).pages)
    assert "Ende" in cover
    # More than a heading, its lines and the foot of the page.
    assert len(last.splitlines()) > 8
    if name == "endless":
        longest = max((line for line in cover.splitlines()), key=len)
        assert len(longest) < 60
