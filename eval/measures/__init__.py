"""The measures, one a file, each with its definition, its trap and where it was defined."""
