"""Reports by the calendar: what is written when, for whom, and the mail that says it is there."""
