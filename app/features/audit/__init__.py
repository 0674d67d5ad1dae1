"""The ledger of who did what, chained so that a change shows."""
