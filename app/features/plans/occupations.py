"""Which occupations of the catalogue the contents of a plan name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.domain.steps import StepKey


def named_occupations(contents: Mapping[StepKey, Mapping[str, Any]]) -> list[tuple[str | None, str]]:
    """Release and code of each occupation once: those looked up in step 3, those of its factors, options of step 4."""
    scan = contents.get(StepKey.OPPORTUNITIES, {})
    rows = [
        *scan.get("occupations", ()),
        *(row.get("occupation") or {} for row in scan.get("factors", ())),
        *contents.get(StepKey.CAREER_CHOICE, {}).get("options", ()),
    ]
    return list(dict.fromkeys((row.get("release"), row["code"]) for row in rows if row.get("code")))
