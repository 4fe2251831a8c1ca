"""Metrics of X-ray scanners: what each scan says of its scanner, and what came of the scans.

Gauges hold the last scan that could show the value. About 40 series a scanner, bound once.
"""

from collections.abc import Mapping
from functools import cache

from prometheus_client import Counter, Gauge

from edge.metrics import REGISTRY
from fusion.types import SECOND_NS, Detection

_QUALITY = {
    "air_counts": ("air_counts", "Counts of a pixel in air, over the dark level."),
    "air_noise": ("air_noise_ratio", "Noise of a pixel in air over its level, from differences."),
    "snr": ("air_snr_ratio", "Level over all spread that calibration leaves, above the roof."),
    "quanta": ("air_quanta", "Quanta a pixel in air that its noise stands for."),
    "dark_counts": ("dark_counts", "Counts without beam, mean of all rows."),
    "dark_noise_counts": ("dark_noise_counts", "Noise of a pixel without beam."),
    "dark_drift_counts": ("dark_drift_counts", "Dark level minus the scanner's reference."),
    "row_gain_sigma": ("row_gain_sigma_ratio", "Spread of the rows' gains."),
    "gain_drift": ("gain_drift_ratio", "Largest change of a detector block against its reference."),
    "module_step": ("module_step_ratio", "Steps from one detector block to the next, root mean."),
    "dead_rows": ("dead_rows", "Detector rows that see less than half their due."),
    "hot_rows": ("hot_rows", "Detector rows that are bright in the dark, or twice as bright."),
    "pulse_sigma": ("pulse_sigma_ratio", "Spread of the pulses' strengths."),
    "missed_lines": ("missed_lines", "Lines of the scan whose pulse was missed."),
    "lost_lines": ("lost_lines", "Lines of the scan that never came."),
    "duplicated_lines": ("duplicated_lines", "Lines of the scan that came twice."),
    "saturated": ("saturated_ratio", "Share of pixels at the converter's end."),
    "unusable": ("unusable_ratio", "Share of the picture where too little was measured."),
    "edge_px": ("edge_pixels", "10 to 90 % of the end posts' edges."),
    "edge_mm": ("edge_millimeters", "The same along the vehicle."),
    "length_error_m": ("length_error_meters", "Measured length of the box minus its ISO length."),
    "speed_error": ("speed_error_ratio", "How much too long the picture is for an ISO box."),
    "penetration_mm": ("penetration_millimeters", "Steel that a cell is still seen behind."),
    "low_air_counts": ("low_air_counts", "Air level of the low-energy plane."),
    "low_dark_counts": ("low_dark_counts", "Dark level of the low-energy plane."),
    "low_air_noise": ("low_air_noise_ratio", "Noise in air of the low-energy plane."),
    "low_dead_rows": ("low_dead_rows", "Dead rows of the low-energy plane."),
    "low_pulse_sigma": ("low_pulse_sigma_ratio", "Spread of the low-energy pulses' strengths."),
    "low_missed_lines": ("low_missed_lines", "Low-energy pulses of the scan that were missed."),
}
"""Name in a finding to name of its gauge and help text, README's table has the same order."""

_PIECE = {
    "penetration_mm": ("penetration_millimeters", "Steel behind which a bar was seen (7.1)."),
    "wire_air_mm": ("wire_air_millimeters", "Finest wire seen in air (7.2)."),
    "wire_steel_mm": ("wire_steel_millimeters", "Finest wire seen behind steel (7.2)."),
    "contrast_percent": ("contrast_percent", "Least step seen on a steel plate (7.3)."),
    "resolution_mm": ("resolution_millimeters", "Finest bars that were resolved (7.4)."),
    "material_sigma": ("material_sigma", "Least distance between two materials (7.5)."),
}


def _gauges(prefix: str, names: Mapping[str, tuple[str, str]], of: str) -> dict[str, Gauge]:
    return {
        name: Gauge(f"garita_xray_{prefix}{metric}", text + of, ["sensor"], registry=REGISTRY)
        for name, (metric, text) in names.items()
    }


QUALITY = _gauges("", _QUALITY, " Of the last scan that showed it.")
PIECE = _gauges("test_piece_", _PIECE, " IEC 62523's test, at the last scan of the test piece.")
PIECE_PASSED = Gauge(
    "garita_xray_test_piece_passed",
    "1 where the last scan of the test piece kept all limits, else 0; absent before the first.",
    ["sensor"],
    registry=REGISTRY,
)
PIECE_AT = Gauge(
    "garita_xray_test_piece_timestamp_seconds",
    "When the last scan of the test piece began, in Unix time.",
    ["sensor"],
    registry=REGISTRY,
)
SCANS = Counter(
    "garita_xray_scans",
    "Scans since start: measured, partial, composite (8-bit), no-vehicle, no-picture, test-piece.",
    ["sensor", "result"],
    registry=REGISTRY,
)


class ScanMetrics:
    """One scanner's metrics; each is bound when it is first told."""

    def __init__(self, sensor_id: str) -> None:
        self._sensor_id = sensor_id
        self._gauges: dict[Gauge, Gauge] = {}
        self._results: dict[str, Counter] = {}

    def scanned(self, facts: Mapping[str, object]) -> None:
        """Take over an `xray.scan`."""
        self._count(_result(facts))
        self._take(QUALITY, facts.get("quality"))

    def test_piece(self, facts: Mapping[str, object], start_utc_ns: int) -> None:
        """Take over an `xray.test-piece`."""
        self._count("test-piece")
        self._take(QUALITY, facts.get("quality"))
        self._take(PIECE, facts.get("scores"))
        self._set(PIECE_PASSED, float(facts.get("passed") is True))
        self._set(PIECE_AT, start_utc_ns / SECOND_NS)

    def _take(self, gauges: Mapping[str, Gauge], values: object) -> None:
        if isinstance(values, Mapping):
            for name, value in values.items():
                if name in gauges and isinstance(value, int | float):
                    self._set(gauges[name], float(value))

    def _set(self, gauge: Gauge, value: float) -> None:
        bound = self._gauges.get(gauge)
        if bound is None:
            bound = self._gauges[gauge] = gauge.labels(self._sensor_id)
        bound.set(value)

    def _count(self, result: str) -> None:
        bound = self._results.get(result)
        if bound is None:
            bound = self._results[result] = SCANS.labels(self._sensor_id, result)
        bound.inc()


def take(detection: Detection) -> None:
    """Take over what a detection says of a scan; any other kind says nothing here."""
    if detection.kind == "xray.scan" and detection.final:
        _of(detection.sensor_id).scanned(detection.facts)
    elif detection.kind == "xray.test-piece":
        _of(detection.sensor_id).test_piece(detection.facts, detection.start_utc_ns)


@cache
def _of(sensor_id: str) -> ScanMetrics:
    return ScanMetrics(sensor_id)


def _result(facts: Mapping[str, object]) -> str:
    notes = facts.get("notes")
    told = notes if isinstance(notes, tuple) else ()
    if "no-picture" in told:
        return "no-picture"
    if facts.get("partial") is True:
        return "partial"
    if "no-vehicle" in told:
        return "no-vehicle"
    return "composite" if "composite-only" in told else "measured"
