"""The rows of the caseload table as markup.

Written in Python because a page has up to 600 of them, and the template engine's calls would cost more than the
query: everything of a row but the names is made once and remembered by `RowWords`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from flask_babel import gettext
from markupsafe import Markup, escape

from app.features.clients.models import Label
from app.features.overview.queries import CaseloadRow
from app.features.overview.words import RowWords


def label_tags(labels: Sequence[Label]) -> Markup:
    """Labels as list items of tags."""
    made = Markup('<li><span class="tag tag-label{}">{}</span></li>')
    return Markup("").join(made.format("" if one.tone == "plain" else f" tag-{one.tone}", one.name) for one in labels)


def caseload_rows(
    rows: Sequence[CaseloadRow],
    cells: RowWords,
    dials: Mapping[str, Markup],
    *,
    client_base: str,
    choose: bool,
    labels: Mapping[UUID, Sequence[Label]],
) -> Markup:
    """Table rows as `macros/table.html` writes them: a box to tick where `choose`, dial, name, reasons, days.

    `client_base` is the address of a client's page up to the id; `labels` are those of each client.
    """
    why, contact, upcoming, revision, select = (
        str(escape(word))
        for word in (
            gettext("Why now"),
            gettext("Last contact"),
            gettext("Next date"),
            gettext("Rev."),
            gettext("Select"),
        )
    )
    base = str(escape(client_base))
    made = []
    for row in rows:
        name, client_id = str(escape(row.name)), str(row.id)
        tags = cells.reasons(row) + (label_tags(labels[row.id]) if labels.get(row.id) else "")
        box = (
            f'<td role="cell" class="check"><label>'
            f'<input type="checkbox" name="client" value="{client_id}" data-select>'
            f'<span class="hide-visually">{select} {name}</span></label></td>'
            if choose
            else ""
        )
        made.append(
            f'<tr role="row">{box}<td role="cell" class="dial-cell">{dials[row.statuses] if row.statuses else "–"}</td>'
            f'<th scope="row" role="rowheader" class="who"><a href="{base}{client_id}" data-row>{name}</a>'
            f"{f'<small>{escape(row.second)}</small>' if row.second else ''}</th>"
            f'<td role="cell" class="tags-cell" data-label="{why}"><ul class="tags">{tags}</ul></td>'
            f'<td role="cell" class="num" data-label="{contact}">{cells.ago(row.last_contact_at)}</td>'
            f'<td role="cell" class="num" data-label="{upcoming}">{cells.day(row.next_on)}</td>'
            # On a phone the first revision, which most have, is not worth a line.
            f'<td role="cell" class="num{" nil" if (row.revision or 1) == 1 else ""}" data-label="{revision}">'
            f"{row.revision or '–'}</td></tr>"
        )
    return Markup("".join(made))  # noqa: S704 - names and words were escaped one by one above
