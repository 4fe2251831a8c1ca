"""What a device's faults mean: the standard has codes of the maker's own, and words."""

import re

from drivers.wire import n42

_WORDS = (
    ("tamper", ("tamper", "door", "open", "lid")),
    ("battery", ("battery",)),
    ("power", ("power", "mains")),
    ("gamma-high", ("gamma-high", "gamma high", "high gamma")),
    ("gamma-low", ("gamma-low", "gamma low", "low gamma")),
    ("neutron-high", ("neutron-high", "neutron high", "high neutron")),
    ("neutron-low", ("neutron-low", "neutron low", "low neutron")),
)


def code_of(fault: n42.Fault) -> str:
    """One of the engine's own codes where the words say so, else the device's in plain letters."""
    said = f"{fault.code} {fault.description}".lower()
    for code, words in _WORDS:
        if any(word in said for word in words):
            return code
    plain = re.sub("[^a-z0-9]+", "-", fault.code.lower()).strip("-")[:32].strip("-")
    return plain or "fault"


def text_of(fault: n42.Fault) -> str:
    """What a person should read."""
    said = fault.description or fault.code
    return f"{fault.detector}: {said}"[:200] if fault.detector else said[:200]
