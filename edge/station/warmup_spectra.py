"""A small pass through every configured spectrometer, so that its templates and kernels are there.

The library of one detector takes seconds to compute: no document should wait for it.
"""

import numpy as np

from edge.library_cache import use_library_cache
from fusion.policy import Policy
from fusion.spectra.portal import Portal
from fusion.types import (
    SECOND_NS,
    Checkpoint,
    Detection,
    DetectorSpec,
    Family,
    Origin,
    SensorSpec,
    SpectrumSample,
)

START_UTC_NS = 1_700_000_000 * SECOND_NS
CHANNELS = 1024
BACKGROUND_S = 40  # more than two blocks, and enough to compare with
PASS_S = 10
RATE_CPS = 500.0
LINE_CHANNEL = 226  # of Cs-137 on this scale


def warm_up_spectra(checkpoint: Checkpoint, policy: Policy) -> list[Detection]:
    """Every different detector once; what the made-up source was taken for."""
    use_library_cache()
    found: list[Detection] = []
    detectors = dict.fromkeys(spec.detector for spec in checkpoint.sensors)
    for detector in detectors:
        if detector is not None:
            found += _pass(detector, policy)
    return found


def _pass(detector: DetectorSpec, policy: Policy) -> list[Detection]:
    spec = SensorSpec(sensor_id="portal", family=Family.RADIATION, place="lane", detector=detector)
    portal = Portal(spec, policy.radiation, policy.spectra, policy.identify)
    edges_kev = np.linspace(0.0, 3000.0, CHANNELS + 1, dtype=np.float32)[None]
    ground = np.exp(-np.arange(CHANNELS) / 80.0)
    ground *= RATE_CPS / ground.sum()
    found: list[Detection] = []
    for second in range(BACKGROUND_S + PASS_S):
        occupied = BACKGROUND_S <= second < BACKGROUND_S + PASS_S - 1
        rate = ground.copy()
        if occupied:
            rate[LINE_CHANNEL - 8 : LINE_CHANNEL + 8] += RATE_CPS / 16
        found += portal.feed(
            SpectrumSample(
                sensor_id="portal",
                origin=Origin.SIMULATOR,
                start_utc_ns=START_UTC_NS + second * SECOND_NS,
                duration_ms=1000,
                detectors=("one",),
                counts=np.round(rate).astype(np.uint32)[None],
                edges_kev=edges_kev,
                live_s=(1.0,),
                neutron_counts=2,
                role="",
                occupied=occupied,
            )
        )
    return found
