"""A local mail server that delivers nothing: it keeps what it was given, shows it, and fails when told to.

The demonstration reads its mail here; tests and benchmarks send through it. It answers 250 only after the
message is in the spool and its Message-ID is in the ledger, so that asking the ledger settles an outcome the
sender never saw.
"""
