"""Caseloads handed over: by criteria, balanced, for good or for a time."""
