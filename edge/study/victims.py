"""What `garita bench kills` runs and kills: two brokers, two centres, and a service.

The service is either the small producer (many alerts, quick to start) or, whole, `garita run`
on ten portals whose simulators play in a process of their own.
"""

import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from edge.delivery.broker import BrokerProcess, ending_with_parent, start_broker
from edge.delivery.rows import Mark
from edge.study.ports import free_ports
from edge.study.producer import SIDES, SITE

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "configs" / "reference.yaml"


class Bench:
    """Everything that runs, and how to kill it."""

    def __init__(
        self, folder: Path, ports: Sequence[int], rate_per_s: float, *, whole: bool = False
    ) -> None:
        self.folder = folder
        self.whole = whole
        self.site = "reference" if whole else SITE
        self.ports = dict(zip(SIDES, ports, strict=True))
        self._rate_per_s = rate_per_s
        self._brokers: dict[str, BrokerProcess] = {}
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(self) -> None:
        """Start brokers, centres and the service."""
        for side in SIDES:
            self._start_broker(side)
        for side in SIDES:
            self._start_centre(side)
        if self.whole:
            self._spawn("feeder", "edge.study.busy_lanes", str(self._write_config()), "1")
        self.start_service()

    def strike(self, victim: str) -> None:
        """Kill -9 the service, a side's broker (`north`) or its centre (`centre-north`)."""
        if victim in self._brokers:
            self._brokers[victim].kill()
        else:
            self._processes[victim].kill()
            self._processes[victim].wait()

    def revive(self, victim: str) -> None:
        """Start what was killed again."""
        if victim == "service":
            self.start_service()
        elif victim in self._brokers:
            self._start_broker(victim)
        else:
            self._start_centre(victim.removeprefix("centre-"))

    def pid(self, victim: str) -> int:
        """Process id of the service, a broker or a centre."""
        if victim in self._brokers:
            return self._brokers[victim].pid
        return self._processes[victim].pid

    def reach(self, who: str, side: str) -> int:
        """The port by which `service` or `centre` reaches a side's broker."""
        del who
        return self.ports[side]

    def stop(self) -> None:
        """End every process, service first, and wait for it."""
        end_all(list(self._processes.values()))
        for broker in self._brokers.values():
            broker.stop()

    def centre_path(self, side: str) -> Path:
        """Where a side's centre stores."""
        return self.folder / f"centre-{side}.db"

    @property
    def outbox_path(self) -> Path:
        """Where the service keeps its outbox."""
        return self.folder / "state" / "outbox.db" if self.whole else self.folder / "outbox.db"

    def last_seq(self) -> int:
        """How many alerts are committed, as the outbox's file says."""
        rows = read_rows(self.outbox_path, "SELECT max(seq) FROM row")
        return int(rows[0][0] or 0) if rows else 0

    def enough(self) -> None:
        """Let no new alerts be made, as far as that can be told to the service."""
        if self.whole:
            self._processes["feeder"].terminate()
        else:
            (self.folder / "enough").touch()

    def _start_broker(self, side: str) -> None:
        self._brokers[side] = start_broker(self.ports[side], self.folder / side, kind="mosquitto")

    def _start_centre(self, side: str) -> None:
        url = f"mqtt://127.0.0.1:{self.reach('centre', side)}"
        self._spawn(
            f"centre-{side}", "edge.delivery.centre",
            "--side", side, "--url", url, "--store", str(self.centre_path(side)),
        )  # fmt: skip

    def start_service(self) -> None:
        """Start the service, on whatever its predecessor left behind."""
        if self.whole:
            self._spawn("service", "edge", "run", "--config", str(self.folder / "whole.yaml"))
            return
        ports = [str(self.reach("service", side)) for side in SIDES]
        self._spawn(
            "service", "edge.study.producer", str(self.folder), *ports, str(self._rate_per_s)
        )

    def _write_config(self) -> Path:
        """The reference checkpoint's portals, with this run's brokers, folder and ports."""
        yaml = YAML()
        config: dict[str, Any] = yaml.load(REFERENCE.read_text(encoding="utf-8"))
        portals = [each for each in config["sensors"] if each["kind"] == "rpm-tsa"]
        http, *ports = free_ports(1 + len(portals))
        for sensor, port in zip(portals, ports, strict=True):
            sensor |= {"url": f"tcp://127.0.0.1:{port}", "timeout_s": 60}
        for side, port in self.ports.items():
            config["sides"][side] = {"broker": f"mqtt://127.0.0.1:{port}", "keeps_cursor": True}
        config["sensors"], config["http"] = portals, {"port": http}
        config["state_dir"] = str(self.folder / "state")
        path = self.folder / "whole.yaml"
        with path.open("w", encoding="utf-8") as stream:
            yaml.dump(config, stream)
        return path

    def _spawn(self, name: str, module: str, *args: str) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            self._processes[name] = subprocess.Popen(  # noqa: S603 - our own module, no shell
                [*ending_with_parent(), sys.executable, "-m", module, *args],
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )


def end_all(processes: Sequence["subprocess.Popen[bytes]"]) -> None:
    """End processes, the last one first, and wait for all of them."""
    for process in reversed(processes):
        process.terminate()
    for process in processes:
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def stored_seq(centre: Path) -> int:
    """Up to which number a centre has stored, as its file says."""
    rows = read_rows(centre, "SELECT coalesce(max(seq), 0) FROM alert")
    return int(rows[0][0]) if rows else 0


def committed(path: Path) -> list[tuple[Mark, bytes]]:
    """What is in an outbox's file, in order, read without the outbox's own code."""
    found = read_rows(path, "SELECT epoch, seq, payload FROM row ORDER BY seq")
    return [(Mark(epoch=epoch, seq=seq), payload) for epoch, seq, payload in found]


def attached(path: Path, last_seq: int) -> list[str]:
    """Digests of the files that belong to the rows up to a number."""
    query = f"SELECT sha256 FROM attachment WHERE seq <= {int(last_seq)} ORDER BY seq, n"  # noqa: S608 - a number
    return [str(sha256) for (sha256,) in read_rows(path, query)]


def read_rows(path: Path, query: str) -> list[tuple[Any, ...]]:
    """One query; nothing where there is no such file or table yet."""
    if not path.exists():
        return []
    connection = sqlite3.connect(path)
    try:
        return connection.execute(query).fetchall()
    except sqlite3.OperationalError:  # the service is just making its tables
        return []
    finally:
        connection.close()
