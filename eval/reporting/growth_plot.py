"""How searches slow down as passages become many, as a drawing that stands alone."""

from collections.abc import Sequence

from eval.benchmarks.growth import Size
from eval.reporting.charts import axis_path, axis_text, drawing
from eval.reporting.scales import Scale

_STYLE = (
    "<style>:root{color-scheme:light dark;--ink:#1b2a29;--paper:#fff;--faint:#d9d5c9;--line:#0b5f58}"
    "@media(prefers-color-scheme:dark){:root{--ink:#e9f0ee;--paper:#18211f;--faint:#34443f;--line:#74d3c5}}"
    "svg{background:var(--paper)}text{fill:var(--ink);font:12px system-ui,sans-serif}.strong{font-weight:700}"
    ".grid{stroke:var(--faint)}.line{fill:none;stroke:var(--line);stroke-width:2.5}.dense{stroke-dasharray:7 4}"
    ".words{stroke-dasharray:2 4}.dot{fill:var(--line)}</style>"
)
_WIDTH, _HEIGHT = 640, 360
_LINE = 14.0
_TICKS = (0.1, 1.0, 10.0, 100.0, 1000.0)


def growth_plot(sizes: Sequence[Size]) -> str:
    """Draw the median time of the dense search, that by words, and both fused, both axes logarithmic.

    Args:
        sizes: At least one, rising.
    """
    across = Scale(sizes[0].passages / 1.5, sizes[-1].passages * 1.5, 70, 560, log=True)
    lines = {
        "words": [size.lexical_ms["p50"] for size in sizes],
        "dense": [size.dense_ms["p50"] for size in sizes],
        "fused": [size.fused_ms["p50"] for size in sizes],
    }
    values = [value for line in lines.values() for value in line]
    low = max(tick for tick in _TICKS if tick <= max(min(values), _TICKS[0]))
    high = min((tick for tick in _TICKS if tick >= max(values)), default=_TICKS[-1])
    up = Scale(low, high if high > low else 10 * low, 310, 24, log=True)
    parts = [_STYLE]
    for tick in _TICKS:
        if up.low <= tick <= up.high:
            parts.append(f'<path class="grid" d="M{across.start} {up.place(tick)}H{across.end}"/>')
            parts.append(axis_text(across.start - 8, up.place(tick) + 4, f"{tick:g} ms", "end"))
    parts += [axis_text(across.place(size.passages), 330, f"{size.passages:,}", "middle") for size in sizes]
    parts.append(axis_text((across.start + across.end) / 2, 352, "passages", "middle"))
    lowest = up.start + _LINE
    for name, line in sorted(lines.items(), key=lambda item: item[1][-1]):
        places = [(across.place(size.passages), up.place(value)) for size, value in zip(sizes, line, strict=True)]
        parts.append(f'<path class="line {name}" d="{axis_path(places)}"/>')
        parts += [f'<circle class="dot" cx="{x}" cy="{y}" r="3.5"/>' for x, y in places]
        lowest = min(lowest - _LINE, places[-1][1])
        parts.append(axis_text(places[-1][0] + 8, lowest + 4, name, "start", "strong"))
    return drawing(_WIDTH, _HEIGHT, "Median time of a search by number of passages", "".join(parts))
