"""The configuration of an Aspect portal."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from annotated_types import Ge, Gt, Le

from drivers.base import Poller, SensorConfig
from drivers.wire.aspect_poll import AspectPoller
from fusion.types import Family


@dataclass(frozen=True, slots=True, kw_only=True)
class AspectConfig(SensorConfig):
    """An Aspect portal monitor on Modbus/TCP, usually port 502."""

    family: ClassVar[Family] = Family.RADIATION
    default_silent_after_s: ClassVar[float] = 15.0  # three background reports
    url_forms: ClassVar[tuple[str, ...]] = ("tcp",)
    panels: ClassVar[int] = 1  # the device adds its detectors up

    kind: Literal["rpm-aspect"] = "rpm-aspect"
    panel_distance_m: Annotated[float, Gt(0), Le(10)] = 2.5
    """From the lane's middle to a detector panel."""
    unit: Annotated[int, Ge(1), Le(247)] | None = None
    """Modbus unit id; where not given, the first of 1 to 31 that answers."""
    poll_s: Annotated[float, Ge(0.02), Le(5)] = 1.0
    """From one reading to the next while the lane is vacant and quiet."""
    busy_poll_s: Annotated[float, Ge(0.02), Le(1)] = 0.2
    """The same while it is occupied or the device is alarming."""
    answer_s: Annotated[float, Ge(0.1), Le(30)] = 2.0
    """A request that has no answer for so long cuts the link, to open it again."""
    counting: Literal["auto", "cumulative", "interval"] = "auto"
    """Whether a count register runs on (`cumulative`) or holds one interval's counts
    (`interval`): papers do not say. `auto` waits for nine readings of the vacant lane, tells
    them apart, and stays with that."""
    interval_ms: Annotated[int, Ge(50), Le(1000)] = 200
    """How long a count is of, where counting is by `interval`."""
    background: Literal["counted", "device"] = "counted"
    """Backgrounds from the counts of the vacant lane, or from the device's own averages, which
    are then taken to be counts per second: papers do not say."""
    hold_in_s: Annotated[float, Ge(0), Le(5)] = 1.0
    """How long after the beams have cleared a vehicle's scans go on; 0: they end at once."""

    def poller(self) -> Poller:
        """Finds the unit, then reads its monitor block."""
        return AspectPoller(self.unit, self.poll_s, self.busy_poll_s, self.answer_s)
