"""Step 7, the action plan."""
