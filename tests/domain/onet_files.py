"""Matrices read straight from the shared O*NET files, without the product's importer between."""

import csv
from typing import Any

import numpy as np

from tests.shared_data import data_file

INTERESTS = [f"1.B.1.{letter}" for letter in "abcdef"]
VALUES = [f"1.B.2.{letter}" for letter in "abcdef"]
FOLDERS = {"30.1": "db_30_1_text", "30.2": "db_30_2_text_partial"}


def rows(release: str, name: str) -> list[dict[str, str]]:
    """A table of a release, one dict a row."""
    with data_file(f"onet/{FOLDERS[release]}/{name}").open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines, delimiter="\t"))


def profiles(
    release: str, name: str, scale: str, elements: list[str]
) -> tuple[list[str], np.ndarray[Any, np.dtype[np.float64]]]:
    """Codes in their order and a row of six scores each, of the occupations that have all six."""
    found: dict[str, dict[str, float]] = {}
    for row in rows(release, name):
        if row["Scale ID"] == scale:
            found.setdefault(row["O*NET-SOC Code"], {})[row["Element ID"]] = float(row["Data Value"])
    codes = sorted(code for code, values in found.items() if len(values) == len(elements))
    return codes, np.array([[found[code][element] for element in elements] for code in codes])


def interests(release: str) -> tuple[list[str], np.ndarray[Any, np.dtype[np.float64]]]:
    """The 923 rated occupations and their interest scores."""
    return profiles(release, "Interests.txt", "OI", INTERESTS)
