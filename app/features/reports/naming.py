"""What the files of reports are, where they lie and how they are called."""

from __future__ import annotations

import re
import unicodedata
from uuid import UUID

COHORT, FIGURES = "reports.cohort", "reports.cohort_figures"
FIGURES_PDF, FIGURES_WORKBOOK = "cohort_figures_pdf", "cohort_figures_workbook"
CLIENT_FILE, ARCHIVE_FILE, INDEX_FILE, WORKBOOK_FILE = (
    "client_report",
    "cohort_archive",
    "report_index",
    "cohort_workbook",
)
# Letters of all scripts are kept; what a file system or a shell could take amiss is not.
_UNSAFE = re.compile(r"[<>:\"/\\|?*]")
# What is not seen: controls, marks of direction, joiners of width zero; and halves of letters.
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_LONGEST_NAME = 80
# A name in a folder has 255 bytes on most systems; a number before it and its ending are among them.
_MOST_BYTES = 230


def folder_of(job_id: UUID) -> str:
    """The folder of everything a job makes."""
    return f"reports-{job_id}"


def file_stem(text: str) -> str:
    """A file name without its ending that every system takes, at most 80 characters and 230 bytes."""
    composed = unicodedata.normalize("NFC", text)
    seen = "".join(" " if unicodedata.category(letter) in _UNSEEN else letter for letter in composed)
    cleaned = re.sub(r"\s+", " ", _UNSAFE.sub(" ", seen)).strip(" .")[:_LONGEST_NAME]
    return cleaned.encode()[:_MOST_BYTES].decode(errors="ignore").strip(" .") or "report"
