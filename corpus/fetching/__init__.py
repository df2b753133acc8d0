"""Pages from the web: politely asked for, checked before every connection, kept whole on disk."""
