"""The report of one language: pictures, tables, and what each figure was counted from."""

from collections.abc import Sequence
from dataclasses import dataclass

from edge.indicators import charts
from edge.indicators.count import OF_ALERTS, TABLES, Counted
from edge.indicators.markup import Numbered, document, linked, table
from edge.indicators.pages import Pages
from edge.indicators.words import Words, escaped
from edge.protocol.messages import rfc3339


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Which record a report was made from."""

    first: int
    """Index of the first entry that was read."""
    size: int
    """How many entries there were."""
    root: str
    """In hexadecimal, of their very bytes; `""` where they do not begin with the first."""


HEADLINES = (
    ("alerts", "northbound"),
    ("alerts", "southbound"),
    ("precision", "ppv"),
    ("precision", "nuisance-rate"),
    ("times", "median"),
    ("passages", "inspection-rate"),
    ("passages", "examination-rate"),
)
"""What stands on top: the first row of these tables."""


def report(words: Words, pages: Pages, counted: Counted, origin: Origin, *, other: str = "") -> str:
    """The whole page.

    other  the language of another report beside it
    """
    numbered = list(enumerate(counted.figures))
    title = words.page("title", site=counted.site)
    body = [
        f"<header><h1>{escaped(title)}</h1>",
        f"<p><strong>{escaped(window_line(words, counted))}</strong></p>",
        f'<p class="soft">{escaped(source_line(words, counted, origin))}</p>',
    ]
    if other:
        body.append(
            f'<p><a href="report.{other}.html" hreflang="{other}" lang="{other}">'
            f"{escaped(words.page('language'))}</a></p>"
        )
    body.append("</header>\n<main>")
    if not counted.entries:
        body.append(f"<p><strong>{escaped(words.page('empty'))}</strong></p>")
    else:
        body.append(f"<p>{escaped(words.page('how'))}</p>")
        body += _body(words, pages, counted, numbered)
    return document(words, title, "\n".join([*body, "</main>\n"]))


def window_line(words: Words, counted: Counted) -> str:
    """From when to when."""
    begin, end = (
        rfc3339(at)[:16].replace("T", " ")
        for at in (counted.window.from_utc_ns, counted.window.to_utc_ns)
    )
    return words.page("window", begin=begin, end=end)


def source_line(words: Words, counted: Counted, origin: Origin) -> str:
    """Of which record it is, so that somebody else can count again."""
    if not origin.root:
        last = origin.first + origin.size - 1
        return words.page("partial", first=origin.first, last=last)
    inside = f"{counted.entries:,}"
    told = words.page("source", size=f"{origin.size:,}", root=origin.root, inside=inside)
    return f"{told} {words.page('check')}"


def _body(words: Words, pages: Pages, counted: Counted, numbered: Sequence[Numbered]) -> list[str]:
    by_table: dict[str, list[Numbered]] = {name: [] for name in TABLES}
    for number, figure in numbered:
        by_table[figure.table].append((number, figure))
    service = [name for name in TABLES if name not in OF_ALERTS and not name.startswith("drill-")]
    drills = [name for name in TABLES if name.startswith("drill-") and by_table[name]]
    groups = [("real", list(OF_ALERTS)), ("service", service)]
    parts = [_headlines(words, pages, by_table), _contents(words, [*groups, ("drills", drills)])]
    for group, names in groups:
        parts.append(f'<section id="{group}"><h2>{escaped(words.page(group))}</h2>')
        parts += [_section(words, pages, counted, name, by_table[name]) for name in names]
        parts.append("</section>")
    if drills:
        parts.append(
            f'<section id="drills" class="drills"><h2>{escaped(words.page("drills"))}</h2>'
            f'<p class="note">{escaped(words.page("drills_note"))}</p>'
        )
        parts += [_section(words, pages, counted, name, by_table[name]) for name in drills]
        parts.append("</section>")
    return [*parts, _traced(words, pages, numbered)]


def _headlines(words: Words, pages: Pages, by_table: dict[str, list[Numbered]]) -> str:
    lines = []
    for name, column in HEADLINES:
        found = next((one for one in by_table[name] if one[1].column[1] == column), None)
        if found is not None:
            row = found[1].row
            head = f"{words.title(name)} · {words.row(row)} · {words.word(found[1].column)}"
            told = linked(words, pages, found)
            lines.append(f'<tr><th scope="row">{escaped(head)}</th><td>{told}</td></tr>')
    body = "".join(lines)
    return f'<table aria-label="{escaped(words.page("real"))}"><tbody>{body}</tbody></table>\n'


def _contents(words: Words, groups: Sequence[tuple[str, Sequence[str]]]) -> str:
    lines = []
    for group, names in groups:
        if names:
            lines.append(f'<li><a href="#{group}">{escaped(words.page(group))}</a></li>')
        if group != "drills":
            lines += [
                f'<li><a href="#t-{name}">{escaped(words.title(name))}</a></li>' for name in names
            ]
    items = "".join(lines)
    return f'<nav aria-label="{escaped(words.page("contents"))}"><ul>{items}</ul></nav>\n'


def _section(
    words: Words, pages: Pages, counted: Counted, name: str, figures: Sequence[Numbered]
) -> str:
    title = words.title(name)
    note = escaped(words.note(name))
    head = f'<h3 id="t-{name}">{escaped(title)}</h3>\n<p class="note">{note}</p>\n'
    if not figures:
        return f"{head}<p>{escaped(words.page('nothing'))}</p>\n"
    picture = _picture(words, pages, counted, name, figures)
    return f"{head}{picture}{table(words, pages, title, figures)}"


def _picture(
    words: Words, pages: Pages, counted: Counted, name: str, figures: Sequence[Numbered]
) -> str:
    plain = name.removeprefix("drill-")
    if plain == "days":
        return charts.days(words, pages, figures, counted.window)
    if plain in ("outcomes", "precision", "times"):
        drawn: str = getattr(charts, plain)(words, pages, figures)
        return drawn
    if plain in ("sensors", "sides"):
        kind = plain.removesuffix("s")
        known = [
            (words.word((kind if kind == "side" else "", name_)), spans)
            for (what, name_), spans in sorted(counted.spans.items())
            if what == kind
        ]
        return charts.strips(words, pages, words.page(f"chart_{plain}"), known, counted.window)
    return ""


def _traced(words: Words, pages: Pages, numbered: Sequence[Numbered]) -> str:
    lines = [f'<li id="none">{escaped(words.page("none"))}</li>']
    for number, figure in numbered:
        if pages.of_figure(number, figure) == f"#f{number}":
            name = f"{words.title(figure.table)} · {words.row(figure.row)}"
            head = escaped(f"{name} · {words.word(figure.column)}: {words.value(figure)}")
            lines.append(f'<li id="f{number}">{head} — {pages.ranges(figure.entries)}</li>')
    items = "\n".join(lines)
    title = escaped(words.page("traced"))
    return f'<section class="traced"><h2>{title}</h2>\n<ul>\n{items}\n</ul></section>\n'
