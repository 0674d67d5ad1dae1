"""The ledger's entries in words: every action the code records has some, and what is stored can be unfolded."""

from __future__ import annotations

import ast
from pathlib import Path

from flask import Flask

from app.domain.access import Role
from app.domain.saying import plain
from app.features.audit.service import record
from app.features.audit.words import ACTIONS, action_words, detail_words, subject_words
from app.features.plans import service
from app.infra.runtime import Runtime
from tests.factories import World

APP = Path(__file__).resolve().parents[2] / "app"
# What writes to the ledger, with the action as the second argument.
_WRITERS = ("record", "record_each", "_note_caseload")


def recorded() -> set[str]:
    """Every action that a call of `record` names, also where one of two is chosen."""
    found = set()
    for path in APP.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            name = node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""
            if isinstance(node, ast.Call) and name in _WRITERS and len(node.args) > 1:
                said = node.args[1]
                parts = [said.body, said.orelse] if isinstance(said, ast.IfExp) else [said]
                found |= {part.value for part in parts if isinstance(part, ast.Constant)}
    return found | {f"step.{done}" for done in service._DONE.values()}


def test_every_recorded_action_has_words() -> None:
    actions = recorded()
    assert {"member.added", "cohort.restored", "step.submitted"} <= actions
    assert sorted(actions - set(ACTIONS)) == []


def test_figures_are_said_and_ids_are_not() -> None:
    detail = {"reports": 50, "job": "0b6b66a2", "fields": ["given_name", "email"], "state": "in_progress", "was": {}}
    assert detail_words(detail, plain) == "reports: 50; fields: given_name, email; state: in progress"
    assert detail_words({"checksum": "ab"}, plain) == ""
    assert (action_words("report.batch_made", plain), action_words("thing.done", plain)) == (
        "Reports written",
        "thing.done",
    )
    assert (subject_words("roster_import", plain), subject_words("odd_thing", plain)) == ("roster", "odd thing")


def test_the_page_says_words_and_keeps_what_is_stored(app: Flask, runtime: Runtime, world: World) -> None:
    admin = world.person(world.organization(), Role.ADMIN)
    with runtime.database.unit_of_work(admin.actor) as uow:
        record(uow, "report.batch_made", "job", None, reports=50)
    page = world.browser(app, admin).get("/audit").text
    assert "Reports written" in page
    assert "reports: 50" in page
    stored = page.index("<summary>As stored")
    assert page.index("report.batch_made") > stored
    assert "&#34;reports&#34;: 50" in page
