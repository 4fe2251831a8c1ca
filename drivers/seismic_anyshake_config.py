"""The configuration of an AnyShake Explorer."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from annotated_types import Ge, Gt, Le, Len

from drivers.seismic_config import SeismicConfig
from drivers.wire.anyshake import CHANNELS

NAMES = ("EHZ", "EHE", "EHN", "ENZ", "ENE", "ENN", "EX7", "EX8")
"""Of the device's channels 1 to 8: three geophones, three accelerometers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnyShakeConfig(SeismicConfig):
    """An AnyShake Explorer, or a device that speaks like one, on a serial line or behind TCP."""

    url_forms: ClassVar[tuple[str, ...]] = ("serial", "tcp")

    simulator_keys: ClassVar[tuple[str, ...]] = ("version",)

    kind: Literal["anyshake-serial"] = "anyshake-serial"
    version: Annotated[int, Ge(0), Le(3)] = 0
    """Of its protocol; 0: whichever is heard."""
    rate_hz: Annotated[float, Gt(0), Le(1000)] | None = None
    """Samples per second of versions 1 and 2, which do not say; not given: told by their pace."""
    names: Annotated[tuple[str, ...], Len(1, CHANNELS)] = NAMES
    """Of the device's channels 1 to 8. EH or SH measure ground velocity, others do not."""
    channels: tuple[str, ...] = ()
    """Names of those to read; empty for all that are sent."""
    counts_per_m_s: Annotated[float, Gt(0)] = 8.589934588e10
    """Nominal for an E-C1x1G: 100 V/(m/s), 858,993,458.8 counts/V (facts/seismic.md 1.2)."""
    clock_limit_s: Annotated[float, Ge(1), Le(3600)] = 30.0
    """GNSS time further from the arrival than this is not believed."""
    baud: Annotated[int, Ge(300)] = 115_200
    """Also of the serial line behind a TCP bridge: how long a frame was on its way."""
