"""What the files of an alert cost: it waits for them, because their digests are in it."""

import zlib
from dataclasses import replace
from functools import partial

import cv2
import numpy as np

from edge.evidence.files import EvidenceMaker
from edge.evidence.scans.ready import ready
from edge.station.warmup import example_scan, warm_up
from edge.study.bench_stages import START_UTC_NS, in_turn
from edge.study.figures import Figure, at_most
from fusion.pass_record import PassRecord, SpectraRecord
from fusion.types import MILLISECOND_NS, SECOND_NS, Alert, Level, Phase, Record
from fusion.wave_record import WaveRecord, WaveTrace
from fusion.xray import XrayPolicy, analyse

SCANS, PANELS = 50, 4  # 10 s of a portal of the reference checkpoint
GROSS_MS, SPECTRA_MS, WIDE_MS, GROUND_MS = 10.0, 30.0, 60.0, 15.0
SCAN, READY_MS, SCAN_MS = (1200, 4000), 40.0, 40.0
CLIP_S, GROUND_HZ = 60, 200  # a walker from afar to afar, at the reference checkpoint's rate
WIDE = (8, 133, 16_384)  # the largest that a portal was seen to tell


def evidence() -> list[Figure]:
    """Both files of a pass or of an event, against cv2's packing of the finished picture."""
    alert = warm_up()[-1]
    figures = [*_scans(alert)]
    heard = f"{CLIP_S} s at {GROUND_HZ} Hz; "
    for name, spectra, goal_ms in (
        ("gross", None, GROSS_MS),
        ("spectra", _spectra(4, 50), SPECTRA_MS),
        ("reference", _spectra(8, 100), SPECTRA_MS),
        ("ground", None, GROUND_MS),
    ):
        record = _ground() if name == "ground" else _record(spectra)
        told = _telling(alert, record)
        made = EvidenceMaker().of(told).new
        sheet = cv2.imdecode(np.frombuffer(made[1].data, np.uint8), cv2.IMREAD_COLOR)
        ours_s, reference_s = in_turn(partial(_make, told), partial(cv2.imencode, ".png", sheet))
        slices = heard if name == "ground" else ""
        slices += "" if spectra is None else f"{len(spectra.starts_utc_ns)} slices of "
        slices += "" if spectra is None else f"{len(spectra.detectors)} x 1,024 channels; "
        sizes = ", ".join(f"{file.message.name} {file.message.bytes // 1000} kB" for file in made)
        how = f"{slices}{sizes}; cv2.imencode of the picture alone {reference_s * 1e3:.1f} ms"
        figures.append(at_most(f"stage.evidence.{name}", ours_s * 1e3, goal_ms, "ms", how))
    return figures


def _scans(alert: Alert) -> list[Figure]:
    """What a scan's files cost the worker that measured it, and then the alert."""
    scan = example_scan(*SCAN)
    finding = analyse(scan, XrayPolicy())
    planes = [plane.tobytes() for plane in (scan.high, scan.low) if plane is not None]
    made = ready(finding)
    assert made.record is not None
    told = _telling(alert, made.record)
    files = EvidenceMaker().of(told).new
    sheet = cv2.imdecode(np.frombuffer(files[0].data, np.uint8), cv2.IMREAD_COLOR)
    ready_s, deflated_s = in_turn(
        partial(ready, finding), lambda: [zlib.compress(plane, 1) for plane in planes]
    )
    ours_s, reference_s = in_turn(partial(_make, told), partial(cv2.imencode, ".png", sheet))
    sizes = ", ".join(f"{file.message.name} {file.message.bytes // 1000} kB" for file in files)
    size = f"{SCAN[0]} x {SCAN[1]} in two planes"
    worker = f"{size}: sheet, digest and TIFF; zlib of the planes alone {deflated_s * 1e3:.0f} ms"
    how = f"{sizes}; cv2.imencode of the picture alone {reference_s * 1e3:.1f} ms"
    return [
        at_most("stage.evidence.scan-ready", ready_s * 1e3, READY_MS, "ms", worker),
        at_most("stage.evidence.scan", ours_s * 1e3, SCAN_MS, "ms", how),
    ]


def wide() -> list[Figure]:
    """Both files of the widest pass, which are made of sums of its slices."""
    told = _telling(warm_up()[-1], _record(_spectra(*WIDE)))
    ours_s, _ = in_turn(partial(_make, told), lambda: None)
    sizes = [
        f"{file.message.name} {file.message.bytes // 1000} kB"
        for file in EvidenceMaker().of(told).new
    ]
    how = f"both files of 8 x 16,384 channels x 133 slices: {', '.join(sizes)}"
    return [at_most("n42.evidence", ours_s * 1e3, WIDE_MS, "ms", how)]


def _telling(alert: Alert, record: Record) -> Alert:
    return replace(alert, level=Level.CRITICAL, phase=Phase.NEW, records=(record,))


def _make(alert: Alert) -> None:
    EvidenceMaker().of(alert)


def _record(spectra: SpectraRecord | None) -> PassRecord:
    random = np.random.default_rng(1)
    at = np.arange(SCANS)
    clean = np.full(SCANS, 200.0)
    fitted = clean + 180.0 / (1.0 + ((at - 25) / 6.0) ** 2)
    return PassRecord(
        sensor_id="portal",
        panels=PANELS,
        opened_utc_ns=START_UTC_NS,
        closed_utc_ns=START_UTC_NS + 10 * SECOND_NS,
        counter=1,
        speed_m_s=2.2,
        length_m=18.0,
        starts_utc_ns=START_UTC_NS + at * 200 * MILLISECOND_NS,
        scan_s=0.2,
        gamma_counts=random.poisson(fitted[:, None] / PANELS, (SCANS, PANELS)),
        passed_m=np.linspace(-2.0, 20.0, SCANS),
        gamma_background_cps=np.full(PANELS, 250.0),
        gamma_background_s=120.0,
        clean_counts=clean,
        fitted_counts=fitted,
        alarm_counts=clean + 5.0 * np.sqrt(clean),
        neutron_starts_utc_ns=START_UTC_NS + np.arange(10) * SECOND_NS,
        neutron_s=np.ones(10),
        neutron_counts=random.poisson(2.0, 10),
        neutron_background_cps=2.0,
        neutron_background_s=120.0,
        spectra=spectra,
    )


def _ground() -> WaveRecord:
    """Noise, and after ten seconds 1.8 steps a second."""
    random = np.random.default_rng(1)
    size, packet = CLIP_S * GROUND_HZ, GROUND_HZ // 4
    at_s = np.arange(size) / GROUND_HZ
    step_s = (at_s - 10.0) % 0.55
    steps = 4000.0 * np.exp(-step_s / 0.04) * np.sin(50.0 * np.pi * step_s)
    counts = random.normal(0.0, 60.0, size) + np.where(at_s >= 10.0, steps, 0.0)
    packets = np.split(counts.astype(np.int32), size // packet)
    return WaveRecord(
        sensor_id="ground",
        start_utc_ns=START_UTC_NS + 10 * SECOND_NS,
        end_utc_ns=START_UTC_NS + CLIP_S * SECOND_NS,
        begin_utc_ns=START_UTC_NS,
        final=True,
        band_hz=(5.0, 40.0),
        traces=(
            WaveTrace(
                channel="EHZ",
                rate_hz=float(GROUND_HZ),
                counts_per_m_s=4e8,
                calibrated=True,
                packets=tuple(
                    (START_UTC_NS + n * SECOND_NS // 4, each) for n, each in enumerate(packets)
                ),
            ),
        ),
        facts={
            "class": "person",
            "classes": {"person": 0.9, "group": 0.1},
            "footfalls_s": tuple(0.55 * n for n in range(90)),
            "why": {"chain": 2.0, "cadence": 1.0},
        },
    )


def _spectra(detectors: int, slices: int, channels: int = 1024) -> SpectraRecord:
    """1,700 cps of each detector, falling with energy (facts/radiation 5.2)."""
    random = np.random.default_rng(1)
    edges = np.linspace(0.0, 3000.0, channels + 1, dtype=np.float32)
    shape = np.exp(-edges[:-1].astype(np.float64) / 320.0)
    rates = 1700.0 * shape / shape.sum()
    counts = random.poisson(0.1 * rates, (slices, detectors, len(rates)))
    return SpectraRecord(
        detectors=tuple(f"Aa{index + 1}" for index in range(detectors)),
        edges_kev=np.tile(edges, (detectors, 1)),
        starts_utc_ns=START_UTC_NS + np.arange(slices) * 100 * MILLISECOND_NS,
        real_s=np.full(slices, 0.1),
        live_s=np.full((slices, detectors), 0.098),
        counts=counts.astype(np.uint32),
        background_counts=np.tile(np.round(120.0 * rates), (detectors, 1)),
        background_live_s=120.0,
        window=(slices // 3, slices // 2),
        detector_type="NaI",
    )
