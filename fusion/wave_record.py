"""What one ground station heard of one event: what evidence files are made of."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Packet = tuple[int, NDArray[np.int32]]
"""UTC ns of the first sample, and the raw counts (samples,)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WaveTrace:
    """One channel, as its packets came."""

    channel: str
    rate_hz: float
    counts_per_m_s: float
    """1 where the sensitivity is not known."""
    calibrated: bool
    packets: tuple[Packet, ...]
    """In the order of time. They reach beyond the clip to either side."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WaveRecord:
    """One event at one station, so far or whole."""

    sensor_id: str
    start_utc_ns: int
    """Of the event."""
    end_utc_ns: int
    """Of the event, so far; the clip ends with it."""
    begin_utc_ns: int
    """Of the clip: somewhat before the event."""
    final: bool
    """The event is over."""
    band_hz: tuple[float, float]
    """In which the station listens for steps."""
    traces: tuple[WaveTrace, ...]
    """The channel that hears best first."""
    facts: Mapping[str, object]
    """What the station's detection says of the event."""
