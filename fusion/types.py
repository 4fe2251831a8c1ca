"""The vocabulary: samples, detections, incidents, alerts. Frozen, units in the names.

All times are UTC nanoseconds in integers. Lengths along a vehicle run in metres from its
front. Places are metres in the checkpoint's own frame: x east, y north.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from fusion.pass_record import PassRecord
from fusion.scan_record import ScanRecord
from fusion.scan_record import ScanSource as ScanSource  # noqa: PLC0414 - drivers have it from here
from fusion.wave_record import WaveRecord

SECOND_NS = 1_000_000_000
MILLISECOND_NS = 1_000_000


Record = PassRecord | WaveRecord | ScanRecord
"""What one sensor measured, where files of evidence are to be made of it."""


class Origin(StrEnum):
    """Where a sample came from; only `SENSOR` can ring as the real thing."""

    SENSOR = "sensor"
    SIMULATOR = "simulator"
    REPLAY = "replay"


class Family(StrEnum):
    """What kind of thing a sensor measures."""

    RADIATION = "radiation"
    SEISMIC = "seismic"
    XRAY = "xray"


class Radiation(StrEnum):
    """What a portal channel counts."""

    GAMMA = "gamma"
    NEUTRON = "neutron"


# --- samples: what a driver says -------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class CountSample:
    """Counts of one portal over one reporting interval while its lane is occupied."""

    sensor_id: str
    origin: Origin
    start_utc_ns: int
    duration_ms: int
    radiation: Radiation
    counts: tuple[int, ...]
    """One total per detector panel, in wiring order."""
    device_alarm: bool
    """The device's own verdict for this interval."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BackgroundSample:
    """Count rates of one portal while its lane is vacant."""

    sensor_id: str
    origin: Origin
    start_utc_ns: int
    duration_ms: int
    radiation: Radiation
    rate_cps: tuple[float, ...]
    """One rate per detector panel, in wiring order."""
    device_fault: str
    """`""`, `"high"` or `"low"`: the device does not take this as background."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OccupancySample:
    """A vehicle enters (`opened`) or has left the portal's beam."""

    sensor_id: str
    origin: Origin
    start_utc_ns: int
    opened: bool
    counter: int | None
    """The device's own occupancy counter where it sends one."""
    neutron_background_cps: float | None = None
    lead_in_ms: int = 0
    """How long before the beam was broken the first scan that follows began."""
    hold_in_ms: int | None = None
    """How long after the beam had cleared the last scan ended; None: the device has not said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpectrumSample:
    """Gamma spectra of one portal's detectors over one interval, and its neutrons beside them."""

    sensor_id: str
    origin: Origin
    start_utc_ns: int
    duration_ms: int
    detectors: tuple[str, ...]
    """Names as the record has them; all have as many channels."""
    counts: NDArray[np.uint32]
    """(detectors, channels)"""
    edges_kev: NDArray[np.float32]
    """(detectors, channels + 1) energies of the channels' edges; the same array object from
    sample to sample for as long as the calibration stays. Empty where none is known."""
    live_s: tuple[float, ...]
    """Of each detector; the duration less its dead time."""
    neutron_counts: int | None
    """Of all neutron detectors together; None where there are none."""
    role: str
    """What the record calls it: `"item"`, `"background"`, or `""` where it does not say."""
    occupied: bool | None
    """None where the record has no occupancy marks."""
    detector_type: str = ""
    """`"NaI"`, `"HPGe"`, `"CsI"`, `"LaBr3"`, `"CZT"`, `"PVT"`, or `""`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeedSample:
    """Speed of the vehicle in the lane as the portal measured it."""

    sensor_id: str
    origin: Origin
    start_utc_ns: int
    speed_m_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusSample:
    """A device says something about itself: tamper, a fault, or the end of one."""

    sensor_id: str
    origin: Origin
    start_utc_ns: int
    code: str
    """`"tamper"`, `"gamma-high"`, `"gamma-low"`, `"neutron-high"`, `"clock"`, ..."""
    active: bool
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetupSample:
    """A device's own settings as it announced them."""

    sensor_id: str
    origin: Origin
    start_utc_ns: int
    record: str
    """`"gamma-setup"` or `"neutron-setup"`."""
    settings: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WaveformSample:
    """Consecutive ground-motion samples of one channel."""

    sensor_id: str
    origin: Origin
    start_utc_ns: int
    """Time of the first sample."""
    rate_hz: float
    channel: str
    """The device's channel code, such as `EHZ`; stations differ by sensor_id."""
    counts: NDArray[np.int32]
    """(samples,) raw counts."""
    counts_per_m_s: float
    """Nominal sensitivity; 0 where the channel does not measure ground velocity."""
    missing: int = 0
    """Samples lost between the previous packet and this one."""
    calibrated: bool = True
    """False: the sensitivity is not known, and 1 stands for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanSample:
    """One complete X-ray scan of one vehicle. Heavy: it never waits in a queue."""

    sensor_id: str
    origin: Origin
    start_utc_ns: int
    """When the first line was taken, the vehicle's front."""
    duration_ms: int
    scan_id: str
    high: NDArray[np.uint16] | None
    """(rows, columns) raw detector counts of the high-energy plane; column 0 is the front."""
    low: NDArray[np.uint16] | None
    """(rows, columns) of the low-energy plane."""
    composite: NDArray[np.uint8] | None
    """(rows, columns) grey 8-bit picture, where there are no planes."""
    pitch_x_mm: float
    pitch_y_mm: float
    declared: str
    """What the papers say of the load, lower case: `"empty"`, an HS chapter, or `""`."""
    container: str
    """ISO 6346 number, or `""`."""
    digests: tuple[tuple[str, str], ...]
    """(file name, SHA-256 in hex) of every file of the scan."""
    energies_mev: tuple[float, float] = (6.0, 4.0)
    """End energies of the high and the low plane, as the sidecar or the configuration has them."""
    pitch_known: bool = True
    """False: nobody has said how large a pixel is, and a default stands in its place."""
    lost_columns: tuple[tuple[int, int], ...] = ()
    """(first, one beyond the last) of runs of lines that never came; their counts are 0."""
    partial: bool = False
    """The scan broke off: what is missing of it is not known to be clear."""
    notes: tuple[str, ...] = ()
    """What must be known of it besides, such as `"threat-image-projection"`."""
    source: ScanSource | None = None
    """None: it did not come as DICOS."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanLines:
    """Some lines of a scan that is still going on."""

    sensor_id: str
    origin: Origin
    start_utc_ns: int
    """When the first of these lines was taken."""
    scan_id: str
    first_column: int
    """Which column of the scan these begin with; 0 starts a new scan."""
    high: NDArray[np.uint16]
    """(rows, columns) raw detector counts."""
    low: NDArray[np.uint16] | None
    """(rows, columns) of the low-energy plane, where there is one."""
    pitch_x_mm: float
    pitch_y_mm: float
    energies_mev: tuple[float, float] = (6.0, 4.0)
    """End energies of the high and the low plane."""
    pitch_known: bool = True
    """False: the pitch stands for what nobody has said."""
    rear_first: bool = False
    """The vehicle's rear comes first: columns count from there."""
    declared: str = ""
    """What the papers say, as far as they have come."""
    container: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanRegion:
    """A box in a scan that differs from what surrounds it."""

    from_m: float
    to_m: float
    """Along the vehicle."""
    bottom_m: float
    top_m: float
    """Above the lowest row."""
    excess_g_cm2: float
    """Mean areal density over its surroundings, steel-equivalent where there are no planes."""
    sigma: float
    """Peak contrast over the local texture."""
    material: str
    """`"organic"`, `"light-metal"`, `"steel"` or `"dense"`; `"unresolved"` where more than one of
    them would look like that, `""` where there are no two planes or too little of it."""
    material_share: float = 0.0
    """How sure the likeliest of them is, 0 to 1."""
    mass_kg: float | None = None
    """Of the excess; None where it cannot be told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanFinding:
    """What was measured in one scan: the light twin of a `ScanSample`."""

    sensor_id: str
    origin: Origin
    start_utc_ns: int
    duration_ms: int
    scan_id: str
    length_m: float
    """Of the vehicle or box that was found in the picture."""
    declared: str
    container: str
    empty: bool
    empty_nats: float
    """ln p(picture | empty) - ln p(picture | loaded): positive means empty."""
    fill: float
    """Share of the box's area that holds load, 0 to 1."""
    homogeneity: float
    """0 (clutter) to 1 (one bulk material)."""
    unpenetrated: float
    """Share of the box's area with too little signal to judge."""
    regions: tuple[ScanRegion, ...]
    """Strongest first."""
    quality: tuple[tuple[str, float], ...]
    """Named self-check values of the scanner, in the order of the docs."""
    notes: tuple[str, ...]
    """Fallbacks that were used, such as `"no-dark-reference"`."""
    digests: tuple[tuple[str, str], ...] = ()
    geometry: tuple[tuple[str, float], ...] = ()
    """Named places in metres: box from the vehicle's front, deck and roof above the lowest row."""
    mass_kg: float | None = None
    """Of the load; None where it cannot be told, as in a composite."""
    mass_sd_kg: float | None = None
    materials: tuple[tuple[str, float], ...] = ()
    """Shares of the load's area by group: organic, light-metal, steel, dense, unresolved."""
    periodicity_m: float = 0.0
    """Distance after which the load repeats along the vehicle; 0: it does not."""
    sure: tuple[tuple[str, float], ...] = ()
    """Name of a result (`empty`, `fill`, `geometry`, `unpenetrated`, ...) to how sure it is, 0 to
    1."""
    mismatches: tuple[tuple[str, float], ...] = ()
    """What does not go with the papers, and nats for that: `declared-empty`, `texture`,
    `density`, ..."""
    signature: tuple[float, ...] = ()
    """The load on a coarse grid, to hold against another scan of the same container."""
    row_gain: tuple[float, ...] = ()
    """Mean gain of each block of 16 detector rows over the median row's, top first; 0: all dead."""
    test_piece: tuple[tuple[str, float], ...] = ()
    """Scores of the five tests of IEC 62523, where this was a scan of the test piece."""
    partial: bool = False
    """The scan broke off, so that it is never clear."""
    interim: bool = False
    """Told while the vehicle is still in the tunnel."""
    rear_first: bool = False
    """Places along the vehicle count from its rear, for its front has not come yet."""
    record: ScanRecord | None = field(default=None, compare=False, repr=False)
    """What files of evidence are made of; never recorded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShelveSample:
    """Somebody asks not to be rung for something until a time, and says why.

    It comes by the samples' way so that a recording has it where it was asked. Asked until the
    very time of asking, it ends what was shelved.
    """

    sensor_id: str
    """Of that sensor alone; empty: of any."""
    origin: Origin
    start_utc_ns: int
    """When it was asked."""
    until_utc_ns: int
    by: str
    """Role or key, never a name: `config`, or the side of a centre."""
    reason: str
    event: str = ""
    """An event code; empty: of any."""
    place: str = ""
    """A lane or zone; empty: of any."""
    standing: bool = False
    """It stands in the configuration, so its limit is that of building works."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AckSample:
    """Somebody has answered an alert, so that it need not be told again before it changes."""

    sensor_id: str
    """Empty: no sensor has said it."""
    origin: Origin
    start_utc_ns: int
    alert_id: str
    by: str
    """Role or key, never a name."""
    confirmed: bool | None = None
    """Whether a person has seen that it is what the alert says; None: nobody has said."""


Sample = (
    CountSample
    | BackgroundSample
    | SpectrumSample
    | OccupancySample
    | SpeedSample
    | StatusSample
    | SetupSample
    | WaveformSample
    | ScanSample
    | ScanLines
    | ScanFinding
    | ShelveSample
    | AckSample
)

SeismicPreset = Literal["footsteps", "vault", "indoor", "roadside", "earthquake"]
"""What a ground sensor listens for: each has its own bands, windows and thresholds."""

# --- the checkpoint as the engine sees it ----------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectorSpec:
    """One gamma spectrometer of a portal, as far as its response depends on it."""

    material: str = "NaI"
    """`"NaI"`, `"CsI"`, `"LaBr3"`, `"HPGe"`, `"CZT"` or `"PVT"`."""
    depth_cm: float = 5.08
    """Along the line from the lane's middle."""
    width_cm: float = 10.16
    height_cm: float = 40.64
    resolution_percent: float = 7.0
    """Full width at half maximum at 661.7 keV."""
    resolution_power: float = 0.55
    """FWHM grows with energy to this power (facts/radiation 5.3)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SensorSpec:
    """One sensor: what it is and where it stands."""

    sensor_id: str
    family: Family
    place: str
    """Id of the lane or zone it watches."""
    also: tuple[str, ...] = ()
    """Ids of further lanes whose vehicles come to it: a scanner that several lanes share."""
    position_m: tuple[float, float] = (0.0, 0.0)
    origin: Origin = Origin.SENSOR
    """What to call it while it has said nothing yet; afterwards its samples say."""
    silent_after_ms: int = 15_000
    """No sample for so long is silence; 0: it speaks only when there is something to say."""
    panels: int = 4
    panel_distance_m: float = 2.5
    """From the lane's middle to a detector panel, radiation only."""
    detector: DetectorSpec | None = None
    """Of a spectroscopic portal; None: to be told from the spectra."""
    preset: str = "footsteps"
    """A `SeismicPreset`, ground sensors only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneSpec:
    """A lane that vehicles are meant to use."""

    lane_id: str
    direction: str
    """`"northbound"` or `"southbound"`."""
    portal_m: tuple[float, float] = (0.0, 0.0)
    heading_deg: float = 90.0
    """Driving direction, clockwise from north."""
    scan_offset_s: tuple[float, float] = (0.0, 120.0)
    """Earliest and latest start of the X-ray scan after the vehicle enters the portal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneSpec:
    """Ground that nobody is meant to cross."""

    zone_id: str
    side: str = ""
    """What a person would call it, such as `"east of lane 4"`."""
    toward: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """What lies in a direction, by word of the compass and by language: `{"north": {"en-US":
    "toward the river"}}`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """Everything the engine knows of a site."""

    site: str
    sensors: tuple[SensorSpec, ...]
    lanes: tuple[LaneSpec, ...] = ()
    zones: tuple[ZoneSpec, ...] = ()


# --- what the engine says --------------------------------------------------------------

Fact = str | float | int | bool | tuple["Fact", ...] | Mapping[str, "Fact"] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Detection:
    """Something one sensor noticed, or looked for and did not find."""

    sensor_id: str
    family: Family
    origin: Origin
    kind: str
    """Family and test, such as `gamma.profile`, `seismic.event`, `xray.dense`, `health.tamper`."""
    start_utc_ns: int
    end_utc_ns: int
    facts: Mapping[str, Fact]
    """Only JSON-able values; names as in the design's section 5."""
    final: bool = True
    """False while the same event may still be told again with more evidence."""
    nats: Mapping[str, float] = field(default_factory=dict)
    """Log-likelihood ratio against `nothing` for each explanation; filled by `evidence`."""
    record: Record | None = field(default=None, compare=False, repr=False)
    """What was measured, where files are to be made of it."""


class Level(IntEnum):
    """How much an alert asks of the operator."""

    LOG = 1
    ADVISORY = 2
    WARNING = 3
    CRITICAL = 4


class Event(StrEnum):
    """Event codes of the contract."""

    RAD_THREAT = "RAD_THREAT"
    RAD_INNOCENT = "RAD_INNOCENT"
    RAD_OVERRANGE = "RAD_OVERRANGE"
    SHIELDED_SOURCE = "SHIELDED_SOURCE"
    CARGO_ANOMALY = "CARGO_ANOMALY"
    CARGO_MISMATCH = "CARGO_MISMATCH"
    CARGO_UNPENETRATED = "CARGO_UNPENETRATED"
    PERSON = "PERSON"
    GROUP = "GROUP"
    ANIMAL = "ANIMAL"
    VEHICLE_OFF_LANE = "VEHICLE_OFF_LANE"
    DIGGING = "DIGGING"
    AIRCRAFT_LOW = "AIRCRAFT_LOW"
    PORTAL_BYPASS = "PORTAL_BYPASS"
    DROP_OFF = "DROP_OFF"
    SENSOR_TAMPER = "SENSOR_TAMPER"
    SENSOR_FAULT = "SENSOR_FAULT"
    SENSOR_SILENT = "SENSOR_SILENT"


class Phase(StrEnum):
    """Where in its life an alert is."""

    NEW = "new"
    UPDATE = "update"
    CLEAR = "clear"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contribution:
    """What one detection, or the prior, adds to one explanation."""

    source: str
    """Sensor id, `prior`, or `fusion` for a cue that no single sensor has."""
    kind: str
    explanation: str
    nats: float
    age_s: float
    capped: bool
    facts: Mapping[str, Fact]


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One revision of an alert, before words, sequence numbers and delivery."""

    alert_id: str
    """26 characters, derived from content: the same incident has the same id in every replay."""
    revision: int
    phase: Phase
    event: Event
    level: Level
    probability: float
    site: str
    lane: str | None
    zone: str | None
    direction: str | None
    exercise: bool
    """True as soon as any evidence is not from a sensor."""
    onset_utc_ns: int
    updated_utc_ns: int
    explanations: tuple[tuple[str, float], ...]
    """(name, probability), most probable first; they add to 1."""
    contributions: tuple[Contribution, ...]
    """Strongest first. Prior and contributions add to `score_nats` for the event's explanation."""
    score_nats: float
    silent: tuple[str, ...]
    """Sensors that were up and saw nothing."""
    down: tuple[str, ...]
    """Sensors that were not up."""
    facts: Mapping[str, Fact] = field(default_factory=dict)
    """What the words need: nuclide, class, sensor, position."""
    records: tuple[Record, ...] = field(default=(), compare=False, repr=False)
    """What was measured, for the files that an alert of level 2 or more carries as evidence."""
