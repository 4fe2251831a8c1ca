"""Where values stand in a picture: scales of whole pixels, and round numbers to write beside."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

STEPS = (1.0, 2.0, 5.0, 10.0)


def round_step(span: float, most: int) -> float:
    """The smallest of 1, 2, 5, 10, ... that divides `span` into at most so many parts."""
    step = 1e-3
    while True:
        for factor in STEPS:
            if span <= step * factor * most:
                return step * factor
        step *= STEPS[-1]


def ticks(low: float, high: float, most: int) -> list[float]:
    """Round values from low to high."""
    step = round_step(max(high - low, 1e-9), most)
    first, last = -int(-low // step), int(high // step)
    return [index * step for index in range(first, last + 1)]


def number(value: float) -> str:
    """A tick's value: `0`, `2.5`, `1,200`."""
    if abs(value - round(value)) < 1e-6:
        return f"{round(value):,}"
    return f"{value:.2f}".rstrip("0")


@dataclass(frozen=True, slots=True)
class Upright:
    """Values from `low` at row `bottom` to `high` at row `top`."""

    top: int
    bottom: int
    low: float
    high: float

    def rows(self, values: NDArray[np.float64] | float) -> NDArray[np.int64]:
        """The row of each value, kept within the box."""
        share = (np.asarray(values, np.float64) - self.low) / (self.high - self.low)
        share = np.fmax(np.fmin(share, 1.0), 0.0)
        rows: NDArray[np.int64] = self.bottom - np.rint(share * (self.bottom - self.top)).astype(
            np.int64
        )
        return rows

    def row(self, value: float) -> int:
        """The row of one value."""
        return int(self.rows(value))


@dataclass(frozen=True, slots=True)
class Level:
    """Values from `low` at column `left` to `high` at column `right`."""

    left: int
    right: int
    low: float
    high: float

    @property
    def width(self) -> int:
        """In pixels."""
        return self.right - self.left

    def column(self, value: float) -> int:
        """The column of a value, which may lie outside."""
        return self.left + round((value - self.low) / (self.high - self.low) * self.width)

    def middles(self) -> NDArray[np.float64]:
        """(columns,) the value in the middle of each column."""
        parts = (np.arange(self.width) + 0.5) / self.width
        values: NDArray[np.float64] = self.low + parts * (self.high - self.low)
        return values
