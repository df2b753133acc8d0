"""The plots of the report as inline SVG: no script, no style attribute, colours by class."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from eval.records import Figure
from eval.reporting.scales import Scale, nice_ceiling, share_axis
from eval.reporting.wording import value_text

_ROW = 30
_WIDTH = 620
_NARROW = 312


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
    return _svg(_WIDTH, height, "Measures with 95 % intervals", "".join(parts))


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
    line = _path([(across.place(one["stated"]), up.place(one["right"])) for one in bins])
    perfect = f'<path class="perfect" d="M{across.start} {up.start}L{across.end} {up.end}"/>'
    body = _frame(across, up, (0, 0.25, 0.5, 0.75, 1), (0, 0.25, 0.5, 0.75, 1), "stated probability", as_share=False)
    return _svg(
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
    body += f'<path class="line" d="{_path(places)}"/><path class="threshold" d="M{x} {up.start}V{up.end}"/>'
    body += f'<circle class="ring" cx="{x}" cy="{y}" r="6"/>'
    body += _text(x - 10, up.end + 12, stated, "end") + _text(x - 10, up.end + 28, label, "end")
    return _svg(_NARROW, 260, "Share of wrong answers against share answered", body)


def rank_chart(within: Sequence[int], asked: int) -> str:
    """Draw, as steps, the share of questions whose right source stands within the first k passages."""
    if not asked:
        return ""
    across, up = Scale(0.5, len(within) + 0.5, 48, 284), Scale(0, 1, 220, 14)
    d = ""
    for k, count in enumerate(within, 1):
        y = up.place(count / asked)
        d += f"{'M' if k == 1 else 'L'}{across.place(k - 0.5)} {y}H{across.place(k + 0.5)}"
    body = _frame(across, up, (1, 2, 3, 5, 10), (0, 0.25, 0.5, 0.75, 1), "passages looked at", numbers=True)
    first, last = within[0] / asked, within[-1] / asked
    body += f'<path class="line" d="{d}"/>' + _text(
        across.place(1), up.place(first) - 8, f"{100 * first:.0f} %", "start"
    )
    body += _text(across.end, up.place(last) + 18, f"{100 * last:.0f} %", "end")
    return _svg(_NARROW, 260, "Rank of the first right source", body)


def time_chart(stages: Mapping[str, Mapping[str, float]]) -> str:
    """Draw p50, p95 and p99 of each stage on a logarithmic axis."""
    rows = {name: row for name, row in stages.items() if row and row["p99"] > 0}
    if not rows:
        return ""
    low = 10.0**-1
    high = max(10.0, nice_ceiling(max(row["p99"] for row in rows.values())))
    across = Scale(low, high, 90, 290, log=True)
    ticks = [tick for tick in (0.1, 1.0, 10.0, 100.0, 1000.0, 10000.0) if low <= tick <= high]
    height = _ROW * len(rows) + 40
    parts = [_grid(across, [(tick, f"{tick:g}") for tick in ticks], 8, height - 32)]
    for place, (name, row) in enumerate(rows.items()):
        y = 8 + _ROW * place + _ROW / 2
        parts.append(_text(84, y + 4, name, "end"))
        parts.append(f'<path class="interval" d="M{across.place(row["p50"])} {y}H{across.place(row["p99"])}"/>')
        parts += [
            f'<circle class="{css}" cx="{across.place(row[key])}" cy="{y}" r="5"><title>{name} {key}: {row[key]:.1f} ms'
            "</title></circle>"
            for key, css in (("p99", "ring"), ("p95", "soft"), ("p50", "dot"))
        ]
    parts.append(_text(190, height - 2, "milliseconds", "middle"))
    return _svg(_NARROW, height, "Time by stage: p50, p95, p99", "".join(parts))


def slices_chart(rows: Mapping[str, Sequence[int]], title: str) -> str:
    """Draw, by slice, the share of questions answered rightly as bars; the counts stand beside them."""
    if not rows:
        return ""
    label = 10 + 7 * max(map(len, rows))
    width = _WIDTH if label > _NARROW / 2 else _NARROW
    across = Scale(0, 1, label, width - 72)
    parts = []
    for place, (name, (right, _, asked)) in enumerate(rows.items()):
        y = 6 + 24 * place
        reach = round(across.place(right / asked) - across.start, 1)
        parts.append(_text(label - 8, y + 12, name, "end"))
        parts.append(
            f'<rect class="track" x="{across.start}" y="{y}" width="{across.end - across.start}" height="16"/>'
        )
        parts.append(f'<rect class="bar" x="{across.start}" y="{y}" width="{reach}" height="16"/>')
        parts.append(_text(across.end + 8, y + 12, f"{right} of {asked}", "start"))
    return _svg(width, 24 * len(rows) + 10, title, "".join(parts))


def _measure_row(figure: Figure, before: float | None, across: Scale, y: float) -> str:
    value = figure.value or 0.0
    parts = [_text(0, y + 4, figure.title if len(figure.title) <= 42 else figure.title[:41] + "…", "start")]
    if figure.low is not None and figure.high is not None:
        parts.append(f'<path class="interval" d="M{across.place(figure.low)} {y}H{across.place(figure.high)}"/>')
    parts.append(f'<circle class="dot" cx="{across.place(value)}" cy="{y}" r="6"/>')
    if before is not None:
        x = across.place(before)
        parts.append(f'<path class="before" d="M{x} {y - 7}L{x + 6} {y}L{x} {y + 7}L{x - 6} {y}Z"/>')
    parts.append(_text(_WIDTH, y + 4, value_text(value, figure.unit), "end", "strong"))
    return "".join(parts)


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
        parts.append(_text(across.start - 6, y + 4, f"{100 * tick:.3g} %" if as_share else f"{tick:g}", "end"))
    for tick in x_ticks:
        text = f"{tick:g}" if numbers or not as_share else f"{100 * tick:.0f} %"
        parts.append(_text(across.place(tick), up.start + 18, text, "middle"))
    middle = (across.start + across.end) / 2
    return "".join(parts) + _text(middle, up.start + 36, label, "middle")


def _grid(across: Scale, ticks: Sequence[tuple[float, str]], top: float, bottom: float) -> str:
    return "".join(
        f'<path class="grid" d="M{across.place(tick)} {top}V{bottom}"/>'
        + _text(across.place(tick), bottom + 16, text, "middle")
        for tick, text in ticks
    )


def _ticks(low: float, high: float, most: int) -> list[tuple[float, str]]:
    step = 0.1 if (high - low) / 0.1 <= most else 0.25 if low == 0 else 0.2
    count = int((high - low) / step + 1e-9)
    return [(high - step * k, f"{high - step * k:.3g}") for k in range(count, -1, -1)]


def _path(places: Sequence[tuple[float, float]]) -> str:
    return "".join(f"{'L' if at else 'M'}{x} {y}" for at, (x, y) in enumerate(places))


def _text(x: float, y: float, text: str, anchor: str, css: str = "") -> str:
    kind = f' class="{css}"' if css else ""
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}"{kind}>{escape(text)}</text>' if text else ""


def _svg(width: int, height: float, title: str, body: str) -> str:
    return f'<svg viewBox="0 0 {width} {height:g}" role="img" aria-label="{escape(title)}">{body}</svg>'


def numbers_of(rows: Sequence[Mapping[str, Any]]) -> list[list[str]]:
    """Return points as a table, heading first, for the fold-out under a plot."""
    if not rows:
        return []
    heads = list(rows[0])
    return [
        heads,
        *([f"{row[head]:.3f}" if isinstance(row[head], float) else str(row[head]) for head in heads] for row in rows),
    ]
