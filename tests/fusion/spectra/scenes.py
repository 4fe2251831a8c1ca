"""Hand-made spectra of a portal: a background of natural series and scatter, sources out of the
library's own shapes."""

from functools import lru_cache

import numpy as np

from fusion.spectra.stream import library_of
from fusion.types import (
    SECOND_NS,
    DetectorSpec,
    Family,
    OccupancySample,
    Origin,
    SensorSpec,
    SpectrumSample,
)

START_UTC_NS = 1_790_000_000 * SECOND_NS
CHANNELS = 1024
NAI = DetectorSpec()


def spec(detector=NAI):
    return SensorSpec(sensor_id="rpm-1", family=Family.RADIATION, place="lane-1", detector=detector)


@lru_cache
def edges_of(gains):
    return np.array([np.linspace(0.0, 3000.0 * gain, CHANNELS + 1) for gain in gains], np.float32)


@lru_cache
def on_channels(name, variant="", detector=NAI):
    """Shape over the channels of a linear scale to 3 MeV, sums to 1; `"ground"` is background."""
    library = library_of(detector)
    edges = library.edges_kev
    if name == "ground":
        scatter = np.exp(-edges[:-1] / 150.0) - np.exp(-edges[1:] / 150.0)
        shape = library.nuisance_shapes.mean(axis=0) * 0.4 + 0.6 * scatter / scatter.sum()
    elif name in library.nuisance_names and variant == "ground":
        shape = library.nuisance_shapes[library.nuisance_names.index(name)]
    else:
        shape = next(
            one.shape
            for one in library.templates
            if one.nuclide == name and variant in ("", one.variant)
        )
    # Even within a bin, so that binning gives the library's own shape again.
    below = np.concatenate(([0.0], np.cumsum(shape)))
    counts = np.diff(np.interp(np.linspace(0.0, 3000.0, CHANNELS + 1), edges, below))
    return counts / counts.sum()


class Device:
    """Makes samples one after the other."""

    def __init__(self, seed, *, detectors=4, slice_s=0.2, cps=600.0, gains=None, kind="NaI"):
        self.random = np.random.default_rng(seed)
        self.slice_s, self.cps, self.detectors = slice_s, cps, detectors
        self.edges = edges_of(gains or (1.0,) * detectors)
        self.kind = kind
        self.now_utc_ns = START_UTC_NS
        self.neutron_cps = 3.0

    def slice(
        self,
        sources=(),
        *,
        occupied=None,
        level=1.0,
        role="item",
        seconds=None,
        neutrons=0.0,
        shares=None,
        drift=1.0,
        dead=0.0,
    ):
        """One sample; sources are (shape over channels, counts per second of one detector)."""
        seconds = seconds or self.slice_s
        shares = np.ones(self.detectors) if shares is None else np.array(shares)
        rate = np.outer(np.ones(self.detectors), on_channels("ground")) * self.cps * level
        for shape, cps in sources:
            rate = rate + np.outer(shares, shape) * cps
        if drift != 1.0:  # the tube gives more light: every peak is in a higher channel
            place = np.arange(CHANNELS) + 0.5
            rate = np.array([np.interp(place / drift, place, row) / drift for row in rate])
        sample = SpectrumSample(
            sensor_id="rpm-1",
            origin=Origin.SIMULATOR,
            start_utc_ns=self.now_utc_ns,
            duration_ms=round(seconds * 1000),
            detectors=tuple(f"d{i + 1}" for i in range(self.detectors)),
            counts=self.random.poisson(rate * seconds * (1.0 - dead)).astype(np.uint32),
            edges_kev=self.edges,
            live_s=(seconds * (1.0 - dead),) * self.detectors,
            neutron_counts=int(self.random.poisson((self.neutron_cps + neutrons) * seconds)),
            role=role,
            occupied=occupied,
            detector_type=self.kind,
        )
        self.now_utc_ns += round(seconds * SECOND_NS)
        return sample

    def mark(self, *, opened):
        return OccupancySample(
            sensor_id="rpm-1",
            origin=Origin.SIMULATOR,
            start_utc_ns=self.now_utc_ns,
            opened=opened,
            counter=None,
        )

    def vacant(self, seconds, **how):
        return [self.slice(occupied=False, **how) for _ in range(round(seconds / self.slice_s))]

    def vehicle(
        self, source=None, cps=0.0, *, width_m=0.0, speed=2.2, length_m=16.0, shadow=0.1, **how
    ):
        """One vehicle with a source in its middle; a shadow over its whole length."""
        samples = [self.mark(opened=True)]
        slices = round(length_m / speed / self.slice_s) + 4
        for i in range(slices):
            away_m = (i + 0.5 - slices / 2) * self.slice_s * speed
            reach = np.maximum(np.abs(away_m) - width_m / 2, 0.0)
            profile = (6.25 / (6.25 + reach**2)) ** 1.5
            sources = [(source, cps * profile)] if source is not None else []
            samples.append(self.slice(sources, occupied=True, level=1.0 - shadow, **how))
        return [*samples, self.mark(opened=False)]


def feed(portal, samples):
    found = []
    for sample in samples:
        found += portal.feed(sample)
    return found


def let_end(portal, device):
    """Ticks until any record is over."""
    found = []
    for i in range(80):
        found += portal.tick(device.now_utc_ns + i * SECOND_NS)
    return found


def told(found, *, final=True):
    return [one for one in found if one.kind == "gamma.spectrum" and one.final is final]
