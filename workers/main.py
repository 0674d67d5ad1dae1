"""The configured Celery application of a running worker or beat; importing it reads the environment."""

import os

from app.config import load
from workers.app import configure

celery = configure(load(os.environ))
