"""Picture files as scans: which belong together, and what is not even tried."""

from collections.abc import Iterator
from pathlib import Path

from drivers.wire import bundle
from drivers.wire.image_headers import form_of, other_form
from drivers.wire.sidecar import Sidecar, parse_sidecar
from drivers.xray import XrayPlanesConfig
from drivers.xray_files import (
    DEFAULT_PATTERNS,
    SIDECARS,
    Patterns,
    bundles_of,
    plane_role,
    role_of,
)
from edge.study.played import Played, Tried, Unread
from edge.study.raw_hint import raw_hint
from edge.study.scan_groups import grouped, is_sidecar
from fusion.types import SECOND_NS

PICTURE_NAMES = (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".bmp", ".pgm", ".ppm", ".webp")
TOLD_NAMES = (*PICTURE_NAMES, ".raw", ".img")  # in a folder, where much else may lie
SIDECAR_BYTES = 1_000_000  # a sidecar has a few hundred
UNDATED_STEP_NS = 300 * SECOND_NS  # pictures without a time; a transit is over long before
MAX_SCAN_BYTES = bundle.MAX_BUNDLE_BYTES - (1 << 20)
Chunk = tuple[int, bytes]
"""(received_utc_ns, bytes for the driver)."""


def scans(paths: list[Path], config: XrayPlanesConfig, played: Played) -> Iterator[Chunk]:
    """The scans in order of their ends, as their sidecars tell them; undated ones first.

    Those stand apart, by their names, as vehicles do that have nothing to do with each other.
    """
    found = by_scan(paths, config.patterns)
    timed = sorted((_ended_utc_ns(files), key, files) for key, files in found.items())
    undated = 0
    for ended_utc_ns, (_, scan), files in timed:
        contents = _contents(files, played)
        for group in grouped(scan, contents, config.patterns):
            if config.raw is None and group.raw:
                played.unread += (_raw(path) for path in group.raw)
                continue
            utc_ns = ended_utc_ns or undated
            undated += 0 if ended_utc_ns else UNDATED_STEP_NS
            members = group.members(config.patterns, config.energies_mev[1])
            for data in bundles_of(members, config.patterns, "auto"):
                played.scans.append(Tried(group.names, group.said, group.taken_for, group.note))
                yield utc_ns, data


def by_scan(paths: list[Path], patterns: Patterns) -> dict[tuple[Path, str], list[Path]]:
    """The files of each folder by the scan that their names say, whatever the case."""
    found: dict[tuple[Path, str], list[Path]] = {}
    named: dict[tuple[Path, str], tuple[Path, str]] = {}
    for path in paths:
        _, scan = plane_role(path.name, patterns)
        key = named.setdefault((path.parent, scan.casefold()), (path.parent, scan))
        found.setdefault(key, []).append(path)
    return found


def with_pictures(paths: list[Path]) -> list[Path]:
    """Without sidecars that belong to no picture: much is called .json."""
    return [
        path
        for files in by_scan(paths, DEFAULT_PATTERNS).values()
        if not all(map(is_sidecar, files))
        for path in files
    ]


def is_part_of_scan(path: Path) -> bool:
    """Whether name and content say that it is a picture, a plane or a sidecar."""
    role = role_of(path.name, DEFAULT_PATTERNS)
    if role is None:
        return False
    if role[0] != "sidecar":
        return bool(form_of(head_of(path))) or not is_picture_name(path)
    # Much is called .json or .xml; only what reads as a sidecar is one.
    return path.stat().st_size < SIDECAR_BYTES and isinstance(
        parse_sidecar(path.read_bytes()), Sidecar
    )


def is_picture_name(path: Path, ends: tuple[str, ...] = PICTURE_NAMES) -> bool:
    """Whether a file is called a picture."""
    return path.suffix.lower() in ends


def head_of(path: Path, count: int = 4096) -> bytes:
    """Its first bytes."""
    with path.open("rb") as stream:
        return stream.read(count)


def no_picture(path: Path) -> Unread:
    """Of a file that is none of ours: what it is instead, or what to write to have it read."""
    head = head_of(path)
    reason = "unsupported" if head else "truncated"
    what = other_form(head) or raw_hint(path) or "no known form"
    return Unread(path.name, reason, what if head else "empty")


def _contents(files: list[Path], played: Played) -> dict[Path, bytes]:
    """What each holds; those that cannot be had are told."""
    found: dict[Path, bytes] = {}
    room = MAX_SCAN_BYTES
    for path in files:
        try:
            size = path.stat().st_size
            if size > room:
                limit = f"at most {MAX_SCAN_BYTES >> 20} MB a scan"
                played.unread.append(Unread(path.name, "too-large", limit))
                continue
            found[path] = path.read_bytes()
            room -= size
        except OSError as error:
            played.unread.append(Unread(path.name, "unreadable", error.strerror or repr(error)))
    return found


def _raw(path: Path) -> Unread:
    return Unread(path.name, "bad-header", raw_hint(path))


def _ended_utc_ns(files: list[Path]) -> int:
    for path in files:
        if path.suffix.lower() in SIDECARS:
            sidecar = parse_sidecar(path.read_bytes())
            if isinstance(sidecar, Sidecar):
                return sidecar.end_utc_ns or sidecar.start_utc_ns or 0
    return 0
