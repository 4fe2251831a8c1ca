"""Pictures of figures, as SVG within the page; what a bar is of is a link, as in the tables."""

import math
from collections.abc import Iterable, Sequence

from edge.indicators.alerts import DIRECTIONS, OUTCOMES
from edge.indicators.figures import SECOND_NS, Window
from edge.indicators.markup import Numbered
from edge.indicators.pages import Pages
from edge.indicators.reading import DAY_NS, day_of
from edge.indicators.uptime import Span
from edge.indicators.words import Words, duration, escaped

WIDTH, LEFT, RIGHT = 900, 210, 90
SPAN = WIDTH - LEFT - RIGHT
PANEL, ROW = 80, 24
MOST_DAYS = 92
"""Of more than a quarter of a year several days share a bar."""
MOST_SPANS = 2_000
HEIGHTS = {"up": 16, "simulated": 10, "down": 5}
"""Of the states in a strip: they are told apart without their colours."""
TICKS_S = (1, 10, 60, 600, 3600, 36_000, 360_000)


def svg(label: str, height: float, parts: Iterable[str]) -> str:
    """A picture with its name for who does not see it."""
    inside = "\n".join(parts)
    return (
        f'<svg viewBox="0 0 {WIDTH} {height:.0f}" width="{WIDTH}" height="{height:.0f}" '
        f'role="group" aria-label="{escaped(label)}">\n{inside}\n</svg>\n'
    )


def key(words: Words, codes: Iterable[tuple[str, str]]) -> str:
    """What the colours mean."""
    names = "".join(
        f'<span style="--c: var(--{"level-" if table == "level" else ""}{code})">'
        f"{escaped(words.word((table, code)))}</span>"
        for table, code in codes
    )
    return f'<div class="key">{names}</div>\n'


def _text(x: float, y: float, text: str, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escaped(text)}</text>'


def _line(x1: float, y1: float, x2: float, y2: float, kind: str = "axis") -> str:
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def _bar(x: float, y: float, size: tuple[float, float], colour: str, title: str) -> str:
    width, height = size
    return (
        f'<rect x="{x:.2f}" y="{y:.2f}" width="{max(width, 0.5):.2f}" height="{height:.2f}" '
        f'fill="var(--{colour})"><title>{escaped(title)}</title></rect>'
    )


def _link(pages: Pages, found: Numbered, inside: str) -> str:
    return f'<a href="{pages.of_figure(*found)}">{inside}</a>'


def days(words: Words, pages: Pages, figures: Sequence[Numbered], window: Window) -> str:
    """Alerts over the window: a panel a direction, all with one scale."""
    first = window.from_utc_ns // DAY_NS
    count = max(1, -(-window.to_utc_ns // DAY_NS) - first)
    each = -(-count // MOST_DAYS)
    dates = {day_of(first + at): at // each for at in range(count)}
    totals: dict[tuple[str, int], float] = {}
    for _, one in figures:
        slot = one.column[1], dates[one.row[0][1]]
        totals[slot] = totals.get(slot, 0) + (one.value or 0)
    most = max(totals.values(), default=0) or 1
    step = SPAN * each / count
    parts, tops = [], dict.fromkeys(totals, 0.0)
    for at, direction in enumerate(DIRECTIONS):
        base = 20 + (at + 1) * PANEL
        parts.append(_line(LEFT, base, LEFT + SPAN, base))
        parts.append(_text(LEFT - 10, base - 4, words.word(("direction", direction)), "end"))
        parts.append(_text(LEFT + SPAN + 6, base - PANEL + 24, f"{most:,.0f}"))
        parts.append(_line(LEFT, base - PANEL + 20, LEFT + SPAN, base - PANEL + 20, "grid"))
    for number, one in reversed(figures):
        slot = one.column[1], dates[one.row[0][1]]
        if not one.value:
            continue
        height = (PANEL - 20) * one.value / most
        bottom = 20 + (DIRECTIONS.index(slot[0]) + 1) * PANEL - tops[slot]
        tops[slot] += height
        level = one.row[1]
        title = f"{one.row[0][1]} · {words.word(level)}: {words.value(one)}"
        size = (step * 0.8, height)
        bar = _bar(
            LEFT + slot[1] * step + step * 0.1, bottom - height, size, f"level-{level[1]}", title
        )
        parts.append(_link(pages, (number, one), bar))
    names = [day_of(first), day_of(first + count // 2), day_of(first + count - 1)]
    end = 20 + len(DIRECTIONS) * PANEL + 18
    for name, anchor, x in zip(names, ("start", "middle", "end"), (0, 0.5, 1), strict=True):
        parts.append(_text(LEFT + SPAN * x, end, name, anchor))
    levels = key(words, [("level", str(level)) for level in (1, 2, 3, 4)])
    return levels + svg(words.page("chart_days"), end + 10, parts)


def outcomes(words: Words, pages: Pages, figures: Sequence[Numbered]) -> str:
    """A bar an event, split by what its alerts turned out to be."""
    rows: dict[str, list[Numbered]] = {}
    for number, one in figures:
        rows.setdefault(words.row(one.row), []).append((number, one))
    most = max((one.of or 0 for _, one in figures), default=0) or 1
    parts = []
    for at, (name, found) in enumerate(rows.items()):
        y, x = 6 + at * ROW, float(LEFT)
        parts.append(_text(LEFT - 10, y + 14, name[:34], "end"))
        for number, one in found:
            width = SPAN * (one.value or 0) / most
            if one.value:
                title = f"{name} · {words.word(one.column)}: {words.value(one)}"
                bar = _bar(x, y, (width, ROW - 7), one.column[1], title)
                parts.append(_link(pages, (number, one), bar))
            x += width
        parts.append(_text(x + 6, y + 14, f"{found[0][1].of or 0:,}"))
    legend = key(words, [("outcome", outcome) for outcome in OUTCOMES])
    return legend + svg(words.page("chart_outcomes"), len(rows) * ROW + 14, parts)


def precision(words: Words, pages: Pages, figures: Sequence[Numbered]) -> str:
    """PPV with its bounds, a line a level and event; without adjudication only words."""
    found = [(number, one) for number, one in figures if one.column[1] == "ppv"]
    parts = []
    for tenth in range(0, 11, 2):
        x = LEFT + SPAN * tenth / 10
        parts.append(_line(x, 4, x, len(found) * ROW + 8, "grid"))
        parts.append(_text(x, len(found) * ROW + 24, f"{tenth * 10} %", "middle"))
    for at, (number, one) in enumerate(found):
        y = 16 + at * ROW
        name = words.row(one.row)
        parts.append(_text(LEFT - 10, y + 4, name[:34], "end"))
        if one.value is None or one.bounds is None:
            parts.append(_link(pages, (number, one), _text(LEFT + 6, y + 4, words.value(one))))
            continue
        low, high = one.bounds
        title = f"{name}: {words.value(one)}"
        whisker = _bar(LEFT + SPAN * low, y - 2, (SPAN * (high - low), 4), "far", title)
        dot = _bar(LEFT + SPAN * one.value - 5, y - 5, (10, 10), "bar", title)
        parts.append(_link(pages, (number, one), whisker + dot))
    return svg(words.page("chart_precision"), len(found) * ROW + 34, parts)


def times(words: Words, pages: Pages, figures: Sequence[Numbered]) -> str:
    """From median to 90th percentile to the most, on a scale of powers of ten."""
    rows: dict[str, dict[str, Numbered]] = {}
    for number, one in figures:
        rows.setdefault(words.row(one.row), {})[one.column[1]] = (number, one)
    rows = {name: row for name, row in rows.items() if row["median"][1].value is not None}
    most = max((row["most"][1].value or 0 for row in rows.values()), default=0)
    decades = math.log10(max(most, 10.0))

    def place(seconds: float | None) -> float:
        return LEFT + SPAN * min(1.0, math.log10(max(seconds or 0, 1.0)) / decades)

    parts = []
    for tick in TICKS_S:
        if tick <= max(most, 10):
            parts.append(_line(place(tick), 4, place(tick), len(rows) * ROW + 8, "grid"))
            parts.append(_text(place(tick), len(rows) * ROW + 24, duration(tick), "middle"))
    for at, (name, row) in enumerate(rows.items()):
        y = 16 + at * ROW
        median, p90, last = (place(row[code][1].value) for code in ("median", "p90", "most"))
        parts.append(_text(LEFT - 10, y + 4, name[:34], "end"))
        told = {code: words.value(row[code][1]) for code in ("median", "p90", "most")}
        title = f"{name}: " + ", ".join(
            f"{words.word(('column', code))} {value}" for code, value in told.items()
        )
        inside = (
            _bar(median, y - 1.5, (last - median, 3), "far", title)
            + _bar(median, y - 4, (p90 - median, 8), "bar", title)
            + _bar(median - 2, y - 8, (4, 16), "bar", title)
        )
        parts.append(_link(pages, row["median"], inside))
        parts.append(_text(LEFT + SPAN + 6, y + 4, told["median"]))
    return svg(words.page("chart_times"), len(rows) * ROW + 34, parts) if rows else ""


def strips(
    words: Words,
    pages: Pages,
    label: str,
    known: Sequence[tuple[str, Sequence[Span]]],
    window: Window,
) -> str:
    """When each worked; where the strip is empty, nobody knows."""
    parts, end = [], 6 + len(known) * ROW
    for at, (name, spans) in enumerate(known):
        y = 6 + at * ROW
        parts.append(_text(LEFT - 10, y + 14, name[:34], "end"))
        parts.append(_line(LEFT, y + ROW - 7, LEFT + SPAN, y + ROW - 7, "grid"))
        there = [one for one in spans if window.overlap_ns(one.from_utc_ns, one.to_utc_ns)]
        for span in there[:MOST_SPANS]:
            began = max(span.from_utc_ns, window.from_utc_ns)
            lasted = window.overlap_ns(span.from_utc_ns, span.to_utc_ns)
            title = f"{name} · {words.word(('state', span.state))}: {duration(lasted / SECOND_NS)}"
            x = LEFT + SPAN * (began - window.from_utc_ns) / window.length_ns
            tall = HEIGHTS[span.state]
            size = (SPAN * lasted / window.length_ns, tall)
            bar = _bar(x, y + ROW - 8 - tall, size, span.state, title)
            parts.append(f'<a href="{pages.of_entry(span.entries[0])}">{bar}</a>')
    parts.append(_text(LEFT, end + 14, day_of(window.from_utc_ns // DAY_NS)))
    parts.append(_text(LEFT + SPAN, end + 14, day_of((window.to_utc_ns - 1) // DAY_NS), "end"))
    states = key(words, [("state", state) for state in ("up", "down", "simulated")])
    return states + svg(label, end + 24, parts)
