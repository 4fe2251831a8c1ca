"""A pass as an N42-2012 document: background, occupancy slice by slice, alarm and verdict."""

from functools import lru_cache

import numpy as np

from drivers.wire import n42_model as n42
from drivers.wire.n42_write import write
from edge.evidence.coarser import coarser, note, rough_bytes, sparser
from edge.evidence.story import LANGUAGES, Story
from edge.protocol.contract import SOFTWARE
from edge.text import say
from fusion.pass_record import PassRecord, SpectraRecord
from fusion.types import SECOND_NS, Fact

MAX_BYTES = 900_000
"""Readers of ours take packets of a million bytes; the topic and properties need some."""
MAX_NUMBERS = 420_000
"""Writing takes some 70 ns for each, and the alert waits for it."""
NEUTRONS = "neutrons"
STRAIGHT = 0.02  # of a channel: a quadratic that is off by less says the same as the edges


def document(record: PassRecord, story: Story) -> bytes:
    """The pass as N42-2012, in a coarser form where it would be longer than `MAX_BYTES`."""
    coarse = sparser(record, MAX_NUMBERS)
    while True:
        less = coarser(coarse)
        if less is None or rough_bytes(coarse) <= MAX_BYTES:
            data = write(_document(coarse, story, note(record, coarse)))
            if less is None or len(data) <= MAX_BYTES:
                return data
        assert less is not None
        coarse = less


def _document(record: PassRecord, story: Story, remark: str) -> n42.Document:
    spectra = record.spectra
    gamma = _gross(record) if spectra is None else _spectra(record, spectra)
    measurements = [*_background(record), *gamma, *_neutrons(record)]
    occupancy = "" if record.counter is None else f", occupancy {record.counter}"
    exercise = say("phrase", "exercise", LANGUAGES[0]) + say("phrase", "exercise", LANGUAGES[1])
    remarks = (exercise.replace(": ", ". ").strip() if story.exercise else "", remark)
    return n42.Document(
        instrument=n42.Instrument(
            serial=record.sensor_id,
            class_code="Portal Monitor" if spectra is None else "Spectroscopic Portal Monitor",
            description=f"{story.site}, {story.place}",
            versions=(("Software", SOFTWARE),),
        ),
        detectors=_detectors(record),
        measurements=tuple(measurements),
        analyses=(_analysis(story),),
        remarks=tuple(each for each in remarks if each),
        item=f"lane {story.place}{occupancy}",
    )


def _detectors(record: PassRecord) -> tuple[n42.Detector, ...]:
    spectra = record.spectra
    if spectra is None:
        gamma = [n42.Detector(name=_panel(n), kind="PVT") for n in range(record.panels)]
    else:
        kind = spectra.detector_type or "Other"
        gamma = [n42.Detector(name=name, kind=kind) for name in spectra.detectors]
    return (*gamma, n42.Detector(name=NEUTRONS, category="Neutron"))


def _panel(index: int) -> str:
    return f"panel{index + 1}"


# --- measurements ----------------------------------------------------------------------


def _background(record: PassRecord) -> list[n42.Measurement]:
    """Gamma, then neutrons: they were measured over different times."""
    found = []
    spectra, rates = record.spectra, record.gamma_background_cps
    if spectra is not None and spectra.background_counts is not None:
        seconds = spectra.background_live_s
        calibrations = _calibrations(spectra)
        parts = tuple(
            n42.Spectrum(
                detector=name, live_s=seconds, counts=counts, calibration=calibrations[index]
            )
            for index, (name, counts) in enumerate(
                zip(spectra.detectors, spectra.background_counts, strict=True)
            )
        )
        found.append(_before(record, seconds, spectra=parts))
    elif spectra is None and rates is not None and record.gamma_background_s > 0.0:
        seconds = record.gamma_background_s
        panels = tuple(
            _summed(_panel(n), seconds, round(float(rate) * seconds))
            for n, rate in enumerate(rates)
        )
        found.append(_before(record, seconds, spectra=panels))
    neutrons, seconds = record.neutron_background_cps, record.neutron_background_s
    if neutrons is not None and seconds > 0.0:
        counted = _counted(NEUTRONS, seconds, neutrons * seconds)
        found.append(_before(record, seconds, gross=(counted,)))
    return found


def _before(
    record: PassRecord,
    seconds: float,
    *,
    spectra: tuple[n42.Spectrum, ...] = (),
    gross: tuple[n42.Gross, ...] = (),
) -> n42.Measurement:
    return n42.Measurement(
        class_code="Background",
        start_utc_ns=record.opened_utc_ns - round(seconds * SECOND_NS),
        real_s=seconds,
        spectra=spectra,
        gross=gross,
        occupied=False,
    )


def _gross(record: PassRecord) -> list[n42.Measurement]:
    names = [_panel(panel) for panel in range(record.gamma_counts.shape[1])]
    # A spectrum of one channel each: readers pass over gross counts of gamma detectors.
    single = iter(record.gamma_counts.reshape(-1, 1))
    return [
        n42.Measurement(
            class_code="Foreground",
            start_utc_ns=start,
            real_s=record.scan_s,
            spectra=tuple(
                n42.Spectrum(detector=name, live_s=record.scan_s, counts=next(single))
                for name in names
            ),
            occupied=_occupied(record, start, record.scan_s),
            speed_m_s=record.speed_m_s,
        )
        for start in record.starts_utc_ns.tolist()
    ]


def _spectra(record: PassRecord, spectra: SpectraRecord) -> list[n42.Measurement]:
    detectors = list(zip(spectra.detectors, _calibrations(spectra), strict=True))
    starts, real_s = spectra.starts_utc_ns.tolist(), spectra.real_s.tolist()
    return [
        n42.Measurement(
            class_code="Foreground",
            start_utc_ns=start,
            real_s=real,
            spectra=tuple(
                n42.Spectrum(detector=name, live_s=live, counts=each, calibration=calibration)
                for (name, calibration), live, each in zip(detectors, live_s, counts, strict=True)
            ),
            occupied=_occupied(record, start, real),
            speed_m_s=record.speed_m_s,
        )
        for start, real, live_s, counts in zip(
            starts, real_s, spectra.live_s.tolist(), spectra.counts, strict=True
        )
    ]


def _neutrons(record: PassRecord) -> list[n42.Measurement]:
    return [
        n42.Measurement(
            class_code="Foreground",
            start_utc_ns=start,
            real_s=seconds,
            gross=(_counted(NEUTRONS, seconds, count),),
            occupied=_occupied(record, start, seconds),
        )
        for start, seconds, count in zip(
            record.neutron_starts_utc_ns.tolist(),
            record.neutron_s.tolist(),
            record.neutron_counts.tolist(),
            strict=True,
        )
    ]


def _summed(detector: str, live_s: float, counts: int) -> n42.Spectrum:
    """A spectrum of one channel: readers pass over gross counts of gamma detectors."""
    return n42.Spectrum(detector=detector, live_s=live_s, counts=np.array([counts]))


def _counted(detector: str, live_s: float, counts: float) -> n42.Gross:
    return n42.Gross(detector=detector, live_s=live_s, counts=(float(round(counts)),))


def _occupied(record: PassRecord, start_utc_ns: int, seconds: float) -> bool:
    """Whether the vehicle was there in the middle of it; portals tell of before and after."""
    middle = start_utc_ns + round(seconds * SECOND_NS / 2)
    closed = record.closed_utc_ns
    return middle >= record.opened_utc_ns and (closed is None or middle < closed)


def _calibrations(spectra: SpectraRecord) -> list[n42.Calibration]:
    """One of each detector; the same object where two have the same."""
    known: dict[bytes, n42.Calibration] = {}
    found = []
    for index in range(len(spectra.detectors)):
        edges = spectra.edges_kev[index] if spectra.edges_kev.size else np.empty(0, np.float32)
        key = np.asarray(edges, np.float32).tobytes()
        if key not in known:
            known[key] = _calibration(key)
        found.append(known[key])
    return found


@lru_cache(maxsize=128)
def _calibration(float32_kev: bytes) -> n42.Calibration:
    """Of a detector's edges; a portal's stay the same for many passes.

    A quadratic through three edges where that says the same. Not a fit: its last digit depends on
    the machine's linear algebra, and these bytes must not.
    """
    edges_kev = np.frombuffer(float32_kev, np.float32)
    channels = edges_kev.size - 1
    if channels < 2:
        return n42.UNKNOWN_CALIBRATION
    edges = edges_kev.astype(np.float64)
    half = channels // 2
    low, middle, high = float(edges[0]), float(edges[half]), float(edges[-1])
    slope, whole = (middle - low) / half, (high - low) / channels
    bend = (whole - slope) / (channels - half)
    linear = slope - bend * half
    at = np.arange(channels + 1, dtype=np.float64)
    off = np.abs(low + (linear + bend * at) * at - edges)
    if np.all(off[1:] <= STRAIGHT * np.diff(edges)):
        return n42.Calibration(coefficients=(low, linear, bend))
    return n42.Calibration(edges_kev=edges_kev)


# --- verdict ---------------------------------------------------------------------------


def _analysis(story: Story) -> n42.Analysis:
    facts = {**story.neutron, **story.gamma}
    settings = [("event", story.event), ("level", str(story.level)), ("alert", story.alert)]
    settings += [(name, _plain(facts[name])) for name in sorted(facts) if _is_plain(facts[name])]
    category = story.gamma.get("category")
    return n42.Analysis(
        algorithm="Garita",
        version=SOFTWARE.split()[-1],
        description=" / ".join(story.headlines),
        utc_ns=story.updated_utc_ns,
        confidence=min(max(story.probability, 0.0), 1.0),
        settings=tuple(settings),
        alarms=tuple(
            n42.Alarm(category=kind, description=story.headlines[0], utc_ns=story.updated_utc_ns)
            for kind in story.alarms
        ),
        nuclides=tuple(
            n42.Nuclide(
                name=name,
                confidence=min(max(confidence, 0.0), 1.0),
                category=category if isinstance(category, str) else "",
            )
            for name, confidence in story.nuclides
        ),
    )


def _is_plain(fact: Fact) -> bool:
    return isinstance(fact, str | int | float) and fact != ""


def _plain(fact: Fact) -> str:
    if isinstance(fact, bool):
        return "true" if fact else "false"
    return f"{fact:.6g}" if isinstance(fact, float) else str(fact)
