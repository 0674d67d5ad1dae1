"""Whom a bulk act is for: labels, saved filters, and selections frozen when they were previewed."""
