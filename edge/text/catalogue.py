"""The catalogues: one TOML file per language, every text a template with optional clauses.

A template is plain text with facts in braces and optional clauses in brackets:

    gamma[ {gamma_sigma|sigma:.0f} sigma] above background[, {width_m:.1f} m wide]

`{a|b:spec}` takes the first of the facts that is there. `spec` is a Python number format,
`pct` for a share of one, or `@table` for a word of the catalogue's table of that name. A
clause in brackets is left out when a fact in it is missing; a fact that is missing outside
of brackets is left out alone.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

LANGUAGES = ("en-US", "es-MX")
"""Every language there is a catalogue for; the first is CAP's default."""

NOT_MEASURED = 1e9
"""No sensor reads this much; a message that says so must not fill the screen with digits."""

_CLAUSE = re.compile(r"\[([^\[\]]*)\]")
_FACT = re.compile(r"\{([A-Za-z0-9_|]+)(?::([^{}]+))?\}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def clean(text: str) -> str:
    """The text without control characters and without marks that turn the writing direction.

    Names and notes come from devices and partners; none of them may move a cursor.
    """
    return _CONTROL.sub(" ", text)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The texts of one language: nested tables of strings, as in its file."""

    language: str
    tables: Mapping[str, Any]

    def text(self, *path: str) -> str:
        """The text at that path. KeyError where there is none."""
        node: Any = self.tables
        for key in path:
            node = node[key]
        if not isinstance(node, str):
            raise KeyError(".".join(path))
        return node

    def table(self, *path: str) -> Mapping[str, str]:
        """The texts of one table, in the file's order. KeyError where there is none."""
        node: Any = self.tables
        for key in path:
            node = node[key]
        return {key: text for key, text in node.items() if isinstance(text, str)}

    def word(self, table: str, code: str) -> str:
        """The word for a code; the code itself, tidied, where the catalogue has none.

        A device may report a code that nobody has translated; that must not stop an alert.
        """
        word = self.tables[table].get(code)
        return word if word and isinstance(word, str) else clean(code.replace("-", " "))[:40]

    def fill(self, template: str, facts: Mapping[str, Any]) -> str:
        """The template with its facts, clauses without their facts left out."""

        def clause(match: re.Match[str]) -> str:
            values = [self._value(each, facts) for each in _FACT.finditer(match[1])]
            if None in values:
                return ""
            return _FACT.sub(lambda each: self._value(each, facts) or "", match[1])

        text = _CLAUSE.sub(clause, template)
        return _FACT.sub(lambda each: self._value(each, facts) or "", text)

    def _value(self, match: re.Match[str], facts: Mapping[str, Any]) -> str | None:
        names, spec = match[1].split("|"), match[2] or ""
        value = next((facts[name] for name in names if facts.get(name) is not None), None)
        if value is None or value == "":
            return None
        if spec.startswith("@"):
            return self.word(spec[1:], str(value))
        if isinstance(value, bool) or not isinstance(value, int | float):
            # Brackets and braces in a fact would be read as a template's.
            return clean(str(value)).translate(_NO_MARKS)[:60] if not spec else None
        if not abs(value) < NOT_MEASURED:  # also true of what is not a number
            return None
        return f"{value * 100:.0f} %" if spec == "pct" else format(value, spec)


_NO_MARKS = str.maketrans("[]{}", "()()")


@cache
def catalogue(language: str) -> Catalogue:
    """The catalogue of a language tag. ValueError where there is none."""
    if language not in LANGUAGES:
        raise ValueError(f"no texts in {language!r}; there are {', '.join(LANGUAGES)}")
    path = Path(__file__).with_name(f"{language}.toml")
    return Catalogue(language, tomllib.loads(path.read_text("utf-8")))
