"""What scanners are like: each effect on the picture with a switch of its own (facts 4)."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from simulators.xray_scene import Random


@dataclass(frozen=True, slots=True, kw_only=True)
class Scanner:
    """One scanner as it stands. An effect that is 0 is not there."""

    rows: int = 0
    """Detectors; 0: as many as the vehicle's height needs."""
    pitch_x_mm: float = 8.0
    """Between lines, as the sidecar says it."""
    pitch_y_mm: float = 8.0
    """Between detectors, at the vehicle's middle plane."""
    energies_mev: tuple[float, float] = (6.0, 4.0)
    """End energies of the high and the low plane."""
    device: int = 0
    """Which instrument: the same number has the same gains, modules, dead and hot rows in every
    scan. 0: another one in each."""

    quanta: float = 1e4
    """N0, per pixel in air (facts 3); facts 4: 1e4 to 1e6."""
    pulse_spread: float = 0.01
    """Standard deviation of the pulses' strength; facts 4: 0.5 to 2 %."""
    missed_pulses: int = 0
    """Lines without beam; facts 4: 0 to 3 a scan."""
    interleave: float = 0.5
    """Columns by which the low plane's lines are taken later: the pulses alternate."""

    air_counts: float = 58_000.0
    """Facts 3: 57 to 59 thousand of 65,535."""
    dark_counts: float = 180.0
    dark_spread: float = 8.0
    dark_drift: float = 0.0
    """Counts by which the dark level has risen when the vehicle has passed."""
    electronic_counts: float = 3.0
    row_gain_spread: float = 0.007
    """Facts 3: after the maker's calibration; raw it is 0.05 to 0.1."""
    gain_drift: float = 0.0
    """Relative change of the gain of every second module against the instrument's own."""
    module_rows: int = 16
    """Facts 4: steps every 16 or 32."""
    module_spread: float = 0.004
    dead_rows: int = 0
    hot_rows: int = 0
    uneven_rows: int = 0
    """Rows whose gain is off by an eighth to a fifth."""
    dropped_lines: int = 0
    """Lines that never reach the picture: what follows moves up."""
    repeated_lines: int = 0
    """Lines that are in the picture twice."""
    lag: float = 0.0
    """Share of a line's light that shows in the next."""
    psf_px: float = 0.7
    """Standard deviation of the blur before the noise; facts 4: 0.6 to 1."""
    smoothing_px: float = 0.0
    """Of what the workstation blurs the counts with: facts 3 has a neighbour correlation of 0.6
    along the scan."""
    scatter_share: float = 0.001
    """Pedestal of the mean within half a metre; facts 4: 0.1 to 1 %. A well collimated fan."""

    wobble_m: float = 0.0
    """Amplitude of the vehicle's or the boom's swing up and down."""
    wobble_hz: float = 0.8
    """Facts 4: 0.1 to 2."""
    speed_error: float = 0.0
    """How much longer the vehicle is drawn than the nominal pitch says."""
    speed_drift: float = 0.0
    """Slow variation of the speed, relative, largest; facts 4: up to 0.1."""
    stops: int = 0
    """Stop-and-go: stretches that are drawn far too long."""
    skew_deg: float = 0.0
    """Tilt of the detector line against the vertical."""
    fan_stretch: float = 0.0
    """How much coarser the picture's upper and lower edges are than its middle, relative."""

    road_m: float = 0.0
    """How far the picture reaches below the road: a dark line, and a bright strip under it."""
    dark_columns: int = 16
    """Lines taken before the beam is on."""
    air_m: float = 0.3
    """In front of and behind the vehicle."""


USUAL = Scanner()
SETTINGS: Mapping[str, Scanner] = {
    "usual": USUAL,
    # Another maker: other energies, finer lines, cleaner pulses, counts that the workstation
    # has filtered.
    "other": Scanner(
        pitch_x_mm=9.5,
        pitch_y_mm=7.0,
        energies_mev=(9.0, 6.0),
        quanta=4e4,
        pulse_spread=0.006,
        row_gain_spread=0.01,
        module_rows=32,
        lag=0.01,
        smoothing_px=0.5,
        scatter_share=0.005,
        fan_stretch=0.06,
        dark_counts=420.0,
        air_counts=51_000.0,
        road_m=0.06,
    ),
    "fine": Scanner(pitch_x_mm=4.5, pitch_y_mm=4.0, energies_mev=(6.0, 3.0)),
}
"""Scanners that packs compare: what is fitted on the first is reported on another as well."""


def healthy(scanner: Scanner, random: Random) -> Scanner:
    """The scanner in one of the states that an ordinary scan finds it in."""
    return replace(
        scanner,
        pulse_spread=scanner.pulse_spread * float(random.uniform(0.5, 1.5)),
        missed_pulses=scanner.missed_pulses + int(random.integers(0, 3)),
        wobble_m=scanner.wobble_m + float(random.uniform(0.0, 0.003)),
        wobble_hz=float(random.uniform(0.1, 2.0)),
        speed_drift=scanner.speed_drift + float(random.uniform(0.0, 0.01)),
        psf_px=scanner.psf_px * float(random.uniform(0.9, 1.2)),
        scatter_share=scanner.scatter_share * float(random.uniform(0.7, 1.2)),
        dark_counts=scanner.dark_counts + float(random.uniform(-3.0, 3.0)),
        air_counts=scanner.air_counts * float(random.uniform(0.99, 1.01)),
    )
