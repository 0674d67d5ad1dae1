"""Reports of a client, a cohort and the organization."""
