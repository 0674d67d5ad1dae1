"""The starter catalogue that comes with Octant: an excerpt of one O*NET release, so that a fresh machine can match.

Codes, titles, job zones and interest scores are the release's figures; the descriptions are written for Octant.
"""

from __future__ import annotations

import csv
from pathlib import Path

from app.features.occupations import store
from app.features.occupations.content import Content, Release, TableNote

# The release the figures in starter.csv were taken from, with the source and date it gives for them.
RELEASE = "30.1"
_SOURCE = ["Machine Learning", "11/2023"]
_FILE = Path(__file__).with_name("starter.csv")
_AREAS = ("realistic", "investigative", "artistic", "social", "enterprising", "conventional")


def read_starter() -> Content:
    """The starter as the content of a release."""
    with _FILE.open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    note = TableNote(release=RELEASE, files=[_FILE.name], rows=len(rows), first=_SOURCE[1], last=_SOURCE[1]).as_json()
    occupations = [
        {
            "code": row["code"],
            "title": row["title"],
            "description": row["description"],
            "job_zone": int(row["job_zone"]),
            "interests": [float(row[area]) for area in _AREAS],
            "sources": {"interests": _SOURCE},
        }
        for row in rows
    ]
    release = Release(kind="starter", label=RELEASE, tables={"occupations": note, "interests": note}, figures={})
    return Content(release=release, occupations=occupations, titles=[(str(row["code"]), row["title"]) for row in rows])


def load_starter(owner_url: str) -> None:
    """Put the starter into a database that does not have it; safe to repeat."""
    store.store(owner_url, read_starter())
