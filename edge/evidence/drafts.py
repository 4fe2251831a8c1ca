"""The files of one record: what to call them, their bytes, and when they are made anew."""

from typing import NamedTuple

from edge.evidence.document import document
from edge.evidence.ground.clip import clip
from edge.evidence.ground.picture import wave_picture
from edge.evidence.ground.story import wave_story_of
from edge.evidence.picture import picture
from edge.evidence.scans.picture import scan_picture
from edge.evidence.scans.story import scan_story_of
from edge.evidence.scans.tdr import MEDIA_TYPE, tdr
from edge.evidence.story import story_of
from fusion.pass_record import PassRecord
from fusion.scan_record import ScanRecord
from fusion.types import SECOND_NS, Alert, Record
from fusion.wave_record import WaveRecord

N42, PNG, MINISEED = "application/xml", "image/png", "application/vnd.fdsn.mseed"
TIFF = "image/tiff"

GROWN_NS = 5 * SECOND_NS  # of an event, before it is drawn again for being called another thing
MUCH_NS = 10 * SECOND_NS  # the same for having gone on
GROWN, MUCH = 0.2, 0.5
"""And by such a share of what was drawn: an event of an hour is drawn thirty times at most."""

Seen = tuple[object, ...]


class Draft(NamedTuple):
    """A file before it has a number."""

    name: str
    media_type: str
    data: bytes


def drafts(alert: Alert, record: Record, nth: int) -> list[Draft]:
    """The files of the alert's `nth` sensor, counted from 0."""
    suffix = f"-{nth + 1}" if nth else ""
    if isinstance(record, ScanRecord):
        return _scan(alert, record, suffix)
    if isinstance(record, PassRecord):
        story = story_of(alert, record)
        return [
            Draft(f"pass{suffix}.n42", N42, document(record, story)),
            Draft(f"pass{suffix}.png", PNG, picture(record, story)),
        ]
    drawn = Draft(f"clip{suffix}.png", PNG, wave_picture(record, wave_story_of(alert, record)))
    try:
        return [Draft(f"clip{suffix}.mseed", MINISEED, clip(record)), drawn]
    except ImportError:  # an installation without pymseed has the picture alone
        return [drawn]


def _scan(alert: Alert, record: ScanRecord, suffix: str) -> list[Draft]:
    story = scan_story_of(alert, record)
    # The largest comes last: the alert follows it at once, the others fit into one window.
    made = [
        Draft(f"scan{suffix}.png", PNG, scan_picture(record, story)),
        Draft(f"report{suffix}.dcs", MEDIA_TYPE, tdr(record, story)),
    ]
    if record.tiff:
        made.append(Draft(f"planes{suffix}.tif", TIFF, record.tiff))
    return made


def seen(record: Record) -> Seen:
    """What has to be remembered of a record whose files were made."""
    if isinstance(record, WaveRecord):
        return (record.start_utc_ns, record.end_utc_ns, record.final, record.facts.get("class"))
    if isinstance(record, ScanRecord):
        return (record.scan_id,)
    spectra = record.spectra
    return (
        record.opened_utc_ns,
        record.closed_utc_ns,
        len(record.starts_utc_ns),
        len(record.neutron_starts_utc_ns),
        None if spectra is None else (len(spectra.starts_utc_ns), spectra.window),
    )


def is_worth_files(record: Record, before: Seen | None) -> bool:
    """Whether the record has more to show than the files that were made of it.

    A pass: as soon as the portal has measured more. An event of ground motion is told every
    second or so; its files are made anew when it is over, when it has another name, and when it
    has gone on for much longer.
    """
    now = seen(record)
    if before is None or not isinstance(record, WaveRecord):
        return now != before
    start_ns, end_ns, final, name = before
    assert isinstance(start_ns, int)
    assert isinstance(end_ns, int)
    more_ns = record.end_utc_ns - end_ns
    if record.start_utc_ns != start_ns:  # another event, of which the alert now makes more
        return more_ns >= GROWN_NS
    if record.final and not final:
        return more_ns > 0
    drawn_ns = end_ns - start_ns
    renamed = record.facts.get("class") != name
    return more_ns >= max(MUCH_NS, MUCH * drawn_ns) or (
        renamed and more_ns >= max(GROWN_NS, GROWN * drawn_ns)
    )
