"""Forms of N42 documents: learned from one that was read in the long way, or put together.

A document of a form that was never seen has often parts that were: a vehicle comes at any place
among the slices. Where head and end and every measurement were in documents that both ways read
alike, and as many measurements of the same classes were together, nothing is left to be learned.
"""

import re
from dataclasses import dataclass, replace
from hashlib import blake2b
from itertools import product

import numpy as np

from drivers.n42_apart import BODY, ROW, TEXT, Taken
from drivers.n42_energies import AGAIN
from drivers.n42_table import Form, Item, StrangeError, material, table_of
from drivers.wire import n42
from drivers.wire.malformed import Malformed
from drivers.wire.n42_nodes import Node, build, truth

PARTS_KEPT = 256  # a portal has four: vacant and occupied, with a speed and without
_MARKS = re.compile(b"[\x01\x02]")
_END = b"</RadMeasurement>"
# Ids count the measurements; readers may take them for numbers.
_ID = re.compile(rb'( id="[A-Za-z]{1,20})(\d{1,6})')
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


@dataclass(frozen=True, slots=True)
class _Part:
    """One measurement of a known document, by itself."""

    item: Item
    texts: int
    rows: int


class Parts:
    """Measurements whose form is known."""

    def __init__(self) -> None:
        self._parts: dict[bytes, _Part] = {}
        self._wholes: dict[bytes, Form] = {}
        """By their heads, ends and classes."""

    def add(self, taken: Taken, form: Form) -> None:
        """Remember the measurements of a form that was learned, where they are not too many."""
        pieces, end = _pieces(taken)
        if len(pieces) != len(form.items):
            return
        parts: dict[bytes, _Part] = {}
        texts = rows = 0
        for piece, item in zip(pieces, form.items, strict=True):
            part = _Part(item.moved(-texts, -rows), piece.count(TEXT), piece.count(ROW))
            parts[_digest(taken.head, piece)] = part
            texts, rows = texts + part.texts, rows + part.rows
        if len(parts) > PARTS_KEPT:  # they would leave no room for what comes again
            return
        if max(len(self._parts | parts), len(self._wholes) + 1) > PARTS_KEPT:
            self._parts.clear()
            self._wholes.clear()
        self._parts |= parts
        self._wholes[_whole(taken, end, form.items)] = form

    def form_of(self, taken: Taken) -> Form | None:
        """The form put together; None where something in it is new."""
        pieces, end = _pieces(taken)
        items: list[Item] = []
        texts = rows = 0
        for piece in pieces:
            part = self._parts.get(_digest(taken.head, piece))
            if part is None:
                return None
            items.append(part.item.moved(texts, rows))
            texts, rows = texts + part.texts, rows + part.rows
        whole = self._wholes.get(_whole(taken, end, tuple(items)))
        names = {item.neutron for item in items if item.neutron}
        if whole is None or texts != len(taken.texts) or len(names) > 1:
            return None
        try:
            return replace(whole, row_ends=_row_ends(taken), items=tuple(items))
        except StrangeError:
            return None


def _pieces(taken: Taken) -> tuple[list[bytes], bytes]:
    """Each measurement of the skeleton, its number left out of its ids; and what is after them."""
    _, *pieces = taken.skeleton.split(BODY)
    last, mark, end = pieces[-1].rpartition(_END)
    pieces[-1] = last + mark
    # Between elements a line's end says nothing, and the last is not followed by one of them.
    lines = (piece.rstrip(b"\n") for piece in pieces)
    return [_unnumbered(piece, number) for number, piece in enumerate(lines, 1)], end


def _unnumbered(piece: bytes, number: int) -> bytes:
    own = str(number).encode()
    return _ID.sub(lambda match: match[1] + (b"#" if match[2] == own else match[2]), piece)


def _digest(*parts: bytes) -> bytes:
    digest = blake2b(digest_size=16)
    for part in parts:
        digest.update(len(part).to_bytes(8, "little") + part)
    return digest.digest()


def _whole(taken: Taken, end: bytes, items: tuple[Item, ...]) -> bytes:
    codes = " ".join(item.class_code for item in items).encode()
    # The first row is as long as all others: energies were found for that many channels.
    return _digest(taken.head, end, codes, taken.row_ends[:1].tobytes())


def _row_ends(taken: Taken) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    sizes = np.diff(taken.row_ends, prepend=0)
    if np.any(sizes != sizes[0]):
        raise StrangeError
    return taken.row_ends


# --- learning one -----------------------------------------------------------------------


def learned(
    taken: Taken, document: n42.Document | Malformed, before: Form | None = None
) -> Form | None:
    """The form of a document, where its numbers in the short way are what the long way says.

    before  the form that it was taken for, which may know more of the long way
    """
    if isinstance(document, Malformed):
        return None
    try:
        form = _form(taken, document)
    except StrangeError:
        return None
    known = (None, None) if before is None else (before.single, before.whole_us)
    ways = [(None, False, True) if one is None else (one,) for one in known]
    for single, whole_us in product(*ways):
        form = replace(form, single=single, whole_us=whole_us)
        try:
            if _same(table_of(form, taken).document(), document):
                return form
        except StrangeError:
            continue
    return None


def _form(taken: Taken, document: n42.Document) -> Form:
    """What the numbers of a document are, from its tags. StrangeError where that is not plain."""
    root = build(taken.head + _numbered(taken.skeleton))
    if isinstance(root, Malformed) or root.name != "RadInstrumentData":
        raise StrangeError
    measurements = list(root.all("RadMeasurement"))
    if len(measurements) != len(document.measurements):
        raise StrangeError
    neutrons = {
        node.attributes.get("id", "")
        for node in root.all("RadDetectorInformation")
        if node.say("RadDetectorCategoryCode") == "Neutron"
    }
    used: list[str] = []
    detectors = {one.name: one for one in document.detectors}
    items = tuple(
        _item(node, one, neutrons, detectors, used)
        for node, one in zip(measurements, document.measurements, strict=True)
    )
    marks = len(taken.texts) + len(taken.row_ends)
    if len(used) != marks or len(set(used)) != marks:
        raise StrangeError
    # Detectors without energies are told apart from the others.
    row_ends = _row_ends(taken)
    calibrations = {id(one): one for item in items for one in item.calibrations}
    if any(not one.edges(int(row_ends[0])).size for one in calibrations.values()):
        raise StrangeError
    # The library adds who has written it.
    of_reader = tuple(one for one in document.remarks if one not in taken.remarks)
    return Form(replace(document, measurements=(), remarks=of_reader), row_ends, items)


def _numbered(skeleton: bytes) -> bytes:
    """The skeleton with `r0`, `r1`, ... for its numbers and `t0`, `t1`, ... for its texts."""
    counts = {ROW: 0, TEXT: 0}

    def name(match: re.Match[bytes]) -> bytes:
        number = counts[match[0]]
        counts[match[0]] += 1
        return (b"r" if match[0] == ROW else b"t") + str(number).encode()

    return _MARKS.sub(name, skeleton)


def _item(
    node: Node,
    one: n42.Measurement,
    neutrons: set[str],
    known_detectors: dict[str, n42.Detector],
    used: list[str],
) -> Item:
    names = [child.name for child in node.children]
    singles = [name for name in names if name not in {"Spectrum", "GrossCounts"}]
    if not _PARTS.issuperset(names) or len(set(singles)) != len(singles):
        raise StrangeError
    code = node.say("MeasurementClassCode")
    if code not in {"Foreground", "Background"} or one.faults:
        raise StrangeError
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
        or any(_category(part.detector, known_detectors) != "Neutron" for part in one.gross)
    ):
        raise StrangeError
    rows = [_mark(part.say("ChannelData"), "r", used) for part in spectra]
    if rows != list(range(rows[0], rows[0] + len(rows))):
        raise StrangeError
    state = node.one("RadItemState", "StateVector", "SpeedValue")
    return Item(
        class_code=code,
        start=_mark(node.say("StartDateTime"), "t", used),
        real=_mark(node.say("RealTimeDuration"), "t", used),
        lives=tuple(_mark(part.say("LiveTimeDuration"), "t", used) for part in spectra),
        names=detectors,
        first_row=rows[0],
        calibrations=tuple(known[name] for name in detectors),
        detector_type=material(
            known_detectors[name].kind for name in detectors if name in known_detectors
        ),
        neutron=one.gross[0].detector if one.gross else "",
        neutrons=tuple(_mark(part.say("CountData"), "t", used) for part in gross),
        neutron_lives=tuple(_mark(part.say("LiveTimeDuration"), "t", used) for part in gross),
        speed=None if state is None else _mark(state.text, "t", used),
        occupied=truth(node.say("OccupancyIndicator")),
    )


def _category(name: str, detectors: dict[str, n42.Detector]) -> str:
    return detectors[name].category if name in detectors else ""


def _mark(text: str, letter: str, used: list[str]) -> int:
    if not text.startswith(letter) or not text[1:].isdigit():
        raise StrangeError
    used.append(text)
    return int(text[1:])


def _same(made: n42.Document, read: n42.Document) -> bool:
    """Whether the short way says what the long way says."""
    return set(made.remarks) == set(read.remarks) and all(
        _same_item(ours, theirs)
        for ours, theirs in zip(made.measurements, read.measurements, strict=True)
    )


def _same_item(ours: n42.Measurement, theirs: n42.Measurement) -> bool:
    by_name = {spectrum.detector: spectrum for spectrum in theirs.spectra}
    return (
        (ours.class_code, ours.start_utc_ns, ours.real_s, ours.occupied, ours.speed_m_s)
        == (
            theirs.class_code,
            theirs.start_utc_ns,
            theirs.real_s,
            theirs.occupied,
            theirs.speed_m_s,
        )
        and len(by_name) == len(theirs.spectra) == len(ours.spectra)
        and all(
            by_name[one.detector].live_s == one.live_s
            and np.array_equal(by_name[one.detector].counts, one.counts)
            for one in ours.spectra
        )
        and [part.detector for part in ours.gross] == [part.detector for part in theirs.gross]
        and [part.counts for part in ours.gross] == [part.counts for part in theirs.gross]
    )
