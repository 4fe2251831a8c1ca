"""Documents for tests: a pass of a spectroscopic portal, and panels that only count."""

import os
import signal
from contextlib import contextmanager

import numpy as np

from drivers.wire import n42

START_UTC_NS = 1_790_000_000_000_000_000
STEP_NS = 100_000_000


def a_pass(*, slices=5, detectors=4, channels=64, mean=0.3, seed=1):
    """A pass of a spectroscopic portal with everything that an alert's evidence carries."""
    random = np.random.default_rng(seed)
    names = [f"D{number}" for number in range(1, detectors + 1)]
    calibration = n42.Calibration(coefficients=(-3.2, 2.93, 1.2e-5))

    def spectra(mean, live_s):
        return tuple(
            n42.Spectrum(
                detector=name,
                live_s=live_s,
                counts=random.poisson(mean, channels).astype(np.uint32),
                calibration=calibration,
            )
            for name in names
        )

    def neutrons(seconds):
        return (n42.Gross(detector="N1", live_s=seconds, counts=(int(random.poisson(seconds)),)),)

    background = n42.Measurement(
        class_code="Background",
        start_utc_ns=START_UTC_NS - 300 * 10 * STEP_NS,
        real_s=300.0,
        spectra=spectra(3000 * mean, 298.5),
        gross=neutrons(300.0),
        occupied=False,
    )
    items = [
        n42.Measurement(
            class_code="Foreground",
            start_utc_ns=START_UTC_NS + number * STEP_NS,
            real_s=0.1,
            spectra=spectra(mean, 0.0995),
            gross=neutrons(0.1),
            occupied=number > 1,
            speed_m_s=2.2,
            faults=(n42.Fault(code="tamper", description="door open", detector=names[0]),)
            if number == 2
            else (),
        )
        for number in range(slices)
    ]
    return n42.Document(
        instrument=n42.Instrument(
            manufacturer="Acme & Sons <co.>",
            model="P 1.2 (b)",
            class_code="Spectroscopic Portal Monitor",
            versions=(("Software", "1.0"),),
        ),
        detectors=(
            *(n42.Detector(name=name, kind="NaI", depth_cm=5.08) for name in names),
            n42.Detector(name="N1", kind="He3", category="Neutron"),
        ),
        measurements=(background, *items),
        analyses=(
            n42.Analysis(
                algorithm="Garita spectra",
                version="0.3.0",
                description='Cs-137 "industrial" & more',
                utc_ns=START_UTC_NS,
                confidence=0.97,
                settings=(("gamma_sigma", "11.2"),),
                alarms=(
                    n42.Alarm(category="Isotope", description="Cs-137", utc_ns=START_UTC_NS),
                    n42.Alarm(category="Neutron", detectors=("N1",)),
                ),
                nuclides=(n42.Nuclide(name="Cs-137", confidence=0.97, category="industrial"),),
                faults=(n42.Fault(code="gain", description="drift"),),
            ),
        ),
        remarks=("first", "second\x00 <&>"),
        item="lane nb-01, occupancy 1041",
    )


def portal_of_panels(slices=10):
    """Four plastic panels that only count."""
    names = [f"panel {number}" for number in range(1, 5)]
    return n42.Document(
        instrument=n42.Instrument(class_code="Portal Monitor"),
        detectors=tuple(n42.Detector(name=name, kind="PVT") for name in names),
        measurements=tuple(
            n42.Measurement(
                class_code="Foreground",
                start_utc_ns=START_UTC_NS + number * 2 * STEP_NS,
                real_s=0.2,
                gross=tuple(n42.Gross(detector=name, live_s=0.2, counts=(50,)) for name in names),
                occupied=True,
            )
            for number in range(slices)
        ),
    )


@contextmanager
def both_stopped(reader):
    """The reader's two children, started and then standing still; they are killed at the end."""
    data = n42.write(a_pass(slices=1))
    reader.close()  # other tests may have used it
    with reader._lent() as first:
        reader.read(data)
    # The one that was given back last is the next to be lent.
    assert reader._idle[-1] is first
    reader.read(data)
    pids = reader.child_pids
    assert len(pids) == 2
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
