"""Plan templates and versions, plans, step states and frozen revisions."""
