"""Technical ports: database, web edge, queue, mail, PDF, storage and the embedded servers."""
