"""Documents in, passages out: what Backline knows, before anything is embedded."""
