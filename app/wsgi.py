"""The WSGI application of a served process; importing it reads the environment, so nothing else imports it."""

import os

from app.config import load
from app.factory import create_app
from app.infra.logs import configure_logging
from app.infra.memory import settle_memory
from app.infra.runtime import make_runtime

_settings = load(os.environ)
configure_logging(_settings.log_format, _settings.log_level)
application = create_app(make_runtime(_settings))
settle_memory()
