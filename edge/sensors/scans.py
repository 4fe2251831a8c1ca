"""The heavy step: a scan comes out of its driver and is measured, in a worker."""

from collections.abc import Callable
from dataclasses import dataclass, field

from drivers.wire.malformed import Malformed
from edge.evidence.scans.ready import KeepWhole, Naming, ready
from fusion.scans.calibrate import ScanMemory
from fusion.scans.stream import LineScorer
from fusion.types import Sample, ScanFinding, ScanLines, ScanSample
from fusion.xray import XrayPolicy, analyse

Read = list[Sample | Malformed]


@dataclass(slots=True)
class _Scanner:
    """What is kept of one scanner from scan to scan."""

    scorer: LineScorer
    memory: ScanMemory = field(default_factory=ScanMemory)


class Measuring:
    """Measures the scans of a checkpoint's scanners; of each one at a time, in order.

    keep_whole  takes the whole planes of every scan, where they are to be kept
    """

    def __init__(self, policy: XrayPolicy, keep_whole: KeepWhole | None = None) -> None:
        self._policy = policy
        self._keep_whole = keep_whole
        self._scanners: dict[str, _Scanner] = {}

    def __call__(self, read: Callable[[], Read]) -> Read:
        """What `read` returns, with a light `ScanFinding` in the place of each `ScanSample`.

        Lines of a scan that is going on are taken in; a finding of what they show so far comes
        in their place where there is something to tell. Raises whatever the analysis raises on a
        picture that it did not expect.
        """
        found: Read = []
        for item in read():
            if isinstance(item, ScanSample | ScanLines):
                naming = Naming(item) if isinstance(item, ScanSample) else None
                finding = self._measured(item)
                if finding is not None:
                    found.append(ready(finding, self._keep_whole, naming))
            else:
                found.append(item)
        return found

    def _measured(self, item: ScanSample | ScanLines) -> ScanFinding | None:
        scanner = self._scanners.get(item.sensor_id)
        if scanner is None:
            scanner = _Scanner(LineScorer(self._policy, analyse))
            self._scanners[item.sensor_id] = scanner
        if isinstance(item, ScanLines):
            return scanner.scorer.lines(item, scanner.memory)
        return scanner.scorer.whole(item, scanner.memory)
