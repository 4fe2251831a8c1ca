"""A scanner over many scans: each value of its self-check against a reference that stays put."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from fusion.scans.scanner_policy import ScannerPolicy
from fusion.types import (
    MILLISECOND_NS,
    SECOND_NS,
    Detection,
    Fact,
    ScanFinding,
    SensorSpec,
)

Cause = Literal["source", "detector", "lines", "focus", "speed"]


@dataclass(frozen=True, slots=True)
class Watched:
    """One value: what ails the scanner when it moves, and how to tell it."""

    cause: Cause
    unit: str
    """`percent` for shares, else what is counted."""
    relative: bool = False
    """Its limit is a share of the reference."""
    either_way: bool = False
    """Less than the reference is as bad as more."""
    worse_below: bool = False
    reference: float | None = None
    """Where the truth is known, nothing need be learned."""


WATCHED: Mapping[str, Watched] = {
    "air_counts": Watched("source", "counts", relative=True, either_way=True),
    "air_noise": Watched("source", "percent", relative=True),
    "snr": Watched("source", "times", relative=True, worse_below=True),
    "pulse_sigma": Watched("source", "percent"),
    "missed_lines": Watched("source", "lines"),
    "penetration_mm": Watched("source", "mm", worse_below=True),
    "dark_counts": Watched("detector", "counts", either_way=True),
    "dark_noise_counts": Watched("detector", "counts", relative=True),
    "dead_rows": Watched("detector", "rows"),
    "hot_rows": Watched("detector", "rows"),
    "gain_drift": Watched("detector", "percent", reference=0.0),
    "module_step": Watched("detector", "percent"),
    "saturated": Watched("detector", "percent"),
    "unusable": Watched("detector", "percent"),
    "lost_lines": Watched("lines", "lines", reference=0.0),
    "duplicated_lines": Watched("lines", "lines", reference=0.0),
    "edge_px": Watched("focus", "pixels", relative=True),
    "speed_error": Watched("speed", "percent", either_way=True, reference=0.0),
    "low_air_counts": Watched("source", "counts", relative=True, either_way=True),
    "low_air_noise": Watched("source", "percent", relative=True),
    "low_pulse_sigma": Watched("source", "percent"),
    "low_missed_lines": Watched("source", "lines"),
    "low_dark_counts": Watched("detector", "counts", either_way=True),
    "low_dead_rows": Watched("detector", "rows"),
}
"""In the order in which they are told; one alert for each cause."""


@dataclass(slots=True)
class _Track:
    """One value's way."""

    watched: Watched
    learned: list[float] = field(default_factory=list)
    recent: deque[tuple[int, float]] = field(default_factory=deque)
    """(start of the scan, value)."""
    reference: float | None = None
    wander: float = 0.0
    told_scans: int = 0
    """For how many scans it has been drifting; 0: it is not."""

    def now(self) -> float:
        """The middle of the last few."""
        return _middle([value for _, value in self.recent])

    def past(self, value: float, limit: float) -> float:
        """How far it is beyond its reference, in limits; more than 1 is drift."""
        if self.reference is None or limit <= 0.0:
            return 0.0
        allowed = limit * (abs(self.reference) if self.watched.relative else 1.0)
        allowed = max(allowed, self.wander)
        off = value - self.reference
        if self.watched.either_way:
            off = abs(off)
        elif self.watched.worse_below:
            off = -off
        return off / allowed if allowed > 0.0 else 0.0


class DriftWatch:
    """What one scanner's findings say of it: `feed` each, in order; the same again on replay."""

    def __init__(self, spec: SensorSpec, policy: ScannerPolicy) -> None:
        self._spec = spec
        self._policy = policy
        self._tracks = {
            name: _Track(watched, reference=watched.reference)
            for name, watched in WATCHED.items()
            if name in policy.drift_limits
        }
        self._gains: list[tuple[float, ...]] = []
        self._gain_reference: tuple[float, ...] = ()
        self._began: dict[Cause, tuple[int, tuple[str, ...]]] = {}
        """Of each cause that is told: since when, and of which values."""

    def feed(self, finding: ScanFinding) -> tuple[ScanFinding, list[Detection]]:
        """The finding with how dark and gain have changed, and what has begun or ended."""
        if finding.interim or not finding.quality or "composite-only" in finding.notes:
            return finding, []
        since = self._dark_drift(finding) | self._gain_drift(finding.row_gain)
        finding = replace(finding, quality=(*finding.quality, *since.items()))
        for name, value in finding.quality:
            track = self._tracks.get(name)
            if track is not None:
                self._follow(track, finding.start_utc_ns, value, self._policy.drift_limits[name])
        return finding, self._changes(finding)

    def _dark_drift(self, finding: ScanFinding) -> dict[str, float]:
        """Counts by which the dark level is over the reference."""
        track, dark = self._tracks.get("dark_counts"), dict(finding.quality).get("dark_counts")
        if track is None or track.reference is None or dark is None:
            return {}
        return {"dark_drift_counts": float(f"{dark - track.reference:.4g}")}

    def _gain_drift(self, gains: tuple[float, ...]) -> dict[str, float]:
        """The largest change of any block of detector rows against the reference."""
        if not gains:
            return {}
        if self._gain_reference and len(self._gain_reference) != len(gains):
            self._gains, self._gain_reference = [], ()  # another way of reading the detectors out
        if not self._gain_reference:
            self._gains = [one for one in self._gains if len(one) == len(gains)] + [gains]
            if len(self._gains) >= self._policy.warm_up_scans:
                columns = zip(*self._gains, strict=True)
                self._gain_reference = tuple(_middle(list(column)) for column in columns)
                self._gains = []
            return {}
        pairs = zip(gains, self._gain_reference, strict=True)
        # A block that has died is a matter of dead rows.
        changes = [abs(now / then - 1.0) for now, then in pairs if now > 0.0 and then > 0.0]
        return {"gain_drift": float(f"{max(changes, default=0.0):.4g}")}

    def _follow(self, track: _Track, start_utc_ns: int, value: float, limit: float) -> None:
        track.recent.append((start_utc_ns, value))
        while len(track.recent) > self._policy.recent_scans:
            track.recent.popleft()
        if len(track.learned) < self._policy.warm_up_scans:
            track.learned.append(value)
            if len(track.learned) == self._policy.warm_up_scans:
                middle = _middle(track.learned)
                spread = _middle([abs(one - middle) for one in track.learned])
                track.wander = self._policy.wander * 1.4826 * spread
                track.reference = middle if track.reference is None else track.reference
            return
        if 2 * len(track.recent) <= self._policy.recent_scans:
            return
        past = track.past(track.now(), limit)
        if track.told_scans == 0:
            track.told_scans = 1 if past > 1.0 else 0
        elif past < self._policy.clear_share:
            track.told_scans = 0
        elif track.told_scans >= self._policy.relearn_scans:
            self._accept(track)
        else:
            track.told_scans += 1

    def _accept(self, track: _Track) -> None:
        """What has been told for long enough is the reference from now on."""
        track.told_scans = 0
        if track is self._tracks.get("gain_drift"):
            self._gain_reference = ()  # learned anew from the next scans
            track.recent.clear()
        elif track.watched.reference is None:
            track.reference = track.now()

    def _changes(self, finding: ScanFinding) -> list[Detection]:
        """A detection for each cause that begins, ends, or that other values have joined."""
        found = []
        drifting: dict[Cause, list[str]] = {}
        for name, track in self._tracks.items():
            if track.told_scans:
                drifting.setdefault(self._cause(name), []).append(name)
        for cause in sorted(self._began.keys() | drifting.keys()):
            names = tuple(sorted(drifting.get(cause, ()), key=self._most_past))
            before = self._began.get(cause)
            if not names and before is not None:
                del self._began[cause]
                found.append(self._detection(finding, cause, before, active=False))
            elif names and (before is None or not set(names) <= set(before[1])):
                began = before[0] if before is not None else self._since(names[0])
                self._began[cause] = (began, names)
                found.append(self._detection(finding, cause, (began, names), active=True))
        return found

    def _cause(self, name: str) -> Cause:
        """What ails the scanner: noisy electronics hide as much steel as a weak source does."""
        noise = self._tracks.get("dark_noise_counts")
        if name == "penetration_mm" and noise is not None and noise.told_scans:
            return noise.watched.cause
        return self._tracks[name].watched.cause

    def _most_past(self, name: str) -> tuple[float, str]:
        track = self._tracks[name]
        return -track.past(track.now(), self._policy.drift_limits[name]), name

    def _since(self, name: str) -> int:
        """Start of the first of the last scans that were beyond the limit without a break."""
        track, limit = self._tracks[name], self._policy.drift_limits[name]
        since = track.recent[-1][0]
        for start_utc_ns, value in reversed(track.recent):
            if track.past(value, limit) <= 1.0:
                break
            since = start_utc_ns
        return since

    def _detection(
        self,
        finding: ScanFinding,
        cause: Cause,
        told: tuple[int, tuple[str, ...]],
        *,
        active: bool,
    ) -> Detection:
        began_utc_ns, names = told
        track = self._tracks[names[0]]
        scale = 100.0 if track.watched.unit == "percent" else 1.0
        facts: dict[str, Fact] = {
            "active": active,
            "code": f"drift-{cause}",
            "value": names[0],
            "was": float(f"{scale * (track.reference or 0.0):.4g}"),
            "now": float(f"{scale * track.now():.4g}") if track.recent else None,
            "unit": track.watched.unit,
            "also": names[1:],
        }
        end_utc_ns = finding.start_utc_ns + finding.duration_ms * MILLISECOND_NS
        if not active:
            facts["began_utc_ns"] = began_utc_ns
            facts["duration_s"] = round((end_utc_ns - began_utc_ns) / SECOND_NS, 1)
        return Detection(
            sensor_id=self._spec.sensor_id,
            family=self._spec.family,
            origin=finding.origin,
            kind="health.drift",
            start_utc_ns=began_utc_ns,
            end_utc_ns=max(began_utc_ns, end_utc_ns),
            facts=facts,
            final=not active,
        )


def _middle(values: list[float]) -> float:
    """The lower median."""
    return sorted(values)[(len(values) - 1) // 2]
