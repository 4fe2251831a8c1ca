"""Which files an alert carries: new ones with new evidence, the known ones until then."""

import hashlib
from collections import OrderedDict
from dataclasses import dataclass, field, replace

from edge.evidence.drafts import Seen, drafts, is_worth_files, seen
from edge.protocol.contract import EvidenceMessage
from fusion.types import Alert, Level, Phase, Record

MAX_REMEMBERED = 1_000  # as many as the engine remembers: some days of alerts


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceFile:
    """A file that goes out with a revision of an alert."""

    n: int
    """Counts the files of the alert over its revisions, from 1 on."""
    message: EvidenceMessage
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """What an alert has told of each of its sensors."""

    count: int = 0
    seen: dict[str, Seen] = field(default_factory=dict)
    files: dict[str, tuple[EvidenceMessage, ...]] = field(default_factory=dict)
    shown: tuple[str, ...] = ()
    """Whose files the last revision named, in the order in which they were first told of."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a revision carries."""

    listed: tuple[EvidenceMessage, ...] = ()
    """Everything that it names."""
    new: tuple[EvidenceFile, ...] = ()
    """What has to be sent before it; the others have been."""
    told: _Told | None = None
    """For `EvidenceMaker.keep`: what has been told once this has."""


class EvidenceMaker:
    """Makes the files of one boot's alerts, in the order in which the alerts are told."""

    def __init__(self) -> None:
        self._told: OrderedDict[str, _Told] = OrderedDict()

    def of(self, alert: Alert) -> Evidence:
        """The files of this revision. It counts as told only after `keep`."""
        before = self._told.get(alert.alert_id)
        quiet = _own_level(alert) < Level.ADVISORY or alert.phase is Phase.CLEAR
        fresh = () if quiet else alert.records
        if before is None and not fresh:
            return Evidence()
        told = before or _Told()
        new: list[EvidenceFile] = []
        for record in fresh:
            if is_worth_files(record, told.seen.get(record.sensor_id)):
                told, made = _with_files(alert, record, told)
                new += made
        if fresh:  # of many stations along a line, those that say most by now
            names = {record.sensor_id for record in fresh}
            told = replace(told, shown=tuple(name for name in told.files if name in names))
        listed = tuple(message for name in told.shown for message in told.files[name])
        return Evidence(listed, tuple(new), told)

    def keep(self, alert_id: str, evidence: Evidence) -> None:
        """The revision with this evidence goes out: later ones may name its files."""
        if evidence.told is None:
            return
        self._told[alert_id] = evidence.told
        if len(self._told) > MAX_REMEMBERED:
            self._told.popitem(last=False)


def _own_level(alert: Alert) -> int:
    """Of one that is shelved or folded into a group its own: it is looked at later."""
    own = alert.facts.get("own_level")
    return own if isinstance(own, int) else int(alert.level)


def _with_files(alert: Alert, record: Record, told: _Told) -> tuple[_Told, list[EvidenceFile]]:
    """Both files of a sensor, which take the place of what was told of it before."""
    known = list(told.files)
    at = known.index(record.sensor_id) if record.sensor_id in known else len(known)
    made: list[EvidenceFile] = []
    for name, kind, data in drafts(alert, record, at):
        sha256 = hashlib.sha256(data).hexdigest()
        message = EvidenceMessage(name=name, media_type=kind, sha256=sha256, bytes=len(data))
        made.append(EvidenceFile(n=told.count + len(made) + 1, message=message, data=data))
    messages = tuple(file.message for file in made)
    after = replace(
        told,
        count=told.count + len(made),
        seen={**told.seen, record.sensor_id: seen(record)},
        files={**told.files, record.sensor_id: messages},
    )
    return after, made
