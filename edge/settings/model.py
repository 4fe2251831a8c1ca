"""The keys of a configuration file, what they mean, and what they default to.

Paths in a file are relative to that file. Secrets stand in files or in the environment.
"""

import os
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal, Self, get_args

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    ValidationInfo,
    field_validator,
)
from pydantic_core import core_schema

from drivers.base import SensorConfig
from drivers.catalog import KINDS
from edge.settings.addresses import BrokerAddress, broker_address

SideName = Literal["north", "south"]
Language = Literal["en-US", "es-MX"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
AUTO_PORTS: dict[str, int] = {"north": 18831, "south": 18832}
HTTP_PORT = 8088
CONSOLE_PORT = 8089

Compass = Literal[
    "north", "north-east", "east", "south-east", "south", "south-west", "west", "north-west"
]
ReleaseField = Literal[
    "lane", "zone", "direction", "probability", "explanations", "contributions", "facts",
    "silent", "down", "info", "description", "evidence", "handling",
]  # fmt: skip
"""`facts` are those of the contributions, `description` that of each language."""
Name = Annotated[str, Field(pattern=r"^[a-z0-9-]{1,32}$")]
"""Part of a topic, so the design's section 5 limits it."""
Port = Annotated[int, Field(ge=1, le=65535)]


def _from_base(path: Path, info: ValidationInfo) -> Path:
    base = (info.context or {}).get("base")
    path = path.expanduser()
    return path if base is None else Path(os.path.normpath(base / path))


FilePath = Annotated[Path, AfterValidator(_from_base)]


class _Model(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, use_attribute_docstrings=True, allow_inf_nan=False
    )


class Position(_Model):
    """Where the site is on the globe, WGS 84."""

    latitude_deg: Annotated[float, Field(ge=-90, le=90)]
    longitude_deg: Annotated[float, Field(ge=-180, le=180)]


class Site(_Model):
    """The checkpoint as a whole."""

    id: Name
    """Part of every topic."""
    names: dict[Language, str] = {}
    """What people call it, per language; the id where a language is missing."""
    position: Position | None = None


class Tls(_Model):
    """Files for a broker that is reached over TLS."""

    ca: FilePath | None = None
    """Certificates that may sign the broker's; the system's own where not given."""
    cert: FilePath | None = None
    """This checkpoint's certificate."""
    key: FilePath | None = None
    """Its private key."""


class ReleaseRule(_Model):
    """What one side is not told of some alerts; each withheld value leaves a digest.

    Conditions that are not given are no conditions.
    """

    name: Name
    """Told to the side with everything that the rule withholds."""
    events: list[str] = []
    """Event codes, such as `RAD_THREAT`."""
    directions: list[Name] = []
    """`northbound` or `southbound` in lanes; where a track goes, else."""
    levels: list[Annotated[int, Field(ge=1, le=4)]] = []
    exercise: bool | None = None
    """Only exercises, or only what is real."""
    places: list[Name] = []
    """Lanes and zones."""
    fields: list[ReleaseField] = []
    """Fields of the alert; what tells them in other words is withheld with them."""
    evidence: list[str] = []
    """Files, by name or media type."""
    all: bool = False
    """Everything but that there is an alert, of what level, and when."""


class Keys(_Model):
    """Keys that sign what this checkpoint says, and say whom it believes."""

    signer: FilePath | None = None
    """Its own private key; alerts are not signed without it."""
    keyring: FilePath | None = None
    """The public keys of both sides."""
    release_secret_file: FilePath | None = None
    """The secret behind the salts of what is withheld; made in `state_dir` where not given."""


class Side(_Model):
    """One country's operations centre and the broker it listens to."""

    broker: str = "auto"
    """`auto` starts a broker on this machine; otherwise `mqtt://host:port` or `mqtts://host:port`.
    """
    port: Port | None = None
    """Where a broker that was started by `auto` listens: 18831 north, 18832 south."""
    tls: Tls | None = None
    """For `mqtts://` only."""
    username: str | None = None
    password_file: FilePath | None = None
    """A file whose first line is the password."""
    password_env: str | None = None
    """Name of an environment variable that holds the password."""
    languages: Annotated[list[Language], Field(min_length=1)] = list(LANGUAGES)
    """Languages of the alert texts, the centre's own first."""
    keeps_cursor: bool = False
    """Whether the centre publishes "stored up to seq N". Where it does, an alert is done when
    the centre says so; where not, when its broker has acknowledged it."""
    keepalive_s: Annotated[int, Field(ge=2, le=60)] = 5
    """A frozen broker is noticed after twice this time."""
    release: list[ReleaseRule] = []
    """What this side is not told; everything is told without it."""

    @property
    def auto(self) -> bool:
        """Whether Garita starts this side's broker itself."""
        return self.broker == "auto"

    @property
    def address(self) -> BrokerAddress:
        """Where the broker answers."""
        if self.auto:
            return BrokerAddress(host="127.0.0.1", port=self.port or 0, tls=False)
        return broker_address(self.broker)

    def password(self) -> str | None:
        """The secret, read now. OSError or KeyError where its file or variable is missing."""
        if self.password_file is not None:
            return self.password_file.read_text(encoding="utf-8").split("\n", 1)[0].rstrip("\r")
        return os.environ[self.password_env] if self.password_env else None


class Lane(_Model):
    """A lane that vehicles are meant to use."""

    id: Name
    names: dict[Language, str] = {}
    direction: Literal["northbound", "southbound"]
    portal_m: tuple[float, float] = (0.0, 0.0)
    """The portal's beam: metres east and north of the site's origin."""
    heading_deg: Annotated[float, Field(ge=0, lt=360)] | None = None
    """Driving direction, clockwise from north; 0 northbound, 180 southbound where not given."""
    scan_offset_s: tuple[float, float] = (0.0, 120.0)
    """Earliest and latest start of the X-ray scan after the vehicle enters the portal."""


class Zone(_Model):
    """Ground that nobody is meant to cross."""

    id: Name
    names: dict[Language, str] = {}
    side: str = ""
    """What a person would call it, such as `east of lane 4`."""
    toward: dict[Compass, dict[Language, Annotated[str, Field(max_length=60)]]] = {}
    """What lies there, for who goes that way: `north: {en-US: toward the river}`."""


class Recording(_Model):
    """Keeps the raw bytes of every sensor."""

    dir: FilePath
    max_gb: Annotated[float, Field(gt=0)] = 20.0
    """The oldest files go when there is more."""
    max_days: Annotated[float, Field(gt=0)] = 30.0
    """Older files go."""
    keep_free_gb: Annotated[float, Field(ge=0)] = 2.0
    """Recording pauses rather than filling the disk that the outbox needs."""


class Inhibit(_Model):
    """Alerts that are told in the log for a while, as during works on a fence."""

    sensor: Name | None = None
    """What this sensor says alone."""
    event: str | None = None
    """An event code, such as `PERSON`; never one of a source."""
    place: Name | None = None
    """A lane or a zone."""
    until: AwareDatetime
    """RFC 3339 with its zone, such as `2026-12-01T06:00:00Z`; 30 days from the start at most."""
    reason: Annotated[str, Field(pattern=r"\S", max_length=200)]
    """Why; every affected alert says it."""


class Scans(_Model):
    """Keeps the whole planes of scans that alerts named, below `state_dir`."""

    max_gb: Annotated[float, Field(gt=0)] = 8.0
    """The oldest go when there is more; some 16 MB a scan."""
    max_days: Annotated[float, Field(gt=0)] = 30.0
    """Older ones go."""
    keep_free_gb: Annotated[float, Field(ge=0)] = 2.0
    """Nothing more is kept rather than filling the disk that the outbox needs."""


class Http(_Model):
    """Where /metrics, /healthz and /readyz answer."""

    host: str = "127.0.0.1"
    port: Port = HTTP_PORT


class Console(_Model):
    """The operator's console: a web page, served by a process of its own."""

    side: SideName | None = None
    """Whose people sit before it: they see what that side is told, and act in its name; the first
    side where not given."""
    host: str = "127.0.0.1"
    """Where it listens. Beyond this machine only with `certificate`."""
    port: Annotated[int, Field(ge=0, le=65535)] = CONSOLE_PORT
    """0 takes any free one."""
    names: list[Annotated[str, Field(pattern=r"^[a-z0-9.-]{1,253}$")]] = []
    """Host names by which browsers know it, beside `host` and `localhost`."""
    certificate: FilePath | None = None
    """A certificate chain for TLS, PEM."""
    key: FilePath | None = None
    """Its private key."""
    people: FilePath | None = None
    """Who may log in (`garita console add`); `people.json` in `state_dir` where not given."""
    signer: FilePath | None = None
    """A key of its own that signs what is asked here, of the role `centre` of its side."""
    guest: Literal["operator", "supervisor", "engineer", "auditor"] | None = None
    """For a demonstration: a link lets somebody in once, in this role and without a password."""


class _ByKind:
    """A sensor's keys are those of the dataclass that its driver brings along."""

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        choices = {kind: handler.generate_schema(row.config) for kind, row in KINDS.items()}
        return core_schema.tagged_union_schema(choices, discriminator="kind")


def _with_placed_folder(sensor: SensorConfig, info: ValidationInfo) -> SensorConfig:
    if not sensor.url.startswith("folder:"):
        return sensor
    folder = Path(sensor.url.removeprefix("folder:").removeprefix("//"))
    return replace(sensor, url=f"folder:{_from_base(folder, info)}")


class Config(_Model):
    """A whole configuration file."""

    site: Site
    sides: Annotated[dict[SideName, Side], Field(min_length=1)]
    lanes: list[Lane] = []
    zones: list[Zone] = []
    sensors: Annotated[list[Annotated[SensorConfig, _ByKind()]], Field(min_length=1)]
    policy: FilePath | None = None
    """A policy.yaml; every threshold has a default without one."""
    inhibits: list[Inhibit] = []
    """What does not ring for now; critical radiation always does."""
    recording: Recording | None = None
    """Nothing is recorded without it."""
    scans: Scans = Scans()
    keys: Keys = Keys()
    """Nothing is signed without them."""
    http: Http = Http()
    console: Console | None = None
    """No console runs without it."""
    state_dir: Annotated[FilePath, Field(validate_default=True)] = Path("run")
    """Outbox, and the state of brokers started by `auto`."""

    @field_validator("sides", mode="after")
    @classmethod
    def _fill_ports(cls, sides: dict[SideName, Side]) -> dict[SideName, Side]:
        return {
            name: side.model_copy(update={"port": side.port or AUTO_PORTS[name]})
            if side.auto
            else side
            for name, side in sides.items()
        }

    @field_validator("sensors", mode="after")
    @classmethod
    def _place_folders(
        cls, sensors: list[SensorConfig], info: ValidationInfo
    ) -> list[SensorConfig]:
        return [_with_placed_folder(sensor, info) for sensor in sensors]

    def sensor(self, sensor_id: str) -> SensorConfig:
        """The sensor of that id. KeyError where there is none."""
        return {sensor.id: sensor for sensor in self.sensors}[sensor_id]

    def with_sensors(self, sensors: list[SensorConfig]) -> Self:
        """The same site with other sensors, or the same ones elsewhere."""
        return self.model_copy(update={"sensors": sensors})
