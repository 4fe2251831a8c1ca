"""One scanner's own condition, as its scans show it: its drift."""

from fusion.scans.drift import DriftWatch
from fusion.scans.scanner_policy import ScannerPolicy
from fusion.types import Detection, ScanFinding, SensorSpec


class ScannerWatch:
    """Follows one scanner from scan to scan; the same findings give the same detections."""

    def __init__(self, spec: SensorSpec, policy: ScannerPolicy) -> None:
        self._drift = DriftWatch(spec, policy)

    def feed(self, finding: ScanFinding) -> tuple[ScanFinding, list[Detection]]:
        """The finding with what its scanner's past adds to it, and what has begun or ended."""
        return self._drift.feed(finding)
