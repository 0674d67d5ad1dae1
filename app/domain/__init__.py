"""The rules of career planning, free of web, database and queue; time is always an argument."""
