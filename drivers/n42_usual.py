"""N42 documents of a form that was read before: nothing but their numbers is read again.

A portal pushes a document each second, a hundred tags and 65 kB that differ in their numbers
alone. The first of a form is read as every document is, and once more in the short way; only
where both say the same, the short way reads the next. A document is of the same form if it is
the same bytes but for the numbers, so whatever the long way refuses (entities, depth, ...) is
refused here as well.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from drivers.n42_energies import AGAIN
from drivers.wire import n42
from drivers.wire.malformed import Malformed
from drivers.wire.n42_nodes import Node, build, decimal, seconds, truth, utc_ns

Read = Callable[[bytes], n42.Document | Malformed]

FORMS = 256  # that are remembered; a portal has one for each place of a vehicle's coming and going
MOST_BYTES = 2**20
MOST_TEXTS = 8192
MOST_ROWS = 4096
MOST_VALUES = 4 * 2**20
STRANGERS = 64  # forms that never came again, after which no more are learned

BODY = b"<RadMeasurement"
_NUMBERS = ("<ChannelData>", '<ChannelData compressionCode="CountedZeroes">')
_TEXTS = (
    "<StartDateTime>",
    "<RealTimeDuration>",
    "<LiveTimeDuration>",
    "<CountData>",
    '<SpeedValue units="m/s">',
)
_TAGS = (*_NUMBERS, *_TEXTS)
_LENGTHS = np.array([len(tag) - 1 for tag in _TAGS], np.int64)  # without what ends them
_TABLE = np.array([tag[:-1].encode() for tag in _TAGS], f"S{max(map(len, _TAGS))}")
_TABLE = _TABLE.view(np.uint8).reshape(len(_TAGS), -1)
_MARKS = re.compile(b"[\x01\x02]")
# What differs in the head: the document's own name and date, and remarks.
_OWN = re.compile(rb' (n42DocUUID="[0-9A-Fa-f-]{36}"|n42DocDateTime="[0-9T:.Z-]{1,40}")')
_REMARK = re.compile(rb"<Remark>([^<>&\x00-\x1f\x7f-\xff]*)</Remark>")
_DURATION = re.compile(rb"PT\d{1,5}(?:\.\d{1,9})?S")
_TIME = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?Z")
_COUNT = re.compile(rb"\d{1,7}")
_SPEED = re.compile(rb"\d{1,3}(?:\.\d{1,6})?")
_PARTS = frozenset(
    (
        "MeasurementClassCode",
        "StartDateTime",
        "RealTimeDuration",
        "Spectrum",
        "GrossCounts",
        "RadItemState",
        "OccupancyIndicator",
    )
)


class _StrangeError(Exception):
    """Not of a form that can be read in the short way; never leaves here."""


@dataclass(frozen=True, slots=True, eq=False)
class _Taken:
    """A document taken apart."""

    form: bytes
    """Digest of all but the numbers."""
    head: bytes
    skeleton: bytes
    remarks: tuple[str, ...]
    texts: list[bytes]
    rows: NDArray[np.int64]
    values: NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class _Item:
    """Where the parts of one measurement are, by the numbers of texts and rows."""

    class_code: str
    start: int
    real: int
    lives: tuple[int, ...]
    names: tuple[str, ...]
    first_row: int
    calibrations: tuple[n42.Calibration, ...]
    neutrons: tuple[int, ...]
    neutron_lives: tuple[int, ...]
    speed: int | None
    occupied: bool | None


@dataclass(frozen=True, slots=True, eq=False)
class _Form:
    document: n42.Document
    """The first of this form, without what differs."""
    neutron: str
    channels: int
    items: tuple[_Item, ...]


class UsualDocuments:
    """Reads the documents of one device, one at a time; `read` is the long way."""

    def __init__(self, read: Read) -> None:
        self._long = read
        self._forms: dict[bytes, _Form | None] = {}
        self._room = MOST_VALUES
        self._largest = 0
        self._skeleton = np.empty(0, np.uint8)
        self._texts = np.empty((MOST_TEXTS, 2), np.int64)
        self._rows = np.empty(MOST_ROWS, np.int64)
        self._learned = self._known = 0

    def read(self, data: bytes) -> n42.Document | Malformed:
        """As the long way reads it."""
        taken = self._take(data)
        if taken is None:
            return self._long(data)
        if taken.form not in self._forms:
            document = self._long(data)
            self._learn(taken, document)
            return document
        form = self._forms[taken.form]
        if form is None:
            return self._long(data)
        try:
            document = _made(form, taken)
        except _StrangeError:
            return self._long(data)
        self._known += 1
        return document

    def _take(self, data: bytes) -> _Taken | None:
        if len(data) > MOST_BYTES or self._learned - self._known > STRANGERS:
            return None
        begin = data.find(BODY)
        if begin < 0:
            return None
        # Only here: who reads no spectra need not wait for Numba.
        from fusion.kernels.markup import Apart, Tags, take_apart  # noqa: PLC0415 - as said

        head, body = data[:begin], data[begin:]
        remarks = tuple(one.decode().strip() for one in _REMARK.findall(head))
        head = _REMARK.sub(b"", _OWN.sub(b"", head))
        if self._skeleton.size < 2 * len(body):
            self._skeleton = np.empty(2 * len(body), np.uint8)
        skeleton, texts, rows = self._skeleton, self._texts, self._rows
        values = np.empty(self._room, np.uint32)
        apart = Apart(skeleton, texts, rows, values)
        made, text_count, row_count = take_apart(
            np.frombuffer(body, np.uint8), Tags(_TABLE, _LENGTHS), apart
        )
        if made < 0 or row_count == 0:
            self._room = MOST_VALUES  # for the next: it may be that this one was too large
            return None
        left = skeleton[:made].tobytes()
        size = int(rows[row_count - 1])
        if self._room == MOST_VALUES:
            values = values[:size].copy()
            self._largest = 0
        # Another background between the slices is no reason to have room for no more.
        self._room = self._largest = max(size, self._largest)
        digest = blake2b(head, digest_size=16)
        digest.update(left)
        return _Taken(
            digest.digest(),
            head,
            left,
            remarks,
            [body[begin:end] for begin, end in texts[:text_count].tolist()],
            rows[:row_count].copy(),
            values[:size],
        )

    def _learn(self, taken: _Taken, document: n42.Document | Malformed) -> None:
        form = None
        if not isinstance(document, Malformed):
            try:
                form = _form(taken, document)
                if not _same(_made(form, taken), document, form.neutron):
                    form = None
            except _StrangeError:
                form = None
        if len(self._forms) >= FORMS:
            self._forms.clear()
        self._forms[taken.form] = form
        self._learned += 1


# --- the form ---------------------------------------------------------------------------


def _form(taken: _Taken, document: n42.Document) -> _Form:
    """What the numbers of a document are, from its tags. _StrangeError where that is not plain."""
    root = build(taken.head + _numbered(taken.skeleton))
    if isinstance(root, Malformed) or root.name != "RadInstrumentData":
        raise _StrangeError
    measurements = list(root.all("RadMeasurement"))
    if len(measurements) != len(document.measurements):
        raise _StrangeError
    neutrons = {
        node.attributes.get("id", "")
        for node in root.all("RadDetectorInformation")
        if node.say("RadDetectorCategoryCode") == "Neutron"
    }
    used: list[str] = []
    items = tuple(
        _item(node, one, neutrons, used)
        for node, one in zip(measurements, document.measurements, strict=True)
    )
    marks = len(taken.texts) + len(taken.rows)
    sizes = np.diff(taken.rows, prepend=0)
    if len(used) != marks or len(set(used)) != marks or np.any(sizes != sizes[0]):
        raise _StrangeError
    # Detectors without energies are told apart from the others.
    channels = int(sizes[0])
    calibrations = {id(one): one for item in items for one in item.calibrations}
    if any(not one.edges(channels).size for one in calibrations.values()):
        raise _StrangeError
    # The library adds who has written it.
    of_reader = tuple(one for one in document.remarks if one not in taken.remarks)
    gross = [part.detector for one in document.measurements for part in one.gross]
    return _Form(
        document=replace(document, measurements=(), remarks=of_reader),
        neutron=gross[0] if gross else "",
        channels=channels,
        items=items,
    )


def _numbered(skeleton: bytes) -> bytes:
    """The skeleton with `r0`, `r1`, ... for its numbers and `t0`, `t1`, ... for its texts."""
    counts = {b"\x01": 0, b"\x02": 0}

    def name(match: re.Match[bytes]) -> bytes:
        number = counts[match[0]]
        counts[match[0]] += 1
        return (b"r" if match[0] == b"\x01" else b"t") + str(number).encode()

    return _MARKS.sub(name, skeleton)


def _item(node: Node, one: n42.Measurement, neutrons: set[str], used: list[str]) -> _Item:
    names = [child.name for child in node.children]
    singles = [name for name in names if name not in {"Spectrum", "GrossCounts"}]
    if not _PARTS.issuperset(names) or len(set(singles)) != len(singles):
        raise _StrangeError
    code = node.say("MeasurementClassCode")
    if code not in {"Foreground", "Background"} or one.faults:
        raise _StrangeError
    spectra = list(node.all("Spectrum"))
    gross = list(node.all("GrossCounts"))
    known = {part.detector: part.calibration for part in one.spectra}
    detectors = tuple(
        part.attributes.get("radDetectorInformationReference", "") for part in spectra
    )
    others = {part.attributes.get("radDetectorInformationReference", "") for part in gross}
    if (
        not detectors
        or any(AGAIN in name for name in detectors)
        or list(detectors) != sorted(set(detectors))
        or set(detectors) != set(known)
        or not others <= neutrons
    ):
        raise _StrangeError
    rows = [_mark(part.say("ChannelData"), "r", used) for part in spectra]
    if rows != list(range(rows[0], rows[0] + len(rows))):
        raise _StrangeError
    state = node.one("RadItemState", "StateVector", "SpeedValue")
    return _Item(
        class_code=code,
        start=_mark(node.say("StartDateTime"), "t", used),
        real=_mark(node.say("RealTimeDuration"), "t", used),
        lives=tuple(_mark(part.say("LiveTimeDuration"), "t", used) for part in spectra),
        names=detectors,
        first_row=rows[0],
        calibrations=tuple(known[name] for name in detectors),
        neutrons=tuple(_mark(part.say("CountData"), "t", used) for part in gross),
        neutron_lives=tuple(_mark(part.say("LiveTimeDuration"), "t", used) for part in gross),
        speed=None if state is None else _mark(state.text, "t", used),
        occupied=truth(node.say("OccupancyIndicator")),
    )


def _mark(text: str, letter: str, used: list[str]) -> int:
    if not text.startswith(letter) or not text[1:].isdigit():
        raise _StrangeError
    used.append(text)
    return int(text[1:])


# --- a document of it -------------------------------------------------------------------


def _made(form: _Form, taken: _Taken) -> n42.Document:
    """The document. _StrangeError where its values are of an unusual kind."""
    channels, rows, texts = form.channels, len(taken.rows), taken.texts
    if channels * rows != len(taken.values) or np.any(np.diff(taken.rows, prepend=0) != channels):
        raise _StrangeError
    counts = taken.values.reshape(rows, channels)
    measurements: list[n42.Measurement] = []
    last_ns = 0
    for item in form.items:
        start_ns = _time(texts[item.start])
        if start_ns <= last_ns:  # readers may put them in order, and may not
            raise _StrangeError
        last_ns = start_ns
        real_s = _seconds(texts[item.real])
        for number in item.neutron_lives:
            _seconds(texts[number])
        total = sum(_count(texts[number]) for number in item.neutrons)
        gross = n42.Gross(detector=form.neutron, live_s=real_s, counts=(float(total),))
        measurements.append(
            n42.Measurement(
                class_code=item.class_code,
                start_utc_ns=start_ns,
                real_s=real_s,
                rows=n42.Rows(
                    detectors=item.names,
                    live_s=tuple([_seconds(texts[number]) for number in item.lives]),
                    counts=counts[item.first_row : item.first_row + len(item.names)],
                    calibrations=item.calibrations,
                ),
                gross=(gross,) if item.neutrons else (),
                occupied=item.occupied,
                speed_m_s=None if item.speed is None else _speed(texts[item.speed]),
            )
        )
    remarks = form.document.remarks + taken.remarks
    return replace(form.document, measurements=tuple(measurements), remarks=remarks)


def _same(made: n42.Document, read: n42.Document, neutron: str) -> bool:
    """Whether the short way says what the long way says."""
    return set(made.remarks) == set(read.remarks) and all(
        _same_item(ours, theirs, neutron)
        for ours, theirs in zip(made.measurements, read.measurements, strict=True)
    )


def _same_item(ours: n42.Measurement, theirs: n42.Measurement, neutron: str) -> bool:
    rows, spectra = ours.rows, theirs.spectra
    assert rows is not None
    by_name = {spectrum.detector: spectrum for spectrum in spectra}
    return (
        (ours.class_code, ours.start_utc_ns, ours.real_s, ours.occupied, ours.speed_m_s)
        == (
            theirs.class_code,
            theirs.start_utc_ns,
            theirs.real_s,
            theirs.occupied,
            theirs.speed_m_s,
        )
        and len(by_name) == len(spectra) == len(rows.detectors)
        and all(
            by_name[name].live_s == s for name, s in zip(rows.detectors, rows.live_s, strict=True)
        )
        and all(
            np.array_equal(by_name[name].counts, row)
            for name, row in zip(rows.detectors, rows.counts, strict=True)
        )
        and len(ours.gross) == len(theirs.gross)
        and all(part.detector == neutron for part in theirs.gross)
        and [part.counts for part in ours.gross] == [part.counts for part in theirs.gross]
    )


@lru_cache(maxsize=4096)
def _seconds(text: bytes) -> float:
    if not _DURATION.fullmatch(text):
        raise _StrangeError
    return _short(seconds(text.decode()))


@lru_cache(maxsize=256)  # the portals of a site measure at the same time
def _time(text: bytes) -> int:
    found = utc_ns(text.decode()) if _TIME.fullmatch(text) else None
    if found is None:
        raise _StrangeError
    return found


@lru_cache(maxsize=256)
def _count(text: bytes) -> int:
    if not _COUNT.fullmatch(text):
        raise _StrangeError
    return int(text)


def _speed(text: bytes) -> float:
    value = decimal(text.decode()) if _SPEED.fullmatch(text) else 0.0
    if value == 0.0:
        raise _StrangeError
    return _short(value)


def _short(value: float) -> float:
    """The library has float32: whatever it has otherwise than the text is for the long way."""
    if float(f"{np.float32(value):.7g}") != value:
        raise _StrangeError
    return value
