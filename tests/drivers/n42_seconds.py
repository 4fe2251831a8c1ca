"""Documents as a portal pushes them each second, and what they are samples of."""

import dataclasses

import numpy as np

from drivers.n42_samples import N42Samples
from drivers.wire import n42
from drivers.wire.malformed import Malformed
from fusion.types import Origin
from tests.drivers.n42_documents import START_UTC_NS, STEP_NS

NAMES = ("A1", "A2", "B1")
CALIBRATION = n42.Calibration(coefficients=(-1.25, 2.9312, 0.0))
INSTRUMENT = n42.Instrument(class_code="Spectroscopic Portal Monitor")


def a_second(
    number=0,
    *,
    seed=0,
    slices=4,
    mean=0.4,
    channels=48,
    live_s=0.0993,
    occupied=True,
    speed=None,
    clock_ns=0,
):
    random = np.random.default_rng([seed, number])
    return n42.Document(
        instrument=INSTRUMENT,
        detectors=(
            *(n42.Detector(name=name, kind="NaI") for name in NAMES),
            n42.Detector(name="N", kind="He3", category="Neutron"),
        ),
        measurements=tuple(
            n42.Measurement(
                class_code="Foreground",
                start_utc_ns=START_UTC_NS + (number * slices + one) * STEP_NS + clock_ns,
                real_s=0.1,
                spectra=tuple(
                    n42.Spectrum(
                        detector=name,
                        live_s=live_s,
                        counts=random.poisson(mean, channels).astype(np.uint32),
                        calibration=CALIBRATION,
                    )
                    for name in NAMES
                ),
                gross=(n42.Gross(detector="N", live_s=0.1, counts=(int(random.poisson(2)),)),),
                occupied=occupied,
                speed_m_s=speed,
            )
            for one in range(slices)
        ),
        remarks=(f"document number = {number:07}", f"occupancy number = {number // 2}"),
    )


def samples(documents):
    made = N42Samples("srpm-1", Origin.SENSOR, closes=False, max_ahead_s=5.0)
    found = []
    for one in documents:
        found += [one] if isinstance(one, Malformed) else made.of(one, 0)
    return found


def alike(one, other):
    if type(one) is not type(other):
        return False
    for field in dataclasses.fields(one):
        ours, theirs = getattr(one, field.name), getattr(other, field.name)
        if isinstance(ours, np.ndarray):
            if ours.dtype != theirs.dtype or not np.array_equal(ours, theirs):
                return False
        elif ours != theirs:
            return False
    return True


def same(ours, theirs):
    return len(ours) == len(theirs) and all(map(alike, ours, theirs))


def coming(number, place, *, slices=4):
    """A vehicle comes at this slice; its speed is told once."""
    document = a_second(number, slices=slices, occupied=False)
    return dataclasses.replace(
        document,
        measurements=tuple(
            dataclasses.replace(one, occupied=at >= place, speed_m_s=2.2 if at == place else None)
            for at, one in enumerate(document.measurements)
        ),
    )
