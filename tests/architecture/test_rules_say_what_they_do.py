"""The pure rules say what they take and give, and no text of the product promises what no score can keep."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOMAIN = sorted((ROOT / "app" / "domain").glob("*.py"))
PUBLIC = ast.FunctionDef | ast.ClassDef
# The formulas of SCIENCE: each says where it is from, in its own words or in those of its module.
FORMULAS = ("scoring", "profiles", "matching", "decisions", "goals", "pairs", "destinations", "match_quality")
# What is promised nowhere. Where a word must be named, the sentence says that it is not so.
CLAIMS = re.compile(
    r"percentile|\bsuitab|\bsuited\b|\bsuits? you\b|perfect (job|match|fit)|ideal (job|career)|right job"
    r"|scientifically|\bvalidated\b|\bproven\b|predicts? your|chance of success|guarantee",
    re.IGNORECASE,
)
DENIES = re.compile(r"\b(no|not|never|nobody|nothing|without|neither)\b|claims? nothing", re.IGNORECASE)


def public_parts(path: Path) -> Iterator[tuple[str, PUBLIC]]:
    """The public functions and classes of a module, with the public methods of its classes."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, PUBLIC) and not node.name.startswith("_"):
            yield node.name, node
            if isinstance(node, ast.ClassDef):
                for inner in node.body:
                    if isinstance(inner, ast.FunctionDef) and not inner.name.startswith("_"):
                        yield f"{node.name}.{inner.name}", inner


def returns_a_value(node: ast.FunctionDef) -> bool:
    return not (node.returns is None or (isinstance(node.returns, ast.Constant) and node.returns.value is None))


@pytest.mark.parametrize("path", DOMAIN, ids=[path.stem for path in DOMAIN])
def test_every_public_rule_says_what_it_takes_and_gives(path: Path) -> None:
    silent, vague = [], []
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))), path
    for name, node in public_parts(path):
        said = ast.get_docstring(node) or ""
        if not said:
            silent.append(name)
        elif isinstance(node, ast.FunctionDef):
            # One sentence at least, and None is told wherever it may come back.
            may_be_nothing = returns_a_value(node) and "None" in ast.unparse(node.returns or ast.Constant(None))
            if len(said.split()) < 4 or not re.search(r"[.:)]", said):
                vague.append(name)
            elif may_be_nothing and not re.search(r"\bNone\b|\bnothing\b|undefined|not known|\bempty\b|\bno\b", said):
                vague.append(f"{name}: when is it None?")
    assert not silent, silent
    assert not vague, vague


@pytest.mark.parametrize("name", FORMULAS)
def test_every_formula_names_its_source(name: str) -> None:
    path = ROOT / "app" / "domain" / f"{name}.py"
    text = path.read_text(encoding="utf-8")
    sources = re.findall(r"SCIENCE|\b(?:18|19|20)\d\d\b|own (?:rule|measure)|Holland|Kendall|NACE|design choice", text)
    assert sources, name


def product_texts() -> Iterator[tuple[Path, int, str]]:
    """The lines of everything that people read: code with its sentences, pages, definitions, documents."""
    folders = (
        "app/domain",
        "app/features",
        "app/infra/drawing",
        "app/instruments",
        "app/templates",
        "docs",
        "README.md",
    )
    for folder in folders:
        top = ROOT / folder
        files = [top] if top.is_file() else sorted(top.rglob("*"))
        for path in files:
            if path.suffix in (".py", ".html", ".txt", ".toml", ".typ", ".md", ".csv"):
                for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
                    yield path, number, line


def test_nothing_promises_that_an_occupation_suits_or_ranks_people() -> None:
    told = list(product_texts())
    assert len(told) > 10_000
    promising = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path, number, line in told
        if CLAIMS.search(line) and not DENIES.search(line)
    ]
    assert not promising, "\n".join(promising)


def test_the_words_are_found_where_they_are_promised() -> None:
    for line in ("You are suited to be a nurse.", "Your percentile is 93.", "A scientifically validated test."):
        assert CLAIMS.search(line)
        assert not DENIES.search(line)
    assert DENIES.search("No percentiles without norms.")
