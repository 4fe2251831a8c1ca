"""What a centre makes of the messages that arrive: alerts, files, and what it refuses."""

import hashlib
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

import structlog

from edge.delivery.centre_store import Arrival, EvidenceFile
from edge.delivery.flow import LIVE, read_after
from edge.delivery.happenings import Received
from edge.delivery.rows import ORIGIN, Mark
from edge.delivery.seals import Gate
from edge.protocol import topics
from edge.trust.keys import Refused

BURST_S = 10.0  # a flood of forgeries writes six lines a minute for each reason

log = structlog.get_logger()


@dataclass(slots=True, kw_only=True)
class Arrived:
    """What a batch of messages holds that may be believed."""

    alerts: list[Arrival] = field(default_factory=list)
    files: list[EvidenceFile] = field(default_factory=list)
    fresh: list[Arrival] = field(default_factory=list)
    """Copies that came ahead of a backlog: to be shown, and stored only when their turn comes."""


class Reading:
    """Reads; with a gate only what it lets through."""

    def __init__(self, gate: Gate | None = None) -> None:
        self._gate = gate
        self.refused: Counter[str] = Counter()
        """Messages that were not believed, by reason."""
        self._said_s: dict[str, float] = {}
        self._unsaid: Counter[str] = Counter()

    def read(self, messages: Iterable[Received]) -> Arrived:
        """What is believed of these; nothing is raised, whatever they are."""
        arrived = Arrived()
        for message in messages:
            if not self._believed(message):
                continue
            if topics.parse_evidence_topic(message.topic) is not None:
                file = read_file(message)
                arrived.files += [file] if file is not None else []
            elif dict(message.user_properties).get("lane") == LIVE:
                copy = read_copy(message)
                arrived.fresh += [copy] if copy is not None else []
            else:
                arrival = read_arrival(message)
                arrived.alerts += [arrival] if arrival is not None else []
        return arrived

    def _believed(self, message: Received) -> bool:
        if self._gate is None:
            return True
        try:
            self._gate.check(message)
        except Refused as refused:
            self._refuse(message, refused)
            return False
        return True

    def _refuse(self, message: Received, refused: Refused) -> None:
        code, now_s = refused.code, time.monotonic()
        self.refused[code] += 1
        self._unsaid[code] += 1
        if now_s - self._said_s.get(code, -BURST_S) >= BURST_S:
            self._said_s[code] = now_s
            log.error(
                "message refused",
                reason=code,
                text=refused.text,
                topic=message.topic[:200],
                count=self._unsaid.pop(code),
            )


def read_arrival(message: Received) -> Arrival | None:
    """What a message says of itself, or None where it is no alert that can be placed."""
    after = read_after(dict(message.user_properties).get("after", ""))
    if after is None:
        log.warning("alert not readable", topic=message.topic)
        return None
    return _read(message, after)


def read_copy(message: Received) -> Arrival | None:
    """The same of one that came ahead of a backlog, and follows nothing."""
    return _read(message, ORIGIN)


def _read(message: Received, after: Mark) -> Arrival | None:
    topic = topics.parse_alert_topic(message.topic)
    properties = dict(message.user_properties)
    seq = properties.get("seq", "")
    if topic is None or not (seq.isascii() and seq.isdigit()) or len(seq) > 18:
        log.warning("alert not readable", topic=message.topic)
        return None
    return Arrival(
        site=topic.site,
        mark=Mark(epoch=properties.get("epoch", ""), seq=int(seq)),
        after=after,
        topic=message.topic,
        payload=message.payload,
        evidence=tuple(properties.get("evidence", "").split()),
        key=properties.get("key", ""),
        signature=properties.get("signature", ""),
    )


def read_file(message: Received) -> EvidenceFile | None:
    """The file that a message is, or None where it is none, or not the one that it says."""
    topic = topics.parse_evidence_topic(message.topic)
    if topic is None:
        return None
    properties = dict(message.user_properties)
    sha256 = hashlib.sha256(message.payload).hexdigest()
    if properties.get("sha256") != sha256:
        log.warning("evidence damaged", topic=message.topic)
        return None
    return EvidenceFile(
        site=topic.site,
        alert_id=topic.alert_id,
        n=topic.n,
        name=properties.get("name", ""),
        media_type=properties.get("media_type", ""),
        sha256=sha256,
        payload=message.payload,
    )
