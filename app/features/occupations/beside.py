"""What the catalogue says of occupations that a plan names, each in the release it was taken from."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from app.features.occupations import queries
from app.features.occupations.queries import Facts
from app.features.occupations.releases import Release, current_outlook, current_release, find_release
from app.infra.db.open import UnitOfWork

Named = tuple[str | None, str]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Facts by release key and code as the plan names them, with the releases they are from.

    An occupation whose release this installation lacks is looked for in the current one; one found in neither is left
    out. The outlook is the current projection's.
    """

    facts: Mapping[Named, Facts] = field(default_factory=dict)
    releases: Mapping[Named, Release] = field(default_factory=dict)
    current: Release | None = None
    outlook: Release | None = None

    def release_of(self, named: Named) -> Release | None:
        """The release an occupation's facts are from."""
        return self.releases.get(named)


def look_beside(uow: UnitOfWork, named: Collection[Named]) -> Catalogue:
    """The facts of several occupations, of whatever releases, in one statement: whole releases are kept per process."""
    if not named:
        return Catalogue()
    keys = {key for key, _ in named if key}
    releases = {key: release for key in keys if (release := find_release(uow, key)) is not None}
    current, outlook = current_release(uow), current_outlook(uow)
    wanted: dict[Named, Release] = {}
    for key, code in named:
        pinned = releases.get(key or "")
        one = pinned if pinned and pinned.kind != "bls" else current
        if one is not None:
            wanted[key, code] = one
    found = {each: queries.all_facts(uow, release).get(each[1]) for each, release in wanted.items()}
    known_facts = {each: facts for each, facts in found.items() if facts}
    outlooks = queries.outlook_of(uow, sorted({code for _, code in known_facts}))
    facts = {each: replace(said, outlook=outlooks.get(each[1])) for each, said in known_facts.items()}
    return Catalogue(facts, {each: wanted[each] for each in facts}, current, outlook)
