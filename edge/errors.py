"""What can go wrong before anything runs, one class per thing a caller can do about it.

`SensorUnavailable`, the third of the family, lives in `drivers.base` beside what raises it.
"""

from collections.abc import Iterable
from dataclasses import dataclass

EXIT_OK = 0
EXIT_USAGE = 2
EXIT_CONFIG = 3
EXIT_BROKER = 4
EXIT_SENSOR = 5
EXIT_INTERRUPTED = 130  # 128 + SIGINT, what a shell expects after Ctrl+C


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """One thing that is wrong in a file, where it is, and how to mend it."""

    line: int | None
    """Counted from 1; None where the mistake has no line, such as a missing file."""
    key: str
    """Path of the key, such as `sensors[2].url`; `""` for the file as a whole."""
    value: str
    """The offending value as a person would type it; `""` where there is none."""
    message: str
    mend: str
    """What to do about it."""

    def __str__(self) -> str:
        where = f"line {self.line}" if self.line is not None else "the file"
        key = f", {self.key}" if self.key else ""
        value = f" = {self.value}" if self.value else ""
        mend = f"; {self.mend}" if self.mend else ""
        return f"{where}{key}{value}: {self.message}{mend}"


class ConfigError(Exception):
    """A configuration cannot be used. The person who wrote the file can mend it.

    Raised before anything is opened, with every mistake of the file at once.
    """

    def __init__(self, path: object, mistakes: Iterable[Mistake]) -> None:
        self.path = str(path)
        self.mistakes = tuple(mistakes)
        super().__init__(self.path, self.mistakes)

    def __str__(self) -> str:
        count = len(self.mistakes)
        head = f"{self.path}: {count} mistake{'' if count == 1 else 's'}"
        return "\n".join([head, *(f"  {mistake}" for mistake in self.mistakes)])


class BrokerUnavailable(Exception):  # noqa: N818 - named for what a caller can do
    """No broker can be reached or started. Raised at start; later losses are only waited out."""
