"""Cargo X-ray scanners that speak DICOS: as files in a folder, or over the network (C-STORE)."""

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from drivers.base import DriverKind, SensorConfig
from drivers.dicos_config import XrayDicosConfig
from drivers.dicos_instance import Instance, Key
from drivers.dicos_reading import Plane, begun, described, fingerprint_of, pictures
from drivers.dicos_response import counts_of
from drivers.scan_times import Repeats, ScanTimes
from drivers.wire import dicos
from drivers.wire.bundle import Bundle, BundleDecoder, encode
from drivers.wire.iso6346 import normalise_number
from drivers.wire.malformed import Malformed, malformed
from fusion.types import Origin, Sample, ScanSample, ScanSource

DEFAULT_PITCH_MM = 8.0  # of a cargo portal, where nobody says
_NUMBER_LIKE = re.compile(r"[A-Za-z]{4}[ -]?\d{6}[ -]?\d")


class XrayDicosDriver:
    """Bundles of one scanner's DICOS files to scans; a bundle is one scan, of one file or two.

    Malformed reasons, besides those of the bundle and of `dicos_reading`: `dimension-mismatch`
    (two planes of different size), `missing-plane` beside a scan of which only one of two planes
    came, `unpaired` (two files that are not of one scan, or not a high
    and a low plane), `duplicate`, `bad-container` and `clock-ahead` beside the scan, and
    `bad-uid` once for each link, where the writer's UIDs break DICOM's rules.
    """

    def __init__(self, config: SensorConfig, origin: Origin) -> None:
        if not isinstance(config, XrayDicosConfig):
            raise TypeError(f"{config.id}: not a configuration of xray-dicos")
        self._config = config
        self._origin = origin
        self._decoder = BundleDecoder()
        self._repeats = Repeats()
        self._times = ScanTimes(config.max_clock_ahead_s)
        self._told_uid = False

    def feed(self, data: bytes, received_utc_ns: int) -> list[Sample | Malformed]:
        """Read what a transport made of finished scans; empty data is a link cut."""
        records = self._decoder.feed(data) if data else self._decoder.cut()
        found: list[Sample | Malformed] = []
        for record in records:
            if isinstance(record, Bundle):
                found += self._scan(record, received_utc_ns)
            else:
                found.append(record)
        return found

    def _scan(self, files: Bundle, received_utc_ns: int) -> list[Sample | Malformed]:
        read: list[tuple[Instance, dicos.Layout]] = []
        for name, content in files.files:
            one = described(content, self._config.utc_offset_min)
            if isinstance(one, Malformed):
                return [_of(name, one)]
            read.append(one)
        ordered = _high_first(read)
        if isinstance(ordered, Malformed):
            return [ordered]
        key = b"".join(sorted(fingerprint_of(laid) for _, laid in read))
        planes: list[Plane] = []
        for instance, laid in ordered:
            unpacked = pictures(instance, laid)
            if isinstance(unpacked, Malformed):
                return [_of(instance.instance, unpacked)]
            planes += unpacked
        first = ordered[0][0]
        label = f"{first.object_id} {first.scan_id} {first.instance}".encode()
        if self._repeats.is_repeat(key):
            return [malformed("duplicate", label)]
        instances = [instance for instance, _ in ordered]
        is_half = len(read) == 1 and first.pair(self._config.planes) is not None
        return [
            self._sample(instances, planes, files.named_digests(), received_utc_ns),
            *([malformed("missing-plane", label)] if is_half else []),
            *self._told(first, received_utc_ns),
        ]

    def _told(self, first: Instance, received_utc_ns: int) -> list[Malformed]:
        """What is wrong with a scan that was read all the same."""
        told = self._times.told(first.start_utc_ns, received_utc_ns, first.scan_id)
        if _NUMBER_LIKE.fullmatch(first.object_id) and not normalise_number(first.object_id):
            told.append(malformed("bad-container", first.object_id.encode("ascii", "replace")))
        if first.bad_uid and not self._told_uid:
            self._told_uid = True
            told.append(malformed("bad-uid", first.bad_uid.encode("ascii", "replace")))
        return told

    def _sample(
        self,
        instances: Sequence[Instance],
        planes: Sequence[Plane],
        digests: tuple[tuple[str, str], ...],
        received_utc_ns: int,
    ) -> ScanSample:
        first, config = instances[0], self._config
        start_utc_ns, duration_ms = self._times.when(
            first.start_utc_ns, first.end_utc_ns, received_utc_ns
        )
        flip = config.flip != first.mirrored
        notes = (*_notes(instances), *self._times.notes)
        if len(planes) == 1 and first.pair(config.planes) is not None:
            notes = (*notes, "missing-plane")
        high = low = composite = None
        if self._measures(first):
            # Of two frames of one file there is one header.
            headers = instances if len(instances) == len(planes) else [first] * len(planes)
            high, *others = (
                self._counts(plane, one, flip=flip)
                for plane, one in zip(planes, headers, strict=True)
            )
            low = others[0] if others else None
        else:  # of a dual picture for the eye, the high plane shows most
            composite = _grey(planes[0], first, flip=flip)
            if first.raw:
                notes = (*notes, "logarithm-unknown")
        energies = tuple(
            one.energy_mev or default
            for one, default in zip(instances, config.energies_mev, strict=False)
        )
        pitch_x_mm = first.pitch_x_mm or config.pitch_x_mm
        pitch_y_mm = first.pitch_y_mm or config.pitch_y_mm
        drill = any(one.exercise for one in instances) and self._origin is Origin.SENSOR
        return ScanSample(
            sensor_id=config.id,
            # A drawn-in threat comes from a generator, whatever the rest of the picture is from.
            origin=Origin.SIMULATOR if drill else self._origin,
            start_utc_ns=start_utc_ns,
            duration_ms=duration_ms,
            scan_id=first.scan_id or first.object_id or first.instance,
            high=high,
            low=low,
            composite=composite,
            pitch_x_mm=pitch_x_mm or DEFAULT_PITCH_MM,
            pitch_y_mm=pitch_y_mm or DEFAULT_PITCH_MM,
            declared="test-piece" if first.test_piece else first.declared,
            container=normalise_number(first.object_id),
            digests=digests,
            energies_mev=(energies[0], (*energies, config.energies_mev[1])[1]),
            pitch_known=bool(pitch_x_mm and pitch_y_mm),
            notes=notes,
            source=ScanSource(
                study=first.scan,
                images=tuple((one.sop_class, one.instance) for one in instances),
                mirrored=flip,
            ),
        )

    def _measures(self, one: Instance) -> bool:
        """Whether its values can be brought to counts that rise evenly with the radiation."""
        return one.raw and (not one.response.logarithmic or self._config.log_span is not None)

    def _counts(self, plane: Plane, one: Instance, *, flip: bool) -> NDArray[np.uint16]:
        return _front_first(counts_of(plane, one.response, self._config.log_span), flip=flip)


def _of(name: str, one: Malformed) -> Malformed:
    """With the file's name in front, by which it can be found again."""
    if one.reason == "needs-library":  # of no file in particular, and every word of it counts
        return one
    return malformed(one.reason, f"{name}: {one.text}".encode("ascii", "replace"))


def _high_first(
    read: Sequence[tuple[Instance, dicos.Layout]],
) -> Sequence[tuple[Instance, dicos.Layout]] | Malformed:
    """The files of one scan, the high plane first; what goes together is checked."""
    if len(read) == 1:
        return read
    label = " ".join(one.instance for one, _ in read).encode("ascii", "replace")
    if len(read) > 2 or read[0][0].key != read[1][0].key:
        return malformed("unpaired", label)
    ordered = sorted(read, key=lambda one: _lowness(one[0]))
    high, low = (one for one, _ in ordered)
    if _lowness(high) == _lowness(low) or (high.shape[0], low.shape[0]) != (1, 1):
        return malformed("unpaired", label)
    if high.shape != low.shape:
        return malformed("dimension-mismatch", label)
    if (high.raw, high.bits, high.response) != (low.raw, low.bits, low.response):
        return malformed("unpaired", label)
    return ordered


def _lowness(one: Instance) -> tuple[int, float]:
    """Sorts the high plane first: by what Image Type says, else by the energy."""
    return {"high": -1, "": 0, "low": 1}[one.characteristics], -(one.energy_mev or 0.0)


def _grey(plane: Plane, one: Instance, *, flip: bool) -> NDArray[np.uint8]:
    """As much of it as the eye tells apart, not brought to another scale."""
    counts = counts_of(plane, replace(one.response, logarithmic=False, offset=0.0))
    return (_front_first(counts, flip=flip) >> np.uint16(8)).astype(np.uint8)


def _front_first(counts: NDArray[np.uint16], *, flip: bool) -> NDArray[np.uint16]:
    return np.ascontiguousarray(counts[:, ::-1] if flip else counts)


def _notes(instances: Sequence[Instance]) -> tuple[str, ...]:
    notes = []
    if any(one.projected for one in instances):
        notes.append("threat-image-projection")
    elif any(one.exercise for one in instances):
        notes.append("not-operational")
    return tuple(notes)


@dataclass(frozen=True, slots=True)
class DicosFile:
    """A DICOS file (`.dcs`, `.dcm`)."""

    name: str = "dicos"

    def recognise(self, file_name: str, head: bytes) -> bool:
        """By its magic; the name may be any."""
        del file_name
        return dicos.is_dicos(head)

    def chunks(
        self, data: bytes, file_name: str = "", config: SensorConfig | None = None
    ) -> Iterator[tuple[int, bytes]]:
        """One bundle, received when the scan ended."""
        for end_utc_ns, _ in self.sets([data], config):
            yield end_utc_ns, self.joined([(file_name, data)])

    def sets(
        self, heads: Sequence[bytes], config: SensorConfig | None = None
    ) -> list[tuple[int, tuple[int, ...]]]:
        """(end of the scan, its files' numbers), in the order of time."""
        made: list[tuple[int, tuple[int, ...]]] = []
        waiting: dict[Key, int] = {}
        planes = config.planes if isinstance(config, XrayDicosConfig) else "auto"
        offset_min = config.utc_offset_min if isinstance(config, XrayDicosConfig) else 0
        for number, head in enumerate(heads):
            read = begun(head, offset_min)
            one = None if isinstance(read, Malformed) else read[0]
            keys = one and one.pair(planes)
            first = waiting.pop(keys[1], None) if keys else None
            end_utc_ns = (one and one.end_utc_ns) or 0
            if first is not None:
                before_utc_ns, files = made[first]
                made[first] = (max(before_utc_ns, end_utc_ns), (*files, number))
                continue
            if keys:
                waiting[keys[0]] = len(made)
            made.append((end_utc_ns, (number,)))
        return sorted(made)

    def joined(self, files: Sequence[tuple[str, bytes]]) -> bytes:
        """The files (name, contents) of one scan as the driver is fed them."""
        return encode(
            {f"{number}-" * (number > 0) + _plain(*file): file[1]
             for number, file in enumerate(files)}
        )  # fmt: skip


def _plain(name: str, data: bytes) -> str:
    """A name that a bundle can carry."""
    bare = re.sub(r"[^A-Za-z0-9._-]", "_", re.split(r"[/\\]", name)[-1])[-80:].strip(".")
    return bare or f"{hashlib.sha256(data).hexdigest()[:12]}.dcs"


KINDS: tuple[DriverKind, ...] = (
    DriverKind(
        "xray-dicos", XrayDicosConfig, XrayDicosDriver, heavy=True, recordings=(DicosFile(),)
    ),
)
