"""The entries that figures link to, a line each."""

from collections.abc import Iterator, Sequence

import msgspec

from edge.indicators.markup import document
from edge.indicators.pages import PER_PAGE, Pages
from edge.indicators.words import Words, escaped
from edge.record.entries import Entry

FACTS_SHOWN = 2_000
"""Characters; the whole is in entries.csv."""
COLUMNS = ("index", "time", "kind", "by", "key", "place", "facts")


def log_pages(
    words: Words, pages: Pages, site: str, entries: Sequence[Entry]
) -> Iterator[tuple[str, str]]:
    """Name and text of each page."""
    title = words.page("entries_title", site=site)
    for number in range(pages.count):
        page = words.page("entries_page", n=number + 1, of=pages.count)
        links = [f'<a href="{pages.report}">{escaped(words.page("back"))}</a>']
        if number:
            links.append(
                f'<a href="{pages.name(number - 1)}">{escaped(words.page("previous"))}</a>'
            )
        if number + 1 < pages.count:
            links.append(f'<a href="{pages.name(number + 1)}">{escaped(words.page("next"))}</a>')
        shown = entries[number * PER_PAGE : (number + 1) * PER_PAGE]
        rows = "\n".join(_row(words, entry) for entry in shown)
        heads = "".join(
            f'<th scope="col">{escaped(words.word(("entry", name)))}</th>' for name in COLUMNS
        )
        body = (
            f"<header><h1>{escaped(title)}</h1><p>{escaped(page)}</p></header>\n"
            f'<nav><p>{" · ".join(links)}</p></nav>\n<main><div class="wide">'
            f'<table aria-label="{escaped(title)}"><thead><tr>{heads}</tr></thead>\n'
            f"<tbody>\n{rows}\n</tbody></table></div></main>\n"
        )
        yield pages.name(number), document(words, f"{title} · {page}", body)


def _row(words: Words, entry: Entry) -> str:
    facts = msgspec.json.encode(entry.facts, order="sorted").decode()
    told = facts if len(facts) <= FACTS_SHOWN else facts[:FACTS_SHOWN] + "…"
    cells = (entry.time, words.word(("kind", entry.kind)), entry.by, entry.key, entry.place)
    texts = "".join(f'<td class="text">{escaped(text)}</td>' for text in cells)
    return (
        f'<tr id="e{entry.index}"><th scope="row">{entry.index}</th>{texts}'
        f'<td class="text"><code>{escaped(told)}</code></td></tr>'
    )
