"""The ledger of bulk work: jobs, items, claims, progress."""
