"""A column for sentences that are made by a worker and said later, in the language of whoever reads them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Text
from sqlalchemy.types import TypeDecorator

from app.domain.saying import recalled, stored


class SentenceText(TypeDecorator[str]):
    """Text; a sentence with values is kept with them as JSON, and comes back able to be said."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Any) -> str | None:
        """The text to store."""
        _ = dialect
        return stored(value)

    def process_result_value(self, value: str | None, dialect: Any) -> str | None:
        """The sentence of a stored text."""
        _ = dialect
        return recalled(value)
