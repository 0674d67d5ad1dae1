"""What a process holds: its settings and its ports. Made once per process, after any fork."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from app.config import Settings
from app.infra.db.open import Database, Doorbell
from app.infra.queue import BrokerDoorbell
from app.infra.storage import Storage


@dataclass(frozen=True, slots=True)
class Runtime:
    """The ports of one process. Runners and pages take it instead of reaching for globals."""

    settings: Settings
    database: Database
    storage: Storage
    doorbell: Doorbell

    @property
    def clock(self) -> Callable[[], datetime]:
        """The current moment in UTC, the same clock units of work use."""
        return self.database.clock


def make_runtime(
    settings: Settings, *, doorbell: Doorbell | None = None, clock: Callable[[], datetime] | None = None
) -> Runtime:
    """Build the ports from settings; opens no connection yet."""
    bell = doorbell or BrokerDoorbell(settings.broker_url)
    return Runtime(
        settings=settings,
        database=Database(settings, bell, clock=clock),
        storage=Storage(settings.storage_dir),
        doorbell=bell,
    )
