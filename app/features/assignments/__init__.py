"""Templates given to many clients at once, with preview, cancel and undo."""
