"""What a benchmark found: figures with their goal and how they were taken."""

import importlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import msgspec

from edge.study.intervals import proportion


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One measured number beside the goal that the project has set for it."""

    name: str
    value: float
    unit: str
    goal: str
    """In words, such as `"<= 10"`; empty where none is set."""
    reached: bool | None
    """None where there is no goal."""
    how: str
    """Of what, how many, against which reference."""
    interval: tuple[float, float] | None = None
    """95 % confidence; None where the value is no estimate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the command line chose."""

    seed: int
    times: int | None
    say: Callable[[str], None]
    """Takes a line of progress."""


def at_most(name: str, value: float, limit: float, unit: str, how: str) -> Figure:
    """A figure that must not pass `limit`."""
    goal = f"<= {limit:g}"
    return Figure(name=name, value=value, unit=unit, goal=goal, reached=value <= limit, how=how)


def at_least(name: str, value: float, limit: float, unit: str, how: str) -> Figure:
    """A figure that must reach `limit`."""
    goal = f">= {limit:g}"
    return Figure(name=name, value=value, unit=unit, goal=goal, reached=value >= limit, how=how)


def no_alarms(name: str, alarms: int, passes: int, how: str) -> Figure:
    """Alarms where none should be; the interval is of as many passes again."""
    low, high = (share * passes for share in proportion(alarms, passes))
    return Figure(
        name=name,
        value=float(alarms),
        unit="",
        goal="0",
        reached=alarms == 0,
        how=how,
        interval=(low, high),
    )


def plain(name: str, value: float, unit: str, how: str) -> Figure:
    """A figure without a goal, for the reader."""
    return Figure(name=name, value=value, unit=unit, goal="", reached=None, how=how)


def percentile(values: Iterable[float], share: float) -> float:
    """The smallest value that at least `share` of all values do not pass; 0 of none."""
    ranked = sorted(values)
    if not ranked:
        return 0.0
    return ranked[min(len(ranked) - 1, max(0, int(share * len(ranked) + 0.999999) - 1))]


def listing(known: Mapping[str, tuple[str, str]]) -> list[str]:
    """A line for each of what may be named, `{name: (function, what)}`."""
    width = max(map(len, known), default=0)
    return [f"  {name:{width}}  {what}" for name, (_, what) in known.items()]


def measured(row: tuple[str, str], options: object) -> list[Figure]:
    """The figures of what `module:function` in the row measures."""
    module, _, function = row[0].partition(":")
    figures: list[Figure] = getattr(importlib.import_module(module), function)(options)
    return figures


def written(figures: Iterable[Figure], *, json: bool) -> str:
    """For stdout, with its last newline."""
    return (as_json(figures).decode() if json else table(figures)) + "\n"


def table(figures: Iterable[Figure]) -> str:
    """Lines for a person: ok or MISSED in words, the figure, its goal, how it was taken."""
    rows = []
    for figure in figures:
        word = {True: "ok", False: "MISSED", None: ""}[figure.reached]
        value = f"{figure.value:,.4g} {figure.unit}".strip()
        if figure.interval is not None:
            value += f" [{figure.interval[0]:,.4g}, {figure.interval[1]:,.4g}]"
        rows.append((word, figure.name, value, figure.goal, figure.how))
    widths = [max((len(row[i]) for row in rows), default=0) for i in range(4)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, [*widths, 0], strict=True)).rstrip()
        for row in rows
    )


def as_json(figures: Iterable[Figure]) -> bytes:
    """The same for a program."""
    return msgspec.json.format(msgspec.json.encode(list(figures)), indent=2)
