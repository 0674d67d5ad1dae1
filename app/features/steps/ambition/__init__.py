"""Step 1, the ambition."""
