"""Which files of a folder make a scan, and how recorded pictures become one."""

import hashlib
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from drivers.base import SensorConfig
from drivers.wire import bundle
from drivers.wire.image_header import whole_pages
from drivers.wire.image_headers import PNG_MAGIC, form_of, read_pages
from drivers.wire.malformed import Malformed
from drivers.wire.raw_plane import RawLayout, is_raw, raw_size
from drivers.wire.sidecar import Sidecar, encode_json, parse_sidecar

Role = Literal["high", "low", "material", "multipage", "composite", "sidecar"]
ROLES: tuple[Role, ...] = ("high", "low", "material", "multipage", "composite", "sidecar")
Patterns = Mapping[Role, tuple[str, ...]]

DEFAULT_PATTERNS: Patterns = {
    "high": ("*_high.tiff", "*_high.tif", "*_high.png", "*_high.raw", "*high.raw", "high.raw"),
    "low": ("*_low.tiff", "*_low.tif", "*_low.png", "*_low.raw", "*low.raw", "low.raw"),
    "material": (
        *("*_material.tiff", "*_material.tif", "*_material.png", "*_material.raw"),
        *("*material.raw", "material.raw"),
    ),
    "multipage": ("*_planes.tiff", "*_planes.tif", "*_dual.tiff", "*_dual.tif"),
    "composite": ("*.jpg", "*.jpeg", "*_composite.png"),
    "sidecar": ("*.json", "*.xml"),
}
ENDINGS: Mapping[Role, str] = {
    "high": "_high.tiff",
    "low": "_low.tiff",
    "material": "_material.tiff",
    "multipage": "_planes.tiff",
    "composite": ".jpg",
    "sidecar": ".json",
}
"""How a file is called that has no name of its own; what form it has its content says."""
NEEDS: Mapping[str, tuple[tuple[Role, ...], ...]] = {
    "dual": (("high", "low"), ("multipage",)),
    "triple": (("high", "low", "material"), ("multipage",)),
    "single": (("high",), ("multipage",)),
    "composite": (("composite",),),
    "auto": (("high", "low"), ("multipage",), ("composite",)),
}
"""Which planes make a scan of each kind: any one of the groups, and always a sidecar."""

NAMELESS = "scan"  # what a scan is called whose files have no name of their own

SIDECARS = (".json", ".xml")
# How makers mark the planes in the names of files that no pattern fits.
_MARKS: tuple[tuple[Role, re.Pattern[str]], ...] = (
    ("low", re.compile(r"(?<![a-z])(low|lo|le)(?![a-z])")),
    ("material", re.compile(r"(?<![a-z])(material|mat|z|zeff)(?![a-z])")),
    ("high", re.compile(r"(?<![a-z])(high|hi|he)(?![a-z])")),
)

# What file copiers add to a name while it is still being written.
UNFINISHED = (".tmp", ".part", ".partial", ".filepart", ".crdownload", ".lock", ".writing", "~")


@dataclass(frozen=True, slots=True)
class ScanSet:
    """The files of one scan, as far as they are there."""

    name: str
    """What the file names have in common."""
    files: tuple[tuple[Role, str], ...]
    """(role, file name), in the order of `ROLES`."""
    complete: bool
    """All that is declared is there and nothing is still being written."""
    missing: tuple[Role, ...]
    """What is still awaited; empty as well where only a lock is in the way."""

    @property
    def names(self) -> tuple[str, ...]:
        """The file names, in the order of `ROLES`."""
        return tuple(name for _, name in self.files)


def role_of(name: str, patterns: Patterns) -> tuple[Role, str] | None:
    """What a file is of which scan, or None where no pattern fits. Case does not matter.

    The part for which `*` stands is the scan's name, `scan` where a pattern has none; the longest
    fitting pattern wins, so that `a_composite.png` is not a scan called `a_composite`.
    """
    best: tuple[int, Role, str] | None = None
    for role in ROLES:
        for pattern in patterns[role]:
            before, star, after = pattern.lower().partition("*")
            folded = name.lower()
            fixed = len(before) + len(after)
            fits = folded.startswith(before) and folded.endswith(after) and len(name) > fixed
            if not star:
                fits = folded == before
            if fits and (best is None or fixed > best[0]):
                scan = name[len(before) : len(name) - len(after)] if star else NAMELESS
                best = (fixed, role, scan)
    return best and (best[1], best[2])


def plane_role(name: str, patterns: Patterns) -> tuple[Role, str]:
    """As `role_of`; of a file that no pattern fits, what its name sounds like, else a high plane.

    For recorded files that somebody says are planes.
    """
    if found := role_of(name, patterns) or role_of(name, DEFAULT_PATTERNS):
        return found
    stem = name.rpartition(".")[0] or name
    for role, mark in _MARKS:
        if hit := mark.search(stem.lower()):
            return role, (stem[: hit.start()] + stem[hit.end() :]).strip("._- ") or NAMELESS
    return "high", stem


def scan_sets(names: Collection[str], patterns: Patterns, planes: str) -> list[ScanSet]:
    """The folder's scans in order of their names. Pure: sizes are the transport's to watch."""
    scans: dict[str, dict[Role, str]] = {}
    folded: dict[str, str] = {}
    unfinished: list[str] = []
    for name in sorted(names):
        if name.startswith((".", "~")) or name.lower().endswith(UNFINISHED):
            unfinished.append(name.lstrip(".~$"))
        elif found := role_of(name, patterns):
            # Exporters on Windows write `A.JPG` beside `a.xml`; only where both cases are there
            # of one role are they two scans.
            scan = folded.setdefault(found[1].casefold(), found[1])
            if found[0] in scans.get(scan, {}):
                scan = found[1]
            scans.setdefault(scan, {}).setdefault(found[0], name)
    sets = []
    for scan, files in scans.items():
        groups = [tuple(r for r in (*g, "sidecar") if r not in files) for g in NEEDS[planes]]
        missing = min(groups, key=len)
        # A lock named after a longer scan name only delays this one until it goes.
        locked = any(name.casefold().startswith(scan.casefold()) for name in unfinished)
        ordered = tuple((role, files[role]) for role in ROLES if role in files)
        sets.append(ScanSet(scan, ordered, not missing and not locked, missing))
    return sets


def bundles_of(files: Mapping[str, bytes], patterns: Patterns, planes: str) -> list[bytes]:
    """Recorded files (name to contents) as bundles, one for each scan found among them.

    Sibling planes with their sidecar are taken as they are; planes or pictures without one
    get a minimal sidecar named after the scan. Limits: see `bundle.encode`.
    """
    scans: dict[str, dict[str, bytes]] = {}
    for name in sorted(files):
        if found := role_of(name, patterns):
            scans.setdefault(found[1], {})[name] = files[name]
        elif form_of(files[name]):
            stem = name.rpartition(".")[0] or name
            ending = ENDINGS[picture_role(files[name])]
            scans.setdefault(stem, {})[f"{stem}{ending}"] = files[name]
        else:
            role, scan = plane_role(name, patterns)
            scans.setdefault(scan, {})[f"{scan}_{role}.raw"] = files[name]
    made = []
    for scan, members in scans.items():
        roles = {role_of(name, patterns) or role_of(name, DEFAULT_PATTERNS) for name in members}
        if ("sidecar", scan) not in roles:
            members[f"{scan}.json"] = encode_json(Sidecar(scan_id=scan))
        if roles != {("sidecar", scan)}:
            made.append(bundle.encode(members))
    return made


def picture_role(data: bytes) -> Role:
    """What a picture is by itself: more than 8 bits are a plane, two such pages two planes."""
    pages = read_pages(data)
    if isinstance(pages, Malformed):  # nothing will be read in it, but it is told by its name
        return "high" if form_of(data) == "tiff" else "composite"
    whole = whole_pages(pages)
    if pages[whole[0]].bits == 8:
        return "composite"
    several = len(whole) > 1 and pages[whole[0]] == pages[whole[1]]
    return "multipage" if several else "high"


@dataclass(frozen=True, slots=True)
class BundleFile:
    """A file of bundles (`.gxb`), as the folder transport makes them."""

    name: str = "xray-bundle"

    def recognise(self, file_name: str, head: bytes) -> bool:
        """By its magic; the name may be any."""
        del file_name
        return head.startswith(bundle.MAGIC)

    def chunks(
        self, data: bytes, file_name: str = "", config: SensorConfig | None = None
    ) -> Iterator[tuple[int, bytes]]:
        """One bundle at a time, received when its scan ended, or as soon as the one before."""
        del file_name, config
        received_utc_ns = 0
        for piece in bundle.split(data):
            received_utc_ns = max(received_utc_ns, _end_utc_ns(piece))
            yield received_utc_ns, piece


@dataclass(frozen=True, slots=True)
class PictureFile:
    """A single TIFF, PNG or JPEG picture of a scan."""

    name: str = "xray-picture"

    def recognise(self, file_name: str, head: bytes) -> bool:
        """By its first bytes; the name may be any."""
        del file_name
        return bool(form_of(head))

    def chunks(
        self, data: bytes, file_name: str = "", config: SensorConfig | None = None
    ) -> Iterator[tuple[int, bytes]]:
        """One bundle with a minimal sidecar; the scan is named by the file, else its content."""
        del config
        bare = re.sub(r"[^A-Za-z0-9._-]", "_", re.split(r"[/\\]", file_name)[-1])[-80:].strip(".")
        name = bare or f"picture-{hashlib.sha256(data).hexdigest()[:12]}"
        if form_of(data) and len(data) < bundle.MAX_BUNDLE_BYTES - (1 << 20):
            for piece in bundles_of({name: data}, DEFAULT_PATTERNS, "auto"):
                yield 0, piece


def _end_utc_ns(piece: bytes) -> int:
    """When the bundle's scan ended, as its sidecar says; 0 where it does not."""
    for record in bundle.BundleDecoder().feed(piece):
        files = record.files if isinstance(record, bundle.Bundle) else ()
        for content in (content for name, content in files if name.lower().endswith(SIDECARS)):
            sidecar = parse_sidecar(content)
            if isinstance(sidecar, Sidecar):
                return sidecar.end_utc_ns or sidecar.start_utc_ns or 0
    return 0


WAITING = frozenset({"truncated", "bad-header", "bad-checksum"})
"""Reasons that a file also gives which is still being written."""
_TOLD_BYTES = 4  # by then a TIFF or JPEG has said that it is one, and a PNG has begun to
_TAIL_BYTES = 4096  # the end of a plane is dark or air and never all zeros


def is_whole(data: bytes, layout: RawLayout | None, *, sidecar: bool) -> bool | None:
    """Whether a file is all there by what it says itself; None where it does not say.

    Spoilt in a way that time does not mend is all there too. A copier may set a file's size first
    and fill it then: zeros at its end are waited out.
    """
    if sidecar:
        return isinstance(parse_sidecar(data), Sidecar)
    if not any(data[-_TAIL_BYTES:]):
        return False
    if form_of(data) and not is_raw(data, layout):
        found = read_pages(data)
        return not isinstance(found, Malformed) or found.reason not in WAITING
    if layout is None:  # no picture at all, however much may follow
        head = data[:_TOLD_BYTES]
        return any(head) and len(head) == _TOLD_BYTES and not PNG_MAGIC.startswith(head)
    size = raw_size(data, layout)
    if not layout.tells_size:
        return None
    return not isinstance(size, str) or size not in WAITING
