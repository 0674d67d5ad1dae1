"""Typeset PDF in capped child processes: typst ends its whole process when memory runs out."""
