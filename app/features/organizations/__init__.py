"""Organizations, memberships, invitations, terms and settings."""
