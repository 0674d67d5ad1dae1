"""Files of jobs as they leave the house: by a link that is signed for one member, ends by itself, and is noted."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from uuid import UUID

from flask import request, send_file
from flask_babel import gettext
from werkzeug.wrappers import Response

from app.domain.errors import Gone, NotFound
from app.features.audit.service import record
from app.features.jobs import queries
from app.features.jobs.models import StoredFile
from app.infra.links import Pass, make_pass, read_pass
from app.infra.web.context import actor, runtime, unit_of_work

_PURPOSE = "file"
LIFE = timedelta(hours=1)


def pass_for(file_id: UUID) -> tuple[str, Pass] | None:
    """A link's token for the file, good for an hour for the member who asks, and what it says; None for nobody's."""
    who = actor()
    if who.membership_id is None:
        return None
    given = Pass(who.organization_id, file_id, who.membership_id, runtime().clock() + LIFE)
    return make_pass(runtime().settings, _PURPOSE, given), given


def take_by_pass(token: str) -> Response:
    """The file a link names, for the member it was given to.

    Raises NotFound for a link that is not ours or not theirs, or for a file they may not have any more, Gone after its
    time.
    """
    given, who = read_pass(runtime().settings, _PURPOSE, token), actor()
    if given is None or (given.organization_id, given.holder_id) != (who.organization_id, who.membership_id):
        raise NotFound(gettext("There is no such file, or it is not yours."))
    if given.until < runtime().clock():
        raise Gone(gettext("This link has ended. Open the page of the job again and take the file there."))
    return take(given.row_id)


def take(file_id: UUID) -> Response:
    """The file itself, noted in the audit ledger. Raises NotFound for one that is not the actor's or not there."""
    with unit_of_work() as uow:
        found = queries.get_file(uow, file_id)
        _check(found)
        # A download that is gone on with in pieces is one download.
        if request.range is None or any(begin == 0 for begin, _end in request.range.ranges):
            record(uow, "file.downloaded", "file", found.id, kind=found.kind)
    return send_checked(found)


def send_checked(file: StoredFile) -> Response:
    """The file as an answer; raises NotFound, with a sentence that says so, where the disk does not have it."""
    return send_file(_check(file), mimetype=file.media_type, as_attachment=True, download_name=file.name)


def _check(file: StoredFile) -> Path:
    path = runtime().storage.path(file.location)
    if not path.is_file():
        raise NotFound(gettext("This file cannot be read: it is not where files are kept. Tell your administrator."))
    return path
