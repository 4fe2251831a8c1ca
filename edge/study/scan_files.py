"""Picture files as scans: which belong together, and what is not even tried."""

from collections.abc import Iterator
from pathlib import Path

from drivers.wire import bundle
from drivers.wire.image_header import whole_pages
from drivers.wire.image_headers import form_of, other_form, read_pages
from drivers.wire.malformed import Malformed
from drivers.wire.sidecar import Sidecar, encode_json, parse_sidecar
from drivers.xray_files import (
    DEFAULT_PATTERNS,
    ENDINGS,
    SIDECARS,
    Patterns,
    Role,
    bundles_of,
    picture_role,
    plane_role,
    role_of,
)
from edge.study.played import Played, Tried, Unread
from fusion.types import SECOND_NS

PICTURE_NAMES = (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".bmp", ".pgm", ".ppm", ".webp")
SIDECAR_BYTES = 1_000_000  # a sidecar has a few hundred
UNDATED_STEP_NS = 300 * SECOND_NS  # pictures without a time; a transit is over long before
MAX_SCAN_BYTES = bundle.MAX_BUNDLE_BYTES - (1 << 20)
ALONE = "by its name the low-energy plane, without the high one: read as a single plane"

Group = dict[Role, tuple[Path, bytes]]
Chunk = tuple[int, bytes]
"""(received_utc_ns, bytes for the driver)."""


def scans(paths: list[Path], patterns: Patterns, played: Played, low_mev: float) -> Iterator[Chunk]:
    """The scans in order of their ends, as their sidecars tell them; undated ones first.

    Those stand apart, by their names, as vehicles do that have nothing to do with each other.

    low_mev  end energy of a low-energy plane
    """
    timed = sorted(
        (_ended_utc_ns(files), key, files) for key, files in by_scan(paths, patterns).items()
    )
    undated = 0
    for ended_utc_ns, (_, scan), files in timed:
        contents = _contents(files, played)
        names = " ".join(path.name for path in contents)
        for members, note in _apart(scan, contents, patterns):
            said = next((_said(data) for data in members.values() if form_of(data)), "")
            if note and not any(name.lower().endswith(SIDECARS) for name in members):
                own = Sidecar(scan_id=_printable(scan), energies_mev=(low_mev, low_mev))
                members[f"{_printable(scan)}.json"] = encode_json(own)
            utc_ns = ended_utc_ns or undated
            undated += 0 if ended_utc_ns else UNDATED_STEP_NS
            for data in bundles_of(members, patterns, "auto"):
                played.scans.append(Tried(names, said, note))
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
        if not all(map(_is_sidecar, files))
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


def is_picture_name(path: Path) -> bool:
    """Whether a file is called a picture."""
    return path.suffix.lower() in PICTURE_NAMES


def head_of(path: Path, count: int = 4096) -> bytes:
    """Its first bytes."""
    with path.open("rb") as stream:
        return stream.read(count)


def no_picture(path: Path) -> Unread:
    """Of a file that is none of ours: what it is instead."""
    head = head_of(path)
    reason = "unsupported" if head else "truncated"
    return Unread(path.name, reason, other_form(head) or "no known form" if head else "empty")


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


def _apart(
    scan: str, contents: dict[Path, bytes], patterns: Patterns
) -> Iterator[tuple[dict[str, bytes], str]]:
    """The files of each scan under names that say what they are, and what is to be told of it.

    Two pictures of one name and kind (`a.png` beside `a.jpg`) are two scans. A single picture is
    what it holds, whatever it is called.
    """
    sidecars = {path: data for path, data in contents.items() if _is_sidecar(path)}
    pictures = {path: data for path, data in contents.items() if path not in sidecars}
    groups: list[Group] = []
    for path, data in pictures.items():
        known = role_of(path.name, patterns) or role_of(path.name, DEFAULT_PATTERNS)
        role = known[0] if known else _own_role(path, data)
        group = next((one for one in groups if role not in one), None)
        if group is None:
            groups.append(group := {})
        group[role] = path, data
    for number, group in enumerate(groups):
        name = _printable(scan if number == 0 else f"{scan}-{number + 1}")
        kept, note = _as_held(group) if len(group) == 1 else (group, "")
        members = {
            _named(path, role, name, data, patterns): data for role, (path, data) in kept.items()
        }
        if number == 0:
            members |= {
                _named(path, "sidecar", name, data, patterns): data
                for path, data in sidecars.items()
            }
        yield members, note


def _as_held(group: Group) -> tuple[Group, str]:
    """A single picture as what it holds, and what is to be told of that."""
    ((role, (path, data)),) = group.items()
    if role == "material":
        return group, ""  # it shows no transmission, whatever else
    own = picture_role(data) if form_of(data) else "high"
    note = ALONE if role == "low" and own == "high" else ""
    return {own: (path, data)}, note


def _said(data: bytes) -> str:
    pages = read_pages(data)
    return "" if isinstance(pages, Malformed) else pages[whole_pages(pages)[0]].said


def _named(path: Path, role: Role, scan: str, data: bytes, patterns: Patterns) -> str:
    """What the file is called in the bundle."""
    if role_of(path.name, patterns) == (role, scan):
        return path.name
    if role == "sidecar":
        return scan + path.suffix.lower()
    return scan + (ENDINGS[role] if form_of(data) else f"_{role}.raw")


def _own_role(path: Path, data: bytes) -> Role:
    return picture_role(data) if form_of(data) else plane_role(path.name, DEFAULT_PATTERNS)[0]


def _printable(name: str) -> str:
    """A scan's name that a bundle can carry."""
    return "".join(c if c.isprintable() and c not in '/\\:"' else "_" for c in name)[-48:] or "scan"


def _is_sidecar(path: Path) -> bool:
    role = role_of(path.name, DEFAULT_PATTERNS)
    return role is not None and role[0] == "sidecar"


def _ended_utc_ns(files: list[Path]) -> int:
    for path in files:
        if path.suffix.lower() in SIDECARS:
            sidecar = parse_sidecar(path.read_bytes())
            if isinstance(sidecar, Sidecar):
                return sidecar.end_utc_ns or sidecar.start_utc_ns or 0
    return 0
