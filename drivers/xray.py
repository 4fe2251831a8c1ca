"""Cargo X-ray scanners that leave their scans as files."""

import hashlib
from collections import OrderedDict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import cv2
import numpy as np
from annotated_types import Ge, Le, MinLen
from numpy.typing import NDArray

from drivers import xray_files
from drivers.base import DriverKind, SensorConfig
from drivers.wire.bundle import Bundle, BundleDecoder
from drivers.wire.image_headers import read_header
from drivers.wire.malformed import Malformed, malformed
from drivers.wire.sidecar import REAR_FIRST, Sidecar, parse_sidecar
from drivers.xray_files import DEFAULT_PATTERNS, NEEDS, Patterns, Role, ScanSet, role_of
from fusion.types import MILLISECOND_NS, SECOND_NS, Family, Origin, Sample, ScanSample

REMEMBERED_SCANS = 4096  # four days at 40 scans an hour; 64 bytes each

# A spoilt picture is our Malformed; OpenCV's own remarks on stderr would flood a log.
cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)

PatternList = Annotated[tuple[str, ...], MinLen(1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class XrayPlanesConfig(SensorConfig):
    """A scanner that writes picture planes and a sidecar for every scan into a folder."""

    family: ClassVar[Family] = Family.XRAY
    default_silent_after_s: ClassVar[float] = 0.0  # no truck, no scan: silence says nothing
    url_forms: ClassVar[tuple[str, ...]] = ("folder",)

    kind: Literal["xray-planes"] = "xray-planes"
    planes: Literal["auto", "dual", "single", "composite"] = "auto"
    """What makes a scan complete, besides its sidecar: high and low (`dual`), high (`single`),
    the 8-bit picture (`composite`); `auto` takes whichever of dual or composite is there first,
    so name it where the scanner writes both."""
    high: PatternList = DEFAULT_PATTERNS["high"]
    """File names of the high-energy plane; `*` is the scan's name."""
    low: PatternList = DEFAULT_PATTERNS["low"]
    composite: PatternList = DEFAULT_PATTERNS["composite"]
    sidecar: PatternList = DEFAULT_PATTERNS["sidecar"]
    pitch_x_mm: Annotated[float, Ge(0.5), Le(50)] = 8.0
    """Along the vehicle, where the sidecar does not say."""
    pitch_y_mm: Annotated[float, Ge(0.5), Le(50)] = 8.0
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
            "composite": self.composite,
            "sidecar": self.sidecar,
        }


def scan_sets(names: Collection[str], config: XrayPlanesConfig) -> list[ScanSet]:
    """Group a folder's file names into scans and say which are complete.

    The transport then only has to see that the sizes hold still over two polls.
    """
    return xray_files.scan_sets(names, config.patterns, config.planes)


def bundles_of(files: Mapping[str, bytes], config: XrayPlanesConfig) -> list[bytes]:
    """Recorded planes or pictures (name to contents) as one bundle for each scan."""
    return xray_files.bundles_of(files, config.patterns, config.planes)


class XrayPlanesDriver:
    """Bundles of one scanner to scans.

    Malformed reasons, besides those of the bundle: `truncated`, `bad-header`,
    `dimension-mismatch`, `unsupported`, `too-large`, `duplicate`, `bad-sidecar`,
    `unresolved-identity` (neither scan id nor a right container number), `missing-plane`.
    A container number that fails its check digit comes as `bad-container` beside the scan, a
    time that lies after the arrival as `clock-ahead`.
    """

    def __init__(self, config: SensorConfig, origin: Origin) -> None:
        if not isinstance(config, XrayPlanesConfig):
            raise TypeError(f"{config.id}: not a configuration of xray-planes")
        self._config = config
        self._origin = origin
        self._decoder = BundleDecoder()
        self._seen: OrderedDict[bytes, None] = OrderedDict()
        self._last_utc_ns = 0

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
            return [sidecar]
        if not (sidecar.scan_id or sidecar.container):
            return [malformed("unresolved-identity", by_role["sidecar"])]
        groups = NEEDS[self._config.planes]
        if self._config.planes == "auto":
            groups = (*groups, ("high",))  # a single recorded plane
        if not any(all(role in by_role for role in group) for group in groups):
            return [malformed("missing-plane", _label(files))]
        planes = self._planes(by_role)
        if isinstance(planes, Malformed):
            return [planes]
        digests = _digests(files)
        if self._is_repeat(digests, by_role.get("sidecar", b"")):
            return [malformed("duplicate", _label(files))]
        found: list[Sample | Malformed] = [
            self._sample(sidecar, planes, digests, received_utc_ns),
        ]
        if ahead_s := self._ahead_s(sidecar, received_utc_ns):
            text = f"dated {ahead_s:.1f} s after it arrived: {sidecar.scan_id}"
            found.append(malformed("clock-ahead", text.encode()))
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

    def _planes(self, by_role: Mapping[Role, bytes]) -> dict[Role, NDArray[np.generic]] | Malformed:
        """The decoded planes, else the composite; every header is checked before any decoding."""
        roles: tuple[Role, ...] = ("high", "low") if "high" in by_role else ("composite",)
        present = [role for role in roles if role in by_role]
        sizes = set()
        for role in present:
            header = read_header(by_role[role])
            if isinstance(header, Malformed):
                return header
            if role != "composite" and (header.bits, header.channels) != (16, 1):
                return malformed("unsupported", by_role[role])
            if role == "composite" and header.bits != 8:
                return malformed("unsupported", by_role[role])
            sizes.add((header.height, header.width))
        if len(sizes) > 1:
            return malformed("dimension-mismatch", by_role["low"])
        planes: dict[Role, NDArray[np.generic]] = {}
        for role in present:
            plane = _decoded(by_role[role])
            if plane is None or plane.shape[:2] not in sizes:
                return malformed("truncated" if plane is None else "dimension-mismatch", b"")
            planes[role] = plane
        return planes

    def _is_repeat(self, digests: tuple[tuple[str, str], ...], sidecar: bytes) -> bool:
        """Whether these very pictures were read before, under whatever names and sidecar."""
        side = hashlib.sha256(sidecar).hexdigest()
        pictures = sorted(digest for _, digest in digests if digest != side)
        key = hashlib.sha256("".join(pictures).encode()).digest()
        if key in self._seen:
            return True
        self._seen[key] = None
        if len(self._seen) > REMEMBERED_SCANS:
            self._seen.popitem(last=False)
        return False

    def _sample(
        self,
        sidecar: Sidecar,
        planes: Mapping[Role, NDArray[np.generic]],
        digests: tuple[tuple[str, str], ...],
        received_utc_ns: int,
    ) -> ScanSample:
        start_utc_ns, duration_ms = self._when(sidecar, received_utc_ns)
        flip = self._config.flip != (sidecar.direction == REAR_FIRST)
        front_first = {
            role: np.ascontiguousarray(plane[:, ::-1]) if flip else plane
            for role, plane in planes.items()
        }
        high, low = (front_first.get(role) for role in ("high", "low"))
        composite = front_first.get("composite")
        return ScanSample(
            sensor_id=self._config.id,
            origin=self._origin,
            start_utc_ns=start_utc_ns,
            duration_ms=duration_ms,
            scan_id=sidecar.scan_id or sidecar.container,
            high=None if high is None else high.astype(np.uint16, copy=False),
            low=None if low is None else low.astype(np.uint16, copy=False),
            composite=None if composite is None else composite.astype(np.uint8, copy=False),
            pitch_x_mm=sidecar.pitch_x_mm or self._config.pitch_x_mm,
            pitch_y_mm=sidecar.pitch_y_mm or self._config.pitch_y_mm,
            declared=sidecar.declared,
            container=sidecar.container,
            digests=digests,
        )

    def _ahead_s(self, sidecar: Sidecar, received_utc_ns: int) -> float:
        """By how much the scan is dated after its arrival; 0 where that is drift."""
        if not received_utc_ns:  # a recorded picture of which nobody knows when it arrived
            return 0.0
        ahead_s = ((sidecar.start_utc_ns or 0) - received_utc_ns) / SECOND_NS
        return ahead_s if ahead_s > self._config.max_clock_ahead_s else 0.0

    def _when(self, sidecar: Sidecar, received_utc_ns: int) -> tuple[int, int]:
        """(start, duration in ms): by the scanner's own clock, but never after the arrival."""
        start, end = sidecar.start_utc_ns, sidecar.end_utc_ns
        duration_ms = (end - start) // MILLISECOND_NS if start is not None and end else 0
        if start is None or self._ahead_s(sidecar, received_utc_ns):
            start = max(received_utc_ns - duration_ms * MILLISECOND_NS, 0)
        elif received_utc_ns:
            start = min(start, received_utc_ns)
        # A backlog may be read out of order; the engine's time only goes forward.
        self._last_utc_ns = max(start, self._last_utc_ns)
        return self._last_utc_ns, duration_ms


def _digests(files: Bundle) -> tuple[tuple[str, str], ...]:
    """(name, SHA-256) of each file, by name; hashed here only where nobody has done so."""
    known = files.digests or [hashlib.sha256(content).hexdigest() for _, content in files.files]
    return tuple(sorted(zip((name for name, _ in files.files), known, strict=True)))


def _decoded(data: bytes) -> NDArray[np.generic] | None:
    """The picture, grey where it was colour; None where the codec gives up."""
    try:
        picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
        if picture is not None and picture.ndim == 3:
            code = cv2.COLOR_BGR2GRAY if picture.shape[2] == 3 else cv2.COLOR_BGRA2GRAY
            picture = cv2.cvtColor(picture, code)
    except cv2.error:
        return None
    return picture


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
