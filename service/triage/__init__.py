"""Screening of questions for signs that need care now, today or soon."""
