"""Words for people, one catalogue per language, keyed by code."""

from edge.text.catalogue import LANGUAGES, clean
from edge.text.render import Info, headline, render, say, strip_exercise, word
from edge.text.why import Reason, reasons

__all__ = [
    "LANGUAGES",
    "Info",
    "Reason",
    "clean",
    "headline",
    "reasons",
    "render",
    "say",
    "strip_exercise",
    "word",
]
