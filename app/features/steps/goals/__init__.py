"""Step 6, goals."""
