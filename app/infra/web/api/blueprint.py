"""The API and its blueprints: flask-smorest with Octant's errors, access and parser."""

from __future__ import annotations

from typing import Any

from flask_smorest import Api, Blueprint

from app.domain.access import SCOPES
from app.infra.web.access import RouteAccess
from app.infra.web.api.parser import StrictParser
from app.infra.web.api.schemas import ProblemSchema

PREFIX = "/api/v1"
_ONCE_HEADER = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Names this request, so that sending it again has no second effect. Kept for 24 hours.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 200},
}
_MATCH_HEADER = {
    "name": "If-Match",
    "in": "header",
    "required": True,
    "description": 'The ETag this change was typed over, such as `"3"`.',
    "schema": {"type": "string"},
}


class OctantApi(Api):  # type: ignore[misc] # flask-smorest carries no types
    """The API with its document. Errors are answered by app.infra.web.errors alone."""

    ERROR_SCHEMA = ProblemSchema

    def _register_error_handlers(self) -> None:
        """None: the library's handler would answer pages with JSON as well."""

    def _register_responses(self) -> None:
        # The errors are documented as what they are; successes keep application/json.
        self.DEFAULT_RESPONSE_CONTENT_TYPE = "application/problem+json"
        super()._register_responses()
        self.DEFAULT_RESPONSE_CONTENT_TYPE = "application/json"


class ApiBlueprint(Blueprint):  # type: ignore[misc] # flask-smorest carries no types
    """The routes of one feature below /api/v1, tagged with a word for the reader."""

    ARGUMENTS_PARSER = StrictParser()

    def __init__(self, tag: str, import_name: str, *, description: str) -> None:
        super().__init__(
            f"api_{tag.lower().replace(' ', '_')}", import_name, url_prefix=PREFIX, description=description
        )
        self.tag = tag
        self._prepare_doc_cbks.append(self._prepare_octant_doc)

    def _store_endpoint_docs(self, endpoint: str, obj: Any, parameters: Any, tags: Any, **options: Any) -> None:
        super()._store_endpoint_docs(endpoint, obj, parameters, tags or [self.tag], **options)
        for method, doc in self._docs[endpoint].items():
            if method != "parameters":
                doc["octant"] = {
                    "id": obj.__name__,
                    "access": obj.octant_access,
                    "once": getattr(obj, "octant_once", False),
                    "match": getattr(obj, "octant_match", False),
                }

    @staticmethod
    def _prepare_octant_doc(doc: dict[str, Any], doc_info: dict[str, Any], *, method: str, **_: Any) -> dict[str, Any]:
        told = doc_info["octant"]
        access: RouteAccess = told["access"]
        doc["operationId"] = told["id"]
        responses = doc.setdefault("responses", {})
        responses[401] = "UNAUTHORIZED"
        if access.permissions:
            responses[403] = "FORBIDDEN"
            doc["x-permissions"] = [permission.value for permission in access.permissions]
            doc["x-scopes"] = sorted(
                name
                for name, granted in SCOPES.items()
                if granted & set(access.permissions) and not (name == "read" and method != "get")
            )
        if told["once"]:
            doc.setdefault("parameters", []).append(_ONCE_HEADER)
            responses[409] = "CONFLICT"
        if told["match"]:
            doc.setdefault("parameters", []).append(_MATCH_HEADER)
            responses[412], responses[428] = "PRECONDITION_FAILED", "PRECONDITION_REQUIRED"
        return doc


def conditional(view: Any) -> Any:
    """Mark a view that calls `matching_version`, so that the document names the header."""
    view.octant_match = True
    return view
