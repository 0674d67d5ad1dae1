"""A campaign of trials: each runs the main jobs of a new organization while processes are killed."""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from app.bench.harness import Place
from app.drill.crew import Crew, Killer, wait_until
from app.drill.phases import Faults, Phase, Subject
from app.drill.trials import phases_of
from app.infra.mailsink.launch import start_mailsink
from app.infra.queue import BrokerDoorbell
from app.infra.runtime import make_runtime


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The last line a campaign prints."""

    seed: int
    trials: int
    clients: int
    kills: dict[str, int]
    # Kills that met each main job while it was running.
    hits: dict[str, int]
    # Workers that no longer heard the broker and ended themselves.
    deaf: int
    lost: int
    doubled: int
    unfinished: int
    seconds: float

    @property
    def clean(self) -> bool:
        """Whether every main job was hit, and nothing was lost, doubled or left unfinished."""
        return all(self.hits.values()) and not (self.lost or self.doubled or self.unfinished)

    def line(self) -> str:
        """One line of JSON."""
        return json.dumps(asdict(self))


# Trials that run side by side, each an organization of its own: a lease that must run out then holds up
# several at once instead of one after the other.
_AT_ONCE = 5
_LONGEST = 180.0


def _under_fire(
    phases: Sequence[Phase], crew: Crew, choices: random.Random, kills: int, say: Callable[[str], None]
) -> tuple[Faults, Counter[str]]:
    """Run one main job of several organizations at once while processes die.

    Returns what went wrong in all of them, and how many kills met the job, or each of its parts, while it was running.
    """
    for phase in phases:
        phase.begin()
    # What nothing meets is named as well: then the drill says nothing of it.
    met = Counter(dict.fromkeys(phases[0].parts() if phases[0].parts else (phases[0].name,), 0))
    killer = Killer(
        crew,
        choices,
        # At least one for each trial of the group.
        kills=choices.randint(len(phases), max(kills, len(phases))),
        between=(0.02, 0.6),
        running=lambda: frozenset[str]().union(*(phase.running() for phase in phases)),
    )
    killer.start()
    for phase in phases:
        if phase.go is not None:
            phase.go()
    wait_until(lambda: all(phase.over() for phase in phases), seconds=_LONGEST, crew=crew)
    killer.finish()
    # A kill after the end must not undo it either.
    wait_until(lambda: all(phase.over() for phase in phases), seconds=_LONGEST, crew=crew)
    total = Faults(0, 0, 0)
    for phase in phases:
        found = phase.faults()
        if found != Faults(0, 0, 0) or not phase.over():
            say(f"{phase.name}: {found}")
        total += found if phase.over() else found + Faults(0, 0, 1)
    if total != Faults(0, 0, 0):
        say(crew.last_words())
    met.update(killer.hits)
    return total, met


def run_campaign(
    folder: Path, *, trials: int, seed: int, clients: int, kills: int, say: Callable[[str], None]
) -> Result:
    """Run `trials` trials of `clients` clients with up to `kills` kills in each main job.

    All random choices come from `seed`, which is said first; the moment a kill meets the work depends on
    the machine as well. Raises only for faults of the drill itself.
    """
    say(f"seed {seed}")
    choices = random.Random(seed)  # noqa: S311 # the drill must be repeatable
    begun = time.monotonic()
    place = Place(folder)
    sink = start_mailsink(folder / "mail")
    settings = replace(
        place.settings,
        smtp_url=f"smtp://127.0.0.1:{sink.smtp_port}",
        mail_lookup_url=f"{sink.url}/lookup",
        # Short, so that what a killed worker held is free again soon; batches take far less.
        lease_seconds=10,
        pool_size=4,
    )
    place.settings = settings
    place.runtime.database.dispose()
    place.runtime = make_runtime(settings, doorbell=BrokerDoorbell(settings.broker_url))
    crew = Crew(settings, place.valkey, folder)
    total, hits = Faults(0, 0, 0), Counter[str]()
    try:
        crew.start()
        for first in range(1, trials + 1, _AT_ONCE):
            subjects = [
                Subject(place, clients, folder / "mail") for _ in range(first, min(first + _AT_ONCE, trials + 1))
            ]
            for phases in zip(*map(phases_of, subjects), strict=True):
                found, met = _under_fire(phases, crew, choices, kills * len(subjects), say)
                total += found
                hits.update(met)
            done = first + len(subjects) - 1
            killed = sum(crew.kills.values())
            say(f"trial {done} of {trials}: {time.monotonic() - begun:.0f} s, kills {killed}, deaf {crew.deaf}")
    finally:
        crew.stop()
        sink.stop()
        place.runtime.database.dispose()
        place.postgres.stop()
    return Result(
        seed=seed,
        trials=trials,
        clients=clients,
        kills=crew.kills,
        hits=dict(hits),
        deaf=crew.deaf,
        lost=total.lost,
        doubled=total.doubled,
        unfinished=total.unfinished,
        seconds=round(time.monotonic() - begun, 1),
    )
