"""A side's centre for a bench: `garita centre`, which prints when it had what instead of what.

One line for each alert: `seq ahead verified stored`, the last two on the clock of
`time.perf_counter`, which all processes of this machine share; a copy that went ahead of a
backlog is not stored, and has two times alike. As with `garita centre`, a line is written when
the alert is on disk.
"""

import argparse
import signal
import sys
import time
from collections.abc import Iterable
from pathlib import Path

from edge.delivery.centre import Centre
from edge.delivery.centre_store import Arrival
from edge.delivery.happenings import Received
from edge.delivery.reading import Arrived, Reading
from edge.delivery.seals import Gate
from edge.delivery.sides import SideSettings, TlsFiles
from edge.log import configure
from edge.trust.keys import read_keyring


class _TimedReading(Reading):
    """Remembers when each alert was believed."""

    def __init__(self, gate: Gate) -> None:
        super().__init__(gate)
        self.verified_s: dict[tuple[int, bool], float] = {}

    def read(self, messages: Iterable[Received]) -> Arrived:
        arrived = Arrived()
        for message in messages:
            one = super().read([message])
            for arrival, ahead in [(a, False) for a in one.alerts] + [(a, True) for a in one.fresh]:
                self.verified_s.setdefault((arrival.mark.seq, ahead), time.perf_counter())
            arrived.alerts += one.alerts
            arrived.files += one.files
            arrived.fresh += one.fresh
        return arrived


def _tell(reading: _TimedReading, arrival: Arrival, *, ahead: bool) -> None:
    seq = arrival.mark.seq
    verified_s = reading.verified_s.pop((seq, ahead))
    stored_s = verified_s if ahead else time.perf_counter()
    sys.stdout.write(f"{seq} {ahead:d} {verified_s:.6f} {stored_s:.6f}\n")
    sys.stdout.flush()


def main(arguments: argparse.Namespace) -> None:
    """Receive until SIGTERM."""
    configure()  # the log to stderr: who reads stdout reads numbers
    tls = None
    if arguments.ca is not None:
        tls = TlsFiles(ca=arguments.ca, cert=arguments.cert, key=arguments.key)
    settings = SideSettings(name=arguments.side, host="127.0.0.1", port=arguments.port, tls=tls)
    keyring = read_keyring(arguments.keyring)
    reading = _TimedReading(Gate(settings.name, keyring))
    centre = Centre(
        settings,
        arguments.store,
        keyring=keyring,
        stored=lambda arrival: _tell(reading, arrival, ahead=False),
        fresh=lambda arrival: _tell(reading, arrival, ahead=True),
    )
    centre.reading = reading
    signal.signal(signal.SIGTERM, lambda _number, _frame: centre.ask_to_stop())
    centre.run()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m edge.study.timed_centre", description=__doc__)
    parser.add_argument("--side", required=True)
    parser.add_argument("--port", required=True, type=int)
    for name in ("store", "keyring"):
        parser.add_argument(f"--{name}", required=True, type=Path)
    for name in ("ca", "cert", "key"):
        parser.add_argument(f"--{name}", type=Path)
    main(parser.parse_args())
