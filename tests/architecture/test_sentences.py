"""What people read is collected for the translators as it stands in the code: nothing is put together on the way."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# What only a terminal shows stays English, see babel.cfg; so do the lines the supervisor writes there.
_TERMINAL = ("bench/", "cli/", "demo/", "drill/", "infra/supervisor.py")
_ALWAYS = {"_": 1, "gettext": 1, "ngettext": 1}


def keywords() -> dict[str, int]:
    """Function to the place (from 1) of its sentence, as `make messages` reads them."""
    found = re.search(r"^KEYWORDS := ((?:.*\\\n)*.*)$", (ROOT / "Makefile").read_text("utf-8"), re.M)
    assert found is not None
    words = (word.partition(":") for word in found[1].replace("\\\n", " ").split())
    return _ALWAYS | {name: int(place or 1) for name, _, place in words}


def put_together(source: str) -> Iterator[tuple[int, str]]:
    """(line, text) of every sentence that is put together where a collected one belongs.

    A sentence with values is `later("… %(x)s", x=…)` or `say("… %(x)s", x=…)`.
    """
    tree = ast.parse(source)
    places = keywords()
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        given = [keyword.value for keyword in node.keywords if keyword.arg in ("error", "sentence", "reason")]
        if name in places and len(node.args) >= places[name]:
            given.append(node.args[places[name] - 1])
        for argument in given:
            if any(map(_is_made, _choices(argument))):
                yield argument.lineno, ast.unparse(argument)


def _choices(argument: ast.expr) -> Iterator[ast.expr]:
    if isinstance(argument, ast.IfExp):
        yield from _choices(argument.body)
        yield from _choices(argument.orelse)
    elif isinstance(argument, ast.BoolOp):
        for value in argument.values:
            yield from _choices(value)
    else:
        yield argument


def _is_made(argument: ast.expr) -> bool:
    if isinstance(argument, ast.BinOp):
        return isinstance(argument.op, ast.Add | ast.Mod)
    if isinstance(argument, ast.Call) and isinstance(argument.func, ast.Attribute):
        return argument.func.attr in ("format", "join", "format_map")
    return isinstance(argument, ast.JoinedStr)


@pytest.mark.parametrize(
    "line",
    [
        'raise BadValue(f"“{value}” is no number.")',
        'raise Conflict("Revision %s is closed." % number)',
        'problems.append(FieldProblem("file", "Line " + line))',
        'reader.note(key, "There is no scale {}.".format(name))',
        'flag(index, f"{n} is too long." if n else "It is empty.", value)',
        'Settled("undone", reason=f"{kept} people were kept.")',
    ],
)
def test_a_sentence_that_is_put_together_is_found(line: str) -> None:
    assert list(put_together(line))


def test_a_sentence_with_values_beside_it_is_none() -> None:
    assert not list(put_together('raise BadValue(later("“%(value)s” is no number.", value=value))'))
    assert not list(put_together('problems.append(FieldProblem(f"items[{index}]", "This cell is empty."))'))


def test_no_sentence_is_put_together() -> None:
    files = [
        path
        for path in sorted((ROOT / "app").rglob("*.py"))
        if not path.relative_to(ROOT / "app").as_posix().startswith(_TERMINAL)
    ]
    assert len(files) > 200
    found = [
        f"{path.relative_to(ROOT)}:{line}: {text}"
        for path in files
        for line, text in put_together(path.read_text("utf-8"))
    ]
    assert found == [], 'write later("… %(x)s", x=…)'
