"""When a scanner is no longer what it was, and what a test piece must show; with reasons."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class ScannerPolicy:
    """Limits of the scanner's self-check. No standard's limit is met by software: a site sets its
    own, and these are what healthy simulated scanners keep with mixed loads."""

    warm_up_scans: int = 8
    """The reference is the middle of so many scans; it is then kept, so that nothing that drifts
    slowly can drag it along. Two odd vehicles in eight do not move the middle."""
    recent_scans: int = 5
    """What is held against the reference is the middle of so many: a step is noticed with the
    third scan behind it, and two odd vehicles in five are no drift."""
    drift_limits: Mapping[str, float] = field(
        default_factory=lambda: {
            "air_counts": 0.05,
            "air_noise": 0.12,
            "snr": 0.25,
            "pulse_sigma": 0.012,
            "missed_lines": 4.5,
            "penetration_mm": 5.0,
            "dark_counts": 25.0,
            "dark_noise_counts": 0.5,
            "dead_rows": 1.5,
            "hot_rows": 0.5,
            "gain_drift": 0.01,
            "module_step": 0.005,
            "saturated": 0.001,
            "unusable": 0.005,
            "lost_lines": 2.5,
            "duplicated_lines": 1.5,
            "edge_px": 0.35,
            "speed_error": 0.02,
            "low_air_counts": 0.05,
            "low_air_noise": 0.12,
            "low_pulse_sigma": 0.012,
            "low_missed_lines": 4.5,
            "low_dark_counts": 25.0,
            "low_dead_rows": 1.5,
        }
    )
    """How far each value may be from its reference. Shares of the reference: the level of air
    (accelerators hold 2 %), its noise (0.12 is a quarter fewer quanta), signal over noise, the
    electronics' noise and the blur of the end posts (0.35: 8 mm pixels blur like 11 mm ones).
    Absolute: the rest; pulses jump by 0.5 to 2 %, and a calm week's reference must bear it when
    they jump by 1.2 % more; up to 3 fail in a scan (facts 4), a detector block's gain is known to
    0.05 %, a box's length to 0.5 %, and the dark level moves by some 10 counts with the
    temperature. Steel penetration wanders by half a millimetre, and 5 mm less is a fifth of the
    quanta gone; one cell in 200 is a card of rows. Those that begin with `low_` are the low-energy
    plane's, with the same limits. A value without a limit here is not watched."""
    wander: float = 3.0
    """A value that already wandered in the warm-up may wander so many of its own standard
    deviations, where that is more than its limit."""
    clear_share: float = 0.6
    """Back within this share of the limit, the drift is over: no alert for each side of a line."""
    relearn_scans: int = 400
    """What has been told for so many scans, some days' work, is how the scanner is now."""

    test_piece_limits: Mapping[str, float] = field(
        default_factory=lambda: {
            "penetration_mm": 225.0,
            "wire_air_mm": 3.6,
            "wire_steel_mm": 11.0,
            "contrast_percent": 2.8,
            "resolution_mm": 15.0,
            "material_sigma": 4.0,
        }
    )
    """What a scan of the test piece must show (IEC 62523: 7.1 steel penetration, 7.2 wire in air
    and behind 100 mm of steel, 7.3 contrast on 100 mm of steel, 7.4 spatial resolution, 7.5
    material discrimination): at least for penetration and materials, at most for the rest; 0 is no
    limit. These let a healthy simulated scanner of 6/4 MV, 8 mm and 10,000 quanta a pixel pass,
    and not one with a quarter of its quanta or twice its blur. The standard names no limits, and
    no software meets one: a site puts its acceptance test's figures here."""
