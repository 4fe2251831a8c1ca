"""Spectra of plastic, and of a few windows: natural mixture or not, and never a nuclide."""

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from fusion.radiation_windows import EDGES_KEV, has_windows, in_windows, judge
from fusion.spectra.telling import is_significant
from fusion.spectra.window import best_window
from fusion.types import Detection, Fact, SpectrumSample

AVERAGE_S = 300.0
LEAST_S = 20.0
"""Of background: a window over 1.3 MeV has a few counts a second."""
MOST_SLICES = 3_000
CATEGORIES = {"norm-like": "norm", "not-norm-like": "unknown"}


def is_plastic(sample: SpectrumSample) -> bool:
    """Whether it is to be judged by windows."""
    detectors, channels = sample.counts.shape
    known = sample.edges_kev.shape == (detectors, channels + 1)
    return known and has_windows(sample.detector_type, channels)


class Plastic:
    """Windows of one portal: its background and the vehicle before it."""

    def __init__(self) -> None:
        self._background = np.zeros(len(EDGES_KEV) - 1)
        self._background_s = 0.0
        self._pass: list[tuple[NDArray[np.float64], float]] = []

    def take(self, sample: SpectrumSample) -> None:
        """A slice of a pass, or of a vacant lane."""
        if sample.occupied:
            if len(self._pass) < MOST_SLICES:
                self._pass.append((_windows(sample), _live_s(sample)))
            return
        seconds = sample.duration_ms / 1000
        kept = math.exp(-seconds / AVERAGE_S)
        self._background = self._background * kept + _windows(sample)
        self._background_s = self._background_s * kept + _live_s(sample)

    def clear(self) -> None:
        """Another vehicle comes."""
        self._pass = []

    def told(self, profile: Detection) -> Detection:
        """The pass's profile with what the windows say."""
        if not self._pass or self._background_s < LEAST_S or not is_significant(profile.facts, 0.0):
            return profile
        return replace(profile, facts=dict(profile.facts) | self._facts(profile.facts))

    def _facts(self, facts: Mapping[str, Fact]) -> dict[str, Fact]:
        counts = np.array([counts for counts, _ in self._pass])
        live_s = np.array([seconds for _, seconds in self._pass])
        expected = live_s * (self._background.sum() / self._background_s)
        gross = counts.sum(axis=1)
        best = best_window(
            (gross - expected)[:, None],
            np.maximum(np.maximum(gross, expected), 1.0),
            live_s > 0.0,
            len(gross),
        )
        if best is None:
            return {}
        part = slice(best.first, best.stop)
        found = judge(
            counts[part].sum(axis=0),
            float(live_s[part].sum()),
            self._background,
            self._background_s,
        )
        told: dict[str, Fact] = {
            "windows": found.verdict,
            "windows_sigma": round(found.sigma, 3),
            "windows_suppression": round(found.suppression, 4),
        }
        if found.verdict in CATEGORIES and facts.get("category") != "over-range":
            told["category"] = CATEGORIES[found.verdict]
        return told


def _windows(sample: SpectrumSample) -> NDArray[np.float64]:
    rows = zip(sample.counts, sample.edges_kev, strict=True)
    return np.asarray(np.sum([in_windows(row, edges) for row, edges in rows], axis=0))


def _live_s(sample: SpectrumSample) -> float:
    return float(np.mean(sample.live_s)) if len(sample.live_s) else 0.0
