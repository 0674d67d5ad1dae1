"""Copies what a run made into a folder: mails, archive, workbook and a summary with counts and seconds."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from sqlalchemy import text

from app.demo.build import Build, DemoError
from app.domain import access

# Phase and fact -> name in the summary.
_COUNTS = {
    ("roster", "rows"): "roster_rows",
    ("roster", "bad"): "roster_bad_rows",
    ("roster", "clients"): "clients",
    ("assignment", "plans"): "plans",
    ("scoring", "assessments"): "assessments",
    ("scoring", "rows"): "answer_rows",
    ("scoring", "left_out"): "answer_rows_left_out",
    ("earlier", "answered"): "earlier_check_ins",
    ("writing", "clients"): "clients_who_wrote",
    ("prompting", "due"): "plans_due",
    ("prompting", "prompts"): "prompts",
    ("prompting", "messages"): "messages",
    ("answering", "answered"): "reviews_answered",
    ("answering", "revised"): "changes_asked_for",
    ("deciding", "accepted"): "plans_revised",
    ("triggers", "mails"): "mails_that_say_why",
    ("reporting", "reports"): "reports",
}
# Fact of the reporting phase -> file name.
_FILES = {"archive": "cohort.zip", "workbook": "cohort.xlsx"}


SUMMARY, LOG, MAILS = "summary.json", "octant.log", "mails"


def clear(out: Path) -> None:
    """Take an earlier run's results out of the folder, so that what lies there is one run's.

    Raises DemoError, and removes nothing, for a folder with mails that no run left here.
    """
    mails = list((out / MAILS).glob("*.eml"))
    if mails and not (out / SUMMARY).exists() and not (out / LOG).exists():
        raise DemoError(f"{out / MAILS} holds mails that are not of an earlier run. Name another folder with --out.")
    for path in (*mails, *(out / name for name in (*_FILES.values(), SUMMARY, LOG))):
        path.unlink(missing_ok=True)


def _leaving(build: Build) -> bool:
    with build.runtime.database.unit_of_work(access.system(build.organization())) as uow:
        waits = text("SELECT EXISTS (SELECT FROM messages WHERE state = 'queued' AND not_before <= :now)")
        return bool(uow.session.execute(waits, {"now": uow.now}).scalar_one())


def _waiting(build: Build) -> dict[str, int]:
    """How many mails wait for a time at which they may come, by their kind."""
    with build.runtime.database.unit_of_work(access.system(build.organization())) as uow:
        waits = text("SELECT kind, count(*) AS n FROM messages WHERE state = 'queued' GROUP BY kind ORDER BY kind")
        return {row.kind: row.n for row in uow.session.execute(waits)}


def collect(build: Build, mail: Path, out: Path) -> dict[str, Any]:
    """Write `mails/*.eml`, the report files and `summary.json` into `out`; returns the summary."""
    build.wait_until(lambda: not _leaving(build), "the last mails to leave")
    out.mkdir(parents=True, exist_ok=True)
    mails = out / MAILS
    mails.mkdir(exist_ok=True)
    kept = sorted((mail / "messages").glob("*.eml"))
    for path in kept:
        shutil.copyfile(path, mails / path.name)
    facts = build.keep.phases
    for fact, name in _FILES.items():
        shutil.copyfile(build.runtime.storage.path(build.fact("reporting", fact)), out / name)
    summary = {
        "ran_on": build.inputs.ran_on(build.keep.size),
        "counts": {name: facts[phase].get(fact) for (phase, fact), name in _COUNTS.items() if phase in facts}
        | {"mails": len(kept), "mails_waiting": _waiting(build)},
        "seconds": {phase: found["seconds"] for phase, found in facts.items()},
    }
    (out / SUMMARY).write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")
    return summary
