"""Tests of the web component in a real browser, over a small server with canned replies."""
