"""The outbox: every message is a row before anything leaves."""
