"""Which spectra of a measurement belong together, and the energies of their channels."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from drivers.wire import n42

KEPT = 64  # calibrations: a portal that stabilises its gain has a few, a hostile one has no end
# The library's mark on the second and third spectrum of a detector in one measurement: the same
# counts in other channels.
AGAIN = "_intercal_"


class Energies:
    """Remembers edges, so that the same calibration is the same array object."""

    def __init__(self) -> None:
        self._known: dict[tuple[object, ...], NDArray[np.float32]] = {}
        self._objects: dict[tuple[object, ...], NDArray[np.float32]] = {}
        """By the calibrations themselves, which compare by identity."""

    def groups(self, spectra: Iterable[n42.Spectrum]) -> dict[tuple[str, ...], list[n42.Spectrum]]:
        """Spectra of as many channels together, by their detectors' names in order.

        Those without energies are apart: they would take them from the others, which share an
        array. Of a detector's spectra of the same measurement the first counts.
        """
        by_shape: dict[tuple[int, bool], dict[str, n42.Spectrum]] = {}
        seen: set[str] = set()
        for spectrum in spectra:
            name = spectrum.detector.partition(AGAIN)[0]
            if name in seen or not spectrum.counts.size:
                continue
            seen.add(name)
            shape = (spectrum.counts.size, bool(self._of(spectrum).size))
            by_shape.setdefault(shape, {})[name] = spectrum
        return {
            (names := tuple(sorted(group))): [group[name] for name in names]
            for group in by_shape.values()
        }

    def edges(
        self, names: tuple[str, ...], group: list[n42.Spectrum]
    ) -> tuple[NDArray[np.float32], bool]:
        """(detectors, channels + 1) keV, or (0, 0); and whether they were not known before."""
        key = (names, *map(_key, group))
        if (known := self._known.get(key)) is not None:
            return known, False
        rows = [self._of(spectrum) for spectrum in group]
        edges = np.stack(rows) if rows[0].size else np.empty((0, 0), np.float32)
        edges.setflags(write=False)
        return self._keep(key, edges), True

    def of(
        self, names: tuple[str, ...], calibrations: tuple[n42.Calibration, ...], channels: int
    ) -> NDArray[np.float32]:
        """(detectors, channels + 1) keV of detectors that have the same objects again and again."""
        key = (names, calibrations, channels)
        if (known := self._objects.get(key)) is not None:
            return known
        nothing = np.empty(channels, np.uint32)
        group = [
            n42.Spectrum(detector=name, live_s=0.0, counts=nothing, calibration=calibration)
            for name, calibration in zip(names, calibrations, strict=True)
        ]
        edges, _ = self.edges(names, group)
        if len(self._objects) >= KEPT:
            self._objects.clear()
        self._objects[key] = edges
        return edges

    def _of(self, spectrum: n42.Spectrum) -> NDArray[np.float32]:
        key = _key(spectrum)
        if (known := self._known.get(key)) is not None:
            return known
        return self._keep(key, spectrum.calibration.edges(spectrum.counts.size))

    def _keep(self, key: tuple[object, ...], edges: NDArray[np.float32]) -> NDArray[np.float32]:
        if len(self._known) >= KEPT:
            self._known.clear()
        self._known[key] = edges
        return edges


def _key(spectrum: n42.Spectrum) -> tuple[object, ...]:
    calibration, channels = spectrum.calibration, spectrum.counts.size
    if calibration.edges_kev is not None:
        return (channels, calibration.edges_kev.tobytes())
    return (channels, *calibration.coefficients)
