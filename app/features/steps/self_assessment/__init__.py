"""Step 2, the self-assessment."""
