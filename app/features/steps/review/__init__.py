"""Step 8, reviews."""
