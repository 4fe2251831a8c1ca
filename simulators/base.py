"""What every simulator is."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from drivers.wire import bundle
from simulators.scenario import Scenario

SIDECARS = (".json", ".xml")  # written last: a scan is complete when its sidecar is there


class Simulator(Protocol):
    """One simulated sensor. The same scenario and steps give the same bytes."""

    def step(self, dt_ms: int) -> bytes:
        """Let `dt_ms` of simulated time pass; return what the sensor sent.

        The bytes depend on the time that has passed, not on how it was cut into steps.
        """
        ...


def bundled_files(packet: bytes) -> list[tuple[str, bytes]]:
    """(name, contents) of a bundle's files, the sidecar last."""
    decoded = bundle.BundleDecoder().feed(packet)
    files = [file for one in decoded if isinstance(one, bundle.Bundle) for file in one.files]
    return sorted(files, key=lambda file: file[0].endswith(SIDECARS))


class Responder(Protocol):
    """A simulated device's side of one connection, where a device speaks only when asked."""

    def play(self, data: bytes, now_s: float) -> None:
        """What a step of the simulator returned."""
        ...

    def feed(self, data: bytes) -> bool:
        """What the station sent; False: hang up."""
        ...

    def answers(self) -> bytes:
        """What can be answered now."""
        ...


@dataclass(frozen=True, slots=True)
class SimulatorKind:
    """A row of the catalog."""

    kind: str
    """The sensor kind whose wire it speaks."""
    build: Callable[[Scenario, str], Simulator]
    """From the scenario and the sensor's id; its seed comes from both."""
    version: str
    """Changes with the physics; every simulated figure names it."""
    packets: Callable[[bytes], list[bytes]] = lambda data: [data] if data else []
    """How the wire cuts a step's bytes: datagrams for UDP, file sets for a folder."""
    files: Callable[[bytes], list[tuple[str, bytes]]] = bundled_files
    """(name, contents) of the files in which a packet lies in a folder, in the order of writing."""
    responder: Callable[[], Responder] | None = None
    """Of a device that speaks only when asked, for each connection; None: it speaks by itself."""
    history_bytes: int = 0
    """How much of what was sent before a client may still ask for: each new responder is played
    that first."""
