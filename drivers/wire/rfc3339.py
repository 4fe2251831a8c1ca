"""RFC 3339 times as UTC nanoseconds, in whole numbers and without a clock's help."""

import re

_TIME = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9})\d*)?([Zz]|[+-]\d\d:\d\d)",
    re.ASCII,
)
_DAY_S = 86_400


def parse_utc_ns(text: str) -> int:
    """Nanoseconds since 1970 UTC. ValueError where the text is no such time."""
    match = _TIME.fullmatch(text)
    if match is None:
        raise ValueError(f"not a time: {text[:40]!r}")
    year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
    if not (1970 <= year <= 2200 and 1 <= month <= 12 and 1 <= day <= 31):
        raise ValueError(f"no such day: {text[:40]!r}")
    if hour > 23 or minute > 59 or second > 60:
        raise ValueError(f"no such time of day: {text[:40]!r}")
    zone_s = 0
    if (zone := match[8]) not in {"Z", "z"}:
        zone_s = (int(zone[1:3]) * 60 + int(zone[4:6])) * (-60 if zone[0] == "-" else 60)
    seconds = _days(year, month, day) * _DAY_S + hour * 3600 + minute * 60 + second - zone_s
    return seconds * 1_000_000_000 + int((match[7] or "0").ljust(9, "0"))


def format_utc_ns(utc_ns: int) -> str:
    """The time in UTC with nine decimals."""
    seconds, nanoseconds = divmod(utc_ns, 1_000_000_000)
    days, second = divmod(seconds, _DAY_S)
    year, month, day = _civil(days)
    clock = f"{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"
    return f"{year:04}-{month:02}-{day:02}T{clock}.{nanoseconds:09}Z"


def _days(year: int, month: int, day: int) -> int:
    """Days since 1970-01-01 in the proleptic Gregorian calendar.

    Counts years from 1 March, so that the leap day is the last of its year (Hinnant,
    "chrono-compatible low-level date algorithms", days_from_civil).
    """
    year -= month <= 2
    era, of_era = divmod(year, 400)
    of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    return era * 146_097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719_468


def _civil(days: int) -> tuple[int, int, int]:
    """(year, month, day) of a day since 1970-01-01; the inverse of `_days`."""
    era, of_era = divmod(days + 719_468, 146_097)
    year = (of_era - of_era // 1460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year + year // 4 - year // 100)
    shifted = (5 * of_year + 2) // 153
    month = shifted + 3 if shifted < 10 else shifted - 9
    return year + era * 400 + (month <= 2), month, of_year - (153 * shifted + 2) // 5 + 1
