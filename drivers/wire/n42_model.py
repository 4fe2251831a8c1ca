"""What an N42 document says, as far as Garita writes or reads it (ANSI N42.42, IEC 62755).

The words for codes (`"Foreground"`, `"NaI"`, `"Gamma"`, ...) are those of the N42-2012 schema.
Records hold arrays, so they compare by identity.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

# Below this share of a channel's width a quadratic says the same as the edges themselves.
QUADRATIC_FITS = 0.02
MAX_ENERGY_KEV = 1e6  # an edge above 1 GeV is no calibration

# fmt: off
DETECTOR_KINDS = frozenset((
    "HPGe", "HPXe", "NaI", "LaBr3", "LaCl3", "BGO", "CZT", "CdTe", "CsI", "GMT", "GMTW", "LiFiber",
    "PVT", "PS", "He3", "He4", "LiGlass", "LiI", "SrI2", "CLYC", "CdWO4", "BF3", "HgI2", "CeBr4",
    "LiCAF", "LiZnS", "Other",
))
# fmt: on

Counts = NDArray[np.uint32] | NDArray[np.int64] | NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Calibration:
    """Energies of channel edges: up to three coefficients, or the edges, or nothing at all."""

    coefficients: tuple[float, ...] = ()
    """keV; of the lower edge of channel i as a polynomial in i."""
    edges_kev: NDArray[np.float32] | None = None
    """(channels + 1,) where there is no polynomial."""

    def edges(self, channels: int) -> NDArray[np.float32]:
        """(channels + 1,) keV; empty where they are unknown or cannot be."""
        if self.edges_kev is not None:
            edges = self.edges_kev.astype(np.float64)
        elif any(self.coefficients[1:]):
            with np.errstate(all="ignore"):  # an absurd one is found below
                powers = np.arange(channels + 1, dtype=np.float64)
                edges = np.polyval(self.coefficients[::-1], powers).astype(np.float64)
        else:
            return np.empty(0, np.float32)
        return edges.astype(np.float32) if plausible(edges, channels) else np.empty(0, np.float32)


UNKNOWN_CALIBRATION = Calibration()


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument:
    """Who measured."""

    manufacturer: str = "unknown"
    model: str = "unknown"
    serial: str = ""
    class_code: str = "Other"
    """`"Spectroscopic Portal Monitor"`, `"Portal Monitor"`, `"Mobile System"`, `"Backpack"`, ..."""
    description: str = ""
    versions: tuple[tuple[str, str], ...] = ()
    """(component, version)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Detector:
    """One detector; measurements refer to it by its name."""

    name: str
    kind: str = "Other"
    """`"NaI"`, `"HPGe"`, `"PVT"`, `"He3"`, ..."""
    category: str = "Gamma"
    """`"Gamma"` or `"Neutron"`."""
    description: str = ""
    length_cm: float | None = None
    width_cm: float | None = None
    depth_cm: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Spectrum:
    """What one detector counted in each channel during one measurement."""

    detector: str
    live_s: float
    counts: Counts
    """(channels,)"""
    calibration: Calibration = UNKNOWN_CALIBRATION
    """One object for all spectra that share it makes writing faster."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gross:
    """What one detector counted without telling energies, or in a few windows."""

    detector: str
    live_s: float
    counts: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Something is wrong with the instrument, or with one detector of it."""

    code: str
    description: str
    severity: str = "Warning"
    """`"Fatal"`, `"Error"` or `"Warning"`."""
    detector: str = ""
    """`""`: the instrument as a whole."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Measurement:
    """One interval: a slice of a pass, a background, a whole dwell."""

    class_code: str
    """`"Foreground"`, `"Background"`, `"Calibration"`, `"IntrinsicActivity"`, `"NotSpecified"`."""
    start_utc_ns: int | None
    """None: the document does not say."""
    real_s: float
    spectra: tuple[Spectrum, ...] = ()
    gross: tuple[Gross, ...] = ()
    """Of gamma and neutron detectors."""
    occupied: bool | None = None
    speed_m_s: float | None = None
    """Of the vehicle."""
    faults: tuple[Fault, ...] = ()
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """An alarm that the analysis raised."""

    category: str
    """`"Neutron"`, `"Gamma"`, `"Isotope"` or `"Other"`."""
    description: str = ""
    utc_ns: int | None = None
    detectors: tuple[str, ...] = ()
    """Names; all of the document where empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Nuclide:
    """A nuclide that was identified."""

    name: str
    confidence: float
    """0 to 1."""
    category: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """What was concluded."""

    algorithm: str
    version: str
    description: str = ""
    """In words, for a person."""
    utc_ns: int | None = None
    confidence: float | None = None
    """0 to 1."""
    settings: tuple[tuple[str, str], ...] = ()
    """(name, value) of whatever else a reader should find, such as sigma and width."""
    alarms: tuple[Alarm, ...] = ()
    nuclides: tuple[Nuclide, ...] = ()
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Document:
    """One N42 file, or one push of a portal."""

    instrument: Instrument
    detectors: tuple[Detector, ...]
    measurements: tuple[Measurement, ...]
    analyses: tuple[Analysis, ...] = ()
    remarks: tuple[str, ...] = ()
    item: str = ""
    """What was measured, such as `"lane nb-01, occupancy 1041"`."""
    form: str = field(default="N42-2012")
    """Where it was read from."""


def plausible(edges_kev: NDArray[np.float64], channels: int) -> bool:
    """Whether `channels` can have these edges: finite, increasing, within 1 GeV."""
    if edges_kev.shape != (channels + 1,):
        return False
    with np.errstate(all="ignore"):
        return bool(
            np.all(np.abs(edges_kev) < MAX_ENERGY_KEV)
            and np.all(np.diff(edges_kev.astype(np.float32)) > 0)
        )


def calibration_of(edges_kev: NDArray[np.floating]) -> Calibration:
    """The calibration with these edges; as a quadratic where that says the same.

    edges_kev  (channels + 1,), or empty where unknown
    """
    if edges_kev.size < 3:
        return UNKNOWN_CALIBRATION
    edges = edges_kev.astype(np.float64)
    at = np.linspace(0.0, 1.0, edges.size)
    fitted = np.polynomial.polynomial.polyfit(at, edges, 2)
    off = np.abs(np.polynomial.polynomial.polyval(at, fitted) - edges)
    # float32 edges at 3 MeV are rounded to 0.0002 keV, far less than any channel is wide.
    if np.all(off[1:] <= QUADRATIC_FITS * np.diff(edges)):
        channels = edges.size - 1
        return Calibration(
            coefficients=tuple(float(c) / channels**power for power, c in enumerate(fitted))
        )
    return Calibration(edges_kev=edges.astype(np.float32))
