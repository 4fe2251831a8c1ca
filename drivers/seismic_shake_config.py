"""The configuration of a Raspberry Shake."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from annotated_types import Ge, Gt, Le

from drivers.address import is_sender
from drivers.seismic_config import SeismicConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class ShakeConfig(SeismicConfig):
    """A Raspberry Shake that pushes its datacast here; `url` is `udp://address:port`."""

    url_forms: ClassVar[tuple[str, ...]] = ("udp", "tcp")

    kind: Literal["shake-udp"] = "shake-udp"
    rate_hz: Annotated[float, Gt(0), Le(1000)] = 100.0
    """Samples per second; old one-channel stations run at 50."""
    channels: tuple[str, ...] = ()
    """Channels to read, such as `EHZ`; empty for all that are sent."""
    counts_per_m_s: Annotated[float, Gt(0)] = 3.9965e8
    """Sensitivity of the geophone channels, ±10 % (facts/seismic.md 1.1)."""
    clock_limit_s: Annotated[float, Ge(1), Le(3600)] = 30.0
    """A device clock further from the arrival than this is not believed."""
    sender: str = ""
    """The station's own address, such as `10.20.0.21`: several stations may then send to one
    port. Datagrams from elsewhere are counted and not read; from anywhere where not given."""

    def __post_init__(self) -> None:
        """ValueError where the sender is no address."""
        if not is_sender(self.sender):
            raise ValueError(
                f"sender: {self.sender!r} is no address; write the station's own, like 10.20.0.21"
            )
