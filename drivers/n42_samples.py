"""N42 documents of one portal to samples, in the order and at the times that an engine can take.

Background first, then the items in order of time. A document's own times count, where they can:
what is dated after its arrival, or before what was told already, gets the arrival's time.
"""

import re
from dataclasses import replace

import numpy as np

from drivers.n42_energies import Energies
from drivers.n42_faults import code_of, text_of
from drivers.n42_table import Table, material
from drivers.wire import n42
from drivers.wire.malformed import Malformed, malformed
from fusion.types import (
    MILLISECOND_NS,
    SECOND_NS,
    BackgroundSample,
    CountSample,
    OccupancySample,
    Origin,
    Radiation,
    Sample,
    SpectrumSample,
    SpeedSample,
    StatusSample,
)

CONTINUED = "Garita: continued in the next document"
"""A remark: the record does not end with this document, nor does an occupancy in it."""
GAP_NS = 2 * SECOND_NS  # an occupancy that is not told of for longer has ended unseen
BACK_NS = 5 * SECOND_NS  # overlapping documents repeat a second or two; a clock set back, more
LONGEST_S = 1e8  # three years: nothing is measured for longer
MOST_COUNTS = 2.0**53
FASTEST_M_S = 100.0
NOT_MEASURED = frozenset(("Calibration", "IntrinsicActivity"))
ROLES = {"Foreground": "item", "Background": "background"}
_COUNTER = re.compile(r"occupancy number\s*[=:]\s*(\d{1,9})", re.IGNORECASE)

Found = list[Sample | Malformed]


class N42Samples:
    """What one portal's documents say.

    closes       an occupancy ends with its document: one file an occupancy
    max_ahead_s  how far a document may be dated after its arrival
    """

    def __init__(self, sensor_id: str, origin: Origin, *, closes: bool, max_ahead_s: float) -> None:
        self._sensor_id = sensor_id
        self._origin = origin
        self._closes = closes
        self._max_ahead_ns = round(max_ahead_s * SECOND_NS)
        self._last_ns = 0
        self._end_ns = 0
        """Where the last item ended."""
        self._occupied = False
        self._speed_m_s = 0.0
        self._faults: dict[str, str] = {}
        """Active ones, with their texts."""
        self._energies = Energies()
        self._categories: dict[str, str] = {}
        self._kinds: dict[str, str] = {}
        self._counter: int | None = None

    def of(self, document: n42.Document | Table, received_utc_ns: int) -> Found:
        """The document's samples; Malformed beside them tells what had to be mended.

        `clock-ahead` and `clock-behind`: its times were not to be used; `no-calibration`: some
        spectra have no energies, once for each calibration.
        """
        found: Found = []
        if isinstance(document, Table):
            if self._is_plain(document, received_utc_ns):
                self._table(document, found)
                return found
            document = document.document()
        self._categories = {one.name: one.category for one in document.detectors}
        self._kinds = {one.name: one.kind for one in document.detectors}
        self._counter = _counter(document.remarks)
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
            self._vehicle(start_ns, one.occupied, one.speed_m_s, found)
            self._measured(one, start_ns, found)
            self._end_ns = max(self._end_ns, start_ns + _ns(one.real_s))
        self._close(document.remarks, found)
        return found

    def _close(self, remarks: tuple[str, ...], found: Found) -> None:
        if self._occupied and self._closes and CONTINUED not in remarks:
            self._occupancy(False, self._end_ns, found)

    # --- in the short way --------------------------------------------------------------

    def _is_plain(self, table: Table, received_utc_ns: int) -> bool:
        """Whether its times can be used, and nothing in it needs more than a look."""
        if self._faults or any(item.class_code == "Background" for item in table.form.items):
            return False
        if not received_utc_ns:
            return True
        ends_ns = zip(table.starts_utc_ns, table.reals_s, strict=True)
        ahead_ns = max(start_ns + _ns(real_s) for start_ns, real_s in ends_ns) - received_utc_ns
        behind_ns = self._last_ns - table.starts_utc_ns[0]
        return ahead_ns <= self._max_ahead_ns and behind_ns <= BACK_NS

    def _table(self, table: Table, found: Found) -> None:
        """As `of`, without a look at what such a document cannot have."""
        self._counter = _counter(table.remarks)
        channels = table.counts.shape[1]
        for at, item in enumerate(table.form.items):
            start_ns, real_s = table.starts_utc_ns[at], table.reals_s[at]
            self._vehicle(start_ns, item.occupied, table.speeds_m_s[at], found)
            live_s = table.lives_s[at]
            if not all(live_s):
                live_s = tuple(one_s or real_s for one_s in live_s)
            found.append(
                SpectrumSample(
                    sensor_id=self._sensor_id,
                    origin=self._origin,
                    start_utc_ns=self._forward(start_ns),
                    duration_ms=_ms(real_s),
                    detectors=item.names,
                    counts=table.counts_of(item),
                    edges_kev=self._energies.of(item.names, item.calibrations, channels),
                    live_s=live_s,
                    neutron_counts=table.neutrons[at],
                    role=ROLES.get(item.class_code, ""),
                    occupied=item.occupied,
                    detector_type=item.detector_type,
                )
            )
            self._end_ns = max(self._end_ns, start_ns + _ns(real_s))
        self._close(table.remarks, found)

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
        end_ns = max(start + _ns(one.real_s) for start, one in timed)
        ahead_ns = end_ns - received_utc_ns
        behind_ns = self._last_ns - timed[0][0]
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
        start_ns = max(received_utc_ns - sum(_ns(one.real_s) for one in items), 0)
        timed = []
        for one in items:
            timed.append((start_ns, one))
            start_ns += _ns(one.real_s)
        return timed

    def _forward(self, start_ns: int) -> int:
        self._last_ns = max(self._last_ns, start_ns)
        return self._last_ns

    # --- items -------------------------------------------------------------------------

    def _vehicle(
        self, start_ns: int, occupied: bool | None, speed_m_s: float | None, found: Found
    ) -> None:
        """What an item that begins now says of who stands in the beam."""
        if self._occupied and start_ns - self._end_ns > GAP_NS:
            self._occupancy(False, self._end_ns, found)
        if occupied is not None and occupied != self._occupied:
            self._occupancy(occupied, start_ns, found)
        if speed_m_s is not None and 0 < speed_m_s < FASTEST_M_S and speed_m_s != self._speed_m_s:
            self._speed_m_s = speed_m_s
            found.append(
                SpeedSample(
                    sensor_id=self._sensor_id,
                    origin=self._origin,
                    start_utc_ns=self._forward(start_ns),
                    speed_m_s=speed_m_s,
                )
            )

    def _occupancy(self, opened: bool, at_ns: int, found: Found) -> None:
        self._occupied = opened
        self._speed_m_s = 0.0
        found.append(
            OccupancySample(
                sensor_id=self._sensor_id,
                origin=self._origin,
                start_utc_ns=self._forward(at_ns),
                opened=opened,
                counter=self._counter,
            )
        )

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
                sensor_id=self._sensor_id,
                origin=self._origin,
                start_utc_ns=self._forward(start_ns),
                duration_ms=_ms(one.real_s),
                radiation=radiation,
                rate_cps=tuple(
                    _sum([part]) / (_bounded(part.live_s or one.real_s, LONGEST_S) or 1.0)
                    for part in parts
                ),
                device_fault="",
            )
        return CountSample(
            sensor_id=self._sensor_id,
            origin=self._origin,
            start_utc_ns=self._forward(start_ns),
            duration_ms=_ms(one.real_s),
            radiation=radiation,
            counts=tuple(_sum([part]) for part in parts),
            device_alarm=False,
        )

    def _spectra(
        self, one: n42.Measurement, start_ns: int, neutrons: int | None, found: Found
    ) -> None:
        for names, group in self._energies.groups(one.spectra).items():
            edges, is_news = self._energies.edges(names, group)
            if is_news and not edges.size:
                found.append(malformed("no-calibration", " ".join(names).encode()))
            found.append(
                SpectrumSample(
                    sensor_id=self._sensor_id,
                    origin=self._origin,
                    start_utc_ns=self._forward(start_ns),
                    duration_ms=_ms(one.real_s),
                    detectors=names,
                    counts=np.stack([spectrum.counts for spectrum in group]).astype(
                        np.uint32, copy=False
                    ),
                    edges_kev=edges,
                    live_s=tuple(
                        _bounded(spectrum.live_s or one.real_s, LONGEST_S) for spectrum in group
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
            sensor_id=self._sensor_id,
            origin=self._origin,
            start_utc_ns=self._forward(at_ns),
            code=code,
            active=active,
            text=text,
        )


def _counter(remarks: tuple[str, ...]) -> int | None:
    for remark in remarks:
        if match := _COUNTER.search(remark):
            return int(match[1])
    return None


def _bounded(value: float, most: float) -> float:
    """0 to `most`; 0 for what is no number. Documents say anything."""
    return min(max(value, 0.0), most) if value == value else 0.0  # noqa: PLR0124 - NaN


def _ns(seconds: float) -> int:
    return round(_bounded(seconds, LONGEST_S) * SECOND_NS)


def _ms(seconds: float) -> int:
    return max(round(_ns(seconds) / MILLISECOND_NS), 1)


def _sum(parts: list[n42.Gross]) -> int:
    return round(_bounded(sum(sum(part.counts) for part in parts), MOST_COUNTS))


def continued(document: n42.Document) -> n42.Document:
    """The same document, marked as one that goes on."""
    return replace(document, remarks=(*document.remarks, CONTINUED))
