"""An array as PostgreSQL reads it equals what was given."""

from __future__ import annotations

from datetime import UTC, date, datetime
from uuid import uuid4

import pytest
from sqlalchemy import text

from app.domain import access
from app.infra.db.arrays import as_array
from tests.factories import World


def test_what_postgresql_reads_is_what_was_given(world: World) -> None:
    given = {
        "uuid": [uuid4(), None, uuid4()],
        "date": [date(2026, 2, 28), None],
        "timestamptz": [datetime(2026, 10, 25, 1, 30, 0, 7, tzinfo=UTC), None],
        "smallint": [-3, 0, None, 97],
        "text": ["joined", None, "no_email"],
    }
    with world.runtime.database.unit_of_work(access.system(world.organization())) as uow:
        for kind, values in given.items():
            found = uow.session.execute(text(f"SELECT CAST(:v AS {kind}[])"), {"v": as_array(values)}).scalar_one()
            assert found == values
        assert uow.session.execute(text("SELECT CAST(:v AS uuid[])"), {"v": as_array([])}).scalar_one() == []


@pytest.mark.parametrize("value", ["a,b", "NULL}", 'say "x"', "", "two words", "back\\slash"])
def test_a_text_that_would_need_quotes_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="driver"):
        as_array([value])
