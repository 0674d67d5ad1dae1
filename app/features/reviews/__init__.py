"""Step 8: policies, prompts, check-ins and new revisions."""
