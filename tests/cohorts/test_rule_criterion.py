"""The compiled rule selects exactly the clients that a plain evaluation of the rule selects."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert, select

from app.domain import access
from app.domain.access import Role
from app.domain.folding import fold
from app.domain.rules import OPERATORS_OF, VALUELESS, Condition, Rule
from app.features.clients.models import CaseloadEntry, Client
from app.features.cohorts.queries import count_matching, criterion_of
from app.infra.runtime import Runtime
from tests.factories import World

NUMBERS = st.sampled_from([-1, 0, 1, 2, 2.5, 10, 1e14, 0.1, 0.30000000000000004])
WORDS = st.sampled_from(["", "a", "A", "é", "Law", "10", "true", "null", "2026-09-01", "x'y\"z", "李"])
DAYS = st.sampled_from(["0999-12-31", "2025-01-01", "2026-09-01", "2026-09-10", "2027-01-01"])
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "number": NUMBERS,
    "text": WORDS,
    "choice": WORDS,
    "date": DAYS,
    "boolean": st.booleans(),
}
# Also values of a type the attribute does not have: a definition may have been another one before.
ANYTHING = st.one_of(NUMBERS, WORDS, DAYS, st.booleans(), st.none())
KEYS = list(VALUES)


def same(one: Any, other: Any) -> bool:
    return (
        one == other
        and isinstance(one, bool) == isinstance(other, bool)
        and isinstance(one, str) == isinstance(other, str)
    )


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def holds(condition: Condition, row: dict[str, Any]) -> bool:
    values, operator = condition.values, condition.operator
    if condition.field == "@active":
        return bool(row["active"] is values[0])
    if condition.field == "@external_id":
        return fold(row["external_id"]).startswith(fold(str(values[0])))
    if condition.field == "@counsellor":
        common = [v for v in row["counsellors"] if not values or str(v) in values]
        return not common if operator in ("is_not", "is_empty") else bool(common)
    value = row["attributes"].get(condition.field)
    return {
        "is": lambda: same(value, values[0]),
        "is_not": lambda: not same(value, values[0]),
        "any_of": lambda: any(same(value, v) for v in values),
        "at_least": lambda: is_number(value) and value >= values[0],
        "at_most": lambda: is_number(value) and value <= values[0],
        "before": lambda: isinstance(value, str) and value < str(values[0]),
        "after": lambda: isinstance(value, str) and value > str(values[0]),
        "is_empty": lambda: value is None,
        "is_not_empty": lambda: value is not None,
    }[operator]()


@st.composite
def conditions(draw: Any, people: list[str]) -> Condition:
    kind = draw(st.sampled_from([*KEYS, "active", "external_id", "counsellor"]))
    operator = draw(st.sampled_from(OPERATORS_OF[kind]))
    field = kind if kind in KEYS else f"@{kind}"
    if operator in VALUELESS:
        return Condition(field, operator)
    strategy = (
        VALUES
        | {
            "active": st.booleans(),
            "external_id": st.sampled_from(["S", "s1", "É", "%"]),
            "counsellor": st.sampled_from(people),
        }
    )[kind]
    many = st.lists(strategy, min_size=1, max_size=3) if operator == "any_of" else st.tuples(strategy)
    return Condition(field, operator, tuple(draw(many)))


def test_the_criterion_selects_what_a_plain_reading_selects(runtime: Runtime, world: World) -> None:
    here = world.organization()
    people = [world.person(here, Role.COUNSELLOR).actor.membership_id for _ in range(2)]

    @settings(max_examples=60, deadline=None)
    @given(data=st.data())
    def check(data: st.DataObject) -> None:
        rows = data.draw(
            st.lists(
                st.fixed_dictionaries(
                    {
                        "attributes": st.dictionaries(st.sampled_from(KEYS), ANYTHING),
                        "active": st.booleans(),
                        "prefix": st.sampled_from(["S1", "s2", "ÉS", "x"]),
                        "counsellors": st.lists(st.sampled_from(people), unique=True),
                    }
                ),
                max_size=12,
            )
        )
        rules = data.draw(
            st.lists(
                st.builds(
                    Rule,
                    st.sampled_from(["all", "any"]),
                    st.lists(conditions([str(p) for p in people]), min_size=1, max_size=4).map(tuple),
                ),
                min_size=1,
                max_size=6,
            )
        )
        with runtime.database.unit_of_work(access.system(here)) as uow:
            uow.session.execute(delete(Client))
            ids: list[UUID] = []
            for number, row in enumerate(rows):
                row["external_id"] = f"{row['prefix']}-{number}"
                made = uow.session.scalar(
                    insert(Client).returning(Client.id),
                    {
                        "external_id": row["external_id"],
                        "given_name": "A",
                        "family_name": "B",
                        "given_folded": "a",
                        "family_folded": "b",
                        "external_folded": fold(row["external_id"]),
                        "attributes": row["attributes"],
                        "active": row["active"],
                    },
                )
                assert made is not None
                ids.append(made)
                for person in row["counsellors"]:
                    uow.session.execute(
                        insert(CaseloadEntry), {"membership_id": person, "client_id": made, "kind": "supporting"}
                    )
            for rule in rules:
                every = all if rule.match == "all" else any
                wanted = {i for i, row in zip(ids, rows, strict=True) if every(holds(c, row) for c in rule.conditions)}
                found = set(uow.session.scalars(select(Client.id).where(criterion_of(rule))))
                assert found == wanted, rule
                assert count_matching(uow, rule) == len(wanted)

    check()
