"""The words of reports: one catalogue a language, and figures as people write them."""

import html
import tomllib
from functools import cache
from pathlib import Path

from edge.indicators.figures import Figure, Word
from edge.text.catalogue import LANGUAGES, Catalogue, clean

__all__ = ["LANGUAGES", "Words", "escaped", "words"]


def escaped(text: str) -> str:
    """For HTML, within tags and attributes: whoever wrote it moves nothing and runs nothing."""
    return html.escape(clean(text), quote=True)


class Words:
    """What a report says in one language."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.language = catalogue.language
        self._catalogue = catalogue

    def page(self, key: str, **facts: object) -> str:
        """A text of the page with its facts. KeyError where there is none."""
        text = self._catalogue.text("page", key)
        for name, value in facts.items():
            text = text.replace(f"{{{name}}}", str(value))
        return text

    def title(self, table: str) -> str:
        """What a table is called; of exercises the same as of the real."""
        return self._catalogue.text("title", table.removeprefix("drill-"))

    def note(self, table: str) -> str:
        """What one has to know of a table."""
        return self._catalogue.text("note", table.removeprefix("drill-"))

    def word(self, word: Word) -> str:
        """A code in words; as it is where nobody has a word for it."""
        table, code = word
        if not table:
            return clean(code)
        found = self._catalogue.tables[table].get(code)
        return found if isinstance(found, str) else clean(code)

    def row(self, row: tuple[Word, ...]) -> str:
        """The name of a row."""
        return " · ".join(self.word(word) or "–" for word in row)

    def value(self, figure: Figure) -> str:
        """The figure as people write it, with its bounds."""
        if figure.value is None:
            decided = figure.table.removeprefix("drill-") == "precision"
            return self.page("not_decided" if decided else "not_measured")
        if figure.unit == "time":
            return duration(figure.value)
        if figure.unit == "number":
            return f"{figure.value:,.0f}"
        text = _percent(figure.value)
        if figure.bounds is not None:
            low, high = (_percent(bound) for bound in figure.bounds)
            text += f" ({low} – {high})"
        return text


def _percent(share: float) -> str:
    return f"{share * 100:.3g} %" if 0 < share < 0.1 else f"{share * 100:.1f} %"


def duration(seconds: float) -> str:
    """A length of time; its units are the same in both languages."""
    if seconds < 120:
        return f"{seconds:.1f} s" if seconds % 1 else f"{seconds:.0f} s"
    if seconds < 7200:
        return f"{seconds / 60:.1f} min"
    return f"{seconds / 3600:,.1f} h"


@cache
def words(language: str) -> Words:
    """The words of a language tag. ValueError where there are none."""
    if language not in LANGUAGES:
        raise ValueError(f"no texts in {language!r}; there are {', '.join(LANGUAGES)}")
    path = Path(__file__).with_name(f"{language}.toml")
    return Words(Catalogue(language, tomllib.loads(path.read_text("utf-8"))))
