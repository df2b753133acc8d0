"""Runs told to people: a table for the terminal, Markdown, and one self-contained page."""
