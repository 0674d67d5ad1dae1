"""Step 5, the career path."""
