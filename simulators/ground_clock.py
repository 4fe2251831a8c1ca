"""What the clock of a simulated station says, and what its network loses."""

import numpy as np

from simulators.ground_station import chance
from simulators.scenario import Scenario

LOSS_SHARE, TWICE_SHARE, LATE_SHARE = 0.10, 0.04, 0.04  # of a bad radio link


class DeviceClock:
    """A clock with an offset, a drift and the steps that the scenario's faults give it.

    Options of its sensor: `clock_offset_ms`, `clock_drift_ppm`. Faults: `clock-step` is out by
    `size` seconds from its start to its end, as until the next NTP answer; `clock-drift` runs
    away by `size` parts a million, and is set right at its end.
    """

    def __init__(self, scenario: Scenario, sensor_id: str) -> None:
        place = scenario.sensor(sensor_id)
        self._start_utc_ns = scenario.start_utc_ns
        self._offset_ns = float(place.option("clock_offset_ms", "0")) * 1e6
        self._drift = float(place.option("clock_drift_ppm", "0")) * 1e-6
        self._faults = [
            fault
            for fault in scenario.faults
            if fault.sensor_id == sensor_id and fault.kind in ("clock-step", "clock-drift")
        ]
        self._right = not self._faults and self._offset_ns == 0.0 and self._drift == 0.0

    def told_ns(self, utc_ns: int) -> int:
        """What it says at this time."""
        if self._right:
            return utc_ns
        since_s = (utc_ns - self._start_utc_ns) / 1e9
        wrong_ns = self._offset_ns + self._drift * since_s * 1e9
        for fault in self._faults:
            if fault.start_s <= since_s < fault.end_s:
                if fault.kind == "clock-step":
                    wrong_ns += fault.size * 1e9
                else:
                    wrong_ns += fault.size * 1e3 * (since_s - fault.start_s)
        return utc_ns + round(wrong_ns)


class Network:
    """A link that loses packets, brings some twice and some late, while the scenario says so.

    A fault `loss` with a `size` does each to that share of the packets; without one it is a
    bad radio link. The sensor's option `loss` is such a share, all the time.
    """

    def __init__(self, scenario: Scenario, sensor_id: str) -> None:
        self._random = chance(scenario, f"fault/{sensor_id}")
        always = float(scenario.sensor(sensor_id).option("loss", "0"))
        self._always = (always, always, always)
        self._faults = [
            fault
            for fault in scenario.faults
            if fault.sensor_id == sensor_id and fault.kind == "loss"
        ]
        self._late: list[bytes] = []

    def carry(self, packets: list[bytes], at_s: float) -> list[bytes]:
        """What arrives of those sent together at a time; late ones with the next."""
        late, self._late = self._late, []
        lost, twice, slow = self._shares(at_s)
        if lost <= 0.0:
            return packets + late
        arrived = []
        for packet in packets:
            fate = self._random.random()
            if fate < lost:
                continue
            if fate < lost + twice:
                arrived += [packet, packet]
            elif fate < lost + twice + slow:
                self._late.append(packet)
            else:
                arrived.append(packet)
        return arrived + late

    def drop(self) -> None:
        """Nothing is on its way any more."""
        self._late.clear()

    @property
    def random(self) -> np.random.Generator:
        """The stream of what goes wrong."""
        return self._random

    def _shares(self, at_s: float) -> tuple[float, float, float]:
        for fault in self._faults:
            if fault.start_s <= at_s < fault.end_s:
                if fault.size > 0.0:
                    return fault.size, fault.size, fault.size
                return LOSS_SHARE, TWICE_SHARE, LATE_SHARE
        return self._always
