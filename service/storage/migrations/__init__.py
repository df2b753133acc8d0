"""The schema's history, one file a step; ``migrating.py`` beside this folder runs them."""
