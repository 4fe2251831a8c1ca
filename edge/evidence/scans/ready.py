"""Makes of a scan's pixels what an alert will need, in the worker that measured it."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import structlog

from edge import metrics
from edge.evidence.scans.planes import message_file, whole_name
from edge.evidence.scans.sheet import sheet_of
from fusion.scan_record import ScanRecord
from fusion.types import ScanFinding

KeepWhole = Callable[[ScanRecord, str], object]
"""Takes a record that still has its pixels, and what its whole planes are to be called."""

log = structlog.get_logger()


def ready(finding: ScanFinding, keep_whole: KeepWhole | None = None) -> ScanFinding:
    """The finding with the sheet and the file of its planes in the place of the pixels.

    So a truck that is remembered for minutes does not keep its planes in memory, and an alert
    has only its words to add.
    """
    record = finding.record
    if record is None or record.pixels is None:
        return finding
    if finding.interim:  # the whole scan follows within seconds, and is what is looked at
        return replace(finding, record=None)
    try:
        made = _made(finding, record, keep_whole)
    except Exception:  # whatever is odd about a picture, what was measured in it goes on
        log.exception("evidence cannot be made", sensor=finding.sensor_id, scan=finding.scan_id)
        metrics.dropped("evidence", "unwritable")
        made = None
    return replace(finding, record=made)


def _made(finding: ScanFinding, record: ScanRecord, keep_whole: KeepWhole | None) -> ScanRecord:
    pixels = record.pixels
    assert pixels is not None
    regions = [(one.from_m, one.to_m, one.bottom_m, one.top_m) for one in finding.regions]
    with ThreadPoolExecutor(1) as beside:  # each some 10 ms, and neither holds Python up
        digest = beside.submit(whole_name, pixels)
        sheet = sheet_of(record, pixels)
        name = digest.result()
    made = replace(
        record,
        pixels=None,
        sheet=sheet,
        tiff=message_file(record, pixels, name, regions),
        whole=name,
    )
    if keep_whole is not None:
        keep_whole(record, name)
    return made
