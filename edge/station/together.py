"""The common record within a running checkpoint: what enters it, who asks, who vouches.

A record that cannot be kept never stops an alert: entries wait, and say so. One that is damaged is
put aside as it is, for who has to find out, and a new one begun; both centres' copies then say that
something is missing.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path
from typing import Protocol

import structlog

from edge import record_metrics
from edge.config import Config
from edge.delivery.again import Wanted
from edge.delivery.expiry import KeyExpiry, key_expiries
from edge.delivery.hooks import Command
from edge.delivery.outbox import Outbox
from edge.delivery.rows import Row
from edge.delivery.sides import SideStatus
from edge.errors import ConfigError, Mistake
from edge.protocol import topics
from edge.protocol.contract import SOFTWARE
from edge.record.alerts import Unplaced
from edge.record.entries import Draft, decode
from edge.record.record import RECORD_FILE, Record, RecordError
from edge.recordings.asked import Asked
from edge.sensors.sources import SourceStatus
from edge.station.agreed import hold_to_agreed
from edge.station.asking import Asking, unsigned
from edge.station.changes import Changes, fallbacks, places_of
from edge.station.common_record import LONG_UNWITNESSED_S, CommonRecord
from edge.station.gaps import Gaps
from edge.station.resending import Resending
from edge.together import handling
from edge.together.vouching import Vouching
from edge.trust.keys import KeyFileError, Signer, read_keyring
from edge.trust.seen_notes import SEEN_FILE, SeenNotes
from edge.trust.signatures import FRESH_S
from fusion.policy import Policy
from fusion.shelving import ShelfEntry
from fusion.types import SECOND_NS, Alert, Sample

LOOK_S = 1.0
PAGE = 1_000
CLOSE_S = 0.5

log = structlog.get_logger()


class Sends(Protocol):
    """What goes out to the sides, as this room needs it."""

    commanded: Callable[[Command], None]
    further: Callable[[str, int], list[str]]

    @property
    def signer(self) -> Signer | None:
        """Who signs for this checkpoint."""
        ...

    def answer(self, command: Command, payload: bytes) -> None:
        """Answer a command."""
        ...

    def send_again(self, side: str, wanted: Wanted) -> bool:
        """Send a side alerts once more; False where too much waits already."""
        ...

    def publish_state(self, topic: str, payload: bytes) -> None:
        """Retain a document on both sides."""
        ...

    def status(self) -> list[SideStatus]:
        """How delivery to each side stands."""
        ...


class Together:
    """Everything that both centres can see and check of one checkpoint."""

    def __init__(
        self,
        config: Config,
        policy: Policy,
        outlets: Sends,
        outbox: Outbox,
        now_utc_ns: Callable[[], int],
    ) -> None:
        """Open the record, and take from the outbox what it has missed.

        ConfigError where the configuration is not what both sides have agreed on.
        """
        self._config = config
        self._outlets = outlets
        self._outbox = outbox
        self._now_utc_ns = now_utc_ns
        _check_keyring(config)
        self._roots: Sequence[str] = (topics.ROOT,)
        self._opened = open_record(config, now_utc_ns)
        try:
            keyring, self._changed, self._unagreed = hold_to_agreed(
                config, policy, self._opened, at_utc_ns=now_utc_ns()
            )
            self._notes = None if keyring is None else open_notes(config, now_utc_ns)
        except ConfigError:
            self._opened.close()
            raise
        self._keyring = keyring
        outlets.further = self._key_troubles
        self._vouch = unsigned if keyring is None else Vouching(keyring, now_utc_ns, self._notes)
        self._known = [decode(one) for one in _all(self._opened)]
        self._record = CommonRecord(
            self._opened,
            sides=list(config.sides),
            signer=outlets.signer,
            keyring=keyring,
            publish=self._publish,
            unplaced=Unplaced(self._known),
        )
        self._record.catch_up(outbox)
        self.changes = Changes(places_of(config), now_utc_ns())
        """Told of every sample by the pipeline."""
        self.gaps = Gaps(places_of(config))
        self._closing = False
        self._asking: Asking | None = None

    def commit(self, rows: Sequence[Row]) -> None:
        """Bring alerts to disk, then tell the record: the committer's store. OutboxError."""
        self._outbox.commit(rows)
        self._record.alerts(rows)

    def shelved(self, entries: Iterable[ShelfEntry]) -> None:
        """What has happened on the shelf without anybody asking just now."""
        if self._asking is not None:
            self._asking.shelved(entries)

    def begin(
        self,
        *,
        roots: Sequence[str],
        digests: tuple[str, str],
        first_seq: int,
        statuses: Sequence[SourceStatus],
    ) -> None:
        """Enter the start. `digests`: of configuration and policy."""
        self._roots = tuple(roots)
        config_digest, policy_digest = digests
        starts = [one for one in self._known if one.kind == "start"]
        before = str(starts[-1].facts.get("config_digest", "")) if starts else config_digest
        facts = {
            "epoch": self._outbox.epoch,
            "first_seq": first_seq,
            "config_digest": config_digest,
            "policy_digest": policy_digest,
            "software": SOFTWARE,
        }
        drafts = [Draft(kind="start", facts=facts), *self._changed]
        if before != config_digest:
            changed = {"digest": config_digest, "before": before}
            drafts.append(Draft(kind="config", facts=changed))
        self._record.put([*drafts, *fallbacks(statuses, self._config)])

    def start(self) -> None:
        """Keep the record from now on, and publish how far it is: both sides can be told."""
        self._record.start()

    def take_commands(
        self,
        *,
        ask: Callable[[Asked, str], list[ShelfEntry]],
        active: Callable[[], Collection[str]],
        look: Callable[[str], Alert | None],
    ) -> None:
        """Carry out what the centres ask from now on; on the loop's thread."""
        config, loop = self._config, asyncio.get_running_loop()
        asking = Asking(
            site=config.site.id,
            places=[*(one.id for one in config.lanes), *(one.id for one in config.zones)],
            sensors=[one.id for one in config.sensors],
            ask=ask,
            active=active,
            answer=self._outlets.answer,
            now_utc_ns=self._now_utc_ns,
            sides=list(config.sides),
            vouch=self._vouch,
            record=self._record.enter,
            look=look,
            entries=self._record.entries,
            resend=Resending(
                self._outbox,
                self._outlets.send_again,
                {name: side.keeps_cursor for name, side in config.sides.items()},
            ),
            before=handling.replay(self._known),
        )
        self._known.clear()
        self._asking = asking
        vouched = {topics.cosignature_topic(side, config.site.id) for side in config.sides}

        def take(command: Command) -> None:
            if not self._closing:  # what it would be noted in is being closed: it is asked again
                asking.take(command)

        def hand_over(command: Command) -> None:
            if command.topic in vouched:
                if command.topic == topics.cosignature_topic(command.side, config.site.id):
                    self._record.cosigned(command.side, command.payload)
                return
            # The engine is the loop's alone; a side's thread only leaves the command there.
            loop.call_soon_threadsafe(take, command)

        self._outlets.commanded = hand_over

    def seen(self, sample: Sample) -> None:
        """A sample on its way to the engine."""
        self.changes.look(sample)
        self.gaps.look(sample, self._now_utc_ns())

    async def run(self, statuses: Callable[[], Sequence[SourceStatus]]) -> None:
        """Look around until cancelled."""
        while True:
            now_utc_ns = self._now_utc_ns()
            self._record.put(
                [
                    *self.changes.sensors(statuses()),
                    *self.changes.sides(self._outlets.status()),
                    *self.changes.counts(now_utc_ns),
                    *self.gaps.drafts(now_utc_ns),
                ]
            )
            if self._asking is not None:
                self._asking.tick()
            await asyncio.sleep(LOOK_S)

    def troubles(self, now_utc_ns: int) -> list[str]:
        """What is wrong with the record, for a person."""
        found = [f"record: {self._record.trouble}"] if self._record.trouble else []
        found += self._unagreed
        if self._outlets.signer is None:
            return found
        return found + [
            f"{side}: has vouched for nothing of the common record for {age_s:.0f} s"
            for side, age_s in self._record.unwitnessed_s(now_utc_ns).items()
            if age_s > LONG_UNWITNESSED_S
        ]

    def take_metrics(self, now_utc_ns: int) -> None:
        """Set the gauges; called at scrape time."""
        self._record.take_metrics(now_utc_ns)
        record_metrics.take_keys(self._keys(now_utc_ns))

    def _key_troubles(self, side: str, now_utc_ns: int) -> list[str]:
        """Of its own keys, and of ours, which both sides need."""
        found = (one for one in self._keys(now_utc_ns) if one.ours or one.key.owner == side)
        return [trouble for one in found if (trouble := one.trouble(now_utc_ns))]

    def _keys(self, now_utc_ns: int) -> Sequence[KeyExpiry]:
        signer = self._outlets.signer
        owners = {*self._config.sides, f"edge/{self._config.site.id}"}
        public = None if signer is None else signer.public
        return key_expiries(public, self._keyring, owners, now_utc_ns)

    def close(self) -> None:
        """Enter the end; nothing is carried out from now on."""
        self._closing = True
        stop = Draft(kind="stop", facts={"epoch": self._outbox.epoch, "clean": True})
        now_utc_ns = self._now_utc_ns()
        missed = self.gaps.drafts(now_utc_ns, ending=True)
        self._record.put([*missed, *self.changes.counts(now_utc_ns, ending=True), stop])
        if left := self._record.close(CLOSE_S):
            log.error("entries of the common record lost", entries=left)
        if self._notes is not None:
            self._notes.close()

    def _publish(self, note: bytes) -> None:
        for root in self._roots:
            topic = topics.record_checkpoint_topic(root, self._config.site.id)
            self._outlets.publish_state(topic, note)


def open_record(config: Config, now_utc_ns: Callable[[], int]) -> Record:
    """The site's record. One that is damaged is put aside as it is, and a new one begun.

    ConfigError where none can be kept.
    """
    path = config.state_dir / RECORD_FILE
    try:
        return Record(path, site=config.site.id, now_utc_ns=now_utc_ns)
    except RecordError as error:
        aside = path.with_name(f"{RECORD_FILE}.damaged-{now_utc_ns()}")
        log.error("common record damaged, put aside, a new one begun", error=str(error), at=aside)
    try:
        for suffix in ("", "-wal", "-shm"):
            part = Path(f"{path}{suffix}")
            if part.exists():
                part.rename(f"{aside}{suffix}")
        return Record(path, site=config.site.id, now_utc_ns=now_utc_ns)
    except (OSError, RecordError) as error:
        mistake = Mistake(
            line=None,
            key="state_dir",
            value=str(config.state_dir),
            message=f"the common record cannot be kept there ({error})",
            mend="let the user that Garita runs as write there, or free the disk",
        )
        raise ConfigError("record", [mistake]) from error


def open_notes(config: Config, now_utc_ns: Callable[[], int]) -> SeenNotes:
    """Which commands were taken before this start. ConfigError where that cannot be known."""
    until_utc_ns = now_utc_ns() + round(FRESH_S) * SECOND_NS
    try:
        return SeenNotes(config.state_dir / SEEN_FILE, forget_until_utc_ns=until_utc_ns)
    except (OSError, sqlite3.Error) as error:
        mistake = Mistake(
            line=None,
            key="state_dir",
            value=str(config.state_dir),
            message=f"it cannot be noted there which commands were taken ({error})",
            mend="let the user that Garita runs as write there, or free the disk",
        )
        raise ConfigError("commands", [mistake]) from error


def _all(record: Record) -> Iterable[bytes]:
    first = 0
    while found := record.entries(first, PAGE):
        yield from found
        first += len(found)


def _check_keyring(config: Config) -> None:
    path = config.keys.keyring
    if path is None:
        return
    try:
        read_keyring(path)
    except KeyFileError as error:
        mistake = Mistake(
            line=None,
            key="keys.keyring",
            value=str(path),
            message=str(error),
            mend="write one with `garita keys`; without it nobody's commands would be believed",
        )
        raise ConfigError("keys", [mistake]) from error
