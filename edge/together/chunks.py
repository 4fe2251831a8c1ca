"""Entries of the common record for a centre that lacks them: as many as one message may hold."""

from collections.abc import Iterable

from edge.protocol.commands import RecordMessage

MAX_CHUNK_BYTES = 256 * 1024
"""Of the message: below what brokers and centres take (facts: delivery 3)."""
MAX_ENTRIES = 2_000  # asked for at once; a chunk has room for some 600 of 300 bytes
_FRAME_BYTES = 160  # the message without its entries


def chunk(site: str, first: int, entries: Iterable[bytes]) -> RecordMessage:
    """The first of the entries that fit; the centre asks on behind them.

    Empty where there is none, or where the very first is larger than any message may be.
    """
    taken: list[bytes] = []
    room = MAX_CHUNK_BYTES - _FRAME_BYTES
    for entry in entries:
        room -= (len(entry) + 2) // 3 * 4 + 3  # base64, two quotes, a comma
        if room < 0:
            break
        taken.append(entry)
    return RecordMessage(site=site, from_=first, entries=taken)
