"""The numbers of an N42 document of a known form, and what they are numbers of."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from drivers.n42_apart import Taken
from drivers.wire import n42
from drivers.wire.n42_nodes import decimal, seconds, utc_ns

_DURATION = re.compile(rb"PT\d{1,5}(?:\.\d{1,9})?S")
_TIME = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(Z|[+-]\d\d:\d\d)?")
_COUNT = re.compile(rb"\d{1,7}")
_SPEED = re.compile(rb"\d{1,3}(?:\.\d{1,6})?")


MATERIALS = frozenset(("NaI", "HPGe", "CsI", "LaBr3", "CZT", "PVT"))


class StrangeError(Exception):
    """Not of a form that can be read in the short way; never leaves those who read in it."""


class UnseenError(StrangeError):
    """Of a form whose documents have not shown yet how the long way has this."""


@dataclass(frozen=True, slots=True)
class Item:
    """Where the parts of one measurement are, by the numbers of texts and rows."""

    class_code: str
    start: int
    real: int
    lives: tuple[int, ...]
    names: tuple[str, ...]
    first_row: int
    calibrations: tuple[n42.Calibration, ...]
    detector_type: str
    neutron: str
    """The name under which the counts of all neutron detectors are told."""
    neutrons: tuple[int, ...]
    neutron_lives: tuple[int, ...]
    speed: int | None
    occupied: bool | None

    def moved(self, texts: int, rows: int) -> "Item":
        """The same, so many texts and rows further on."""
        return replace(
            self,
            start=self.start + texts,
            real=self.real + texts,
            lives=tuple(number + texts for number in self.lives),
            first_row=self.first_row + rows,
            neutrons=tuple(number + texts for number in self.neutrons),
            neutron_lives=tuple(number + texts for number in self.neutron_lives),
            speed=None if self.speed is None else self.speed + texts,
        )


@dataclass(frozen=True, slots=True, eq=False)
class Form:
    """What is the same in every document of a form."""

    document: n42.Document
    """The first of this form, without what differs."""
    row_ends: NDArray[np.int64]
    """(rows,) as in `Taken`: all rows are as long."""
    items: tuple[Item, ...]
    single: bool | None = None
    """Whether the long way has float32 for durations and speeds; None: it was not seen."""
    whole_us: bool | None = None
    """Whether the long way has whole microseconds only, where a time is told finer; None: as
    above."""


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """A document's numbers, a row of each list for each measurement in order of time."""

    form: Form
    starts_utc_ns: list[int]
    reals_s: list[float]
    lives_s: list[tuple[float, ...]]
    counts: NDArray[np.uint32]
    """(spectra of all measurements, channels)"""
    neutrons: list[int | None]
    speeds_m_s: list[float | None]
    remarks: tuple[str, ...]

    def document(self) -> n42.Document:
        """The same as a document."""
        measurements = []
        for at, item in enumerate(self.form.items):
            total, real_s = self.neutrons[at], self.reals_s[at]
            gross: tuple[n42.Gross, ...] = ()
            if total is not None:
                gross = (n42.Gross(detector=item.neutron, live_s=real_s, counts=(float(total),)),)
            measurements.append(
                n42.Measurement(
                    class_code=item.class_code,
                    start_utc_ns=self.starts_utc_ns[at],
                    real_s=real_s,
                    spectra=tuple(
                        n42.Spectrum(
                            detector=name, live_s=live_s, counts=counts, calibration=calibration
                        )
                        for name, live_s, counts, calibration in zip(
                            item.names,
                            self.lives_s[at],
                            self.counts_of(item),
                            item.calibrations,
                            strict=True,
                        )
                    ),
                    gross=gross,
                    occupied=item.occupied,
                    speed_m_s=self.speeds_m_s[at],
                )
            )
        return replace(self.form.document, measurements=tuple(measurements), remarks=self.remarks)

    def counts_of(self, item: Item) -> NDArray[np.uint32]:
        """(detectors, channels) of one measurement."""
        return self.counts[item.first_row : item.first_row + len(item.names)]


def table_of(form: Form, taken: Taken) -> Table:
    """The document's numbers.

    StrangeError where they are of an unusual kind, UnseenError where the long way would tell more.
    """
    rows = len(form.row_ends)
    if len(taken.row_ends) != rows or (taken.row_ends != form.row_ends).any():
        raise StrangeError
    texts, single = taken.texts, form.single
    starts: list[int] = []
    reals: list[float] = []
    lives: list[tuple[float, ...]] = []
    neutrons: list[int | None] = []
    speeds: list[float | None] = []
    last_ns = 0
    zones = set()
    for item in form.items:
        start_ns, zone = _time(texts[item.start], form.whole_us)
        zones.add(zone)
        if start_ns <= last_ns:  # readers may put them in order, and may not
            raise StrangeError
        last_ns = start_ns
        starts.append(start_ns)
        reals.append(_seconds(texts[item.real], single))
        lives.append(tuple([_seconds(texts[number], single) for number in item.lives]))
        for number in item.neutron_lives:
            _seconds(texts[number], single)
        total = sum([_count(texts[number]) for number in item.neutrons])
        neutrons.append(total if item.neutrons else None)
        speeds.append(None if item.speed is None else _speed(texts[item.speed], single))
    if len(zones) > 1:  # the library has one for all of a document
        raise StrangeError
    return Table(
        form=form,
        starts_utc_ns=starts,
        reals_s=reals,
        lives_s=lives,
        counts=taken.values.reshape(rows, -1),
        neutrons=neutrons,
        speeds_m_s=speeds,
        remarks=form.document.remarks + taken.remarks,
    )


def material(kinds: Iterable[str]) -> str:
    """What all detectors that say it are made of; `""` where they are not of one material."""
    known = set(kinds) & MATERIALS
    return known.pop() if len(known) == 1 else ""


@lru_cache(maxsize=4096)
def _seconds(text: bytes, single: bool | None) -> float:
    if not _DURATION.fullmatch(text):
        raise StrangeError
    return _short(seconds(text.decode()), single)


@lru_cache(maxsize=256)  # the portals of a site measure at the same time
def _time(text: bytes, whole_us: bool | None) -> tuple[int, bytes | None]:
    match = _TIME.fullmatch(text)
    found = utc_ns(text.decode()) if match else None
    if match is None or found is None:
        raise StrangeError
    finer = found % 1000
    if whole_us is None and finer:
        raise UnseenError
    return found - finer if whole_us else found, match[1]


@lru_cache(maxsize=256)
def _count(text: bytes) -> int:
    if not _COUNT.fullmatch(text):
        raise StrangeError
    return int(text)


def _speed(text: bytes, single: bool | None) -> float:
    value = decimal(text.decode()) if _SPEED.fullmatch(text) else 0.0
    if value == 0.0:
        raise StrangeError
    return _short(value, single)


def _short(value: float, single: bool | None) -> float:
    """As the long way has it. The library has float32, which is not always what the text says."""
    if single is False:
        return value
    rounded = float(f"{np.float32(value):.7g}")
    if single is None and rounded != value:
        raise UnseenError
    return rounded
