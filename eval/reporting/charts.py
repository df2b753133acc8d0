"""The plots of the report as inline SVG: no script, no style attribute, colours by class."""

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from eval.records import Figure
from eval.reporting.scales import Scale, nice_ceiling, share_axis
from eval.reporting.wording import value_text

_ROW = 30
_WIDTH = 620
_NARROW = 312
_LINES = ("line", "second", "third", "perfect")
_LINE_HEIGHT = 15.0


def measures_chart(figures: Sequence[Figure], before: Mapping[str, float]) -> str:
    """Draw one row a figure: a dot with its interval, a diamond for the run before; figures must lie in [0, 1]."""
    shown = [figure for figure in figures if figure.value is not None and figure.unit in {"share", "score"}]
    if not shown:
        return ""
    ends = [end for figure in shown for end in (figure.low, figure.value, before.get(figure.name)) if end is not None]
    low, high = share_axis(ends)
    across = Scale(low, high, 290, 540)
    height = _ROW * len(shown) + 34
    parts = [_grid(across, _ticks(low, high, 5), 8, height - 26)]
    for row, figure in enumerate(shown):
        parts.append(_measure_row(figure, before.get(figure.name), across, 8 + _ROW * row + _ROW / 2))
    return drawing(_WIDTH, height, "Measures with 95 % intervals", "".join(parts))


def reliability_chart(bins: Sequence[Mapping[str, float]]) -> str:
    """Draw stated probability against share right; the area of a dot is the number of answers behind it."""
    if not bins:
        return ""
    across, up = Scale(0, 1, 44, 280), Scale(0, 1, 220, 14)
    most = max(one["n"] for one in bins)
    dots = [
        f'<circle class="dot" cx="{across.place(one["stated"])}" cy="{up.place(one["right"])}" '
        f'r="{round(4 + 5 * (one["n"] / most) ** 0.5, 1)}"><title>stated {one["stated"]:.2f}, right '
        f"{one['right']:.2f}, {one['n']} answers</title></circle>"
        for one in bins
    ]
    line = axis_path([(across.place(one["stated"]), up.place(one["right"])) for one in bins])
    perfect = f'<path class="perfect" d="M{across.start} {up.start}L{across.end} {up.end}"/>'
    body = _frame(across, up, (0, 0.25, 0.5, 0.75, 1), (0, 0.25, 0.5, 0.75, 1), "stated probability", as_share=False)
    return drawing(
        300,
        260,
        "Stated probability against share right",
        f'{body}{perfect}<path class="line" d="{line}"/>{"".join(dots)}',
    )


def risk_chart(points: Sequence[Mapping[str, float]], threshold: float | None) -> str:
    """Draw the share of wrong answers against the share of questions answered, with where the service stands."""
    if not points:
        return ""
    top = nice_ceiling(max(point["risk"] for point in points))
    across, up = Scale(0, 1, 48, 284), Scale(0, top, 220, 14)
    places = [(across.place(point["coverage"]), up.place(point["risk"])) for point in points]
    body = _frame(across, up, (0, 0.25, 0.5, 0.75, 1), [top * k / 4 for k in range(5)], "share of questions answered")
    last = points[-1]
    x, y = places[-1]
    label = f"answers {100 * last['coverage']:.0f} %, wrong {100 * last['risk']:.1f} %"
    stated = f"threshold {threshold:.2f}" if threshold is not None else ""
    body += f'<path class="line" d="{axis_path(places)}"/><path class="threshold" d="M{x} {up.start}V{up.end}"/>'
    body += f'<circle class="ring" cx="{x}" cy="{y}" r="6"/>'
    body += axis_text(x - 10, up.end + 12, stated, "end") + axis_text(x - 10, up.end + 28, label, "end")
    return drawing(_NARROW, 260, "Share of wrong answers against share answered", body)


def rank_chart(found: Mapping[str, Sequence[float]], recall: Sequence[float]) -> str:
    """Draw, by passages looked at, the share of questions with a right source as steps, one line a searcher.

    Args:
        found: By searcher, the share at 1, 2, … passages; the first one is drawn boldest.
        recall: Share of all right sources found there by the first searcher, as a line; may be empty.
    """
    if not found:
        return ""
    depth = max(map(len, found.values()))
    low = share_axis([share for row in (*found.values(), recall) for share in row[:1]])[0]
    across, up = Scale(0.5, depth + 0.5, 48, 226), Scale(low, 1, 220, 14)
    lines = [(name, css, row, _steps(row, across, up)) for (name, row), css in zip(found.items(), _LINES, strict=False)]
    if recall:
        points = [(across.place(k), up.place(share)) for k, share in enumerate(recall, 1)]
        lines.append(("recall", "perfect", recall, axis_path(points)))
    ticks = [low + (1 - low) * part / 4 for part in range(5)]
    body = _frame(across, up, [k for k in (1, 3, 5, 10) if k <= depth], ticks, "passages looked at", numbers=True)
    body += "".join(f'<path class="{css}" d="{d}"/>' for _, css, _, d in reversed(lines))
    ends = [(up.place(row[-1]) + 4, f"{name} {100 * row[-1]:.0f} %") for name, _, row, _ in lines]
    body += "".join(axis_text(across.end + 6, y, text, "start") for y, text in _apart(ends))
    return drawing(_NARROW, 260, "Rank of the first right source, by searcher", body)


def time_chart(within: Sequence[float]) -> str:
    """Draw the share of questions answered within a time, on a logarithmic axis, with p50, p95 and p99.

    Args:
        within: The time within which 0, 1, … and 100 of 100 questions were answered, in milliseconds.
    """
    if not within or within[-1] <= 0:
        return ""
    low = _decade(max(within[0], 0.1), down=True)
    high = max(_decade(within[-1], down=False), 10 * low)
    across, up = Scale(low, high, 48, 284, log=True), Scale(0, 1, 220, 14)
    decades = [10.0**power for power in range(-1, 6) if low <= 10.0**power <= high]
    body = _frame(across, up, decades, (0, 0.25, 0.5, 0.75, 1), "milliseconds", numbers=True)
    places = [(across.place(max(value, low)), up.place(part / 100)) for part, value in enumerate(within)]
    body += f'<path class="line" d="{axis_path(places)}"/>'
    marks = [(places[p][1] + 4, p) for p in (99, 95, 50)]
    for (y, text), (_, p) in zip(_apart([(y, f"p{p} {within[p]:.0f} ms") for y, p in marks]), marks, strict=True):
        x, at = places[p]
        body += f'<circle class="ring" cx="{x}" cy="{at}" r="5"/>'
        # Left of the curve, and the two at the top one below the other; where there is no room, right of it.
        edge = min(x, places[95][0]) - 12
        left = edge - across.start > 70
        body += axis_text(edge if left else x + 12, y, text, "end" if left else "start")
    return drawing(_NARROW, 260, "Share of questions answered within a time", body)


def slices_chart(rows: Mapping[str, Sequence[int]], title: str) -> str:
    """Draw, by slice, the share of questions answered rightly as bars; the counts stand beside them."""
    if not rows:
        return ""
    label = 10 + 7 * max(map(len, rows))
    width = _WIDTH if label > _NARROW / 2 else _NARROW
    counts = max(len(f"{right} of {asked}") for right, _, asked in rows.values())
    across = Scale(0, 1, label, width - 12 - 7 * counts)
    parts = []
    for place, (name, (right, _, asked)) in enumerate(rows.items()):
        y = 6 + 24 * place
        reach = round(across.place(right / asked) - across.start, 1)
        parts.append(axis_text(label - 8, y + 12, name, "end"))
        parts.append(
            f'<rect class="track" x="{across.start}" y="{y}" width="{across.end - across.start}" height="16"/>'
        )
        parts.append(f'<rect class="bar" x="{across.start}" y="{y}" width="{reach}" height="16"/>')
        parts.append(axis_text(across.end + 8, y + 12, f"{right} of {asked}", "start"))
    return drawing(width, 24 * len(rows) + 10, title, "".join(parts))


def _measure_row(figure: Figure, before: float | None, across: Scale, y: float) -> str:
    value = figure.value or 0.0
    parts = [axis_text(0, y + 4, figure.title if len(figure.title) <= 42 else figure.title[:41] + "…", "start")]
    if figure.low is not None and figure.high is not None:
        parts.append(f'<path class="interval" d="M{across.place(figure.low)} {y}H{across.place(figure.high)}"/>')
    if before is not None:
        x = across.place(before)
        parts.append(f'<path class="before" d="M{x} {y - 9}L{x + 8} {y}L{x} {y + 9}L{x - 8} {y}Z"/>')
    # On top, so that a figure that did not move shows both.
    parts.append(f'<circle class="dot" cx="{across.place(value)}" cy="{y}" r="5"/>')
    parts.append(axis_text(_WIDTH, y + 4, value_text(value, figure.unit), "end", "strong"))
    return "".join(parts)


def _steps(shares: Sequence[float], across: Scale, up: Scale) -> str:
    d = ""
    for k, share in enumerate(shares, 1):
        d += f"{'M' if k == 1 else 'L'}{across.place(k - 0.5)} {up.place(share)}H{across.place(k + 0.5)}"
    return d


def _apart(labels: Sequence[tuple[float, str]]) -> list[tuple[float, str]]:
    """Move labels down until each has a line of its own, highest first; they come back in the order given."""
    order = sorted(range(len(labels)), key=lambda at: labels[at][0])
    placed: dict[int, float] = {}
    free = 0.0
    for at in order:
        placed[at] = max(labels[at][0], free)
        free = placed[at] + _LINE_HEIGHT
    return [(round(placed[at], 1), text) for at, (_, text) in enumerate(labels)]


def _decade(value: float, *, down: bool) -> float:
    """Return the power of ten at or below ``value``, or at or above it."""
    power = math.log10(value)
    return 10.0 ** (math.floor(power) if down else math.ceil(power))


def _frame(
    across: Scale,
    up: Scale,
    x_ticks: Sequence[float],
    y_ticks: Sequence[float],
    label: str,
    *,
    as_share: bool = True,
    numbers: bool = False,
) -> str:
    parts = []
    for tick in y_ticks:
        y = up.place(tick)
        parts.append(f'<path class="grid" d="M{across.start} {y}H{across.end}"/>')
        parts.append(axis_text(across.start - 6, y + 4, f"{100 * tick:.3g} %" if as_share else f"{tick:g}", "end"))
    for tick in x_ticks:
        text = f"{tick:g}" if numbers or not as_share else f"{100 * tick:.0f} %"
        parts.append(axis_text(across.place(tick), up.start + 18, text, "middle"))
    middle = (across.start + across.end) / 2
    return "".join(parts) + axis_text(middle, up.start + 36, label, "middle")


def _grid(across: Scale, ticks: Sequence[tuple[float, str]], top: float, bottom: float) -> str:
    return "".join(
        f'<path class="grid" d="M{across.place(tick)} {top}V{bottom}"/>'
        + axis_text(across.place(tick), bottom + 16, text, "middle")
        for tick, text in ticks
    )


def _ticks(low: float, high: float, most: int) -> list[tuple[float, str]]:
    step = 0.1 if (high - low) / 0.1 <= most else 0.25 if low == 0 else 0.2
    count = int((high - low) / step + 1e-9)
    return [(high - step * k, f"{high - step * k:.3g}") for k in range(count, -1, -1)]


def axis_path(places: Sequence[tuple[float, float]]) -> str:
    """Return the path through places."""
    return "".join(f"{'L' if at else 'M'}{x} {y}" for at, (x, y) in enumerate(places))


def axis_text(x: float, y: float, text: str, anchor: str, css: str = "") -> str:
    """Return a text at a place, anchored ``start``, ``middle`` or ``end``; nothing for no text."""
    kind = f' class="{css}"' if css else ""
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}"{kind}>{escape(text)}</text>' if text else ""


def drawing(width: int, height: float, title: str, body: str) -> str:
    """Return a drawing with its name for those who hear it."""
    name = f'xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{escape(title)}"'
    return f'<svg {name} viewBox="0 0 {width} {height:g}">{body}</svg>'


def numbers_of(rows: Sequence[Mapping[str, Any]]) -> list[list[str]]:
    """Return points as a table, heading first, for the fold-out under a plot."""
    if not rows:
        return []
    heads = list(rows[0])
    return [
        heads,
        *([f"{row[head]:.3f}" if isinstance(row[head], float) else str(row[head]) for head in heads] for row in rows),
    ]
