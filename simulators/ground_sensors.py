"""The instruments that stand in simulated ground: what of its motion they make counts of.

Sensitivities, corners and least counts are those of facts/seismic.md 1.1 to 1.5 and 3.3.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulators.ground import Floats
from simulators.scenario import SensorPlace


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument:
    """A geophone with its digitiser."""

    corner_hz: float
    """Below it the response falls by 40 dB a decade; after the firmware's extension, if any."""
    damping: float
    flat_share: float
    """Of half the rate, from which its filter takes away. Over 1: it has none, and folds."""
    counts_per_m_s: float
    noise_m_s: float
    """Self-noise, rms in 80 Hz: coil, preamplifier and converter."""
    bits: int
    middle: int = 0
    """Count of no motion: 2,048 of a 12-bit converter that knows no sign."""
    jitter_counts: float = 0.0
    """rms of the converter's own noise."""
    hum_m_s: float = 0.0
    """Of mains, picked up by its wires, as if the ground hummed."""
    spike_share: float = 0.0
    """Of the samples: single ones that are wrong by some tens of counts."""

    def counts(self, motion_m_s: Floats, random: np.random.Generator) -> NDArray[np.int64]:
        """Whole counts of the motion, clipped to what the converter has; any shape."""
        values = motion_m_s * self.counts_per_m_s + self.middle
        if self.jitter_counts > 0.0:
            values = values + self.jitter_counts * random.standard_normal(motion_m_s.shape)
        if self.spike_share > 0.0:
            wrong = random.random(motion_m_s.shape) < self.spike_share
            values = values + wrong * random.normal(0.0, 60.0, motion_m_s.shape)
        lowest = 0 if self.middle else -(1 << (self.bits - 1))
        clipped = np.clip(np.rint(values), lowest, lowest + (1 << self.bits) - 1)
        return np.asarray(clipped, dtype=np.int64)


SM24_V_PER_M_S = 28.8

INSTRUMENTS = {
    "shake": Instrument(
        corner_hz=0.5,  # flat from there to 80 % of half the rate
        damping=0.7,
        flat_share=0.8,
        counts_per_m_s=3.9965e8,
        noise_m_s=2.8e-9,
        bits=32,
    ),
    "anyshake": Instrument(
        corner_hz=0.5,  # the firmware moves the 4.5 Hz of its geophone down
        damping=0.7,
        flat_share=0.85,
        counts_per_m_s=8.59e10,
        noise_m_s=0.9e-9,
        bits=32,
        jitter_counts=20.0,
    ),
    "sm24-12bit": Instrument(  # MCP3201 at 3.3 V behind a gain of 85, as a Geoscope node
        corner_hz=10.0,
        damping=0.6,
        flat_share=1.5,
        counts_per_m_s=SM24_V_PER_M_S * 85.0 * 4096.0 / 3.3,
        noise_m_s=12e-9,
        bits=12,
        middle=2048,
        jitter_counts=0.6,
        hum_m_s=4e-6,  # 7.6 to 13 um/s rms in all on such nodes (facts/seismic.md 3.3)
        spike_share=2e-5,
    ),
    "sm24-ads1115": Instrument(  # the finest of its ranges, 7.8 uV, without a preamplifier
        corner_hz=10.0,
        damping=0.25,
        flat_share=1.2,
        counts_per_m_s=1.0 / 271e-9,
        noise_m_s=5e-9,
        bits=16,
        jitter_counts=0.7,
        hum_m_s=0.6e-6,
    ),
    "lgt-ads1256": Instrument(  # the AnyShake clone: 24 bits, gain 64, a 4.5 Hz geophone
        corner_hz=4.5,
        damping=0.6,
        flat_share=0.7,
        counts_per_m_s=28.0 * 64.0 * 8_388_608.0 / 5.0,
        noise_m_s=4e-9,
        bits=24,
        jitter_counts=6.0,
    ),
}
"""Instruments by name; a sensor's option `instrument` chooses one."""

_BY_KIND = {"anyshake-serial": "anyshake", "ascii-serial": "sm24-12bit"}


def instrument(place: SensorPlace) -> Instrument:
    """The instrument at a place: as its options say, else as usual for its kind."""
    return INSTRUMENTS[place.option("instrument", _BY_KIND.get(place.kind, "shake"))]
