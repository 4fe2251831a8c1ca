"""The same figures and entries for a spreadsheet: RFC 4180, UTF-8, in both languages."""

import csv
import io
from collections.abc import Iterable, Sequence

import msgspec

from edge.indicators.count import Counted
from edge.indicators.words import LANGUAGES, words
from edge.protocol.messages import rfc3339
from edge.record.entries import Entry
from edge.text.catalogue import clean

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", *"\uff1d\uff0b\uff0d\uff20")
"""What a spreadsheet takes for the begin of a formula, the wide forms too."""


def safe(text: str) -> str:
    """A text that no spreadsheet runs: an apostrophe goes before what would be a formula."""
    plain = clean(text)
    return f"'{plain}" if text.lstrip(" ").startswith(_FORMULA) else plain


def figures_csv(counted: Counted) -> str:
    """A line a figure; one that nobody measured has no value."""
    spoken = [words(language) for language in LANGUAGES]
    head = ["figure", "exercise", "table", "row", "column"]
    for name in ("table", "row", "column", "shown"):
        head += [f"{name} {each.language}" for each in spoken]
    head += ["unit", "value", "of", "low", "high", "entries", "from", "to"]
    begin, end = rfc3339(counted.window.from_utc_ns), rfc3339(counted.window.to_utc_ns)
    lines = [head]
    for number, figure in enumerate(counted.figures):
        row = " / ".join(code for _, code in figure.row)
        drill = figure.table.startswith("drill-")
        table = figure.table.removeprefix("drill-")
        line = [f"f{number}", "yes" if drill else "no", table, safe(row), safe(figure.column[1])]
        for told in (
            [each.title(figure.table) for each in spoken],
            [each.row(figure.row) for each in spoken],
            [each.word(figure.column) for each in spoken],
            [each.value(figure) for each in spoken],
        ):
            line += [safe(text) for text in told]
        low, high = figure.bounds or (None, None)
        line += [{"time": "s", "share": "1", "number": ""}[figure.unit]]
        line += [_number(value) for value in (figure.value, figure.of, low, high)]
        line += [
            " ".join(str(a) if a == b else f"{a}..{b}" for a, b in figure.entries),
            begin,
            end,
        ]
        lines.append(line)
    return _written(lines)


def entries_csv(entries: Sequence[Entry]) -> str:
    """A line an entry, with all its facts as JSON."""
    spoken = [words(language) for language in LANGUAGES]
    head = ["index", "time", "kind", *(f"kind {each.language}" for each in spoken)]
    lines = [[*head, "by", "key", "place", "facts"]]
    for entry in entries:
        kinds = [each.word(("kind", entry.kind)) for each in spoken]
        facts = msgspec.json.encode(entry.facts, order="sorted").decode()
        texts = [entry.kind, *kinds, entry.by, entry.key, entry.place, facts]
        lines.append([str(entry.index), entry.time, *map(safe, texts)])
    return _written(lines)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.12g}"


def _written(lines: Iterable[Sequence[str]]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows(lines)
    return out.getvalue()
