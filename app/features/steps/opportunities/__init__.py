"""Step 3, opportunities and threats around the client."""
