"""Which of the files of one name make a scan together, and as what each is read."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from drivers.wire.image_header import whole_pages
from drivers.wire.image_headers import form_of, read_pages
from drivers.wire.malformed import Malformed
from drivers.wire.sidecar import Sidecar, encode_json
from drivers.xray_files import (
    DEFAULT_PATTERNS,
    ENDINGS,
    Patterns,
    Role,
    picture_role,
    plane_role,
    role_of,
)

NAME_CHARACTERS = 48  # of a scan; the bundle's names carry more behind it
ALONE = "by its name the low-energy plane, without the high one: read as a single plane"


@dataclass(slots=True)
class ScanGroup:
    """The files of one scan."""

    scan: str
    """Its name, as a bundle can carry it."""
    pictures: dict[Role, tuple[Path, bytes]] = field(default_factory=dict)
    sidecars: dict[Path, bytes] = field(default_factory=dict)
    note: str = ""
    """What is to be told of it."""

    @property
    def names(self) -> str:
        """Of the files."""
        paths = [path for path, _ in self.pictures.values()]
        return " ".join(path.name for path in [*paths, *self.sidecars])

    @property
    def said(self) -> str:
        """What its first picture says it is."""
        pictures = [data for _, data in self.pictures.values() if form_of(data)]
        pages = read_pages(pictures[0]) if pictures else []
        if isinstance(pages, Malformed) or not pages:
            return ""
        return pages[whole_pages(pages)[0]].said

    @property
    def taken_for(self) -> str:
        """As what it is read."""
        if set(self.pictures) & {"high", "multipage"}:
            both = "multipage" in self.pictures or "low" in self.pictures
            return "a high- and a low-energy plane" if both else "one plane of one energy"
        return "an 8-bit display picture" if "composite" in self.pictures else ""

    @property
    def raw(self) -> list[Path]:
        """Planes that are no picture by themselves."""
        return [path for path, data in self.pictures.values() if not form_of(data)]

    def members(self, patterns: Patterns, low_mev: float) -> dict[str, bytes]:
        """The files under names that say what they are; `low_mev`: of a low-energy plane."""
        found = {
            self._named(path, role, data, patterns): data
            for role, (path, data) in self.pictures.items()
        }
        found |= {
            self._named(path, "sidecar", data, patterns): data
            for path, data in self.sidecars.items()
        }
        if self.note == ALONE and not self.sidecars:
            own = Sidecar(scan_id=self.scan, energies_mev=(low_mev, low_mev))
            found[f"{self.scan}.json"] = encode_json(own)
        return found

    def as_held(self) -> None:
        """A single picture is what it holds, whatever it is called."""
        if len(self.pictures) != 1 or "material" in self.pictures:
            return  # a material plane shows no transmission, whatever else
        ((role, (path, data)),) = self.pictures.items()
        own = picture_role(data) if form_of(data) else "high"
        self.pictures = {own: (path, data)}
        self.note = ALONE if role == "low" and own == "high" else ""

    def _named(self, path: Path, role: Role, data: bytes, patterns: Patterns) -> str:
        if role_of(path.name, patterns) == (role, self.scan):
            return path.name
        if role == "sidecar":
            return self.scan + path.suffix.lower()
        return self.scan + (ENDINGS[role] if form_of(data) else f"_{role}.raw")


def grouped(scan: str, contents: dict[Path, bytes], patterns: Patterns) -> Iterator[ScanGroup]:
    """The scans among files of one name: two pictures of one kind, `a.png` beside `a.jpg`, are two.

    The sidecars belong to the first.
    """
    groups = [ScanGroup(_printable(scan))]
    for path, data in contents.items():
        if is_sidecar(path):
            groups[0].sidecars[path] = data
            continue
        known = role_of(path.name, patterns) or role_of(path.name, DEFAULT_PATTERNS)
        role = known[0] if known else _own_role(path, data)
        group = next((one for one in groups if role not in one.pictures), None)
        if group is None:
            groups.append(group := ScanGroup(_printable(f"{scan}-{len(groups) + 1}")))
        group.pictures[role] = path, data
    for group in groups:
        group.as_held()
        if group.pictures:
            yield group


def is_sidecar(path: Path) -> bool:
    """Whether a file is called one."""
    role = role_of(path.name, DEFAULT_PATTERNS)
    return role is not None and role[0] == "sidecar"


def _own_role(path: Path, data: bytes) -> Role:
    return picture_role(data) if form_of(data) else plane_role(path.name, DEFAULT_PATTERNS)[0]


def _printable(name: str) -> str:
    plain = "".join(c if c.isprintable() and c not in '/\\:"' else "_" for c in name)
    return plain[-NAME_CHARACTERS:] or "scan"
