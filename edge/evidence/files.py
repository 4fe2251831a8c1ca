"""Which files an alert carries: new ones with new radiation evidence, the known ones until then."""

import hashlib
from collections import OrderedDict
from dataclasses import dataclass, field, replace

from edge.evidence.document import document
from edge.evidence.picture import picture
from edge.evidence.story import story_of
from edge.protocol.contract import EvidenceMessage
from fusion.pass_record import PassRecord
from fusion.types import Alert, Level, Phase

MAX_REMEMBERED = 1_000  # as many as the engine remembers: some days of alerts
N42, PNG = "application/xml", "image/png"

Seen = tuple[object, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceFile:
    """A file that goes out with a revision of an alert."""

    n: int
    """Counts the files of the alert over its revisions, from 1 on."""
    message: EvidenceMessage
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """What an alert has told of each of its portals."""

    count: int = 0
    seen: dict[str, Seen] = field(default_factory=dict)
    files: dict[str, tuple[EvidenceMessage, ...]] = field(default_factory=dict)


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
        quiet = alert.level < Level.ADVISORY or alert.phase is Phase.CLEAR
        fresh = () if quiet else alert.records
        if before is None and not fresh:
            return Evidence()
        told = before or _Told()
        new: list[EvidenceFile] = []
        for record in fresh:
            if told.seen.get(record.sensor_id) != _seen(record):
                told, made = _with_files(alert, record, told)
                new += made
        listed = tuple(message for each in told.files.values() for message in each)
        return Evidence(listed, tuple(new), told)

    def keep(self, alert_id: str, evidence: Evidence) -> None:
        """The revision with this evidence goes out: later ones may name its files."""
        if evidence.told is None:
            return
        self._told[alert_id] = evidence.told
        if len(self._told) > MAX_REMEMBERED:
            self._told.popitem(last=False)


def _with_files(
    alert: Alert, record: PassRecord, told: _Told
) -> tuple[_Told, tuple[EvidenceFile, ...]]:
    """Both files of a portal, which take the place of what was told of it before."""
    story = story_of(alert, record)
    known = list(told.files)
    at = known.index(record.sensor_id) if record.sensor_id in known else len(known)
    stem = f"pass-{at + 1}" if at else "pass"
    made: list[EvidenceFile] = []
    for name, kind, data in (
        (f"{stem}.n42", N42, document(record, story)),
        (f"{stem}.png", PNG, picture(record, story)),
    ):
        sha256 = hashlib.sha256(data).hexdigest()
        message = EvidenceMessage(name=name, media_type=kind, sha256=sha256, bytes=len(data))
        made.append(EvidenceFile(n=told.count + len(made) + 1, message=message, data=data))
    messages = tuple(file.message for file in made)
    after = replace(
        told,
        count=told.count + len(made),
        seen={**told.seen, record.sensor_id: _seen(record)},
        files={**told.files, record.sensor_id: messages},
    )
    return after, tuple(made)


def _seen(record: PassRecord) -> Seen:
    """What is different as soon as the portal has measured more."""
    spectra = record.spectra
    return (
        record.opened_utc_ns,
        record.closed_utc_ns,
        len(record.starts_utc_ns),
        len(record.neutron_starts_utc_ns),
        None if spectra is None else (len(spectra.starts_utc_ns), spectra.window),
    )
