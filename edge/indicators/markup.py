"""A whole HTML document, and a table of figures in it."""

from collections.abc import Sequence
from importlib import resources

from edge.indicators.figures import Figure, Word
from edge.indicators.pages import Pages
from edge.indicators.words import Words, escaped

POLICY = "default-src 'none'; style-src 'unsafe-inline'"
"""A browser loads nothing for these pages and runs nothing in them."""

Numbered = tuple[int, Figure]
"""A figure with its number in the report."""


def document(words: Words, title: str, body: str) -> str:
    """A page that needs nothing beside itself."""
    style = resources.files("edge.indicators").joinpath("style.css").read_text("utf-8")
    return (
        f'<!DOCTYPE html>\n<html lang="{words.language}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escaped(title)}</title>\n<style>\n{style}</style>\n</head>\n"
        f"<body>\n{body}</body>\n</html>\n"
    )


def table(words: Words, pages: Pages, caption: str, figures: Sequence[Numbered]) -> str:
    """Figures by row and column, each a link."""
    columns: dict[Word, None] = {}
    rows: dict[tuple[Word, ...], dict[Word, Numbered]] = {}
    for number, figure in figures:
        columns.setdefault(figure.column)
        rows.setdefault(figure.row, {})[figure.column] = (number, figure)
    heads = "".join(f'<th scope="col">{escaped(words.word(one)) or "–"}</th>' for one in columns)
    lines = [
        f'<div class="wide" role="region" aria-label="{escaped(caption)}" tabindex="0">',
        f'<table aria-label="{escaped(caption)}"><thead><tr>'
        f'<th scope="col"><span aria-hidden="true">&nbsp;</span></th>{heads}</tr></thead><tbody>',
    ]
    for row, cells in rows.items():
        told = "".join(_cell(words, pages, cells.get(column)) for column in columns)
        lines.append(f'<tr><th scope="row">{escaped(words.row(row))}</th>{told}</tr>')
    return "\n".join([*lines, "</tbody></table></div>", ""])


def _cell(words: Words, pages: Pages, found: Numbered | None) -> str:
    if found is None:
        return "<td>–</td>"
    return f"<td>{linked(words, pages, found)}</td>"


def linked(words: Words, pages: Pages, found: Numbered) -> str:
    """A figure as a link to its entries."""
    number, figure = found
    kind = ' class="unknown"' if figure.value is None else ""
    link = f'<a{kind} href="{pages.of_figure(number, figure)}">{escaped(words.value(figure))}</a>'
    if not figure.of:
        return link
    of = words.page("of", n=f"{figure.of:,}")
    return f'{link} <span class="soft">{escaped(of)}</span>'
