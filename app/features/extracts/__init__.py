"""Own reports: rows and columns somebody chose, written as a file by a job."""
