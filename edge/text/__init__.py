"""Words for people, one catalogue per language, keyed by code."""

from edge.text.catalogue import LANGUAGES, clean
from edge.text.render import Info, Reason, reasons, render, say, strip_exercise, word

__all__ = [
    "LANGUAGES",
    "Info",
    "Reason",
    "clean",
    "reasons",
    "render",
    "say",
    "strip_exercise",
    "word",
]
