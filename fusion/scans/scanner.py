"""One scanner's own condition, as its scans show it: its drift, and how it sees the test piece."""

from collections.abc import Mapping

from fusion.scans.drift import DriftWatch
from fusion.scans.scanner_policy import ScannerPolicy
from fusion.scans.test_piece import DECLARED
from fusion.types import MILLISECOND_NS, SECOND_NS, Detection, Fact, ScanFinding, SensorSpec

KIND = "xray.test-piece"
"""A scan of the test piece; no vehicle's passage."""

MORE_IS_BETTER = ("penetration_mm", "material_sigma")
UNITS = {"contrast_percent": "percent", "material_sigma": "sigma"}  # the rest is millimetres


class ScannerWatch:
    """Follows one scanner from scan to scan; the same findings give the same detections."""

    def __init__(self, spec: SensorSpec, policy: ScannerPolicy) -> None:
        self._spec = spec
        self._policy = policy
        self._drift = DriftWatch(spec, policy)
        self._failing_since_utc_ns: int | None = None

    def feed(self, finding: ScanFinding) -> tuple[ScanFinding, list[Detection]]:
        """The finding with what its scanner's past adds to it, and what has begun or ended."""
        finding, condition = self._drift.feed(finding)
        if finding.declared == DECLARED and not finding.interim:
            condition += self._judged(finding)
        return finding, condition

    def _judged(self, finding: ScanFinding) -> list[Detection]:
        failed = failures(finding.test_piece, self._policy.test_piece_limits)
        facts: dict[str, Fact] = {
            "scores": dict(finding.test_piece),
            "passed": not failed,
            "failed": failed,
            "quality": dict(finding.quality),
            "scan_id": finding.scan_id,
        }
        found = [self._detection(finding, KIND, finding.start_utc_ns, facts)]
        began = self._failing_since_utc_ns
        if failed:
            began = self._failing_since_utc_ns = began or finding.start_utc_ns
            told = self._told(finding, failed) | {"active": True}
            found.append(self._detection(finding, "health.test-piece", began, told))
        elif began is not None:
            self._failing_since_utc_ns = None
            over: dict[str, Fact] = {
                "active": False,
                "code": DECLARED,
                "began_utc_ns": began,
                "duration_s": round((finding.start_utc_ns - began) / SECOND_NS, 1),
            }
            found.append(self._detection(finding, "health.test-piece", began, over))
        return found

    def _told(self, finding: ScanFinding, failed: tuple[str, ...]) -> dict[str, Fact]:
        """What failed worst: by the largest share of its limit."""
        facts: dict[str, Fact] = {"code": DECLARED, "value": failed[0], "also": failed[1:]}
        score = dict(finding.test_piece).get(failed[0])
        if score is not None:
            facts["now"] = score
            facts["limit"] = self._policy.test_piece_limits[failed[0]]
            facts["unit"] = UNITS.get(failed[0], "mm")
        return facts

    def _detection(
        self, finding: ScanFinding, kind: str, start_utc_ns: int, facts: Mapping[str, Fact]
    ) -> Detection:
        end_utc_ns = finding.start_utc_ns + finding.duration_ms * MILLISECOND_NS
        return Detection(
            sensor_id=self._spec.sensor_id,
            family=self._spec.family,
            origin=finding.origin,
            kind=kind,
            start_utc_ns=start_utc_ns,
            end_utc_ns=max(start_utc_ns, end_utc_ns),
            facts=facts,
            final=facts.get("active") is not True,
        )


def is_test_piece(finding: ScanFinding) -> bool:
    """Whether a scan was one of the test piece; while its lines come, papers are believed."""
    return bool(finding.test_piece) or (finding.interim and finding.declared == DECLARED)


def failures(scores: tuple[tuple[str, float], ...], limits: Mapping[str, float]) -> tuple[str, ...]:
    """The scores that do not keep their limit, the worst first; `not-found` without any score."""
    if not scores:
        return ("not-found",)
    over = {}
    for name, score in scores:
        limit = limits.get(name)
        if limit is None or limit <= 0.0:
            continue  # this site has none
        worse = limit / max(score, 1e-9) if name in MORE_IS_BETTER else score / limit
        if worse > 1.0:
            over[name] = worse
    return tuple(sorted(over, key=lambda name: (-over[name], name)))
