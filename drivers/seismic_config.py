"""What ground sensors of every kind can be told."""

import re
from dataclasses import dataclass
from typing import Annotated, ClassVar

from annotated_types import Gt

from drivers.base import SensorConfig
from fusion.types import Family, SeismicPreset

GROUND_VELOCITY = re.compile(r"[A-Z][HP][A-Z0-9]")
"""SEED channel codes whose instrument letter is a geophone (H high gain, P): EHZ, SHZ, EHN."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeismicConfig(SensorConfig):
    """A station with one channel or several; subclasses add `kind` and their own keys."""

    family: ClassVar[Family] = Family.SEISMIC
    default_silent_after_s: ClassVar[float] = 5.0

    preset: SeismicPreset = "footsteps"
    """What to listen for: `footsteps` (people, vehicles, digging), the same for a quiet
    `vault`, `indoor` or `roadside`, or `earthquake`."""
    counts_per_m_s: Annotated[float, Gt(0)] | None = None
    """Sensitivity of the channels that measure ground velocity; where it is not known, alerts
    tell no ground motion in um/s, and are the same otherwise."""
