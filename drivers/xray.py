"""Cargo X-ray scanners that leave their scans as files."""

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import numpy as np
from annotated_types import Ge, Gt, Le, MinLen, MultipleOf

from drivers import xray_files
from drivers.base import DriverKind, SensorConfig
from drivers.scan_times import Repeats, ScanTimes
from drivers.wire.bundle import Bundle, BundleDecoder
from drivers.wire.malformed import Malformed, malformed
from drivers.wire.raw_plane import RawLayout
from drivers.wire.sidecar import REAR_FIRST, Sidecar, parse_sidecar
from drivers.xray_files import DEFAULT_PATTERNS, NEEDS, Patterns, Role, ScanSet, role_of
from drivers.xray_pictures import PAGES, Page, PictureReader, Pictures
from fusion.types import Family, Origin, Sample, ScanSample

DEFAULT_PITCH_MM = 8.0  # where nobody says how large a pixel is; the usual is 4 to 10

PatternList = Annotated[tuple[str, ...], MinLen(1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class XrayPlanesConfig(SensorConfig):
    """A scanner that writes picture planes and a sidecar for every scan into a folder."""

    family: ClassVar[Family] = Family.XRAY
    default_silent_after_s: ClassVar[float] = 0.0  # no truck, no scan: silence says nothing
    url_forms: ClassVar[tuple[str, ...]] = ("folder",)

    kind: Literal["xray-planes"] = "xray-planes"
    also_lanes: tuple[str, ...] = ()
    """Further lanes whose vehicles come to this scanner; it is filed under `lane`."""
    planes: Literal["auto", "dual", "triple", "single", "composite"] = "auto"
    """What makes a scan complete, besides its sidecar: high and low (`dual`), these and the
    material plane (`triple`), high (`single`), the 8-bit picture (`composite`); `auto` takes
    whichever of dual or composite is there first, so name it where the scanner writes both."""
    high: PatternList = DEFAULT_PATTERNS["high"]
    """File names of the high-energy plane; `*` is the scan's name."""
    low: PatternList = DEFAULT_PATTERNS["low"]
    material: PatternList = DEFAULT_PATTERNS["material"]
    """Kept and hashed with its scan, but not read: what it means differs by maker."""
    multipage: PatternList = DEFAULT_PATTERNS["multipage"]
    """TIFF files that hold all planes of a scan as pages."""
    pages: tuple[Page, ...] = PAGES
    """What the pages of such a file are, in their order; further ones are passed over, and as long
    as this is not set so are smaller ones, as previews."""
    composite: PatternList = DEFAULT_PATTERNS["composite"]
    sidecar: PatternList = DEFAULT_PATTERNS["sidecar"]
    raw_header_bytes: Annotated[int, Ge(0), Le(65_536)] = 0
    """Of planes that are neither TIFF, PNG nor JPEG: bytes before the first pixel. Such files are
    read once their width or height is declared, by one of the keys below."""
    raw_width: Annotated[int, Ge(0), Le(16_384)] = 0
    """Pixels along the vehicle; 0: `raw_width_at` says where the header has it, or as many as
    the file holds."""
    raw_height: Annotated[int, Ge(0), Le(16_384)] = 0
    """Pixels up and down."""
    raw_bits: Annotated[int, Ge(8), Le(16), MultipleOf(8)] = 16
    """Of a pixel: 8 or 16."""
    raw_width_at: Annotated[int, Ge(0)] | None = None
    """Offset in the header where the width stands."""
    raw_height_at: Annotated[int, Ge(0)] | None = None
    raw_bits_at: Annotated[int, Ge(0)] | None = None
    raw_field_bytes: Annotated[int, Ge(1), Le(8)] = 4
    """Of each of these three numbers."""
    raw_order: Literal["little", "big"] = "little"
    """Byte order of header and pixels."""
    raw_column_major: bool = False
    """Pixels lie line after line of the scanner, not row after row of the picture."""
    full_scale: Annotated[float, Gt(0)] | None = None
    """Of planes in floating point or of more than 16 bits: the number that is 65,535 counts. None:
    found: transmission where none is above 1.2, counts up to 65,535, else the greatest."""
    energies_mev: tuple[Annotated[float, Gt(0), Le(20)], Annotated[float, Gt(0), Le(20)]] = (6, 4)
    """End energies of the high and the low plane, where the sidecar does not say."""
    pitch_x_mm: Annotated[float, Ge(0.5), Le(50)] | None = None
    """Along the vehicle, where the sidecar does not say. None: nobody knows, and the size of the
    box in the picture has to tell."""
    pitch_y_mm: Annotated[float, Ge(0.5), Le(50)] | None = None
    folders: Literal["flat", "dated"] = "flat"
    """`dated`: scans lie in `terminal/yyyymm/yyyymmdd` below the folder (or without the terminal),
    and only the latest days are watched."""
    days: Annotated[int, Ge(1), Le(31)] = 3
    """So many of the latest days of each terminal; older ones are left as they are."""
    leave: bool = False
    """Files stay where they are, as in an archive that is not Garita's: what was read is only
    remembered, the last 20,000 scans of it, also over a start of the service, and what was of no
    use is copied to quarantine. Else both are moved to `.garita/done` and `.garita/quarantine`,
    which keep the latest 200 scans each and delete older ones."""
    work: str = ""
    """With `leave`: a folder of Garita's own, where it keeps in one of this sensor's name what was
    read and what was of no use; for an archive that cannot be written. Else `.garita` in it."""
    flip: bool = False
    """The vehicle's front is at the right of the picture; a sidecar that says so flips again."""
    max_clock_ahead_s: Annotated[float, Ge(0)] = 5.0
    """A scan cannot begin after it arrived. One dated further ahead gets the arrival's time and
    is told as `clock-ahead`; up to here it is taken for the drift of a clock."""

    @property
    def patterns(self) -> Patterns:
        """The file name patterns by role."""
        return {
            "high": self.high,
            "low": self.low,
            "material": self.material,
            "multipage": self.multipage,
            "composite": self.composite,
            "sidecar": self.sidecar,
        }

    @property
    def raw(self) -> RawLayout | None:
        """How planes without a format of their own are laid out; None: there are none."""
        layout = RawLayout(
            header_bytes=self.raw_header_bytes,
            width=self.raw_width,
            height=self.raw_height,
            bits=self.raw_bits,
            width_at=self.raw_width_at,
            height_at=self.raw_height_at,
            bits_at=self.raw_bits_at,
            field_bytes=self.raw_field_bytes,
            order=self.raw_order,
            column_major=self.raw_column_major,
        )
        return layout if layout.is_declared else None

    def __post_init__(self) -> None:
        if self.raw is not None and (fault := self.raw.fault()):
            raise ValueError(f"raw planes: {fault}")
        if self.work and not self.leave:
            raise ValueError("work: only with leave: true; files are moved within their own folder")
        if self.energies_mev[0] < self.energies_mev[1]:
            raise ValueError("energies_mev: the high plane's comes first, as in [6, 4]")
        if "high" not in self.pages:
            raise ValueError("pages: none of them is the high plane")
        if both := set(self.high) & set(self.low):
            raise ValueError(f"high and low: both are {', '.join(sorted(both))}")


def scan_sets(names: Collection[str], config: XrayPlanesConfig) -> list[ScanSet]:
    """Group a folder's file names into scans and say which are complete.

    The transport then only has to see that the sizes hold still over two polls.
    """
    return xray_files.scan_sets(names, config.patterns, config.planes)


def is_whole(name: str, data: bytes, config: XrayPlanesConfig) -> bool | None:
    """Whether a file of the folder is all there; None where it does not say itself."""
    found = role_of(name, config.patterns)
    sidecar = found is not None and found[0] == "sidecar"
    return xray_files.is_whole(data, config.raw, sidecar=sidecar)


def bundles_of(files: Mapping[str, bytes], config: XrayPlanesConfig) -> list[bytes]:
    """Recorded planes or pictures (name to contents) as one bundle for each scan."""
    return xray_files.bundles_of(files, config.patterns, config.planes)


class XrayPlanesDriver:
    """Bundles of one scanner to scans.

    Malformed reasons, besides those of the bundle: `truncated`, `bad-header`,
    `dimension-mismatch`, `unsupported`, `too-large`, `duplicate`, `bad-sidecar`,
    `unresolved-identity` (neither scan id nor a right container number), `missing-plane`.
    Beside a scan come a container number that fails its check digit as `bad-container` and times
    for which the arrival counts: after the arrival as `clock-ahead`, before the scan before it as
    `clock-behind`, without a zone as `no-time-zone`.
    """

    def __init__(self, config: SensorConfig, origin: Origin) -> None:
        if not isinstance(config, XrayPlanesConfig):
            raise TypeError(f"{config.id}: not a configuration of xray-planes")
        self._config = config
        self._origin = origin
        self._decoder = BundleDecoder()
        self._reader = PictureReader(
            layout=config.raw, pages=config.pages, full_scale=config.full_scale
        )
        self._repeats = Repeats()
        self._times = ScanTimes(config.max_clock_ahead_s)

    def feed(self, data: bytes, received_utc_ns: int) -> list[Sample | Malformed]:
        """Read what the folder transport made of finished scans; empty data is a link cut."""
        records = self._decoder.feed(data) if data else self._decoder.cut()
        found: list[Sample | Malformed] = []
        for record in records:
            if isinstance(record, Bundle):
                found += self._scan(record, received_utc_ns)
            else:
                found.append(record)
        return found

    def _scan(self, files: Bundle, received_utc_ns: int) -> list[Sample | Malformed]:
        by_role = self._by_role(files)
        sidecar = parse_sidecar(by_role.get("sidecar", b""))
        if isinstance(sidecar, Malformed):
            return [_named(files, sidecar)]
        if not (sidecar.scan_id or sidecar.container):
            return [malformed("unresolved-identity", _label(files))]
        groups = NEEDS[self._config.planes]
        if self._config.planes == "auto":
            groups = (*groups, ("high",))  # a single recorded plane
        if not any(all(role in by_role for role in group) for group in groups):
            return [malformed("missing-plane", _label(files))]
        pictures = self._reader.read(by_role)
        if isinstance(pictures, Malformed):
            return [_named(files, pictures)]
        digests = files.named_digests()
        if self._is_repeat(digests, by_role.get("sidecar", b"")):
            return [malformed("duplicate", _label(files))]
        found: list[Sample | Malformed] = [
            self._sample(sidecar, pictures, digests, received_utc_ns),
        ]
        found += self._times.told(sidecar.start_utc_ns, received_utc_ns, sidecar.scan_id)
        if sidecar.zoneless:
            found.append(malformed("no-time-zone", sidecar.zoneless.encode()))
        if sidecar.container_as_read and not sidecar.container:
            found.append(malformed("bad-container", sidecar.container_as_read.encode()))
        return found

    def _by_role(self, files: Bundle) -> dict[Role, bytes]:
        by_role: dict[Role, bytes] = {}
        for name, content in files.files:
            # A recorded picture was named by the defaults, whatever this site uses.
            role = role_of(name, self._config.patterns) or role_of(name, DEFAULT_PATTERNS)
            if role:
                by_role.setdefault(role[0], content)
        return by_role

    def _is_repeat(self, digests: tuple[tuple[str, str], ...], sidecar: bytes) -> bool:
        """Whether these very pictures were read before, under whatever names and sidecar."""
        side = hashlib.sha256(sidecar).hexdigest()
        pictures = sorted(digest for _, digest in digests if digest != side)
        key = hashlib.sha256("".join(pictures).encode()).digest()
        return self._repeats.is_repeat(key)

    def _sample(
        self,
        sidecar: Sidecar,
        pictures: Pictures,
        digests: tuple[tuple[str, str], ...],
        received_utc_ns: int,
    ) -> ScanSample:
        start_utc_ns, duration_ms = self._times.when(
            sidecar.start_utc_ns, sidecar.end_utc_ns, received_utc_ns
        )
        flip = self._config.flip != (sidecar.direction == REAR_FIRST)
        front_first = {
            role: np.ascontiguousarray(plane[:, ::-1]) if flip else plane
            for role, plane in pictures.planes.items()
        }
        return ScanSample(
            sensor_id=self._config.id,
            origin=self._origin,
            start_utc_ns=start_utc_ns,
            duration_ms=duration_ms,
            scan_id=sidecar.scan_id or sidecar.container,
            high=front_first.get("high"),
            low=front_first.get("low"),
            composite=front_first.get("composite"),
            pitch_x_mm=sidecar.pitch_x_mm or self._config.pitch_x_mm or DEFAULT_PITCH_MM,
            pitch_y_mm=sidecar.pitch_y_mm or self._config.pitch_y_mm or DEFAULT_PITCH_MM,
            pitch_known=(sidecar.pitch_x_mm or self._config.pitch_x_mm) is not None,
            energies_mev=sidecar.energies_mev or self._config.energies_mev,
            declared=sidecar.declared,
            container=sidecar.container,
            digests=digests,
            notes=(*pictures.notes, *self._times.notes),
        )


def _named(files: Bundle, one: Malformed) -> Malformed:
    """With the names of the scan's files in front: they can be found again, its bytes cannot."""
    names = malformed(one.reason, _label(files)).text
    return Malformed(one.reason, ": ".join(filter(None, (names, one.text))))


def _label(files: Bundle) -> bytes:
    return " ".join(name for name, _ in files.files).encode()


KINDS: tuple[DriverKind, ...] = (
    DriverKind(
        "xray-planes",
        XrayPlanesConfig,
        XrayPlanesDriver,
        heavy=True,
        recordings=(xray_files.BundleFile(), xray_files.PictureFile()),
    ),
)
