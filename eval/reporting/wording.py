"""Numbers in words, the same in the terminal, in Markdown and on the page."""

from eval.records import Figure, Unit


def value_text(value: float | None, unit: Unit) -> str:
    """Write a value with its unit: ``87.5 %``, ``0.812``, ``84 ms``."""
    if value is None:
        return "–"
    if unit == "share":
        return f"{100 * value:.1f} %"
    if unit == "ms":
        return f"{value:.0f} ms" if value >= 10 else f"{value:.1f} ms"
    if unit == "MB":
        return f"{value:.0f} MB"
    return f"{value:.3f}" if unit == "score" else f"{value:.1f}"


def interval_text(figure: Figure) -> str:
    """Write the 95 % interval without units: ``81.0 to 91.6``; a dash where there is none."""
    if figure.low is None or figure.high is None:
        return "–"
    if figure.unit == "share":
        return f"{100 * figure.low:.1f} to {100 * figure.high:.1f}"
    digits = 3 if figure.unit == "score" else 1
    return f"{figure.low:.{digits}f} to {figure.high:.{digits}f}"


def better_text(figure: Figure) -> str:
    """Say which way is better."""
    return {"higher": "more is better", "lower": "less is better", "neither": ""}[figure.better]
