"""A small pass through every configured spectrometer, so that its templates and kernels are there.

The library of one detector takes seconds to compute: no document should wait for it.
"""

import numpy as np
from numpy.typing import NDArray

from drivers.n42_usual import UsualDocuments
from drivers.wire.malformed import Malformed, malformed
from edge.library_cache import use_library_cache
from fusion.kernels.identify import Parts, Spectrum
from fusion.kernels.identify_scores import Sources, source_scores
from fusion.policy import Policy
from fusion.spectra.binning import bin_edges
from fusion.spectra.nuisance import Bins, source_modes
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
RATE_CPS = 3000.0  # of a source so strong that two photons at once are looked for
LINE_CHANNEL = 226  # of Cs-137 on this scale
DETECTORS = ("one", "two")
EDGES_KEV = np.tile(np.linspace(0.0, 3000.0, CHANNELS + 1, dtype=np.float32), (len(DETECTORS), 1))
DOCUMENT = b"<RadMeasurement><ChannelData>1 2 3</ChannelData></RadMeasurement>"

Rates = NDArray[np.float64]


USUAL = Checkpoint(
    site="warm-up",
    sensors=(
        SensorSpec(
            sensor_id="portal", family=Family.RADIATION, place="lane", detector=DetectorSpec()
        ),
    ),
)
"""What an image is built with: the usual portal."""


def warm_up_spectra(checkpoint: Checkpoint, policy: Policy) -> list[Detection]:
    """Every different detector once; what the made-up source was taken for."""
    use_library_cache()
    found: list[Detection] = []
    detectors = [one for one in dict.fromkeys(s.detector for s in checkpoint.sensors) if one]
    for detector in detectors:
        found += _pass(detector, policy)
        _seldom(detector, policy)
    if detectors:
        UsualDocuments(_refused).read(DOCUMENT)
    return found


def _seldom(detector: DetectorSpec, policy: Policy) -> None:
    """What only spectra without a background, or only sharp peaks, ask for."""
    bins = Bins(detector=detector, edges_kev=bin_edges(detector))
    ones = np.ones(len(bins.middle_kev))
    source_modes(ones[None], bins, policy.identify)
    one, few = np.ones(1), np.arange(1)
    parts = Parts(ones[None], one, one, 0.0 * one, 2.0 * one)
    sources = Sources(np.array([0, 1]), np.zeros(1, np.int32), one)
    source_scores(Spectrum(ones, ones, ones), parts, (one, ones, ones), (sources, few))


def _refused(document: bytes) -> Malformed:
    return malformed("warm-up", document)


def _pass(detector: DetectorSpec, policy: Policy) -> list[Detection]:
    spec = SensorSpec(sensor_id="portal", family=Family.RADIATION, place="lane", detector=detector)
    portal = Portal(spec, policy.radiation, policy.spectra, policy.identify)
    ground = np.exp(-np.arange(CHANNELS) / 80.0)
    ground *= RATE_CPS / ground.sum()
    # As a device does that averages its own background.
    found = portal.feed(_sample(0, BACKGROUND_S, ground, occupied=False, role="background"))
    for second in range(BACKGROUND_S, 2 * BACKGROUND_S + PASS_S):
        occupied = 2 * BACKGROUND_S <= second < 2 * BACKGROUND_S + PASS_S - 1
        rate = ground.copy()
        if occupied:
            rate[LINE_CHANNEL - 8 : LINE_CHANNEL + 8] += RATE_CPS / 16
        found += portal.feed(_sample(second, 1, rate, occupied=occupied))
    return found


def _sample(
    second: int, duration_s: int, rate_cps: Rates, *, occupied: bool, role: str = ""
) -> SpectrumSample:
    """What two detectors counted that are alike."""
    return SpectrumSample(
        sensor_id="portal",
        origin=Origin.SIMULATOR,
        start_utc_ns=START_UTC_NS + second * SECOND_NS,
        duration_ms=duration_s * 1000,
        detectors=DETECTORS,
        counts=np.tile(np.round(rate_cps * duration_s).astype(np.uint32), (len(DETECTORS), 1)),
        edges_kev=EDGES_KEV,
        live_s=(float(duration_s),) * len(DETECTORS),
        neutron_counts=2,
        role=role,
        occupied=occupied,
    )
