"""What one probe says."""

import errno
import os
from typing import NamedTuple

OK, WARN, FAIL = "ok", "warn", "fail"


class Verdict(NamedTuple):
    """How it is, and in what words."""

    status: str
    """`OK`, `WARN` (works, but look at it) or `FAIL`."""
    text: str


def cause(error: BaseException) -> str:
    """Why it failed, in the system's words."""
    if isinstance(error, TimeoutError) and not getattr(error, "errno", None):
        return "no answer in time"
    number = getattr(error, "errno", None)
    # Negative numbers are the name service's own; it brings its words along.
    if number == errno.EADDRINUSE:
        # The site's own ports, asked for while it runs, are no fault of anybody.
        return f"{os.strerror(number)}, by the running service if there is one"
    if isinstance(number, int) and number > 0:
        return os.strerror(number)
    return str(getattr(error, "strerror", None) or error) or type(error).__name__
