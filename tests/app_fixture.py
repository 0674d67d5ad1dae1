"""The web application, made once for a test process and given to each test as if it were new.

To make it takes half a second and its templates are compiled when they are first shown; an installation does both once
as well, and answers everybody with what it has made.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask

from app.factory import bind, create_app
from app.infra.runtime import Runtime


@dataclass
class Application:
    """The application once it is made, with what it was configured as."""

    app: Flask
    config: dict[str, Any]
    extensions: dict[str, Any]
    shape: tuple[object, ...]


@pytest.fixture(scope="session")
def application() -> list[Application]:
    """Empty until a test has asked for `app`."""
    return []


@pytest.fixture
def app(runtime: Runtime, application: list[Application]) -> Iterator[Flask]:
    """The web application on `runtime`; a test that adds routes or functions to it makes one of its own."""
    if not application:
        made = create_app(runtime)
        application.append(Application(made, dict(made.config), dict(made.extensions), shape_of(made)))
    one = application[0]
    one.app.config.clear()
    one.app.config.update(one.config)
    one.app.extensions.clear()
    one.app.extensions.update(one.extensions)
    bind(one.app, runtime)
    yield one.app
    assert shape_of(one.app) == one.shape, "this test changed the application: let it make one of its own"


def shape_of(app: Flask) -> tuple[object, ...]:
    """What a test could leave behind in the application, beside its configuration and its extensions."""
    around = (app.before_request_funcs, app.after_request_funcs, app.teardown_request_funcs)
    return (
        dict(app.view_functions),
        *({name: list(functions) for name, functions in each.items()} for each in around),
        # To look for a handler leaves an empty place where there is none.
        [
            (name, code, dict(each))
            for name, spec in app.error_handler_spec.items()
            for code, each in spec.items()
            if each
        ],
        list(app.url_map.iter_rules()),
        dict(app.jinja_env.globals),
        dict(app.jinja_env.filters),
    )
