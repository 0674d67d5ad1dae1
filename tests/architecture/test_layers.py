"""Rules of the house that an import contract cannot say, read from the source: siblings, commits, Flask at the edge."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import app as package

ROOT = Path(package.__file__).parent
STEPS = ROOT / "features" / "steps"
ROOMS = sorted(p.name for p in STEPS.iterdir() if (p / "__init__.py").exists())
# The one module that ends a transaction, and the measurements' bare floors, which are no part of the product.
MAY_COMMIT = {
    "infra/db/open.py",
    *(f"bench/{name}.py" for name in ("assign", "due", "filters", "neighbours", "rollout", "score", "shift")),
}
# What belongs to the edge by its name; `api.py`, `roster_pages.py`, `me_api.py` and the like.
EDGE_NAMES = ("pages", "api", "forms", "schemas", "views", "edge", "blueprint")
# In `steps/`: `forms_beside.py`, and the rooms' `tools.py`, which draw parts of a page.
STEP_EDGE = ("forms", "tools")
FLASK = {"flask", "flask_wtf", "flask_login"}
# Pages under other names, each with what it is.
EDGE = {
    "features/identity/guard.py": "the throttle and session guards of sign-in, which read the request",
    "features/identity/profile.py": "the pages of one's own profile",
    "features/identity/reset.py": "the pages of a forgotten password",
    "features/organizations/entrance.py": "the pages that choose an organization",
    "features/organizations/people.py": "the pages of members and invitations",
    "features/overview/my_plan.py": "the pages of a client's own plan",
    "features/reviews/board.py": "the pages of reviews and their policies",
    "features/identity/sign_in.py": "who the cookie's token stands for, as Flask-Login wants it",
}


def modules(folder: Path) -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(folder.rglob("*.py")):
        yield path.relative_to(ROOT).as_posix(), ast.parse(path.read_text("utf-8"))


def imported(tree: ast.Module) -> set[str]:
    """Every module a module imports anywhere, also inside functions."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{name.name}" for name in node.names)}
    return found


def siblings_of(name: str, tree: ast.Module) -> set[str]:
    """The other rooms that a module of a room imports."""
    own = Path(name).parts[2]
    rooms = {module.split(".")[3] for module in imported(tree) if module.startswith("app.features.steps.")}
    return (rooms & set(ROOMS)) - {own}


def commits(tree: ast.Module) -> list[int]:
    """Lines that commit."""
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "commit"
    ]


def uses_flask(tree: ast.Module) -> bool:
    return any(module.split(".")[0] in FLASK for module in imported(tree))


def is_edge(name: str) -> bool:
    stem = Path(name).stem
    return (
        name in EDGE or stem.endswith(EDGE_NAMES) or (name.startswith("features/steps/") and stem.startswith(STEP_EDGE))
    )


def test_the_eight_rooms_never_import_each_other() -> None:
    assert len(ROOMS) == 8
    assert {name: found for name, tree in modules(STEPS) if (found := _of_room(name, tree))} == {}


def _of_room(name: str, tree: ast.Module) -> set[str]:
    return siblings_of(name, tree) if Path(name).parts[2] in ROOMS else set()


def test_only_the_unit_of_work_commits() -> None:
    found = {name for name, tree in modules(ROOT) if commits(tree)}
    assert found == MAY_COMMIT
    workers = ROOT.parent / "workers"
    assert [p.name for p in workers.glob("*.py") if commits(ast.parse(p.read_text("utf-8")))] == []


def test_no_flask_below_the_edge() -> None:
    """Use cases, queries, policies, rows and runners know no request; flask_babel may name a translation."""
    below = {
        name
        for folder in ("features", "domain")
        for name, tree in modules(ROOT / folder)
        if not is_edge(name) and uses_flask(tree)
    }
    assert below == set()


def test_the_list_of_pages_under_other_names_is_not_longer_than_it_must_be() -> None:
    for name, what in EDGE.items():
        assert uses_flask(ast.parse((ROOT / name).read_text("utf-8"))), name
        assert len(what) > 20


def test_a_broken_rule_is_found() -> None:
    room = ast.parse("def f():\n    from app.features.steps.goals import content\n    session.commit()\n")
    assert siblings_of("features/steps/ambition/x.py", room) == {"goals"}
    assert siblings_of("features/steps/goals/x.py", room) == set()
    assert commits(room) == [3]
    assert uses_flask(ast.parse("import flask.globals"))
    assert not uses_flask(ast.parse("from flask_babel import gettext"))
    assert not is_edge("features/plans/service.py")
    assert is_edge("features/clients/roster_pages.py")
