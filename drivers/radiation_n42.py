"""Portals and other instruments that tell spectra as N42 documents, pushed or as files."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from annotated_types import Ge, Gt, Le

from drivers.address import parse_address
from drivers.base import DriverKind, SensorConfig
from drivers.n42_files import N42File
from drivers.n42_samples import N42Samples
from drivers.n42_usual import UsualDocuments
from drivers.spectrum_reader import shared_reader
from drivers.wire import n42
from drivers.wire.malformed import Malformed
from drivers.wire.n42_frames import FrameDecoder
from fusion.types import DetectorSpec, Family, Origin, Sample

Centimetres = Annotated[float, Gt(0), Le(500)]


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectorKeys:
    """One gamma detector of the portal, as far as its response depends on it."""

    material: Literal["NaI", "CsI", "LaBr3", "HPGe", "CZT", "PVT"] = "NaI"
    depth_cm: Centimetres = 5.08
    """Along the line from the lane's middle."""
    width_cm: Centimetres = 10.16
    height_cm: Centimetres = 40.64
    resolution_percent: Annotated[float, Gt(0), Le(100)] = 7.0
    """Full width at half maximum at 661.7 keV."""
    resolution_power: Annotated[float, Ge(0), Le(1)] = 0.55
    """It grows with energy to this power."""

    def spec(self) -> DetectorSpec:
        """The same as the engine knows it."""
        return DetectorSpec(
            material=self.material,
            depth_cm=self.depth_cm,
            width_cm=self.width_cm,
            height_cm=self.height_cm,
            resolution_percent=self.resolution_percent,
            resolution_power=self.resolution_power,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class N42Config(SensorConfig):
    """A portal that pushes N42 documents in STX ... ETX over TCP, or leaves them in a folder."""

    family: ClassVar[Family] = Family.RADIATION
    default_silent_after_s: ClassVar[float] = 15.0  # a document a second; some make one in five
    url_forms: ClassVar[tuple[str, ...]] = ("tcp", "folder")
    # Its templates take seconds to make: at the start, and not when the first spectrum comes.
    configured_keys: ClassVar[Mapping[str, str]] = {
        "detector": "such as `detector: {material: NaI}`, with the crystal's depth_cm, width_cm, "
        "height_cm and resolution_percent where they are not the usual ones"
    }

    kind: Literal["rpm-n42"] = "rpm-n42"
    panel_distance_m: Annotated[float, Gt(0), Le(10)] = 2.5
    """From the lane's middle to a detector."""
    detector: DetectorKeys | None = None
    """What its gamma detectors are. A configuration says it; in a replay without one the spectra
    do."""
    max_clock_ahead_s: Annotated[float, Ge(0)] = 5.0
    """A measurement cannot end after it arrived. One dated further ahead gets the arrival's time
    and is told as `clock-ahead`; up to here it is taken for the drift of a clock."""

    def __post_init__(self) -> None:
        if self.silent_after_s is None and self.url.startswith("folder:"):
            # One document an occupancy: no truck, no document.
            object.__setattr__(self, "silent_after_s", 0.0)


class N42Driver:
    """Documents of one portal to samples.

    Malformed reasons: those of the frames, of `SpectrumReader.read` and of `N42Samples.of`.
    """

    def __init__(self, config: SensorConfig, origin: Origin) -> None:
        if not isinstance(config, N42Config):
            raise TypeError(f"{config.id}: not a configuration of rpm-n42")
        self._frames = FrameDecoder()
        self._documents = UsualDocuments(_read)
        self._samples = N42Samples(
            config.id,
            origin,
            closes=parse_address(config.url).form == "folder",
            max_ahead_s=config.max_clock_ahead_s,
        )

    def feed(self, data: bytes, received_utc_ns: int) -> list[Sample | Malformed]:
        """Read what arrived; empty `data` says that the link was cut."""
        if not data:
            self._frames.cut()
            return []
        found: list[Sample | Malformed] = []
        for record in self._frames.feed(data):
            document = record if isinstance(record, Malformed) else self._documents.read(record)
            if isinstance(document, Malformed):
                found.append(document)
            else:
                found += self._samples.of(document, received_utc_ns)
        return found


def _read(data: bytes) -> n42.Document | Malformed:
    return shared_reader().read(data)


N42_KIND = DriverKind(
    kind="rpm-n42",
    config=N42Config,
    build=N42Driver,
    heavy=True,  # a file of a whole pass takes a second
    recordings=(N42File(),),
)
