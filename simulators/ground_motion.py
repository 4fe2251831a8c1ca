"""The motion of the ground at a station: everything that shakes it, as its geophones have it."""

import numpy as np

from simulators.ground import Floats
from simulators.ground_blows import Blows
from simulators.ground_events import Events
from simulators.ground_noise import Background, Mains, Wind
from simulators.ground_rolling import Rolling
from simulators.ground_station import BLOCK_S, SPILL_S, Voice, station_of
from simulators.ground_tones import Tones
from simulators.scenario import Scenario

SLOWEST_HZ, FASTEST_HZ = 50, 5000


class GroundMotion:
    """Velocity of the ground at a station, second after second.

    The same scenario, sensor, rate and axes give the same motion. It is made a block at a time,
    which is what makes it cheap: a quiet second of 100 samples takes some 20 us.
    """

    def __init__(self, scenario: Scenario, sensor_id: str, rate_hz: int, axes: str) -> None:
        """ValueError: a rate that cannot be simulated, or an axis other than Z, N and E."""
        if not SLOWEST_HZ <= rate_hz <= FASTEST_HZ or not axes or set(axes) - set("ZNE"):
            raise ValueError(
                f"{sensor_id}: {rate_hz} Hz of axes {axes!r} cannot be simulated; a whole number "
                f"of {SLOWEST_HZ} to {FASTEST_HZ} Hz, and axes of Z, N and E can"
            )
        self.station = station_of(scenario, sensor_id, rate_hz, axes)
        wind = Wind(self.station)
        self._voices: tuple[Voice, ...] = (
            Background(self.station, wind),
            Mains(self.station),
            Blows(self.station, wind),
            Rolling(self.station),
            Tones(self.station),
            Events(self.station),
        )
        self._rate_hz = rate_hz
        self._second = 0
        self._motion = np.zeros((len(axes), (BLOCK_S + SPILL_S) * rate_hz))

    def next_second(self) -> Floats:
        """Velocity in m/s of the second that follows, (axes, samples)."""
        within = self._second % BLOCK_S
        if within == 0:
            self._next_block()
        self._second += 1
        return self._motion[:, within * self._rate_hz : (within + 1) * self._rate_hz].copy()

    def _next_block(self) -> None:
        block = BLOCK_S * self._rate_hz
        spilt = self._motion.shape[1] - block
        if self._second:
            self._motion[:, :spilt] = self._motion[:, block:]
            self._motion[:, spilt:] = 0.0
        for voice in self._voices:
            voice.add(self._motion, self._second)
