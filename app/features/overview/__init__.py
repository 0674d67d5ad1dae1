"""Home pages: what needs attention, the caseload, a client's own plan."""
