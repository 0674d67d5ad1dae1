"""What the documents point at is there: pages, headings and pictures; and every picture is one that is shown."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([ROOT / "README.md", ROOT / "ARCHITECTURE.md", *ROOT.glob("docs/**/*.md"), *ROOT.glob("deploy/**/*.md")])
PICTURES = ROOT / "docs" / "pictures"
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")


def _links(page: Path) -> list[str]:
    """The addresses a page links to, without what stands in blocks of code and those of other places."""
    text = re.sub(r"^```.*?^```", "", page.read_text("utf-8"), flags=re.M | re.S)
    return [link for link in _LINK.findall(text) if not re.match(r"[a-z]+:", link)]


def _anchors(page: Path) -> set[str]:
    """What a page's headings are known by in links."""
    titles = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), flags=re.M)
    return {re.sub(r"[^\w -]", "", title.lower()).strip().replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_and_picture_is_there(page: Path) -> None:
    broken = []
    for link in _links(page):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and target.suffix == ".md" and anchor not in _anchors(target)):
            broken.append(link)
    assert broken == []


def test_each_step_has_a_page_with_a_picture_and_the_guide_leads_there() -> None:
    guide = _links(ROOT / "docs" / "guide.md")
    for number in range(1, 9):
        [page] = (ROOT / "docs" / "guide").glob(f"step-{number}-*.md")
        assert f"guide/{page.name}" in guide
        assert f"../pictures/step-{number}.png" in _links(page)


def test_every_picture_is_shown_and_of_modest_size() -> None:
    shown = {(page.parent / link).resolve() for page in PAGES for link in _links(page) if link.endswith(".png")}
    assert set(PICTURES.glob("*.png")) == {path for path in shown if path.parent == PICTURES}
    assert [path.name for path in PICTURES.glob("*.png") if path.stat().st_size > 200_000] == []
