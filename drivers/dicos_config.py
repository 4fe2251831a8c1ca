"""What is configured of a scanner that speaks DICOS."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from annotated_types import Ge, Gt, Le, MaxLen, MinLen

from drivers.base import SensorConfig
from fusion.types import Family

ApplicationEntity = Annotated[str, MinLen(1), MaxLen(16)]


@dataclass(frozen=True, slots=True, kw_only=True)
class XrayDicosConfig(SensorConfig):
    """A scanner that writes DICOS files into a folder, or sends them to Garita."""

    family: ClassVar[Family] = Family.XRAY
    default_silent_after_s: ClassVar[float] = 0.0  # no truck, no scan: silence says nothing
    url_forms: ClassVar[tuple[str, ...]] = ("folder", "dicos")

    kind: Literal["xray-dicos"] = "xray-dicos"
    also_lanes: tuple[str, ...] = ()
    """Further lanes whose vehicles come to this scanner; it is filed under `lane`."""
    planes: Literal["auto", "dual", "single"] = "auto"
    """What makes a scan complete: two files of one plane each (`dual`), any file (`single`);
    `auto`: a file whose Image Type says HIGH_ENERGY or LOW_ENERGY waits for the other."""
    pair_wait_s: Annotated[float, Gt(0), Le(60)] = 10.0
    """How long one of two planes that came over the network waits for the other."""
    ae_title: Annotated[str, MaxLen(16)] = ""
    """What senders must call this station (called AE title); empty: whatever they like."""
    callers: tuple[ApplicationEntity, ...] = ()
    """AE titles of the senders that are taken; none named: any."""
    pitch_x_mm: Annotated[float, Ge(0.5), Le(50)] | None = None
    """Along the vehicle, where the file does not say; None: nobody knows, 8 is tried."""
    pitch_y_mm: Annotated[float, Ge(0.5), Le(50)] | None = None
    energies_mev: tuple[Annotated[float, Gt(0), Le(20)], Annotated[float, Gt(0), Le(20)]] = (6, 4)
    """End energies of the high and the low plane, where the files do not say them (KVP)."""
    log_span: Annotated[float, Gt(0), Le(30)] | None = None
    """Of pictures that say their values go with the logarithm of the radiation (LOG): what lies
    between the least and the greatest value, as a natural logarithm (11.09 where that is one
    count to 65,535). None: nobody knows, and they are taken for pictures for the eye."""
    flip: bool = False
    """The vehicle's front is at the right of the picture; an image orientation that runs
    backwards flips again."""
    utc_offset_min: Annotated[int, Ge(-840), Le(840)] = 0
    """Of the scanner's clock, where the file does not say it."""
    max_clock_ahead_s: Annotated[float, Ge(0)] = 5.0
    """A scan cannot begin after it arrived; one dated further ahead gets the arrival's time."""
