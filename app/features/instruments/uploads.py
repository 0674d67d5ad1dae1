"""Turns what a page received into what a definition file is read with."""

from __future__ import annotations

from app.domain.definition_files import Beside
from app.features.instruments.forms import DefinitionForm


def beside_of(form: DefinitionForm) -> Beside:
    """What the form tells beside the file; fields left empty stay empty."""
    return Beside(
        key=form.key.data or "",
        version=form.version.data or "",
        language=form.language.data or "",
        title=form.title.data or "",
        status=form.status.data or "",
        licence=form.licence.data or "",
        licence_text=form.licence_text.data or "",
        attribution=form.attribution.data or "",
        citation=form.citation.data or "",
        options=form.options.data or "",
        scale_titles=form.scale_titles.data or "",
        chosen=form.chosen.data or "",
    )
