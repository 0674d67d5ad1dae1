"""What became of the people of an organization: classes, statuses, occupations, salaries."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

import numpy as np
from sqlalchemy import text

from app.domain import access
from app.domain.outcomes import STATUSES
from app.infra.runtime import Runtime
from tests.figures.lives import TARGETS

_GRADUATED = """
    INSERT INTO graduations (client_id, class_year, graduated_on)
    SELECT c.id, u.year, make_date(u.year, 6, 20)
    FROM unnest(cast(:years AS int[])) WITH ORDINALITY u(year, n) JOIN clients c ON c.external_id = 'F' || n
    WHERE u.year > 0
"""
_KNOWN = """
    INSERT INTO outcomes (client_id, class_year, status, occupation_release, occupation_code, salary, currency,
                          known_on, source)
    SELECT g.client_id, g.class_year, u.status,
           CASE WHEN n % 3 > 0 THEN 'test' END, CASE n % 3 WHEN 1 THEN '11-1011.00' WHEN 2 THEN '15-1252.00' END,
           CASE WHEN u.status LIKE 'employed%' AND n % 2 = 0 THEN 30000 + n END,
           CASE WHEN u.status LIKE 'employed%' AND n % 2 = 0 THEN 'EUR' END,
           make_date(g.class_year, 8, 1), 'survey'
    FROM unnest(cast(:statuses AS text[])) WITH ORDINALITY u(status, n) JOIN clients c ON c.external_id = 'F' || n
    JOIN graduations g ON g.client_id = c.id
    WHERE u.status <> ''
"""
# Who left, and whose plan is over, graduated all the same.
_GONE = """UPDATE clients SET active = false WHERE substr(external_id, 2)::int % 7 = 0"""
_SHARES = (0.33, 0.09, 0.04, 0.02, 0.12, 0.08, 0.04, 0.07, 0.21)
# Of nobody nothing is known.
UNKNOWN = ""


def tell_destinations(
    runtime: Runtime, organization: UUID, people: int, *, seed: int = 1, without: Collection[str] = ()
) -> None:
    """Make up what became of people made by `scene.make_organization`: most graduated, with one of two classes.

    Nobody has one of the statuses `without`.
    """
    rng = np.random.default_rng(seed)
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        uow.session.execute(text(TARGETS))
        years = rng.choice([0, 2025, 2026], size=people, p=[0.1, 0.4, 0.5])
        uow.session.execute(text(_GRADUATED), {"years": years.tolist()})
        every = (*STATUSES, UNKNOWN)
        shares = np.array([0 if one in without else share for one, share in zip(every, _SHARES, strict=True)])
        statuses = rng.choice(every, size=people, p=shares / shares.sum())
        uow.session.execute(text(_KNOWN), {"statuses": statuses.tolist()})
        uow.session.execute(text(_GONE))
