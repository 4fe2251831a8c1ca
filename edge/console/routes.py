"""Every route of the console in one table: what it takes to be let in, and what it is for.

The application, its OpenAPI document and the tests of who may do what all read this.
"""

from dataclasses import dataclass
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from edge.console.acting import VERBS
from edge.console.notes import MAX_TEXT, Kept
from edge.console.people import Act
from edge.console.scans import ScanAbout, Scans
from edge.console.summary import CaseChange, Stored, Summary
from edge.protocol.commands import COMMANDS, AnswerMessage
from edge.protocol.messages import AlertMessage

API = "/api/v1"
CHANGES = "x-garita-csrf"
"""Header of every request that changes something: the token that the page was given."""


class LogIn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who wants to be let in."""

    login: str
    password: str


class Me(msgspec.Struct, frozen=True, kw_only=True):
    """Who is logged in, and what they may do."""

    login: str
    role: str
    language: str
    acts: list[str]
    csrf: str
    """For the header of what changes something."""
    site: str
    side: str


class Language(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to be spoken to in."""

    language: Literal["en-US", "es-MX"]


class Written(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something to be written down."""

    text: Annotated[str, Meta(min_length=1, max_length=MAX_TEXT)]


class NotesOf(msgspec.Struct, frozen=True, kw_only=True):
    """What this side wrote about an alert."""

    notes: list[Kept]


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """A page of the list, newest first."""

    seq: int
    """Of the last alert that it may hold: what to watch on from."""
    index: int
    """Of the next entry of the record."""
    alerts: list[Summary]
    more: bool
    cases: list[CaseChange]
    """Of the alerts on it."""
    stored: list[Stored]


class Cases(msgspec.Struct, frozen=True, kw_only=True):
    """How alerts stand."""

    index: int
    cases: list[CaseChange]


class Whole(msgspec.Struct, frozen=True, kw_only=True):
    """All that is told of an alert."""

    alert: AlertMessage
    summary: Summary
    case: CaseChange | None
    revisions: list[int]
    """Sequence numbers of the revisions that are kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One of them."""

    name: str
    method: Literal["GET", "POST", "PUT", "DELETE"]
    path: str
    """Below `API`."""
    needs: Act | None
    """The right it takes; None: open to everybody."""
    what: str
    query: tuple[tuple[str, str], ...] = ()
    """(name, what it is for)"""
    takes: type[msgspec.Struct] | None = None
    gives: type[msgspec.Struct] | None = None
    media_type: str = "application/json"

    @property
    def changes(self) -> bool:
        """Whether it changes something, and so takes the page's token."""
        return self.method != "GET"


ROUTES: tuple[Route, ...] = (
    Route(name="openapi", method="GET", path="/openapi.json", needs=None, what="This document"),
    Route(
        name="words", method="GET", path="/words/{language}", needs=None,
        what="Every text of the page in one language",
    ),
    Route(
        name="log_in", method="POST", path="/session", needs=None, takes=LogIn, gives=Me,
        what="Be let in with login and password; a cookie holds the session",
    ),
    Route(
        name="me", method="GET", path="/session", needs="see", gives=Me,
        what="Who is logged in, and what they may do",
    ),
    Route(
        name="speak", method="PUT", path="/session", needs="see", takes=Language, gives=Me,
        what="Be spoken to in another language",
    ),
    Route(name="leave", method="DELETE", path="/session", needs="see", what="Leave"),
    Route(
        name="alerts", method="GET", path="/alerts", needs="see", gives=Page,
        what="A page of the list, newest first",
        query=(
            ("before", "older than this `first_seq`"),
            ("limit", "how many, 1 to 1000 (200)"),
        ),
    ),
    Route(
        name="alert", method="GET", path="/alerts/{alert}", needs="see", gives=Whole,
        what="All that is told of an alert",
    ),
    Route(
        name="notes", method="GET", path="/alerts/{alert}/notes", needs="see", gives=NotesOf,
        what="What this side's people wrote about an alert",
    ),
    Route(
        name="write", method="POST", path="/alerts/{alert}/notes", needs="note", takes=Written,
        gives=AnswerMessage,
        what="Write something down: the text stays here, its digest goes into the common record",
        query=(("exercise", "`true` for a drill"),),
    ),
    Route(
        name="cases", method="GET", path="/cases", needs="see", gives=Cases,
        what="How both sides stand to the alerts that were handled",
        query=(("after", "since this entry of the common record (-1)"),),
    ),
    Route(
        name="events", method="GET", path="/events", needs="see", media_type="text/event-stream",
        what="Server-sent events: alert, case, stored, site, live, beat, again. `Last-Event-ID` is"
        " a sequence number; what came after it is sent first",
        query=(("topics", "live data that is wanted too, `place/kind`, with commas between"),),
    ),
    Route(
        name="site", method="GET", path="/site", needs="see",
        what="What the checkpoint consists of, and how it is",
    ),
    Route(
        name="evidence", method="GET", path="/evidence/{sha256}", needs="see",
        media_type="application/octet-stream",
        what="A file of an alert by its digest; ranges as in RFC 9110",
    ),
    Route(
        name="axis", method="GET", path="/alerts/{alert}/axis", needs="see",
        what="Counts, ground motion and places of an alert on one axis of time",
    ),
    Route(
        name="scans", method="GET", path="/alerts/{alert}/scans", needs="see", gives=Scans,
        what="Which scans an alert speaks of, and what stands out in them",
    ),
    Route(
        name="scan_about", method="GET", path="/scans/{sha256}/about", needs="see", gives=ScanAbout,
        what="What a scan's planes are, and what turns counts into transmission and matter",
    ),
    Route(
        name="scan_plane", method="GET", path="/scans/{sha256}/planes/{plane}", needs="see",
        media_type="application/octet-stream",
        what="One plane's counts pixel by pixel: rows of 16-bit words, little-endian",
    ),
    Route(
        name="scan", method="GET", path="/scans/{sha256}", needs="see", media_type="image/tiff",
        what="A whole scan at full depth by its digest; ranges as in RFC 9110",
    ),
    *(
        Route(
            name=f"act_{verb.replace('-', '_')}", method="POST", path=f"/acts/{verb}", needs=needs,
            takes=COMMANDS[verb], gives=AnswerMessage,
            what=f"`cmd/{verb}` in the name of this side",
            query=(("exercise", "`true` for a drill"),),
        )
        for verb, needs in VERBS.items()
        if verb != "note"
    ),
)  # fmt: skip
