"""Keeps the files of the alerts that a viewer sees, each once, when their digests are right."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from edge.evidence.keep import keep
from edge.protocol.topics import parse_evidence_topic
from edge.terminal.board import Notice

MAX_REMEMBERED = 10_000  # both brokers carry each file; the second copy comes within seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class FileCame:
    """A file as a broker hands it over."""

    topic: str
    payload: bytes
    name: str
    sha256: str


class EvidenceFolder:
    """A folder with a folder for each alert."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._kept: dict[str, None] = {}

    def take(self, came: FileCame) -> Notice | None:
        """Keep the file; returns what to tell of it. OSError where it cannot be written."""
        topic = parse_evidence_topic(came.topic)
        if topic is None:
            return None
        if hashlib.sha256(came.payload).hexdigest() != came.sha256:
            return Notice(name="evidence_damaged", facts={"topic": f"{topic.alert_id}/{topic.n}"})
        if came.topic + came.sha256 in self._kept:
            return None
        self._kept[came.topic + came.sha256] = None
        if len(self._kept) > MAX_REMEMBERED:
            del self._kept[next(iter(self._kept))]
        place = self._folder / topic.site
        path = keep(place, topic.alert_id, topic.n, came.name, came.payload)
        return Notice(name="evidence_kept", facts={"alert": topic.alert_id, "file": path.name})
