"""From values to places on a drawing."""

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scale:
    """A linear or logarithmic axis.

    Attributes:
        low: Value at ``start``.
        high: Value at ``end``.
        start: Place of ``low``, in drawing units.
        end: Place of ``high``; may lie before ``start``, as upward axes do.
        log: Whether the axis is logarithmic; values must then be above 0.
    """

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def place(self, value: float) -> float:
        """Return where ``value`` stands; values beyond the axis are held at its ends."""
        kept = min(max(value, self.low), self.high)
        if self.log:
            share = math.log(kept / self.low) / math.log(self.high / self.low)
        else:
            share = (kept - self.low) / (self.high - self.low)
        return round(self.start + share * (self.end - self.start), 1)


def share_axis(values: list[float]) -> tuple[float, float]:
    """Return the ends of an axis of shares: up to 1, down to the tenth below the least value, at least half a unit."""
    least = min(values, default=0.0)
    return max(0.0, min(math.floor(least * 10) / 10, 0.5)), 1.0


def nice_ceiling(value: float) -> float:
    """Return the least of 1, 2, 2.5, 5 times a power of ten that is not below ``value``; 0.05 at least."""
    kept = max(value, 0.04)
    power = 10.0 ** math.floor(math.log10(kept))
    return next(step * power for step in (1, 2, 2.5, 5, 10) if step * power >= kept - 1e-12)
