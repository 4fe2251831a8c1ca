"""Container numbers and their check digit, ISO 6346:2022 annex A."""

import re

_NUMBER = re.compile(r"[A-Z]{3}[JRUZ][0-9]{7}")
# Letters count 10 to 38 without the multiples of 11, which the check digit could not see.
_VALUES = {letter: 10 + i + (9 + i) // 10 for i, letter in enumerate("ABCDEFGHIJKLMNOPQRSTUVWXYZ")}


def check_digit(first_ten: str) -> int:
    """The eleventh character for four letters and six digits. KeyError, ValueError if not."""
    values = [_VALUES[c] if c in _VALUES else int(c) for c in first_ten]
    return sum(value << place for place, value in enumerate(values)) % 11 % 10


def normalise_number(text: str) -> str:
    """The number without spaces and dashes, or an empty string where it is not right."""
    number = re.sub(r"[\s/-]", "", text).upper()
    if not _NUMBER.fullmatch(number) or check_digit(number[:10]) != int(number[10]):
        return ""
    return number
