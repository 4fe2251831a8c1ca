"""The whole service between two brokers with TLS, and what a person sees of it while it is harmed.

`garita run` with keys, on simulated portals that never stop raising alerts; a Mosquitto for each
side, with mutual TLS 1.3 and access rules; `garita centre` for each, with a keyring. What is told
is read where a person reads it: in /readyz and in the log.
"""

import contextlib
import datetime
import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from edge.delivery.broker import BrokerProcess, ending_with_parent, start_broker
from edge.delivery.broker_rules import access_list, principals
from edge.delivery.certificates import Authority
from edge.study.ports import free_ports
from edge.study.victims import REFERENCE, ROOT, end_all, read_rows, stored_seq
from edge.trust.keys import make_signer, write_keyring

SIDES = ("north", "south")
SITE = "reference"
PORTALS = 3
DAY_NS = 86_400 * 10**9
START_S = 120.0
LOOK_S = 0.1


class HarmSite:
    """Everything that runs, and the files by which it is harmed."""

    def __init__(self, folder: Path, *, state_dir: Path | None = None) -> None:
        """Make keys, certificates and rules; nothing runs yet.

        state_dir  where the service keeps its state, such as a small disk
        """
        self.folder = folder
        self.state_dir = state_dir or folder / "state"
        *ports, self.http = free_ports(3 + PORTALS)
        self.ports = dict(zip(SIDES, ports, strict=False))
        self._portal_ports = ports[2:]
        self._brokers: dict[str, BrokerProcess] = {}
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self.authorities = {
            side: Authority(folder / f"tls-{side}", valid_for=datetime.timedelta(days=30))
            for side in SIDES
        }
        for side, authority in self.authorities.items():
            authority.issue("broker", server=True)
            for name in (SITE, "centre"):
                authority.issue(name)
            self.allow(side)
        self.signing_key = folder / "keys" / "edge.pem"
        self._make_keys()
        self.clock = folder / "clock"
        self.clock.write_text("0")
        self.config = self._write_config()

    # --- starting and ending -------------------------------------------------------------

    def start(self) -> None:
        """Start everything, and wait until the service is ready and alerts flow."""
        for side in SIDES:
            self.start_broker(side)
            self._start_centre(side)
        self._spawn("feeder", "-m", "edge.study.busy_lanes", str(self.config), "1")
        self.start_service()
        self.wait_for(lambda: self.last_seq() > 0, START_S, "the first alert")

    def start_broker(self, side: str) -> None:
        """A side's broker, as it is configured now."""
        authority = self.authorities[side]
        pair = authority.pair("broker")
        options = {
            "allow_anonymous": "false",
            "cafile": str(authority.ca),
            "certfile": str(pair.cert),
            "keyfile": str(pair.key),
            "require_certificate": "true",
            "use_identity_as_username": "true",
            "tls_version": "tlsv1.3",
            "acl_file": str(self.rules(side)),
        }
        self._brokers[side] = start_broker(
            self.ports[side], self.folder / side, kind="mosquitto", options=options
        )

    def end_broker(self, side: str) -> None:
        """As a crash would."""
        self._brokers[side].kill()

    def start_service(self) -> "subprocess.Popen[bytes]":
        """`garita run`; its wall clock is what the file `clock` says."""
        return self._spawn(
            "service", "-P", "-m", "edge.study.shifted_run", str(self.clock), str(self.config)
        )

    def end_service(self) -> int:
        """SIGTERM; its exit code."""
        process = self._processes["service"]
        process.terminate()
        return process.wait(20)

    def stop(self) -> None:
        """End every process."""
        end_all(list(self._processes.values()))
        for broker in self._brokers.values():
            broker.kill()

    # --- harming -------------------------------------------------------------------------

    def rules(self, side: str) -> Path:
        """The access list of a side's broker."""
        return self.folder / f"{side}.acl"

    def allow(self, side: str) -> None:
        """Rules as they should be."""
        self.rules(side).write_text(access_list(side, principals(side, [SITE])))

    def forbid(self, side: str) -> None:
        """Rules that let the site say nothing of its alerts."""
        state = f"topic write garita/v1/{SITE}/state\n"
        self.rules(side).write_text(
            f"user {SITE}\n{state}topic read #\n\nuser centre\ntopic readwrite #\n"
        )

    def expire(self, side: str, name: str) -> None:
        """A certificate that has ended, in the place of a good one."""
        past = datetime.timedelta(seconds=-1)
        self.authorities[side].issue(name, server=name == "broker", valid_for=past)

    def renew(self, side: str, name: str) -> None:
        """A good one again."""
        self.authorities[side].issue(name, server=name == "broker")

    # --- looking -------------------------------------------------------------------------

    def ready(self) -> dict[str, Any]:
        """What /readyz says; empty where nobody answers."""
        try:
            with urllib.request.urlopen(
                f"http://127.0.0.1:{self.http}/readyz", timeout=5
            ) as answer:
                return dict(json.load(answer))
        except urllib.error.HTTPError as error:
            with contextlib.suppress(ValueError):
                return dict(json.load(error))
        except (OSError, ValueError):
            pass
        return {}

    def told(self) -> list[str]:
        """Everything that is wrong, as it says."""
        said = self.ready()
        return [*said.get("reasons", ()), *said.get("degraded", ())]

    def last_words(self) -> str:
        """The end of what the service has said on stderr, in one line."""
        text = (self.folder / "service.log").read_text("utf-8", "replace")
        return " ".join(text[-600:].split())

    def last_seq(self) -> int:
        """How many alerts are committed."""
        rows = read_rows(self.outbox, "SELECT max(seq) FROM row")
        return int(rows[0][0] or 0) if rows else 0

    def has_all(self) -> bool:
        """Whether both centres have what is committed."""
        last = self.last_seq()
        return all(stored_seq(self.centre(side)) >= last for side in SIDES)

    @property
    def outbox(self) -> Path:
        """The service's outbox."""
        return self.state_dir / "outbox.db"

    def centre(self, side: str) -> Path:
        """A centre's file."""
        return self.folder / f"centre-{side}" / "centre.db"

    def wait_for(self, reached: Callable[[], object], within_s: float, what: str) -> float:
        """How long it took. TimeoutError."""
        began_s = time.monotonic()
        while not reached():
            if time.monotonic() - began_s > within_s:
                raise TimeoutError(f"waited {within_s:g} s for {what} in vain: {self.told()}")
            time.sleep(LOOK_S)
        return time.monotonic() - began_s

    # --- making --------------------------------------------------------------------------

    def _make_keys(self) -> None:
        now_utc_ns = time.time_ns()
        public = []
        for owner, role in ((f"edge/{SITE}", "edge"), ("north", "centre"), ("south", "centre")):
            name = "edge" if role == "edge" else owner
            signer = make_signer(
                self.folder / "keys" / f"{name}.pem",
                owner=owner,
                role="edge" if role == "edge" else "centre",
                not_before_utc_ns=now_utc_ns - 2 * DAY_NS,
                not_after_utc_ns=now_utc_ns + 30 * DAY_NS,
            )
            public.append(signer.public)
        write_keyring(self.folder / "keyring.json", public)

    def _write_config(self) -> Path:
        yaml = YAML()
        config: dict[str, Any] = yaml.load(REFERENCE.read_text(encoding="utf-8"))
        portals = [each for each in config["sensors"] if each["kind"] == "rpm-tsa"][:PORTALS]
        for sensor, port in zip(portals, self._portal_ports, strict=True):
            sensor |= {"url": f"tcp://127.0.0.1:{port}", "timeout_s": 60}
        for side, port in self.ports.items():
            authority = self.authorities[side]
            pair = authority.pair(SITE)
            config["sides"][side] = {
                "broker": f"mqtts://127.0.0.1:{port}",
                "keeps_cursor": True,
                "tls": {"ca": str(authority.ca), "cert": str(pair.cert), "key": str(pair.key)},
            }
        config["keys"] = {
            "signer": str(self.signing_key), "keyring": str(self.folder / "keyring.json"),
        }  # fmt: skip
        config["sensors"], config["http"] = portals, {"port": self.http}
        config["state_dir"] = str(self.state_dir)
        path = self.folder / "site.yaml"
        with path.open("w", encoding="utf-8") as stream:
            yaml.dump(config, stream)
        return path

    def _start_centre(self, side: str) -> None:
        authority = self.authorities[side]
        pair = authority.pair("centre")
        self.centre(side).parent.mkdir(exist_ok=True)
        self._spawn(
            f"centre-{side}", "-P", "-m", "edge", "centre", "--quiet", "--side", side,
            "--url", f"mqtts://127.0.0.1:{self.ports[side]}", "--store", str(self.centre(side)),
            "--ca", str(authority.ca), "--cert", str(pair.cert), "--key", str(pair.key),
            "--keyring", str(self.folder / "keyring.json"),
            "--signing-key", str(self.folder / "keys" / f"{side}.pem"),
        )  # fmt: skip

    def _spawn(self, name: str, *words: str) -> "subprocess.Popen[bytes]":
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        with (self.folder / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(  # noqa: S603 - our own module, no shell
                [*ending_with_parent(), sys.executable, *words],
                cwd=ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self._processes[name] = process
        return process
