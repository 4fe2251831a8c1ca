"""`garita report`: pages and tables of a window, from a record, a copy of it, or exported lines."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from edge import errors
from edge.indicators.count import Counted, count
from edge.indicators.figures import Window
from edge.indicators.log_pages import log_pages
from edge.indicators.page import Origin, report
from edge.indicators.pages import Pages
from edge.indicators.reading import DAY_NS, Reading, ns_of
from edge.indicators.source import SourceError, read
from edge.indicators.tables import entries_csv, figures_csv
from edge.indicators.words import LANGUAGES, words
from edge.record.entries import Entry

RECORD_FILE = "record.db"
"""Of a service's state folder."""


def main(arguments: argparse.Namespace) -> int:
    """Write the report; name its files on stdout."""
    try:
        window = window_of(arguments.begin, arguments.end)
        source = read(_path(arguments))
    except (ValueError, SourceError) as error:
        print(f"garita report: {error}", file=sys.stderr)  # noqa: T201
        return errors.EXIT_USAGE
    languages = LANGUAGES if arguments.language == "both" else (arguments.language,)
    folder = arguments.out or Path(f"report-{arguments.begin}-{arguments.end}".replace(":", ""))
    counted = count(source.reading, window)
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files(counted, source.reading, source.origin, languages):
        (folder / name).write_bytes(text.encode("utf-8", "replace"))
        print(folder / name)  # noqa: T201
    if not counted.entries:
        print(f"garita report: {words(languages[0]).page('empty')}", file=sys.stderr)  # noqa: T201
    return errors.EXIT_OK


def window_of(begin: str, end: str) -> Window:
    """A day stands for its midnight, as an end for the next one. ValueError: it is no window."""
    window = Window(from_utc_ns=_moment(begin), to_utc_ns=_moment(end, whole_day=True))
    if window.length_ns <= 0:
        raise ValueError(f"--to {end} is not after --from {begin}")
    return window


def _moment(text: str, *, whole_day: bool = False) -> int:
    is_day = len(text) == len("2026-11-30")
    try:
        found = ns_of(f"{text}T00:00:00Z" if is_day else text)
    except ValueError as error:
        raise ValueError(
            f"{text!r} is no time; write 2026-11-30 or 2026-11-30T06:00:00Z"
        ) from error
    return found + DAY_NS if is_day and whole_day else found


def _path(arguments: argparse.Namespace) -> Path:
    if arguments.state is not None:
        path: Path = arguments.state / RECORD_FILE
        return path
    chosen: Path = arguments.record or arguments.entries
    return chosen


def files(
    counted: Counted, reading: Reading, origin: Origin, languages: Sequence[str]
) -> list[tuple[str, str]]:
    """Name and text of every file; the same record and window give the same bytes."""
    shown = _shown(counted, reading)
    made = []
    for language in languages:
        spoken = words(language)
        pages = Pages(spoken, [entry.index for entry in shown])
        other = next((each for each in languages if each != language), "")
        made.append((pages.report, report(spoken, pages, counted, origin, other=other)))
        made += log_pages(spoken, pages, counted.site, shown)
    return [*made, ("figures.csv", figures_csv(counted)), ("entries.csv", entries_csv(shown))]


def _shown(counted: Counted, reading: Reading) -> list[Entry]:
    """What is in the window, and what of outside of it a figure or a picture names."""
    indexes = {entry.index for entry in reading.within(counted.window)}
    for figure in counted.figures:
        for first, last in figure.entries:
            indexes.update(range(first, last + 1))
    for spans in counted.spans.values():
        for span in spans:
            if counted.window.overlap_ns(span.from_utc_ns, span.to_utc_ns):
                indexes.add(span.entries[0])
    return [reading.entries[index] for index in sorted(indexes)]
