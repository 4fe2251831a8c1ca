"""A station behind a SeedLink server, version 3 or 4."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from annotated_types import Ge, Gt, Le

from drivers.base import Driver, DriverKind, SensorConfig
from drivers.seismic_config import SeismicConfig
from drivers.seismic_miniseed import MiniSeedDriver
from drivers.seismic_miniseed_files import MiniSeedFiles
from fusion.types import Origin

_STREAMS = re.compile(r"([A-Z0-9]{1,8}_[A-Z0-9]{1,8})(?::([-A-Z0-9?*_. ]+))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedLinkConfig(SeismicConfig):
    """One station of a SeedLink server; `url` is `tcp://host:18000`. Several may share a server."""

    # A quiet channel fills a record of 512 bytes in 2 to 4 s, and a server sends it when full.
    default_silent_after_s: ClassVar[float] = 15.0
    url_forms: ClassVar[tuple[str, ...]] = ("tcp",)
    session: ClassVar[bool] = True
    configured_keys: ClassVar[Mapping[str, str]] = {
        "streams": "network, station and channels such as `AM_R24FA:EHZ`"
    }

    kind: Literal["seedlink"] = "seedlink"
    streams: str = ""
    """Station and channels, such as `AM_R24FA:EHZ` or `AM_R24FA:EH? 00HDF`; all channels without
    a colon."""
    velocity_channels: tuple[str, ...] = ()
    """Channels to take as ground velocity although their codes say otherwise, such as `ENZ`."""
    counts_per_unit: Annotated[float, Gt(0)] | None = None
    """For floating-point data: what to multiply them with to get counts; told from the data
    where not given."""
    idle_s: Annotated[float, Ge(2), Le(3600)] = 30.0
    """A session that brings no record for so long is opened anew."""
    keepalive_s: Annotated[float, Ge(1), Le(600)] = 10.0
    """How often the server is asked whether it is still there while nothing comes."""
    protocol: Literal["auto", "3", "4"] = "auto"
    """Version of the protocol; the highest that both know where not given."""

    def __post_init__(self) -> None:
        """ValueError where the streams name no station."""
        if self.streams:
            station_and_selectors(self.streams)


def _build(config: SensorConfig, origin: Origin) -> Driver:
    assert isinstance(config, SeedLinkConfig)
    return MiniSeedDriver(config, origin)


SEEDLINK = DriverKind("seedlink", SeedLinkConfig, _build, recordings=(MiniSeedFiles(),))


def station_and_selectors(streams: str) -> tuple[str, list[str]]:
    """`("AM_R24FA", ["EHZ"])` of `AM_R24FA:EHZ`. ValueError where it names no station."""
    found = _STREAMS.fullmatch(streams)
    if found is None:
        raise ValueError(
            f"{streams!r} names no station; write NET_STATION:CHANNEL, such as AM_R24FA:EHZ"
        )
    return found[1], (found[2] or "").split()
