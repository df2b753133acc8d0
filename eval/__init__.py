"""Sets, runs and measures: how well a target answers, declines and warns. Nothing imports this package."""
