"""A portal with sodium iodide logs that pushes N42-2012 documents, one a second.

Each document holds ten slices of 0.1 s with a spectrum of every detector, the neutron tubes'
counts and whether the beam is broken; while the lane is vacant a background of 30 s follows now
and then. With the option `delivery` = `folder` there is one document an occupancy instead, its
background first, as portals write them into a folder.
"""

import re
import zlib

import numpy as np
from numpy.typing import NDArray

from drivers.wire import n42, n42_frames
from simulators.base import SimulatorKind
from simulators.radiation_spectra import SLICES, Second, SpectralScene
from simulators.scenario import Scenario, Vehicle
from simulators.spectra_photons import LOG_CM

DOCUMENT_MS = 1000
BACKGROUND_S = 30
VERSION = "n42-portal/1"
NEUTRON_NAME = "N"
HOLD_IN_S = 1.0  # after the beam has cleared
BEFORE_S = AFTER_S = 3  # of an occupancy's document, around it
TOP_KEV = 3000.0  # of the scale that the device states
SPEED_SPREAD = 0.02
FAULTS = ("tamper", "gamma-high", "gamma-low", "neutron-high")
"""What the device says of itself, in its document's fault codes."""


class SpectroscopicPortalSimulator:
    """One portal of the scenario. `step` moves it; its bytes do not depend on the step."""

    def __init__(self, scenario: Scenario, sensor_id: str) -> None:
        place = scenario.sensor(sensor_id)
        self._scenario = scenario
        self._sensor_id = sensor_id
        self._channels = int(place.option("channels", "1024"))
        detectors = int(place.option("detectors", "8"))
        self._folder = place.option("delivery", "push") == "folder"
        self._scene = SpectralScene(scenario, sensor_id, detectors, self._channels, TOP_KEV)
        self._spans_s = _occupancies(scenario.lane_vehicles(place.lane))
        self._due_ms = 0
        self._second = 0
        self._number = 0
        self._instrument = _instrument(sensor_id)
        self._names = detector_names(detectors)
        self._detectors = _detectors(self._names)
        self._calibration = n42.Calibration(coefficients=(0.0, TOP_KEV / self._channels))
        self._vacant = _Sum(detectors, self._channels)
        self._kept: list[n42.Measurement] = []
        self._pass: list[n42.Measurement] = []

    def step(self, dt_ms: int) -> bytes:
        """Let `dt_ms` of simulated time pass; return what the portal sent."""
        self._due_ms += dt_ms
        sent: list[bytes] = []
        while (self._second + 1) * DOCUMENT_MS <= self._due_ms:
            self._second += 1
            documents = self._one_second()
            if not self._fault("silent"):
                sent += [n42_frames.encode(n42.write(document)) for document in documents]
                sent += self._garbage()
        return b"".join(sent)

    def _one_second(self) -> list[n42.Document]:
        start_s = float(self._second - 1)
        background = self._before() if self._second == 1 else None
        second = self._scene.second(start_s)
        starts_s = start_s + np.arange(SLICES) / SLICES
        occupied = [self._occupied(float(at_s)) for at_s in starts_s]
        slices = self._slices(second, starts_s, occupied)
        if not any(occupied) and not self._near(start_s):
            self._vacant.add(second)
            if self._vacant.real_s >= BACKGROUND_S:
                background = self._background(start_s + 1.0)
        if self._folder:
            return self._by_occupancy(slices, background, any(occupied))
        told = [self._document([background])] if background is not None else []
        return [*told, self._document(slices)]

    def _before(self) -> n42.Measurement:
        """The background that the device measured before the scenario began."""
        for second in range(-BACKGROUND_S, 0):
            self._vacant.add(self._scene.second(float(second)))
        return self._background(0.0)

    def _slices(
        self, second: Second, starts_s: NDArray[np.float64], occupied: list[bool]
    ) -> list[n42.Measurement]:
        speed_m_s = self._speed(float(starts_s[0]))
        faults = self._device_faults()
        return [
            n42.Measurement(
                class_code="Foreground",
                start_utc_ns=self._utc_ns(float(starts_s[index])),
                real_s=1.0 / SLICES,
                spectra=self._spectra(second.counts[index], second.live_s[index]),
                gross=(_neutrons(int(second.neutrons[index]), 1.0 / SLICES),),
                occupied=occupied[index],
                speed_m_s=speed_m_s if index == 0 and occupied[0] else None,
                faults=faults if index == 0 else (),
            )
            for index in range(SLICES)
        ]

    def _spectra(
        self, counts: NDArray[np.uint32], live_s: NDArray[np.float64]
    ) -> tuple[n42.Spectrum, ...]:
        return tuple(
            n42.Spectrum(
                detector=name,
                live_s=round(float(live), 6),
                counts=counts[index],
                calibration=self._calibration,
            )
            for index, (name, live) in enumerate(zip(self._names, live_s, strict=True))
        )

    def _background(self, end_s: float) -> n42.Measurement:
        vacant, self._vacant = self._vacant, _Sum(len(self._names), self._channels)
        return n42.Measurement(
            class_code="Background",
            start_utc_ns=self._utc_ns(end_s - vacant.real_s),
            real_s=vacant.real_s,
            spectra=self._spectra(vacant.counts, vacant.live_s),
            gross=(_neutrons(vacant.neutrons, vacant.real_s),),
            occupied=False,
        )

    def _document(self, measurements: list[n42.Measurement]) -> n42.Document:
        self._number += 1
        remarks = [f"document number = {self._number:07d}"]
        if any(one.occupied for one in measurements):
            begun = sum(from_s < self._second for from_s, _ in self._spans_s)
            remarks.append(f"occupancy number = {begun}")
        return n42.Document(
            instrument=self._instrument,
            detectors=self._detectors,
            measurements=tuple(measurements),
            remarks=tuple(remarks),
        )

    # --- a document an occupancy -------------------------------------------------------

    def _by_occupancy(
        self, slices: list[n42.Measurement], background: n42.Measurement | None, occupied: bool
    ) -> list[n42.Document]:
        """Seconds are kept until the lane has been vacant for as long as belongs to the pass."""
        if background is not None:
            self._kept = [background]
        before = len(self._pass) - BEFORE_S * SLICES
        if any(one.occupied for one in self._pass):
            self._pass += slices
            quiet = self._pass[-AFTER_S * SLICES :]
            if not occupied and not any(one.occupied for one in quiet):
                document = self._document([*self._kept, *self._pass])
                self._pass = []
                return [document]
            return []
        self._pass = [*self._pass[max(0, before) :], *slices]
        return []

    # --- the device --------------------------------------------------------------------

    def _occupied(self, at_s: float) -> bool:
        return any(from_s <= at_s < to_s for from_s, to_s in self._spans_s)

    def _near(self, at_s: float) -> bool:
        """Whether a vehicle is so near that this second is no background."""
        return any(from_s - 3.0 <= at_s < to_s + 3.0 for from_s, to_s in self._spans_s)

    def _speed(self, at_s: float) -> float | None:
        for number, vehicle in enumerate(self._scene.vehicles):
            if any(from_s <= at_s < to_s for from_s, to_s in vehicle.in_beam_s()):
                speed_m_s = abs(vehicle.speed_at(at_s))
                seed = (self._scenario.seed, zlib.crc32(self._sensor_id.encode()), number)
                error = np.random.default_rng((*seed, self._second)).standard_normal()
                if speed_m_s > 0.1:
                    return round(speed_m_s * (1.0 + SPEED_SPREAD * float(error)), 2)
        return None

    def _fault(self, kind: str) -> bool:
        return self._scenario.active(self._sensor_id, kind, self._second - 0.5)

    def _device_faults(self) -> tuple[n42.Fault, ...]:
        return tuple(
            n42.Fault(
                code=kind,
                description=kind.replace("-", " "),
                severity="Warning" if kind == "tamper" else "Error",
            )
            for kind in FAULTS
            if self._fault(kind)
        )

    def _garbage(self) -> list[bytes]:
        if not self._fault("garbage"):
            return []
        seed = (self._scenario.seed, zlib.crc32(self._sensor_id.encode()), self._second)
        noise = np.random.default_rng(seed).integers(4, 256, 64).astype(np.uint8)
        return [noise.tobytes()]

    def _utc_ns(self, at_s: float) -> int:
        return self._scenario.start_utc_ns + round(at_s * 1e3) * 1_000_000


class _Sum:
    """Vacant seconds on their way to a background."""

    def __init__(self, detectors: int, channels: int) -> None:
        self.counts: NDArray[np.uint32] = np.zeros((detectors, channels), np.uint32)
        self.live_s = np.zeros(detectors)
        self.real_s = 0.0
        self.neutrons = 0

    def add(self, second: Second) -> None:
        self.counts += second.counts.sum(axis=0, dtype=np.uint32)
        self.live_s += second.live_s.sum(axis=0)
        self.neutrons += int(second.neutrons.sum())
        self.real_s += 1.0


def _occupancies(vehicles: tuple[Vehicle, ...]) -> tuple[tuple[float, float], ...]:
    """(from, to) of each: vehicles closer together than the hold-in share one."""
    found: list[tuple[float, float]] = []
    for from_s, to_s in sorted(span for vehicle in vehicles for span in vehicle.in_beam_s()):
        if found and from_s <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], to_s + HOLD_IN_S))
        else:
            found.append((from_s, to_s + HOLD_IN_S))
    return tuple(found)


def detector_names(detectors: int) -> tuple[str, ...]:
    """A1 A2 ... on the first pillar from below, B1 B2 ... on the second."""
    first = (detectors + 1) // 2
    names = [f"A{row + 1}" for row in range(first)]
    return tuple(names + [f"B{row + 1}" for row in range(detectors - first)])


def _detectors(names: tuple[str, ...]) -> tuple[n42.Detector, ...]:
    depth_cm, width_cm, length_cm = LOG_CM
    logs = (
        n42.Detector(
            name=name, kind="NaI", length_cm=length_cm, width_cm=width_cm, depth_cm=depth_cm
        )
        for name in names
    )
    return (*logs, n42.Detector(name=NEUTRON_NAME, kind="He3", category="Neutron"))


def _neutrons(counts: int, live_s: float) -> n42.Gross:
    return n42.Gross(detector=NEUTRON_NAME, live_s=live_s, counts=(float(counts),))


def _instrument(sensor_id: str) -> n42.Instrument:
    return n42.Instrument(
        manufacturer="Garita",
        model="simulated portal",
        serial=sensor_id,
        class_code="Spectroscopic Portal Monitor",
        versions=(("simulator", VERSION),),
    )


def files_of(packet: bytes) -> list[tuple[str, bytes]]:
    """(name, contents) of the file in which a portal leaves this document."""
    document = packet.removeprefix(n42_frames.STX).removesuffix(n42_frames.ETX)
    found = _NUMBER.search(document)
    name = found[1].decode() if found else f"noise-{zlib.crc32(document):08x}"
    return [(f"{name}.n42", document)]


_NUMBER = re.compile(rb"document number = ([0-9]{1,9})")

KINDS: tuple[SimulatorKind, ...] = (
    SimulatorKind(
        kind="rpm-n42",
        build=SpectroscopicPortalSimulator,
        version=VERSION,
        packets=n42_frames.split,
        files=files_of,
    ),
)
