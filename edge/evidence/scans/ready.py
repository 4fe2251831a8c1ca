"""Makes of a scan's pixels what an alert will need, in the worker that measured it."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import structlog

from edge import metrics
from edge.evidence.scans.planes import message_file, name_of, planes_of, whole_name
from edge.evidence.scans.sheet import sheet_of
from edge.evidence.scans.tiff import Grey
from fusion.scan_record import ScanPixels, ScanRecord
from fusion.types import ScanFinding, ScanSample


class Naming:
    """Finds out what a scan's whole planes are called while the scan is still being measured.

    10 ms for 19 MB, which do not hold Python up; the second core has nothing else to do then.
    """

    def __init__(self, scan: ScanSample) -> None:
        planes = {"high": scan.high, "low": scan.low, "composite": scan.composite}
        self._planes: list[tuple[str, Grey]] = [
            (name, plane) for name, plane in planes.items() if plane is not None
        ]
        with_thread = ThreadPoolExecutor(1, thread_name_prefix="naming")
        self._name = with_thread.submit(name_of, self._planes)
        with_thread.shutdown(wait=False)

    def of(self, pixels: ScanPixels) -> str:
        """What `whole_name` says of these pixels."""
        kept = planes_of(pixels)
        same = len(kept) == len(self._planes) and all(
            one is other for (_, one), (_, other) in zip(kept, self._planes, strict=True)
        )
        return self._name.result() if same else whole_name(pixels)


KeepWhole = Callable[[ScanRecord, str], object]
"""Takes a record that still has its pixels, and what its whole planes are to be called."""

log = structlog.get_logger()


def ready(
    finding: ScanFinding, keep_whole: KeepWhole | None = None, naming: Naming | None = None
) -> ScanFinding:
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
        made = _made(finding, record, keep_whole, naming)
    except Exception:  # whatever is odd about a picture, what was measured in it goes on
        log.exception("evidence cannot be made", sensor=finding.sensor_id, scan=finding.scan_id)
        metrics.dropped("evidence", "unwritable")
        made = None
    return replace(finding, record=made)


def _made(
    finding: ScanFinding, record: ScanRecord, keep_whole: KeepWhole | None, naming: Naming | None
) -> ScanRecord:
    pixels = record.pixels
    assert pixels is not None
    regions = [(one.from_m, one.to_m, one.bottom_m, one.top_m) for one in finding.regions]
    with ThreadPoolExecutor(1) as beside:  # some 5 ms each, and neither holds Python up
        sheet = beside.submit(sheet_of, record, pixels)
        name = whole_name(pixels) if naming is None else naming.of(pixels)
        tiff = message_file(record, pixels, name, regions)
    made = replace(record, pixels=None, sheet=sheet.result(), tiff=tiff, whole=name)
    if keep_whole is not None:
        keep_whole(record, name)
    return made
