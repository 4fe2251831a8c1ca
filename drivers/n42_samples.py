"""N42 documents of one portal to samples, in the order and at the times that an engine can take.

Background first, then the items in order of time. A document's own times count, where they can:
what is dated after its arrival, or before what was told already, gets the arrival's time.
"""

from dataclasses import replace

import numpy as np

from drivers.n42_faults import code_of, text_of
from drivers.n42_short import is_plain, tell
from drivers.n42_table import Table, material
from drivers.n42_told import (
    BACK_NS,
    CONTINUED,
    LONGEST_S,
    ROLES,
    Found,
    Told,
    bounded,
    counter_of,
    milliseconds,
    nanoseconds,
)
from drivers.wire import n42
from drivers.wire.malformed import malformed
from fusion.types import (
    SECOND_NS,
    BackgroundSample,
    CountSample,
    Origin,
    Radiation,
    Sample,
    SpectrumSample,
    StatusSample,
)

MOST_COUNTS = 2.0**53
NOT_MEASURED = frozenset(("Calibration", "IntrinsicActivity"))


class N42Samples:
    """What one portal's documents say.

    closes       an occupancy ends with its document: one file an occupancy
    max_ahead_s  how far a document may be dated after its arrival
    """

    def __init__(self, sensor_id: str, origin: Origin, *, closes: bool, max_ahead_s: float) -> None:
        self._told = Told(sensor_id, origin, closes=closes)
        self._max_ahead_ns = round(max_ahead_s * SECOND_NS)
        self._faults: dict[str, str] = {}
        """Active ones, with their texts."""
        self._categories: dict[str, str] = {}
        self._kinds: dict[str, str] = {}

    def of(self, document: n42.Document | Table, received_utc_ns: int) -> Found:
        """The document's samples; Malformed beside them tells what had to be mended.

        `clock-ahead` and `clock-behind`: its times were not to be used; `no-calibration`: some
        spectra have no energies, once for each calibration.
        """
        found: Found = []
        if isinstance(document, Table):
            if not self._faults and is_plain(
                document, self._told, received_utc_ns, max_ahead_ns=self._max_ahead_ns
            ):
                tell(document, self._told, found)
                return found
            document = document.document()
        self._categories = {one.name: one.category for one in document.detectors}
        self._kinds = {one.name: one.kind for one in document.detectors}
        self._told.counter = counter_of(document.remarks)
        backgrounds = [one for one in document.measurements if one.class_code == "Background"]
        items = [
            one
            for one in document.measurements
            if one.class_code not in NOT_MEASURED and one.class_code != "Background"
        ]
        timed = self._timed(items, received_utc_ns, found)
        first_ns = timed[0][0] if timed else received_utc_ns
        for one in backgrounds:
            start_ns = first_ns if one.start_utc_ns is None else min(one.start_utc_ns, first_ns)
            self._measured(one, start_ns, found)
        self._told_faults(document.measurements, first_ns, found)
        for start_ns, one in timed:
            self._told.vehicle(start_ns, one.occupied, one.speed_m_s, found)
            self._measured(one, start_ns, found)
            self._told.ended(start_ns + nanoseconds(one.real_s))
        self._told.close(document.remarks, found)
        return found

    # --- times -------------------------------------------------------------------------

    def _timed(
        self, items: list[n42.Measurement], received_utc_ns: int, found: Found
    ) -> list[tuple[int, n42.Measurement]]:
        """(start, item) in order of time."""
        if not items:
            return []
        starts = [one.start_utc_ns for one in items]
        if any(start is None for start in starts):
            timed = self._by_arrival(items, received_utc_ns)
        else:
            timed = [(start or 0, one) for start, one in zip(starts, items, strict=True)]
            timed.sort(key=lambda one: one[0])
        if not received_utc_ns:  # a recorded file of which nobody knows when it arrived
            return timed
        end_ns = max(start + nanoseconds(one.real_s) for start, one in timed)
        ahead_ns = end_ns - received_utc_ns
        behind_ns = self._told.last_ns - timed[0][0]
        if ahead_ns > self._max_ahead_ns:
            text = f"dated {ahead_ns / SECOND_NS:.1f} s after it arrived"
            found.append(malformed("clock-ahead", text.encode()))
        elif behind_ns > BACK_NS:
            text = f"dated {behind_ns / SECOND_NS:.1f} s before what came earlier"
            found.append(malformed("clock-behind", text.encode()))
        else:
            return timed
        return [(start - ahead_ns, one) for start, one in timed]

    def _by_arrival(
        self, items: list[n42.Measurement], received_utc_ns: int
    ) -> list[tuple[int, n42.Measurement]]:
        """One after the other, so that the last has just ended."""
        start_ns = max(received_utc_ns - sum(nanoseconds(one.real_s) for one in items), 0)
        timed = []
        for one in items:
            timed.append((start_ns, one))
            start_ns += nanoseconds(one.real_s)
        return timed

    # --- items -------------------------------------------------------------------------

    def _measured(self, one: n42.Measurement, start_ns: int, found: Found) -> None:
        neutrons = [part for part in one.gross if self._categories.get(part.detector) == "Neutron"]
        total = _sum(neutrons) if neutrons else None
        if one.spectra:
            self._spectra(one, start_ns, total, found)
            return
        gammas = [part for part in one.gross if part not in neutrons]
        for radiation, parts in ((Radiation.GAMMA, gammas), (Radiation.NEUTRON, neutrons)):
            if parts:
                found.append(self._counts(one, start_ns, radiation, parts))

    def _counts(
        self,
        one: n42.Measurement,
        start_ns: int,
        radiation: Radiation,
        parts: list[n42.Gross],
    ) -> Sample:
        if one.class_code == "Background" or one.occupied is False:
            return BackgroundSample(
                sensor_id=self._told.sensor_id,
                origin=self._told.origin,
                start_utc_ns=self._told.forward(start_ns),
                duration_ms=milliseconds(one.real_s),
                radiation=radiation,
                rate_cps=tuple(
                    _sum([part]) / (bounded(part.live_s or one.real_s, LONGEST_S) or 1.0)
                    for part in parts
                ),
                device_fault="",
            )
        return CountSample(
            sensor_id=self._told.sensor_id,
            origin=self._told.origin,
            start_utc_ns=self._told.forward(start_ns),
            duration_ms=milliseconds(one.real_s),
            radiation=radiation,
            counts=tuple(_sum([part]) for part in parts),
            device_alarm=False,
        )

    def _spectra(
        self, one: n42.Measurement, start_ns: int, neutrons: int | None, found: Found
    ) -> None:
        for names, group in self._told.energies.groups(one.spectra).items():
            edges, is_news = self._told.energies.edges(names, group)
            if is_news and not edges.size:
                found.append(malformed("no-calibration", " ".join(names).encode()))
            found.append(
                SpectrumSample(
                    sensor_id=self._told.sensor_id,
                    origin=self._told.origin,
                    start_utc_ns=self._told.forward(start_ns),
                    duration_ms=milliseconds(one.real_s),
                    detectors=names,
                    counts=np.stack([spectrum.counts for spectrum in group]).astype(
                        np.uint32, copy=False
                    ),
                    edges_kev=edges,
                    live_s=tuple(
                        bounded(spectrum.live_s or one.real_s, LONGEST_S) for spectrum in group
                    ),
                    neutron_counts=neutrons,
                    role=ROLES.get(one.class_code, ""),
                    occupied=one.occupied,
                    detector_type=material(self._kinds.get(one.detector, "") for one in group),
                )
            )
            neutrons = None  # told once

    # --- faults ------------------------------------------------------------------------

    def _told_faults(
        self, measurements: tuple[n42.Measurement, ...], start_ns: int, found: Found
    ) -> None:
        """A fault lasts from the first document that names it to the first that does not.

        A document of background alone says nothing of faults.
        """
        if all(one.class_code == "Background" for one in measurements):
            return
        told = {code_of(fault): text_of(fault) for one in measurements for fault in one.faults}
        for code in sorted(self._faults.keys() - told.keys()):
            found.append(self._status(code, False, self._faults[code], start_ns))
        for code in sorted(told.keys() - self._faults.keys()):
            found.append(self._status(code, True, told[code], start_ns))
        self._faults = told

    def _status(self, code: str, active: bool, text: str, at_ns: int) -> StatusSample:
        return StatusSample(
            sensor_id=self._told.sensor_id,
            origin=self._told.origin,
            start_utc_ns=self._told.forward(at_ns),
            code=code,
            active=active,
            text=text,
        )


def _sum(parts: list[n42.Gross]) -> int:
    return round(bounded(sum(sum(part.counts) for part in parts), MOST_COUNTS))


def continued(document: n42.Document) -> n42.Document:
    """The same document, marked as one that goes on."""
    return replace(document, remarks=(*document.remarks, CONTINUED))
