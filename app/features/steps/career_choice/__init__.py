"""Step 4, the career choice."""
