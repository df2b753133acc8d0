"""Files in, documents out: one file a format, and the door that picks one."""
