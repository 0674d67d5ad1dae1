"""Fixed and rule-based groups of clients."""
