"""What people bring and what they were told, in one relational database: the truth behind every snapshot."""
