"""The one blueprint of the start pages; modules with views register theirs by being imported."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("overview", __name__)
