"""What every driver is, and the configuration that all kinds share."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, BinaryIO, ClassVar, Literal, Protocol, runtime_checkable

from annotated_types import Ge, Gt, Le

from drivers.wire.malformed import Malformed
from fusion.types import Family, Origin, Sample

SET_HEAD_BYTES = 64 << 10  # a DICOS header has 3 kB


class SensorUnavailable(Exception):  # noqa: N818 - named for what a caller can do
    """Nothing answers at a sensor's address. Raised when opening a transport, and only then."""


class Poller(Protocol):
    """What to ask of a device that says nothing unasked. No socket, no clock."""

    @property
    def found(self) -> bool:
        """Whether the device has said what it is; until then it is looked for."""
        ...

    @property
    def candidates(self) -> int:
        """How many addresses behind the link it may still be at."""
        ...

    @property
    def pause_s(self) -> float:
        """From the last request to the next."""
        ...

    @property
    def timeout_s(self) -> float:
        """No answer for so long: the link is as good as cut."""
        ...

    def ask(self) -> bytes:
        """The next request."""
        ...

    def heard(self, data: bytes) -> bool:
        """What came back; True when it answers the last request, well or not."""
        ...

    def unanswered(self) -> bool:
        """Nothing came in time: whether there is something else to ask."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SensorConfig:
    """Keys that a sensor of any kind may have. Subclasses add `kind` and their own."""

    # An unknown key is an error; pydantic reads this without being imported here.
    __pydantic_config__: ClassVar[dict[str, str | bool]] = {
        "extra": "forbid",
        "allow_inf_nan": False,
    }
    family: ClassVar[Family]
    default_silent_after_s: ClassVar[float]
    """How long this kind may say nothing before that is an alert; 0: for ever."""
    url_forms: ClassVar[tuple[str, ...]] = ("tcp", "udp", "serial", "folder")
    """The forms of address this kind can be read from; a kind names its own, narrower ones."""

    session: ClassVar[bool] = False
    """Whether its link is a session with a server: one that stands and brings nothing is of no
    use, and what the server answers tells more than that its port is open."""

    configured_keys: ClassVar[Mapping[str, str]] = {}
    """Keys that a configuration file must have though a replay without one does not, and why."""

    hung_s: ClassVar[float] = 0.0
    """A device of this kind is never silent for so long: a link that is has hung, and counts as
    cut. 0: silence says nothing."""

    simulator_keys: ClassVar[tuple[str, ...]] = ()
    """Keys that its simulator has to be told too, so that it speaks as the device does."""

    id: str
    lane: str | None = None
    """The lane it watches; a sensor has a lane or a zone, not both."""
    zone: str | None = None
    """The zone it watches."""
    url: str
    """Where it answers: `tcp://host:port`, `udp://host:port` (listens there), a pyserial URL
    such as `/dev/ttyUSB0` or `rfc2217://host:port`, or `folder:/path`."""
    origin: Literal["sensor", "simulator"] = "sensor"
    """`simulator` marks a stand-in: its alerts are exercises and never ring as real."""
    fallback: Literal["none", "simulator"] = "none"
    """`simulator`: where nothing answers at start, run the bundled simulator and say so."""
    timeout_s: Annotated[float, Gt(0), Le(60)] = 5.0
    """How long to wait for the first connection."""
    silent_after_s: Annotated[float, Ge(0), Le(86_400)] | None = None
    """Silence that raises an alert, a day at most; the kind's own habit where not given, 0 for
    never."""
    position_m: tuple[float, float] = (0.0, 0.0)
    """Place in the checkpoint's own frame: metres east, metres north."""
    baud: Annotated[int, Ge(300)] = 9600
    """Serial lines only."""

    @property
    def lapse_s(self) -> float:
        """The driver is told a second time, so long after a link was cut, that there is still
        nothing: what it kept for a link that comes back is over then. 0: it keeps nothing."""
        return 0.0

    def poller(self) -> Poller | None:
        """A fresh one for a new link; None: the device speaks by itself."""
        return None


class Bookmark(Protocol):
    """Keeps, across links and starts of the service, how far a sensor's data were dealt with."""

    def get(self) -> str:
        """What was put last; `""` where nothing was."""
        ...

    def put(self, note: str) -> None:
        """Keep this instead."""
        ...


class Driver(Protocol):
    """Bytes of one sensor in, samples out. No socket, no clock, never raises on data."""

    def feed(self, data: bytes, received_utc_ns: int) -> list[Sample | Malformed]:
        """Read what arrived at `received_utc_ns`.

        Empty `data` says that the link was cut: a record half read is dropped.
        The times of one channel never run backwards.
        """
        ...


class DriverFactory(Protocol):
    """Makes a fresh driver, with no memory of an earlier link."""

    def __call__(self, config: SensorConfig, origin: Origin) -> Driver:
        """A driver for the sensor; every sample it returns carries `origin`."""
        ...


class RecordingFormat(Protocol):
    """A form of recorded device file that replay can read straight."""

    @property
    def name(self) -> str:
        """What `--kind` and the docs call it."""
        ...

    def recognise(self, file_name: str, head: bytes) -> bool:
        """Whether a file with this name and these first 4,096 bytes is of this form."""
        ...

    def chunks(
        self, data: bytes, file_name: str = "", config: SensorConfig | None = None
    ) -> Iterator[tuple[int, bytes]]:
        """The file as (received_utc_ns, bytes for `Driver.feed`), in order.

        `file_name` and `config` help where the bytes do not say all, such as the day in
        the name of a daily file and the site's offset from UTC in the configuration.
        """
        ...


class Recorded(Protocol):
    """What one file holds of one sensor."""

    @property
    def sensor_id(self) -> str:
        """What the file calls it."""
        ...

    @property
    def settings(self) -> Mapping[str, object]:
        """Keys for its configuration, where none is given."""
        ...

    @property
    def unused(self) -> tuple[str, ...]:
        """What else the file has of it that is not read."""
        ...

    @property
    def start_utc_ns(self) -> int:
        """Where its time begins."""
        ...

    @property
    def end_utc_ns(self) -> int:
        """Where its time ends."""
        ...

    def chunks(self, stream: BinaryIO) -> Iterator[tuple[int, bytes]]:
        """As `RecordingFormat.chunks`; from the opened file, of which little is kept."""
        ...


@runtime_checkable
class StationFormat(Protocol):
    """A `RecordingFormat` whose files may hold several sensors, and more than memory can."""

    def stations(self, stream: BinaryIO, file_name: str) -> Sequence[Recorded]:
        """The sensors in an opened file."""
        ...


@runtime_checkable
class SetFormat(Protocol):
    """A `RecordingFormat` of which several files may make one record, as their headers say."""

    def sets(
        self, heads: Sequence[bytes], config: SensorConfig | None = None
    ) -> Sequence[tuple[int, tuple[int, ...]]]:
        """(received_utc_ns, numbers of the files) of each record, in the order of time.

        heads  the first `SET_HEAD_BYTES` of every file
        """
        ...

    def joined(self, files: Sequence[tuple[str, bytes]]) -> bytes:
        """Bytes for `Driver.feed` from a record's files (name, contents)."""
        ...


@dataclass(frozen=True, slots=True)
class DriverKind:
    """A row of the catalog: everything the rest of Garita needs to know of one kind."""

    kind: str
    config: type[SensorConfig]
    build: DriverFactory
    heavy: bool = False
    """True where one `feed` may take longer than a few milliseconds: it runs in a worker."""
    recordings: tuple[RecordingFormat, ...] = ()
