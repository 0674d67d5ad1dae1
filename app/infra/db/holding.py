"""Rows that others refer to, held by who refers to them and by who deletes them: one of the two comes after the other.

Without that, whoever comes second is told by the foreign key, which has no sentence for them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import Select

Hold = Callable[[Select[Any]], Select[Any]]


def only_read(statement: Select[Any]) -> Select[Any]:
    """Hold nothing."""
    return statement


def to_refer(statement: Select[Any]) -> Select[Any]:
    """Hold what is read until the transaction ends, so that it is not deleted; others may refer to it too."""
    return statement.with_for_update(read=True, key_share=True).execution_options(populate_existing=True)


def to_delete(statement: Select[Any]) -> Select[Any]:
    """Hold what is read, once all who were referring to it have ended their transactions."""
    return statement.with_for_update().execution_options(populate_existing=True)
