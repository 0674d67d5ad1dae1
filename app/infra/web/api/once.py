"""Idempotency-Key: a request that creates something may be repeated and has its effect once (TRUST W1).

The remembered answer is stored in the transaction of the effect, so that a crash leaves both or
neither.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, Protocol

from flask import Response, current_app, jsonify, request
from flask_babel import gettext

from app.domain.errors import FieldProblem, InvalidInput
from app.infra.db.open import UnitOfWork
from app.infra.web.context import unit_of_work

_KEY = re.compile(r"[\x21-\x7e]{1,200}")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request was answered with: status, JSON body and where the new thing is."""

    status: int
    body: Any
    location: str | None


class Memory(Protocol):
    """Where answers are remembered; installed by the composition because it is a tenant's table."""

    def recall(self, uow: UnitOfWork, key: str, digest: bytes) -> Answer | None:
        """The answer to this key, if it was used; holds the key until the transaction ends.

        Raises Conflict while another request holds it, InvalidInput when it was used for something else.
        """

    def remember(self, uow: UnitOfWork, key: str, digest: bytes, answer: Answer) -> None:
        """Keep the answer with the effect."""


def once(view: Callable[..., Response]) -> Callable[..., Response]:
    """Open the request's unit of work, pass it first, and answer a repeated Idempotency-Key from memory."""

    @wraps(view)
    def answer(*args: Any, **kwargs: Any) -> Response:
        key = request.headers.get("Idempotency-Key")
        if key is not None and not _KEY.fullmatch(key):
            raise InvalidInput(
                [FieldProblem("Idempotency-Key", gettext("Use 1 to 200 printable ASCII characters, such as a UUID."))]
            )
        with unit_of_work() as uow:
            if key is None:
                return view(uow, *args, **kwargs)
            memory: Memory = current_app.extensions["octant.api.memory"]
            digest = _digest()
            known = memory.recall(uow, key, digest)
            if known is None:
                response = view(uow, *args, **kwargs)
                known = Answer(response.status_code, response.get_json(), response.headers.get("Location"))
                memory.remember(uow, key, digest, known)
            return _replay(known)

    answer.octant_once = True  # type: ignore[attr-defined] # read back by the document
    return answer


def _replay(known: Answer) -> Response:
    response = jsonify(known.body)
    response.status_code = known.status
    if known.location:
        response.headers["Location"] = known.location
    return response


def _digest() -> bytes:
    """A digest of what is asked: method, address, and the body or the form with its files."""
    digest = hashlib.sha256(f"{request.method} {request.full_path}\n".encode())
    if request.mimetype == "multipart/form-data":
        # The boundary differs between repeats, so that the parts are digested instead of the bytes.
        for name, value in sorted(request.form.items(multi=True)):
            digest.update(f"{name!r}={value!r}\n".encode("utf-8", "surrogatepass"))
        for name, upload in sorted(request.files.items(multi=True), key=lambda item: item[0]):
            digest.update(f"{name!r}:{upload.filename!r}\n".encode("utf-8", "surrogatepass"))
            digest.update(hashlib.file_digest(upload.stream, "sha256").digest())  # type: ignore[arg-type] # a seekable binary stream
            upload.stream.seek(0)
    else:
        digest.update(request.get_data(cache=True))
    return digest.digest()
