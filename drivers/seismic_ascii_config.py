"""The configuration of a logger that prints its samples as text."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from annotated_types import Ge, Gt, Le, Len

from drivers.seismic_config import SeismicConfig
from drivers.wire.ascii_counts import MAX_COLUMNS

NOT_DATA = ("time", "index", "-")
COUNTS_CHANNEL = "EHZ"
"""What a column `counts` is called: nearly all such loggers have one upright geophone."""
_CHANNEL = re.compile(r"[A-Za-z0-9]{1,8}")


@dataclass(frozen=True, slots=True, kw_only=True)
class AsciiConfig(SeismicConfig):
    """A logger that prints a line of numbers for each sample."""

    url_forms: ClassVar[tuple[str, ...]] = ("serial", "tcp")
    configured_keys: ClassVar[Mapping[str, str]] = {
        "columns": "what a line has, such as [time, counts] or [counts]"
    }

    simulator_keys: ClassVar[tuple[str, ...]] = ("columns", "rate_hz")

    kind: Literal["ascii-serial"] = "ascii-serial"
    columns: Annotated[tuple[str, ...], Len(0, MAX_COLUMNS)] | str = ()
    """As a list or as `time,counts`, in the order of the line: `time`, `index`, `counts` or the
    name of a channel such as `ehz`, and `-` for what is not to be read. Not given, in a replay: a
    first column that runs on steadily is the time."""
    rate_hz: Annotated[float, Gt(0), Le(20_000)] | None = None
    """Samples per second; not given: by the time column, else by the pace of arrival."""
    clock_limit_s: Annotated[float, Ge(1), Le(3600)] = 30.0
    """A time column in UTC further from the arrival than this is not believed."""
    baud: Annotated[int, Ge(300)] = 115_200

    def __post_init__(self) -> None:
        """ValueError where the columns name no channel, or one twice."""
        if isinstance(self.columns, str):
            given = tuple(name.strip() for name in self.columns.split(","))
            object.__setattr__(self, "columns", given)
        names = [name.upper() for name in self.column_names if name.lower() not in NOT_DATA]
        for name in names:
            if not _CHANNEL.fullmatch(name):
                raise ValueError(f"{name!r} is no name of a column: letters and digits, 8 at most")
        if self.column_names and not names:
            raise ValueError("no column has samples: name one `counts`, or as its channel")
        once = [name for name in self.column_names if name != "-"]
        if len({name.lower() for name in once}) < len(once):
            raise ValueError("a column is named twice")
        if {"time", "index"} <= {name.lower() for name in once}:
            raise ValueError("time and index say the same: write `-` for one of them")

    @property
    def column_names(self) -> tuple[str, ...]:
        """The columns, however they were written."""
        return (self.columns,) if isinstance(self.columns, str) else self.columns


def channel_of(column: str) -> str:
    """What the channel in a column is called."""
    return COUNTS_CHANNEL if column.lower() == "counts" else column.upper()
