"""Who asks for reports, where a test names nobody else."""

from __future__ import annotations

import pytest

from app.domain.access import Role
from tests.factories import Person, World


@pytest.fixture
def admin(world: World) -> Person:
    return world.person(world.organization(), Role.ADMIN)
