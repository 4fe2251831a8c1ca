"""Recognises recorded device files and sorts them by sensor."""

import heapq
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from drivers.base import (
    SET_HEAD_BYTES,
    Recorded,
    RecordingFormat,
    SensorConfig,
    SetFormat,
    StationFormat,
)
from drivers.catalog import KINDS
from drivers.xray import XrayPlanesConfig
from drivers.xray_files import BundleFile, PictureFile
from edge.study import scan_files
from edge.study.day import ReplayError
from edge.study.played import Played, Tried, Unread

HEAD_BYTES = 4096  # what `RecordingFormat.recognise` is promised
LARGE_MB = 64  # two seconds of looking
SCANNER_KIND = "xray-planes"
_DATE = re.compile(r"[_.-]?\d{4}[-_]?\d{2}[-_]?\d{2}$")

Chunk = tuple[int, bytes]
"""(received_utc_ns, bytes for the driver)."""

log = structlog.get_logger()


@dataclass(slots=True, kw_only=True)
class DeviceFiles:
    """The recorded files of one sensor."""

    sensor_id: str
    kind: str
    format: RecordingFormat | None
    """None: picture planes, which make scans only together."""
    paths: list[Path] = field(default_factory=list)
    parts: list[Recorded] = field(default_factory=list)
    """What each of `paths` holds of the sensor, where a file may hold several."""
    played: Played | None = None
    """Filled while the chunks are taken; None: not of an X-ray scanner's files of whole scans."""

    @property
    def settings(self) -> Mapping[str, object]:
        """Keys for its configuration, where none is given."""
        return {key: value for part in self.parts for key, value in part.settings.items()}

    def chunks(self, config: SensorConfig) -> Iterator[Chunk]:
        """All of them in the order of time; each file is read when its turn comes."""
        if self.format is None:
            assert isinstance(config, XrayPlanesConfig)
            yield from scan_files.scans(self.paths, config, self.played or Played())
            return
        if self.parts:
            yield from _in_order(list(zip(self.paths, self.parts, strict=True)))
            return
        if isinstance(self.format, SetFormat):
            yield from _sets(self.format, sorted(self.paths), config, self.played or Played())
            return
        for path in sorted(self.paths, key=lambda path: path.name):
            chunks = 0
            for chunk in self.format.chunks(path.read_bytes(), path.name, config):
                chunks += 1
                if self.played is not None:
                    self.played.scans.append(Tried(path.name))
                yield chunk
            if self.played is not None and not chunks:
                self.played.unread.append(Unread(path.name, "truncated", "no whole scan in it"))


def find(inputs: Iterable[Path], kind: str | None = None) -> list[DeviceFiles]:
    """The sensors whose files are among the inputs; folders are searched.

    `kind` forces a sensor kind or a format by name. ReplayError where an input is missing or
    a file that was named itself is not recognised; in folders such files are passed over.
    """
    if kind is not None and kind not in accepted():
        raise ReplayError(f"--kind {kind}: unknown; there are {', '.join(accepted())}")
    found: dict[tuple[str, str], DeviceFiles] = {}
    none: list[Path] = []
    for given in inputs:
        named = given.is_file()
        for path in [given] if named else _files_below(given):
            recognised = _recognise(path, kind)
            if recognised is None:
                if named or scan_files.is_picture_name(path, scan_files.TOLD_NAMES):
                    none.append(path)
                log.debug("file passed over", file=str(path))
                continue
            kind_name, form = recognised
            if isinstance(form, StationFormat):
                _add_stations(path, kind_name, form, found, named=named)
                continue
            sensor_id = _sensor_id(path, given, kind_name, planes=_by_folder(form))
            key = (sensor_id, kind_name)
            files = found.setdefault(
                key, DeviceFiles(sensor_id=sensor_id, kind=kind_name, format=form)
            )
            files.paths.append(path)
            if files.played is None and (_by_folder(form) or isinstance(form, BundleFile)):
                files.played = Played()
        if not named and not found and not none:
            raise ReplayError(f"{given}: no recording in this folder")
    for files in found.values():
        if files.format is None:
            files.paths = scan_files.with_pictures(files.paths)
    kept = [found[key] for key in sorted(found) if found[key].paths]
    _tell_none(none, kept)
    return kept


def _tell_none(none: list[Path], kept: list[DeviceFiles]) -> None:
    """What was not recognised is told with the pictures beside it.

    ReplayError where there are none: nobody then knows what was meant.
    """
    played = next((files.played for files in kept if files.played is not None), None)
    if played is not None:
        played.unread += map(scan_files.no_picture, none)
    elif none:
        raise ReplayError(
            f"{none[0]}: not recognised; accepted are Garita recordings (MCAP) and "
            f"{', '.join(accepted())}; --kind forces one of them; "
            f"this is {scan_files.no_picture(none[0]).why}"
        )


def accepted() -> list[str]:
    """Every sensor kind with recorded files, and every format by its own name."""
    formats = [form.name for row in KINDS.values() for form in row.recordings]
    return [*(kind for kind, row in KINDS.items() if row.recordings), *formats]


def _files_below(folder: Path) -> list[Path]:
    if not folder.exists():
        raise ReplayError(f"{folder}: no such file or folder")
    if not folder.is_dir():
        raise ReplayError(
            f"{folder}: a pipe, a socket or a device; save what it gives as a file and replay that"
        )
    # Hidden folders hold what the service has put aside.
    return [
        path
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    ]


def _recognise(path: Path, kind: str | None) -> tuple[str, RecordingFormat | None] | None:
    if kind in {None, SCANNER_KIND} and scan_files.is_part_of_scan(path):
        return SCANNER_KIND, None
    head = scan_files.head_of(path, HEAD_BYTES)
    rows = [
        (name, form)
        for name, row in KINDS.items()
        for form in row.recordings
        if kind in {None, name, form.name}
    ]
    for name, form in rows:
        if form.recognise(path.name, head):
            # Pictures belong to their folder's scanner, whatever each is called.
            return name, None if isinstance(form, PictureFile) else form
    if kind == SCANNER_KIND:
        return kind, None  # planes in a form of their maker's, of which nothing can be recognised
    return rows[0] if kind is not None else None


def _add_stations(
    path: Path,
    kind: str,
    form: RecordingFormat,
    found: dict[tuple[str, str], DeviceFiles],
    *,
    named: bool,
) -> None:
    """Sort a file that may hold several sensors. ReplayError where it was named and has none."""
    assert isinstance(form, StationFormat)
    megabytes = path.stat().st_size >> 20
    if megabytes >= LARGE_MB:
        log.info("large file, looking for its records first", file=str(path), megabytes=megabytes)
    with path.open("rb") as stream:
        stations = form.stations(stream, path.name)
    if not stations and named:
        raise ReplayError(f"{path}: no channel in it that could be read")
    for station in stations:
        sensor_id = _plain(station.sensor_id) or kind
        files = found.setdefault(
            (sensor_id, kind), DeviceFiles(sensor_id=sensor_id, kind=kind, format=form)
        )
        files.paths.append(path)
        files.parts.append(station)
        if station.unused:
            log.info("channels not used", sensor=sensor_id, channels=list(station.unused))


def _in_order(files: list[tuple[Path, Recorded]]) -> Iterator[Chunk]:
    """One file after the other; those whose times overlap are merged."""
    together: list[tuple[Path, Recorded]] = []
    end_utc_ns = 0
    for path, part in sorted(files, key=lambda file: (file[1].start_utc_ns, file[0].name)):
        if together and part.start_utc_ns >= end_utc_ns:
            yield from _merged(together)
            together = []
        together.append((path, part))
        end_utc_ns = max(end_utc_ns, part.end_utc_ns)
    yield from _merged(together)


def _merged(files: list[tuple[Path, Recorded]]) -> Iterator[Chunk]:
    with ExitStack() as stack:
        streams = [part.chunks(stack.enter_context(path.open("rb"))) for path, part in files]
        yield from heapq.merge(*streams, key=lambda chunk: chunk[0])


def _sensor_id(path: Path, given: Path, kind: str, *, planes: bool) -> str:
    """From the file's name without its date; planes belong to their folder's scanner."""
    if planes:
        name = path.parent.name if path.parent != given.parent else kind
    else:
        name = _DATE.sub("", path.name.split(".", 1)[0])
    return _plain(name) or kind


def _plain(name: str) -> str:
    """A sensor's id of any name; `""` where nothing of it can be used."""
    return re.sub("[^a-z0-9]+", "-", name.lower()).strip("-")[:32].strip("-")


def _by_folder(form: RecordingFormat | None) -> bool:
    """Whether files are named after scans, so that only their folder tells the scanner."""
    return form is None or isinstance(form, SetFormat)


def _sets(
    form: SetFormat, paths: list[Path], config: SensorConfig, played: Played
) -> Iterator[Chunk]:
    heads = [scan_files.head_of(path, SET_HEAD_BYTES) for path in paths]
    for utc_ns, numbers in form.sets(heads, config):
        played.scans.append(Tried(" ".join(paths[number].name for number in numbers)))
        files = [(paths[number].name, paths[number].read_bytes()) for number in numbers]
        yield utc_ns, form.joined(files)
