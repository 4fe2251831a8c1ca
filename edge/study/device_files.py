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
from drivers.wire.image_headers import form_of
from drivers.wire.sidecar import Sidecar, parse_sidecar
from drivers.xray import XrayPlanesConfig
from drivers.xray_files import (
    DEFAULT_PATTERNS,
    Patterns,
    PictureFile,
    bundles_of,
    plane_role,
    role_of,
)
from edge.study.day import ReplayError
from fusion.types import SECOND_NS

HEAD_BYTES = 4096  # what `RecordingFormat.recognise` is promised
LARGE_MB = 64  # two seconds of looking
SIDECAR_BYTES = 1_000_000  # a sidecar has a few hundred
SCANNER_KIND = "xray-planes"
PICTURE_NAMES = (".jpg", ".jpeg", ".png", ".tif", ".tiff")
UNDATED_STEP_NS = 300 * SECOND_NS  # pictures without a time; a transit is over long before
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

    @property
    def settings(self) -> Mapping[str, object]:
        """Keys for its configuration, where none is given."""
        return {key: value for part in self.parts for key, value in part.settings.items()}

    def chunks(self, config: SensorConfig) -> Iterator[Chunk]:
        """All of them in the order of time; each file is read when its turn comes."""
        if self.format is None:
            planes = config.patterns if isinstance(config, XrayPlanesConfig) else DEFAULT_PATTERNS
            yield from _scans(self.paths, planes)
            return
        if self.parts:
            yield from _in_order(list(zip(self.paths, self.parts, strict=True)))
            return
        if isinstance(self.format, SetFormat):
            yield from _sets(self.format, sorted(self.paths), config)
            return
        for path in sorted(self.paths, key=lambda path: path.name):
            yield from self.format.chunks(path.read_bytes(), path.name, config)


def find(inputs: Iterable[Path], kind: str | None = None) -> list[DeviceFiles]:
    """The sensors whose files are among the inputs; folders are searched.

    `kind` forces a sensor kind or a format by name. ReplayError where an input is missing or
    a file that was named itself is not recognised; in folders such files are passed over.
    """
    if kind is not None and kind not in accepted():
        raise ReplayError(f"--kind {kind}: unknown; there are {', '.join(accepted())}")
    found: dict[tuple[str, str], DeviceFiles] = {}
    for given in inputs:
        named = given.is_file()
        for path in [given] if named else _files_below(given):
            recognised = _recognise(path, kind)
            if recognised is None and named:
                raise ReplayError(
                    f"{path}: not recognised; accepted are Garita recordings (MCAP) and "
                    f"{', '.join(accepted())}; --kind forces one of them"
                )
            if recognised is None:
                log.debug("file passed over", file=str(path))
                continue
            kind_name, form = recognised
            if isinstance(form, StationFormat):
                _add_stations(path, kind_name, form, found, named=named)
                continue
            sensor_id = _sensor_id(path, given, kind_name, planes=_by_folder(form))
            key = (sensor_id, kind_name)
            found.setdefault(
                key, DeviceFiles(sensor_id=sensor_id, kind=kind_name, format=form)
            ).paths.append(path)
        if not named and not found:
            raise ReplayError(f"{given}: no recording in this folder")
    for files in found.values():
        if files.format is None:
            files.paths = _with_pictures(files.paths)
    return [found[key] for key in sorted(found) if found[key].paths]


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
    if kind in {None, SCANNER_KIND} and _part_of_scan(path):
        return SCANNER_KIND, None
    with path.open("rb") as stream:
        head = stream.read(HEAD_BYTES)
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


def _part_of_scan(path: Path) -> bool:
    role = role_of(path.name, DEFAULT_PATTERNS)
    if role is None:
        return False
    if role[0] != "sidecar":
        with path.open("rb") as stream:
            return bool(form_of(stream.read(HEAD_BYTES))) or not _is_picture_name(path)
    # Much is called .json or .xml; only what reads as a sidecar is one.
    return path.stat().st_size < SIDECAR_BYTES and isinstance(
        parse_sidecar(path.read_bytes()), Sidecar
    )


def _is_picture_name(path: Path) -> bool:
    return path.suffix.lower() in PICTURE_NAMES


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


def _with_pictures(paths: list[Path]) -> list[Path]:
    """Without sidecars that belong to no picture: much is called .json."""
    return [
        path
        for files in _by_scan(paths, DEFAULT_PATTERNS).values()
        if not all(map(_is_sidecar, files))
        for path in files
    ]


def _by_folder(form: RecordingFormat | None) -> bool:
    """Whether files are named after scans, so that only their folder tells the scanner."""
    return form is None or isinstance(form, SetFormat)


def _sets(form: SetFormat, paths: list[Path], config: SensorConfig) -> Iterator[Chunk]:
    heads = []
    for path in paths:
        with path.open("rb") as stream:
            heads.append(stream.read(SET_HEAD_BYTES))
    for utc_ns, numbers in form.sets(heads, config):
        files = [(paths[number].name, paths[number].read_bytes()) for number in numbers]
        yield utc_ns, form.joined(files)


def _scans(paths: list[Path], patterns: Patterns) -> Iterator[Chunk]:
    """The scans in order of their ends, as their sidecars tell them; undated ones first.

    Those stand apart, by their names, as vehicles do that have nothing to do with each other.
    """
    timed = sorted(
        (_ended_utc_ns(files), key, files) for key, files in _by_scan(paths, patterns).items()
    )
    undated = 0
    for ended_utc_ns, _, files in timed:
        utc_ns = ended_utc_ns or undated
        undated += 0 if ended_utc_ns else UNDATED_STEP_NS
        contents = {path.name: path.read_bytes() for path in files}
        for data in bundles_of(contents, patterns, "auto"):
            yield utc_ns, data


def _by_scan(paths: list[Path], patterns: Patterns) -> dict[tuple[Path, str], list[Path]]:
    scans: dict[tuple[Path, str], list[Path]] = {}
    for path in paths:
        _, scan = plane_role(path.name, patterns)
        scans.setdefault((path.parent, scan), []).append(path)
    return scans


def _is_sidecar(path: Path) -> bool:
    role = role_of(path.name, DEFAULT_PATTERNS)
    return role is not None and role[0] == "sidecar"


def _ended_utc_ns(files: list[Path]) -> int:
    for path in files:
        if path.suffix.lower() in {".json", ".xml"}:
            sidecar = parse_sidecar(path.read_bytes())
            if isinstance(sidecar, Sidecar):
                return sidecar.end_utc_ns or sidecar.start_utc_ns or 0
    return 0
