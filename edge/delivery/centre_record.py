"""A centre's copies of the sites' common records: asked for, proven, kept, vouched for.

A site retains how far its record is, signed. Whatever a copy lacks is asked for by the command
`record`, proven against the signed root, brought to disk, and only then vouched for in a retained
cosignature. What contradicts the copy is evidence of a record that was changed: it is told, kept
beside the copy, and never vouched for.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import structlog

from edge.delivery.happenings import Received
from edge.protocol import topics
from edge.protocol.commands import RecordMessage, RecordRequestMessage
from edge.protocol.messages import encode
from edge.record.note import read_checkpoint, read_note
from edge.record.record import Record, RecordError
from edge.record.witness import Fork, Mirror, site_key
from edge.trust.keys import Keyring, Signer
from edge.trust.signatures import command_properties

AGAIN_S = 5.0  # an answer that has not come by then will not
MAX_HELD_BYTES = 64 * 1024 * 1024  # of entries that wait for the rest: some 150,000
ANSWER = "record"

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Saying:
    """A message of the centre."""

    topic: str
    payload: bytes
    retain: bool = False
    user_properties: tuple[tuple[str, str], ...] = ()
    response_topic: str = ""
    content_type: str = "application/json"


@dataclass(slots=True, kw_only=True)
class _Site:
    """One site's copy, and what it is waiting for."""

    root: str
    record: Record
    mirror: Mirror
    note: str = ""
    """The checkpoint that is being reached, or was."""
    held: list[bytes] = field(default_factory=list)
    held_bytes: int = 0
    asked_s: float = 0.0
    vouched: int = -1
    forked: bool = False


class CentreRecord:
    """The copies of one centre; used by one thread."""

    def __init__(
        self,
        side: str,
        folder: Path,
        keyring: Keyring,
        signer: Signer | None,
        now_utc_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        """`folder` holds a file for each site; without a signer nothing is vouched for."""
        self._side = side
        self._folder = folder
        self._keyring = keyring
        self._signer = signer
        self._now_utc_ns = now_utc_ns
        self._sites: dict[str, _Site] = {}

    def filters(self) -> list[str]:
        """What the centre subscribes to for this."""
        roots = [topics.root(exercise) for exercise in (False, True)]
        return [
            *(topics.record_checkpoint_filter(root) for root in roots),
            *(f"{root}/+/answer/{self._side}/{ANSWER}" for root in roots),
        ]

    def is_for(self, topic: str) -> bool:
        """Whether a message is of a record, and not an alert or a file."""
        return (
            topics.parse_record_checkpoint_topic(topic) is not None
            or f"/answer/{self._side}/{ANSWER}" in topic
        )

    def take(self, message: Received) -> Iterator[Saying]:
        """What to say to a message, where it is of a record; whatever it holds, nothing is raised.

        Nothing where it is of something else.
        """
        at = topics.parse_record_checkpoint_topic(message.topic)
        root, _, rest = message.topic.partition(f"/answer/{self._side}/")
        try:
            if at is not None:
                yield from self._checkpoint(*at, message.payload)
            elif rest == ANSWER:
                yield from self._entries(root.rpartition("/")[2], message.payload)
        except Fork as fork:
            self._tell_fork(message, fork)
        except (ValueError, RecordError) as error:
            log.warning("record not taken", topic=message.topic, error=str(error)[:200])

    def tick(self) -> Iterator[Saying]:
        """Ask again for what was asked for and has not come."""
        now_s = time.monotonic()
        for name, site in self._sites.items():
            if site.asked_s and now_s - site.asked_s > AGAIN_S:
                yield from self._ask(name, site)

    def close(self) -> None:
        """Close the files."""
        for site in self._sites.values():
            site.record.close()

    def _checkpoint(self, root: str, name: str, payload: bytes) -> Iterator[Saying]:
        if not payload:
            return
        site = self._site(root, name)
        note = payload.decode()
        wanted = site.mirror.wanted(note)
        if site.note and site.held and _size(note) <= _size(site.note):
            return  # an older word than the one that is being reached
        site.note = note
        if wanted:
            yield from self._ask(name, site)
        else:
            yield from self._vouch(name, site)

    def _entries(self, name: str, payload: bytes) -> Iterator[Saying]:
        site = self._sites.get(name)
        if site is None or not site.asked_s:
            return
        chunk = msgspec.json.decode(payload, type=RecordMessage)
        if chunk.site != name or chunk.from_ != site.mirror.size + len(site.held):
            return  # asked for twice
        site.asked_s = 0.0
        site.held += chunk.entries
        site.held_bytes += sum(map(len, chunk.entries))
        wanted = site.mirror.wanted(site.note)
        if len(site.held) < len(wanted):
            if not chunk.entries or site.held_bytes > MAX_HELD_BYTES:
                self._let_go(site)
                raise ValueError("the site does not tell all entries of its checkpoint")
            yield from self._ask(name, site)
            return
        entries = site.held[: len(wanted)]
        self._let_go(site)
        site.mirror.take(site.note, entries)
        log.info("record copied", site=name, entries=site.mirror.size)
        yield from self._vouch(name, site)

    def _ask(self, name: str, site: _Site) -> Iterator[Saying]:
        site.asked_s = time.monotonic()
        wanted = site.mirror.wanted(site.note)
        request = RecordRequestMessage(from_=wanted.start + len(site.held), to=wanted.stop)
        topic, payload = f"{site.root}/{name}/cmd/record", encode(request)
        response = f"{site.root}/{name}/answer/{self._side}/{ANSWER}"
        properties: Sequence[tuple[str, str]] = ()
        if self._signer is not None:
            properties = command_properties(
                self._signer,
                topic=topic,
                payload=payload,
                issued_utc_ns=self._now_utc_ns(),
                response_topic=response,
            )
        yield Saying(
            topic=topic,
            payload=payload,
            user_properties=tuple(properties),
            response_topic=response,
        )

    def _vouch(self, name: str, site: _Site) -> Iterator[Saying]:
        size = _size(site.note)
        if self._signer is None or size != site.mirror.size or size == site.vouched:
            return
        own = site.mirror.cosign(site.note, self._signer, self._now_utc_ns())
        site.vouched = size
        yield Saying(
            topic=topics.cosignature_topic(self._side, name),
            payload=str(own).encode(),
            retain=True,
            content_type="text/plain",
        )

    def _site(self, root: str, name: str) -> _Site:
        found = self._sites.get(name)
        if found is None:
            path = self._folder / f"record-{name}.db"
            record = Record(path, site=name, now_utc_ns=self._now_utc_ns)
            keys = [
                site_key(name, key.raw)
                for key in self._keyring.keys
                if (key.owner, key.role) == (f"edge/{name}", "edge")
            ]
            mirror = Mirror(record, self._side, keys)
            found = self._sites[name] = _Site(root=root, record=record, mirror=mirror)
        return found

    def _let_go(self, site: _Site) -> None:
        site.held, site.held_bytes, site.asked_s = [], 0, 0.0

    def _tell_fork(self, message: Received, fork: Fork) -> None:
        at = topics.parse_record_checkpoint_topic(message.topic)
        name = at[1] if at else message.topic.split("/")[2]
        site = self._sites[name]
        self._let_go(site)
        if site.forked:
            return
        site.forked = True
        note = message.payload if at else site.note.encode()
        kept = self._folder / f"record-{name}-contradiction.note"
        kept.write_bytes(note)
        log.error("the record of a site is not the one it was", site=name, why=str(fork), kept=kept)


def _size(note: str) -> int:
    return read_checkpoint(read_note(note).text).size
