"""Replay's way into recorded spectrum files: N42 of either version, and what else can be read."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import PurePath

from drivers.base import SensorConfig
from drivers.n42_samples import continued
from drivers.spectrum_reader import SUFFIXES, URI_HEAD, parser_of, shared_reader
from drivers.wire import n42, n42_frames
from drivers.wire.malformed import Malformed
from drivers.wire.n42_scan import ROOTS, as_utf8

# A record of minutes is told second by second, as the device would have: the engine's clock
# then moves between the slices.
PIECE_NS = 1_000_000_000


class N42File:
    """N42-2006 and 2012 as XML, captures of pushed documents, PCF, SPC, CNF, CHN, SPE, URIs."""

    name = "n42"

    def recognise(self, file_name: str, head: bytes) -> bool:
        """Whether it begins as one of them, or is named as one that has no beginning of its own."""
        if head.startswith(URI_HEAD) or PurePath(file_name).suffix.lower() in SUFFIXES:
            return True
        start = as_utf8(head).removeprefix(n42_frames.STX).removeprefix(b"\xef\xbb\xbf")
        text = start.lstrip().decode("latin-1")
        return text.startswith("<") and any(
            f"<{root}" in text or f":{root}" in text for root in ROOTS if root != "Event"
        )

    def chunks(
        self, data: bytes, file_name: str = "", config: SensorConfig | None = None
    ) -> Iterator[tuple[int, bytes]]:
        """(arrival, frame) for each second of the record; the arrival is its last slice's end.

        What cannot be read goes to the driver as it is, which then says why.
        """
        del config
        if data.startswith(n42_frames.STX):
            for record in n42_frames.FrameDecoder().feed(data):
                if not isinstance(record, Malformed):
                    yield from self.chunks(record, file_name)
            return
        suffix = PurePath(file_name).suffix
        document = shared_reader().read(data, suffix)
        if isinstance(document, Malformed):
            yield 0, n42_frames.encode(as_utf8(data))
            return
        pieces = _pieces(document)
        if len(pieces) == 1 and not parser_of(data[:16], suffix):
            yield _end_ns(document), n42_frames.encode(as_utf8(data))
            return
        for piece in pieces:
            yield _end_ns(piece), n42_frames.encode(n42.write(piece))


def _pieces(document: n42.Document) -> list[n42.Document]:
    """The same record in documents of about a second, its backgrounds in the first."""
    first = [one for one in document.measurements if one.class_code == "Background"]
    items = [one for one in document.measurements if one.class_code != "Background"]
    if len(items) < 2 or any(one.start_utc_ns is None for one in items):
        return [document]
    items.sort(key=lambda one: one.start_utc_ns or 0)
    groups: list[list[n42.Measurement]] = [[*first, items[0]]]
    began_ns = items[0].start_utc_ns or 0
    for one in items[1:]:
        start_ns = one.start_utc_ns or 0
        if start_ns - began_ns >= PIECE_NS:
            groups.append([])
            began_ns = start_ns
        groups[-1].append(one)
    pieces = [replace(document, measurements=tuple(group)) for group in groups]
    return [*map(continued, pieces[:-1]), pieces[-1]]


def _end_ns(document: n42.Document) -> int:
    """The end of its last slice; 0 where it is not dated."""
    ends = [
        one.start_utc_ns + round(one.real_s * 1_000_000_000)
        for one in document.measurements
        if one.start_utc_ns is not None
    ]
    return max(ends, default=0)
