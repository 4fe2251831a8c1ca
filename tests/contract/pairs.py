"""A driver and its simulator, as the contract sees them: bytes, times, samples."""

import hashlib
from dataclasses import fields
from functools import cache

import numpy as np

from drivers.catalog import KINDS as DRIVERS
from drivers.wire.malformed import Malformed
from fusion.types import MILLISECOND_NS, Origin
from simulators.catalog import KINDS as SIMULATORS
from tests.contract.scenarios import DEVICE, LANE, START_UTC_NS, WIRES, ZONE, small_day

STEP_MS = 100


class Pair:
    """One kind: everything that the clauses need, computed once."""

    def __init__(self, kind):
        self.kind = kind
        self.driver = DRIVERS[kind]
        self.simulator = SIMULATORS[kind]
        self.wire = WIRES[kind]
        self.scenario = small_day(kind)
        self.arrivals = self._arrivals()
        self.data = b"".join(data for _, data in self.arrivals)
        self.records = [
            (received_utc_ns, record)
            for received_utc_ns, data in self.arrivals
            for record in self.wire.records(data)
        ]

    def config(self, url="tcp://127.0.0.1:1", **keys):
        """A configuration for the device at `url`."""
        place = {"lane": LANE} if self.wire.lane else {"zone": ZONE}
        return self.driver.config(id=DEVICE, url=url, **place, **dict(self.wire.keys), **keys)

    def simulate(self, *, seed=7, steps_ms=None):
        """All bytes of the day, played in the given steps."""
        scenario = small_day(self.kind, seed)
        simulator = self.simulator.build(scenario, DEVICE)
        total_ms = round(scenario.duration_s * 1000)
        if steps_ms is None:
            return b"".join(simulator.step(STEP_MS) for _ in range(total_ms // STEP_MS))
        pieces, left_ms = [], total_ms
        for step_ms in steps_ms:  # some days are shorter than many long steps
            pieces.append(simulator.step(min(step_ms, left_ms)))
            left_ms -= min(step_ms, left_ms)
        return b"".join(pieces) + simulator.step(left_ms)

    def new_driver(self, origin=Origin.SIMULATOR):
        """A driver without memory."""
        return self.driver.build(self.config(), origin)

    def feed(self, chunks, origin=Origin.SIMULATOR):
        """What a new driver makes of (received_utc_ns, bytes), as comparable values."""
        driver = self.new_driver(origin)
        return [
            comparable(one)
            for received_utc_ns, data in chunks
            for one in driver.feed(data, received_utc_ns)
        ]

    def samples(self, chunks, origin=Origin.SIMULATOR):
        """`feed` without what is malformed."""
        return [one for one in self.feed(chunks, origin) if one[0] != "Malformed"]

    def _arrivals(self):
        simulator = self.simulator.build(self.scenario, DEVICE)
        arrivals = []
        for elapsed_ms in range(STEP_MS, round(self.scenario.duration_s * 1000) + 1, STEP_MS):
            if data := simulator.step(STEP_MS):
                arrivals.append((START_UTC_NS + elapsed_ms * MILLISECOND_NS, data))
        return arrivals


@cache
def pair_of(kind):
    """The kind's pair; a day is simulated once for all clauses."""
    return Pair(kind)


def comparable(one):
    """A sample as a value that `==` compares, whole pictures and waveforms included."""
    if isinstance(one, Malformed):
        return ("Malformed", one.reason)
    values = ((field.name, getattr(one, field.name)) for field in fields(one))
    return (type(one).__name__, *((name, _value(value)) for name, value in values))


def _value(value):
    if isinstance(value, np.ndarray):
        digest = hashlib.sha256(np.ascontiguousarray(value).tobytes()).hexdigest()
        return (str(value.dtype), value.shape, digest)
    return value
