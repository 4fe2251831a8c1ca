"""Gross counts out of spectra, for the tests that need no energies."""

import numpy as np

from fusion.spectra.slices import detector_sums
from fusion.types import (
    BackgroundSample,
    CountSample,
    Origin,
    Radiation,
    SpectrumSample,
)

REPORT_MS = 5_000  # a background report, as portals without spectra send them
NEUTRON_MS = 1_000
MOST_REPORTS = 20  # more add nothing: the running average forgets them


class GrossCounts:
    """Reports of a vacant lane and scans of an occupied one."""

    def __init__(self, sensor_id: str) -> None:
        self._sensor_id = sensor_id
        self._vacant_counts = np.zeros(0, np.int64)
        self._vacant_neutrons = 0
        self._vacant_ms = 0
        self._neutrons: int | None = None
        self._neutrons_ms = 0

    def occupied(self, sample: SpectrumSample) -> list[CountSample]:
        """One scan; neutrons once a second."""
        self._vacant_ms = 0
        scans = [self._scan(sample, Radiation.GAMMA, gross(sample), sample.duration_ms)]
        if sample.neutron_counts is None:
            return scans
        self._neutrons = (self._neutrons or 0) + sample.neutron_counts
        self._neutrons_ms += sample.duration_ms
        if self._neutrons_ms >= NEUTRON_MS:
            counts = (self._neutrons,)
            scans.append(self._scan(sample, Radiation.NEUTRON, counts, self._neutrons_ms))
            self._neutrons, self._neutrons_ms = None, 0
        return scans

    def vacant(self, sample: SpectrumSample) -> list[BackgroundSample]:
        """Reports of 5 s, as soon as there are so many."""
        self._neutrons, self._neutrons_ms = None, 0
        counts = np.array(gross(sample))
        if self._vacant_ms == 0 or len(counts) != len(self._vacant_counts):
            self._vacant_counts = np.zeros(len(counts), np.int64)
            self._vacant_neutrons = self._vacant_ms = 0
        self._vacant_counts += counts
        self._vacant_neutrons += sample.neutron_counts or 0
        self._vacant_ms += sample.duration_ms
        reports = min(self._vacant_ms // REPORT_MS, MOST_REPORTS)
        if reports == 0:
            return []
        seconds = self._vacant_ms / 1000
        made = []
        gamma = tuple((self._vacant_counts / seconds).tolist())
        rates = [(Radiation.GAMMA, gamma)]
        if sample.neutron_counts is not None:
            rates.append((Radiation.NEUTRON, (self._vacant_neutrons / seconds,)))
        for _ in range(reports):
            made += [
                BackgroundSample(
                    sensor_id=self._sensor_id,
                    origin=sample.origin,
                    start_utc_ns=sample.start_utc_ns,
                    duration_ms=self._vacant_ms // reports,
                    radiation=radiation,
                    rate_cps=rate_cps,
                    device_fault="",
                )
                for radiation, rate_cps in rates
            ]
        self._vacant_ms = 0
        return made

    def _scan(
        self, sample: SpectrumSample, radiation: Radiation, counts: tuple[int, ...], ms: int
    ) -> CountSample:
        return CountSample(
            sensor_id=self._sensor_id,
            origin=Origin(sample.origin),
            start_utc_ns=sample.start_utc_ns + (sample.duration_ms - ms) * 1_000_000,
            duration_ms=ms,
            radiation=radiation,
            counts=counts,
            device_alarm=False,
        )


def gross(sample: SpectrumSample) -> tuple[int, ...]:
    """Counts of each detector; channel 0 and the last gather what lies outside."""
    return tuple(detector_sums(sample.counts)[1])
