"""Passes made by hand, for tests of what is made of them."""

import numpy as np

from fusion.pass_record import PassRecord, SpectraRecord
from fusion.types import MILLISECOND_NS, SECOND_NS
from tests.fusion.makers import START_UTC_NS

PANELS = 4


def pass_record(
    *,
    sensor_id: str = "rpm-1",
    scans: int = 50,
    source_cps: float = 900.0,
    position_m: float = 11.0,
    closed: bool = True,
    spectra: SpectraRecord | None = None,
    seed: int = 1,
) -> PassRecord:
    """An 18 m truck at 2.2 m/s with a point source, 250 cps a panel, 12 % in its shadow."""
    random = np.random.default_rng(seed)
    scan_s, speed_m_s = 0.2, 2.2
    starts = START_UTC_NS + np.arange(scans, dtype=np.int64) * 200 * MILLISECOND_NS
    passed_m = (np.arange(scans) - 4.5) * scan_s * speed_m_s
    inside = np.clip(np.minimum(passed_m + 1, 19.0 - passed_m) / 4.0, 0.0, 1.0)
    clean = 1000.0 * scan_s * (1.0 - 0.12 * inside)
    near = 1.0 / (1.0 + ((passed_m - position_m) / 2.5) ** 2)
    fitted = clean + source_cps * scan_s * near**1.5
    share = np.array([0.32, 0.30, 0.20, 0.18])
    source = (fitted - clean)[:, None] * share[None, :]
    counts = random.poisson(clean[:, None] / PANELS + source)
    seconds = scans // 5
    return PassRecord(
        sensor_id=sensor_id,
        panels=PANELS,
        opened_utc_ns=START_UTC_NS + SECOND_NS,
        closed_utc_ns=START_UTC_NS + scans * 200 * MILLISECOND_NS if closed else None,
        counter=1760,
        speed_m_s=speed_m_s,
        length_m=18.0 if closed else None,
        starts_utc_ns=starts,
        scan_s=scan_s,
        gamma_counts=counts.astype(np.int64),
        passed_m=passed_m,
        gamma_background_cps=np.array([250.0, 248.0, 251.0, 249.0]),
        gamma_background_s=120.0,
        clean_counts=clean,
        fitted_counts=fitted,
        alarm_counts=clean + 5.0 * np.sqrt(clean),
        neutron_starts_utc_ns=START_UTC_NS + np.arange(seconds, dtype=np.int64) * SECOND_NS,
        neutron_s=np.ones(seconds),
        neutron_counts=random.poisson(2.0, seconds).astype(np.int64),
        neutron_background_cps=2.1,
        neutron_background_s=120.0,
        spectra=spectra,
    )


def spectra_record(
    *, detectors: int = 4, channels: int = 1024, slices: int = 50, seed: int = 1
) -> SpectraRecord:
    """NaI logs over a falling background, and 662 keV in the middle slices."""
    random = np.random.default_rng(seed)
    edges = np.linspace(0.0, 3000.0, channels + 1, dtype=np.float32)
    middles = (edges[1:] + edges[:-1]) / 2
    falling = np.exp(-middles / 320.0) * np.clip(middles / 60.0, 0.0, 1.0)
    peak = np.exp(-0.5 * ((middles - 1461.0) / 35.0) ** 2) * 0.05
    background = (falling + peak) / (falling + peak).sum() * 1400.0  # cps a detector
    shape = np.exp(-0.5 * ((middles - 661.7) / 20.0) ** 2) + 0.15 * (middles < 480)
    source = shape / shape.sum() * 900.0
    at = np.arange(slices)
    near = 1.0 / (1.0 + ((at - 29.5) / 5.0) ** 2)
    mean = 0.1 * (background[None, None, :] + near[:, None, None] * source[None, None, :])
    counts = random.poisson(np.broadcast_to(mean, (slices, detectors, channels)))
    return SpectraRecord(
        detectors=tuple(f"NaI{n + 1}" for n in range(detectors)),
        edges_kev=np.tile(edges, (detectors, 1)),
        starts_utc_ns=START_UTC_NS + at.astype(np.int64) * 100 * MILLISECOND_NS,
        real_s=np.full(slices, 0.1),
        live_s=np.full((slices, detectors), 0.098),
        counts=counts.astype(np.uint32),
        background_counts=np.round(background * 120.0)[None, :].repeat(detectors, axis=0),
        background_live_s=120.0,
        window=(22, 38),
        detector_type="NaI",
    )
