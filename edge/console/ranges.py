"""One range of bytes of a file (RFC 9110, section 14.1.2)."""

import re

_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")


class Unsatisfiable(Exception):  # noqa: N818 - says what happened
    """No byte of the file is within the range."""


def range_of(header: str, size: int) -> tuple[int, int] | None:
    """First and last byte that are asked for; None: all of them. Unsatisfiable.

    What is no range, or several, is answered with the whole, as the standard allows.
    """
    found = _RANGE.fullmatch(header.strip())
    if found is None or found.group(0) == "bytes=-":
        return None
    first, last = found.groups()
    if not first:
        length = min(int(last), size)
        if length == 0:
            raise Unsatisfiable
        return size - length, size - 1
    start, end = int(first), min(int(last), size - 1) if last else size - 1
    if last and int(last) < start:
        return None
    if start >= size:
        raise Unsatisfiable
    return start, end
