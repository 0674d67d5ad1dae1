"""Jobs that work on parts of a file count the people in it, on their page and in the list."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask import Flask

from app.domain.access import Role
from app.features.clients import roster_reader
from app.infra.runtime import Runtime
from tests.clients.roster_files import check, csv_file, people, take
from tests.factories import World


def test_a_roster_of_ten_in_four_parts_says_ten(
    app: Flask, runtime: Runtime, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(roster_reader.pieces, "__kwdefaults__", {"size": 3})
    admin = world.person(world.organization(), Role.ADMIN)
    checked = check(runtime, admin.actor, csv_file(tmp_path / "a.csv", people(10)))
    taken = take(runtime, admin.actor, checked.id)
    browser = world.browser(app, admin)
    assert re.findall(r'data-label="Done">([^<]+)<', browser.get("/jobs").text) == ["10 / 10", "10 / 10"]
    card = browser.get(f"/jobs/{taken.apply_job_id}").text
    assert "<b>10</b> done" in card
    assert "to do" not in card
    # What the job did is summed from its parts; how many people they hold is not among it.
    assert "<b>10</b> <span>created</span>" in browser.get(f"/import/{taken.id}").text
