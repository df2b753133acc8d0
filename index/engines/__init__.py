"""Engines that hold the passages of a collection and search them: within this process, or on servers of their own."""
