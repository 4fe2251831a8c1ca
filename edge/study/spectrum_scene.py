"""N42 records made of long-dwell spectra of known truth: rates, Poisson counts, documents.

The spectra are another model's of one 2 x 4 x 16 inch log (facts/radiation 6); none of them is a
template of ours. A scene adds them up as rates of each detector and time, and draws counts.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from drivers.wire import n42
from edge.study.packs.spectra_files import read

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]
Profile = Callable[[float], float]
"""Share of a source's greatest rate at a time in seconds."""

START_UTC_NS = 1_790_000_000 * 10**9
GAMMA_RAY_CPS = 1717.0  # of one log (facts/radiation 5.2)
NEUTRON_CPS = 3.0
NEUTRONS = "Nh"
DEAD_US = 10.0  # of each count: 2 % at the background of one log


class Shelf:
    """The spectra of a folder as shapes over channels, without their background."""

    def __init__(self, folder: Path) -> None:
        files = read(folder, "*.txt")
        background = files.pop("background")
        self.edges_kev: Vector = background.edges_kev[0]
        known = background.counts.sum(axis=0) / background.live_s
        self.background: Vector = known / known.sum()
        self._net: dict[str, Vector] = {}
        for stem, one in files.items():
            net = np.maximum(one.counts.sum(axis=0) / one.live_s - known, 0.0)
            self._net[stem] = net / net.sum()

    def __contains__(self, stem: object) -> bool:
        return stem in self._net

    def __getitem__(self, stem: str) -> Vector:
        """(channels,) sums to 1."""
        return self._net[stem]

    @property
    def stems(self) -> tuple[str, ...]:
        """Every file but the background."""
        return tuple(self._net)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What is there from a time to a time, in seconds of the record."""

    from_s: float
    to_s: float
    category: str
    names: frozenset[str]
    """Any of them is the right name; empty where none is asked."""
    what: str
    over_range: bool = False
    neutrons: bool = False
    net_counts: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Emitter:
    """Something that radiates in a scene."""

    shape: Vector
    cps: float
    """Greatest rate in one detector where its share is 1."""
    profile: Profile
    shares: Vector
    """(detectors,)"""


@dataclass(slots=True, kw_only=True)
class Scene:
    """Everything before the detectors while a record is made."""

    shelf: Shelf
    random: np.random.Generator
    detectors: int = 1
    cps: float = GAMMA_RAY_CPS
    level: Profile = lambda at_s: 1.0
    """Of the background."""
    emitters: list[Emitter] = field(default_factory=list)
    neutrons: Profile | None = lambda at_s: 0.0
    """Counts per second of a source; None where the device has no neutron counter."""
    gain: float = 1.0
    """The tube's light; the record's calibration knows nothing of it."""
    told: n42.Calibration | None = None
    """Calibration that the record states, true but for the gain; the files' own where None."""
    channels: int = 1024
    dead_us: float = DEAD_US
    saturated: float = 0.0
    """How far counts are squeezed to low energies where the dead time is high."""
    kind: str = "NaI"

    def slice(
        self,
        at_s: float,
        seconds: float,
        *,
        class_code: str = "Foreground",
        occupied: bool | None = None,
        speed_m_s: float | None = None,
    ) -> n42.Measurement:
        """Counts of all detectors from `at_s` on."""
        rates = self._rates(at_s + seconds / 2)
        live_s = seconds / (1.0 + rates.sum(axis=1) * self.dead_us * 1e-6)
        rates = self._distorted(rates, live_s / seconds)
        counts = self.random.poisson(rates * live_s[:, None])
        calibration = self._calibration()
        spectra = tuple(
            n42.Spectrum(
                detector=f"Aa{number + 1}",
                live_s=round(float(live_s[number]), 6),
                counts=counts[number].astype(np.uint32),
                calibration=calibration,
            )
            for number in range(self.detectors)
        )
        gross: tuple[n42.Gross, ...] = ()
        if self.neutrons is not None:
            expected = (NEUTRON_CPS + self.neutrons(at_s + seconds / 2)) * seconds
            seen = float(self.random.poisson(expected))
            gross = (n42.Gross(detector=NEUTRONS, live_s=seconds, counts=(seen,)),)
        return n42.Measurement(
            class_code=class_code,
            start_utc_ns=START_UTC_NS + round(at_s * 1000) * 1_000_000,
            real_s=seconds,
            spectra=spectra,
            gross=gross,
            occupied=occupied,
            speed_m_s=speed_m_s,
        )

    def add(self, stem: str, cps: float, profile: Profile, shares: Vector | None = None) -> Emitter:
        """Put one of the shelf's spectra into the scene."""
        one = Emitter(
            shape=self.shelf[stem],
            cps=cps,
            profile=profile,
            shares=np.ones(self.detectors) if shares is None else shares,
        )
        self.emitters.append(one)
        return one

    def document(self, measurements: list[n42.Measurement], model: str) -> n42.Document:
        """The record."""
        detectors = [
            n42.Detector(name=f"Aa{number + 1}", kind=self.kind) for number in range(self.detectors)
        ]
        if self.neutrons is not None:
            detectors.append(n42.Detector(name=NEUTRONS, kind="He3", category="Neutron"))
        return n42.Document(
            instrument=n42.Instrument(manufacturer="study", model=model),
            detectors=tuple(detectors),
            measurements=tuple(measurements),
        )

    def _rates(self, at_s: float) -> Matrix:
        shape = self.shelf.background * (self.cps * self.level(at_s))
        rates = np.outer(np.ones(self.detectors), shape)
        for one in self.emitters:
            share = one.profile(at_s)
            if share > 0.0:
                rates += np.outer(one.shares * (share * one.cps), one.shape)
        return self._on_channels(rates)

    def _on_channels(self, rates: Matrix) -> Matrix:
        """On the channels that the record states, with the tube's gain."""
        edges_kev = self.shelf.edges_kev
        if self.gain == 1.0 and self.told is None:
            return rates
        told = edges_kev if self.told is None else self.told.edges(self.channels)
        below = np.concatenate((np.zeros((len(rates), 1)), np.cumsum(rates, axis=1)), axis=1)
        return np.array(
            [np.diff(np.interp(told / self.gain, edges_kev, row)) for row in below], np.float64
        )

    def _distorted(self, rates: Matrix, alive: Vector) -> Matrix:
        """Pile-up and a sagging tube: peaks move down and smear where the dead time is high."""
        if self.saturated == 0.0 or alive.min() > 0.85:
            return rates
        made = rates.copy()
        channels = np.arange(rates.shape[1] + 1, dtype=np.float64)
        for row, share in enumerate(alive):
            squeeze = 1.0 - self.saturated * (1.0 - share)
            below = np.concatenate(([0.0], np.cumsum(rates[row])))
            squeezed = np.diff(np.interp(channels / squeeze, channels, below))
            made[row] = np.convolve(squeezed, np.full(31, 1 / 31), mode="same")
        return made

    def _calibration(self) -> n42.Calibration:
        if self.told is None:
            self.told = n42.Calibration(
                coefficients=(0.0, float(self.shelf.edges_kev[-1]) / self.channels)
            )
        return self.told


def point(at_s: float, speed_m_s: float, distance_m: float = 2.5, power: float = 1.5) -> Profile:
    """A point that goes by (facts/radiation 5.1)."""
    near = distance_m**2

    def profile(now_s: float) -> float:
        return float((near / (near + (speed_m_s * (now_s - at_s)) ** 2)) ** power)

    return profile


def spread(at_s: float, speed_m_s: float, width_m: float, distance_m: float = 2.5) -> Profile:
    """A load of some metres, relative to its middle."""

    def seen(away_m: float) -> float:
        return math.atan(away_m / distance_m)

    whole = 2.0 * seen(width_m / 2)

    def profile(now_s: float) -> float:
        away_m = speed_m_s * (now_s - at_s)
        return (seen(away_m + width_m / 2) - seen(away_m - width_m / 2)) / whole

    return profile


def seconds_of(profile: Profile, from_s: float, to_s: float) -> float:
    """Integral of a profile."""
    at = np.arange(from_s, to_s, 0.05)
    return float(sum(profile(float(one)) for one in at) * 0.05)
