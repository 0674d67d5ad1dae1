"""The documentation page in a real browser: shown whole under the strict content security policy."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from flask import Flask
from playwright.sync_api import expect

from tests.browser_fixture import OpenPage
from tests.served import serving

pytestmark = pytest.mark.browser


@pytest.fixture
def address(app: Flask) -> Iterator[str]:
    with serving(app, threaded=False) as address:
        yield address


def test_the_page_shows_every_operation_without_a_complaint(address: str, open_page: OpenPage) -> None:
    opened = open_page(f"{address}/api/v1/docs")
    page = opened.page
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.reload()
    document = page.request.get(f"{address}/api/v1/openapi.json").json()
    groups = page.locator(".opblock-tag")
    expect(groups).to_have_count(len(document["tags"]), timeout=20_000)
    shown = 0
    for number in range(len(document["tags"])):
        group = groups.nth(number)
        group.get_by_role("button").click()
        of_group = page.locator(".opblock-tag-section").nth(number).locator(".opblock")
        expect(of_group.first).to_be_attached(timeout=20_000)
        shown += of_group.count()
        group.get_by_role("button").click()
    assert shown == sum(name != "parameters" for path in document["paths"].values() for name in path)
    groups.first.get_by_role("button").click()
    page.locator("#operations-Me-read_me button.opblock-summary-control").click()
    expect(page.get_by_text(re.compile("Who asks, in which organization")).first).to_be_visible()
    assert opened.complaints == []
    assert {url.split("/")[2] for url in asked} == {address.split("/")[2]}
