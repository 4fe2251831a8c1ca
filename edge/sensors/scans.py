"""The heavy step: a scan comes out of its driver and is measured, in a worker."""

from collections.abc import Callable

from drivers.wire.malformed import Malformed
from fusion.types import Sample, ScanSample
from fusion.xray import XrayPolicy, analyse

Read = list[Sample | Malformed]


def measured(read: Callable[[], Read], policy: XrayPolicy) -> Read:
    """What `read` returns, with a light `ScanFinding` in the place of each `ScanSample`.

    Raises whatever the analysis raises on a picture that it did not expect.
    """
    return [analyse(item, policy) if isinstance(item, ScanSample) else item for item in read()]
