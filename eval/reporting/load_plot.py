"""A load in words and as a drawing that stands alone."""

from collections.abc import Sequence

from eval.benchmarks.load import Level, knee
from eval.reporting.charts import axis_path, axis_text, drawing
from eval.reporting.scales import Scale, nice_ceiling

_STYLE = (
    "<style>:root{color-scheme:light dark;--ink:#1b2a29;--paper:#fff;--faint:#d9d5c9;--line:#0b5f58;--mark:#1d4ed8}"
    "@media(prefers-color-scheme:dark){:root{--ink:#e9f0ee;--paper:#18211f;--faint:#34443f;--line:#74d3c5;--mark:#a9c4ff}}"
    "svg{background:var(--paper)}text{fill:var(--ink);font:12px system-ui,sans-serif}.strong{font-weight:700}"
    ".grid{stroke:var(--faint)}.line{fill:none;stroke:var(--line);stroke-width:2.5}.p95{stroke-dasharray:7 4}"
    ".p99{stroke-dasharray:2 4}.dot{fill:var(--line)}.threshold{stroke:var(--mark);stroke-width:2}</style>"
)
_WIDTH, _HEIGHT = 640, 360
_LINE = 14.0


def render_load(levels: Sequence[Level]) -> str:
    """Render the levels as a table for the terminal, with the knee below."""
    head = (
        f"{'offered/s':>9} {'sent':>6} {'answered/s':>10} {'p50 ms':>8} {'p95 ms':>8} {'p99 ms':>8} {'MB':>6}  status"
    )
    lines = [head, "-" * 78]
    for level in levels:
        waits = " ".join(f"{level.waits_ms[name]:>8.0f}" if level.waits_ms else f"{'–':>8}" for name in _NAMES)
        memory = f"{level.memory_mb:>6.0f}" if level.memory_mb is not None else f"{'–':>6}"
        statuses = ", ".join(f"{status}: {count}" for status, count in level.statuses.items())
        late = f"; {100 * level.late:.0f} % went out late" if level.late > 0.01 else ""
        lines.append(f"{level.offered:>9g} {level.sent:>6} {level.answered:>10.1f} {waits} {memory}  {statuses}{late}")
    found = knee(levels)
    carried = f"carries {found:g} questions a second" if found is not None else "does not carry even the first level"
    return "\n".join(
        [
            *lines,
            "",
            f"The service {carried}: 95 % answered, at most 1 % failed, p95 within five times the first level's.",
        ]
    )


def load_plot(levels: Sequence[Level]) -> str:
    """Draw p50, p95 and p99 of the wait against the offered load, both axes logarithmic, with the knee."""
    shown = [level for level in levels if level.waits_ms]
    if not shown:
        return drawing(
            _WIDTH, 60, "No question was answered", _STYLE + axis_text(20, 36, "No question was answered", "start")
        )
    rates = [level.offered for level in shown]
    across = Scale(rates[0] / 1.2, rates[-1] * 1.2, 70, 600, log=True)
    top = max(nice_ceiling(max(level.waits_ms["p99"] for level in shown)), 10.0)
    up = Scale(1.0, top, 310, 24, log=True)
    parts = [_STYLE]
    for tick in (1.0, 10.0, 100.0, 1000.0, 10000.0):
        if tick <= top:
            parts.append(f'<path class="grid" d="M{across.start} {up.place(tick)}H{across.end}"/>')
            parts.append(axis_text(across.start - 8, up.place(tick) + 4, f"{tick:g} ms", "end"))
    parts += [axis_text(across.place(rate), 330, f"{rate:g}", "middle") for rate in rates]
    parts.append(axis_text((across.start + across.end) / 2, 352, "questions offered a second", "middle"))
    lowest = up.start + _LINE
    for name in _NAMES:
        places = [(across.place(level.offered), up.place(max(level.waits_ms[name], 1.0))) for level in shown]
        parts.append(f'<path class="line {name}" d="{axis_path(places)}"/>')
        parts += [f'<circle class="dot" cx="{x}" cy="{y}" r="3.5"/>' for x, y in places]
        # From p50 up, each name at least a line above the one before.
        lowest = min(lowest - _LINE, places[-1][1])
        parts.append(axis_text(places[-1][0] + 8, lowest + 4, name, "start", "strong"))
    found = knee(levels)
    if found is not None:
        x = across.place(found)
        parts.append(f'<path class="threshold" d="M{x} {up.start}V{up.end}"/>')
        parts.append(axis_text(x - 6, up.end + 10, f"carried: {found:g} a second", "end"))
    return drawing(_WIDTH, _HEIGHT, "Wait against offered load", "".join(parts))


def answered_plot(levels: Sequence[Level]) -> str:
    """Draw good replies a second against the offered load: what is carried follows the diagonal, then stays level."""
    top = nice_ceiling(max([*(level.answered for level in levels), 1.0]))
    across = Scale(0.0, max([*(level.offered for level in levels), 1.0]), 70, 600)
    up = Scale(0.0, top, 310, 24)
    parts = [_STYLE]
    for quarter in range(5):
        value = top * quarter / 4
        parts.append(f'<path class="grid" d="M{across.start} {up.place(value)}H{across.end}"/>')
        parts.append(axis_text(across.start - 8, up.place(value) + 4, f"{value:g}", "end"))
    # A label needs room: of levels that lie close together the higher one is named.
    named = across.end + _ROOM
    for level in reversed(levels):
        x = across.place(level.offered)
        if named - x >= _ROOM:
            parts.append(axis_text(x, 330, f"{level.offered:.3g}", "middle"))
            named = x
    parts.append(axis_text((across.start + across.end) / 2, 352, "questions offered a second", "middle"))
    parts.append(axis_text(across.start + 6, up.end + 10, "answered a second", "start", "strong"))
    end = min(across.high, top)
    parts.append(f'<path class="grid" d="M{across.place(0)} {up.place(0)}L{across.place(end)} {up.place(end)}"/>')
    places = [(across.place(level.offered), up.place(level.answered)) for level in levels]
    parts.append(f'<path class="line" d="{axis_path(places)}"/>')
    parts += [f'<circle class="dot" cx="{x}" cy="{y}" r="3.5"/>' for x, y in places]
    return drawing(_WIDTH, _HEIGHT, "Answered against offered load", "".join(parts))


_NAMES = ("p50", "p95", "p99")
_ROOM = 40
