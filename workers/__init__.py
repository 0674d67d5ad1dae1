"""The Celery application: thin tasks that name their organization and call a feature's runner."""
