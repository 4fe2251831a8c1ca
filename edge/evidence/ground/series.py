"""A clip made ready to be drawn: by columns of pixels, in units that a person reads.

All places are columns of one time axis. Where nothing was received there is NaN.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.evidence.axes import Level
from edge.evidence.ground.segments import segments
from fusion.kernels import wave
from fusion.kernels.seismic_layout import PASS_SECTIONS
from fusion.seismic_bank import HIGHEST_SHARE, KEPT_HZ, SLOW_HZ
from fusion.seismic_filters import butterworth_band, low_pass
from fusion.types import SECOND_NS
from fusion.wave_record import WaveRecord

Floats = NDArray[np.float64]

JITTER_NS = SECOND_NS // 50  # of a clock: nobody sees it in a picture
RUN_IN_NS = 4 * SECOND_NS  # the filter has settled on the packets before the clip by then
ENVELOPE_S = 0.1  # a footstep's envelope is as long
COLUMN_PIXELS = 2  # of the spectrogram
WINDOW_S = 0.45  # or somewhat longer: short beside the half second between two steps
HIGHEST_HZ = 110.0  # propellers turn below (facts/seismic.md 3.2)
MICRO, NANO = 1e6, 1e9
FAINT_UM_S = 0.1  # less is told in nm/s


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One channel of a clip."""

    axis: Level
    """Seconds since the event began."""
    unit: str
    band_hz: tuple[float, float]
    lowest: Floats
    """(columns,) of the band-passed motion"""
    highest: Floats
    """(columns,)"""
    envelope: Floats
    """(columns,) its mean size"""
    power: Floats
    """(columns / 2, bins) of the motion as it came; NaN where a window is not whole"""
    bin_hz: float
    top_hz: float


def series_of(record: WaveRecord, left: int, right: int) -> Series | None:
    """The record's best channel between two columns; None: it has no samples."""
    trace = record.traces[0]
    found = segments(trace, record.begin_utc_ns - RUN_IN_NS, record.end_utc_ns, JITTER_NS)
    if not found:
        return None
    axis = Level(
        left, right, _since(record, record.begin_utc_ns), _since(record, record.end_utc_ns)
    )
    factor = 1 if trace.rate_hz < SLOW_HZ else int(trace.rate_hz / KEPT_HZ)
    rate_hz = trace.rate_hz / factor
    carried_hz = HIGHEST_SHARE * rate_hz
    band_hz = min(record.band_hz[0], 0.5 * carried_hz), min(record.band_hz[1], carried_hz)
    sections, gain = butterworth_band(PASS_SECTIONS, *band_hz, rate_hz)
    taps, size = low_pass(factor), _window(rate_hz)
    edges = axis.low + (axis.high - axis.low) * np.arange(axis.width + 1) / axis.width
    lowest, highest, envelope = (np.full(axis.width, np.nan) for _ in range(3))
    power = np.full((axis.width // COLUMN_PIXELS, size // 2), np.nan)
    for start_utc_ns, counts in found:
        base = int(counts[0])
        samples = wave.decimated(counts, taps, factor, base)
        passed = wave.band_passed(samples, np.array(sections), gain)
        start_s = _since(record, start_utc_ns)
        places = np.ceil((edges - start_s) * rate_hz - 1e-6).astype(np.int64)
        inside = np.fmin(np.fmax(places, 0), len(samples))
        wave.extremes(passed, inside[:-1], inside[1:], lowest, highest)
        _fill(passed, edges, start_s, rate_hz, envelope)
        middles = 0.5 * (edges[:-1:COLUMN_PIXELS] + edges[COLUMN_PIXELS::COLUMN_PIXELS])
        begins = np.rint((middles - start_s) * rate_hz - size / 2).astype(np.int64)
        # At the ends of what was received the last whole window stands.
        whole = np.fmin(np.fmax(begins, 0), len(samples) - size)
        wave.powers(samples, np.where(abs(whole - begins) <= size // 2, whole, -1), power)
    unit, scale = _unit(trace.counts_per_m_s, highest, lowest, calibrated=trace.calibrated)
    return Series(
        axis=axis,
        unit=unit,
        band_hz=band_hz,
        lowest=scale * lowest,
        highest=scale * highest,
        envelope=scale * envelope,
        power=power,
        bin_hz=rate_hz / size,
        top_hz=min(carried_hz, HIGHEST_HZ),
    )


def _since(record: WaveRecord, utc_ns: int) -> float:
    return (utc_ns - record.start_utc_ns) / SECOND_NS


def _window(rate_hz: float) -> int:
    size = 16
    while size < WINDOW_S * rate_hz:
        size *= 2
    return size


def _fill(passed: Floats, edges: Floats, start_s: float, rate_hz: float, envelope: Floats) -> None:
    """Each column's mean over at least the length of a step."""
    middles = 0.5 * (edges[:-1] + edges[1:])
    half_s = max(0.5 * ENVELOPE_S, 0.5 * float(edges[1] - edges[0]))
    first = np.ceil((middles - half_s - start_s) * rate_hz - 1e-6).astype(np.int64)
    last = np.ceil((middles + half_s - start_s) * rate_hz - 1e-6).astype(np.int64)
    size = len(passed)
    wave.mean_sizes(
        passed, np.fmin(np.fmax(first, 0), size), np.fmin(np.fmax(last, 0), size), envelope
    )


def _unit(
    counts_per_m_s: float, highest: Floats, lowest: Floats, *, calibrated: bool
) -> tuple[str, float]:
    if not calibrated:
        return "counts", 1.0
    scale = MICRO / counts_per_m_s
    peak_um_s = scale * largest(highest, lowest)
    return ("nm/s", NANO / counts_per_m_s) if peak_um_s < FAINT_UM_S else ("µm/s", scale)


def largest(*arrays: Floats) -> float:
    """The largest size in any of them; 0 where there is nothing."""
    return max(float(np.fmax.reduce(np.abs(each), initial=0.0)) for each in arrays)
