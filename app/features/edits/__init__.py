"""Bulk edits of clients and their plans: due days, labels, cohorts, attributes, pauses, messages."""
