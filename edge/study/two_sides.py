"""Two countries for a bench: a real broker each, and a centre as a process of its own for each.

Every alert is committed, signed, published, delivered, verified and stored. A delay is from just
before the commit until the centre has verified the alert, the first of the two where one went ahead
of a backlog, or until the centre has it on disk; both by the centre's own stamps
(`edge.study.timed_centre`), so what the bench does with them does not count.
"""

import datetime
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import msgspec

from edge.delivery.broker import BrokerProcess, start_broker
from edge.delivery.broker_rules import access_list, principals
from edge.delivery.certificates import Authority
from edge.delivery.outbox import Outbox, Row
from edge.delivery.publisher import Publisher
from edge.delivery.sides import SideSettings, TlsFiles
from edge.protocol import topics
from edge.protocol.messages import rfc3339
from edge.study.ports import free_ports
from edge.trust.keys import Signer, make_signer, write_keyring

SIDES = ("north", "south")
SITE = "mariposa"
RATE_PER_S = 20.0
PAYLOAD_BYTES = 1500
DAY_NS = 86_400 * 10**9
PATIENCE_S = 300.0
SWITCH_S = 0.0005  # as the service sets it


def machine() -> str:
    """How busy this machine is, for whoever reads a figure."""
    return f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"


class Heard:
    """What a side's centre has told."""

    def __init__(self, stream: Iterator[bytes]) -> None:
        self.verified_s: dict[int, float] = {}
        """When it believed an alert, sent ahead or in its turn."""
        self.stored_s: dict[int, float] = {}
        """In the order of storing."""
        self._stream = stream
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        for line in self._stream:
            seq, ahead, verified_s, stored_s = line.split()
            self.verified_s.setdefault(int(seq), float(verified_s))
            if ahead == b"0":
                self.stored_s[int(seq)] = float(stored_s)


class _Keys:
    """One country's authority, and the files that its broker and clients need."""

    def __init__(self, folder: Path, side: str) -> None:
        self._authority = Authority(folder, valid_for=datetime.timedelta(days=1))
        pair = self._authority.issue("broker", server=True)
        rules = folder / "rules.acl"
        rules.write_text(access_list(side, principals(side, [SITE])))
        self.options = {
            "allow_anonymous": "false",
            "cafile": str(self._authority.ca),
            "certfile": str(pair.cert),
            "keyfile": str(pair.key),
            "require_certificate": "true",
            "use_identity_as_username": "true",
            "tls_version": "tlsv1.3",
            "acl_file": str(rules),
        }

    def files(self, name: str) -> TlsFiles:
        """A client's."""
        pair = self._authority.issue(name)
        return TlsFiles(ca=self._authority.ca, cert=pair.cert, key=pair.key)

    def access(self, name: str) -> list[str]:
        """The same as options of a command."""
        files = self.files(name)
        return ["--ca", str(files.ca), "--cert", str(files.cert), "--key", str(files.key)]


class TwoSides:
    """A checkpoint's outbox and publishers, both brokers and both centres."""

    def __init__(self, folder: Path, stack: ExitStack, *, tls: bool = False) -> None:
        """Start all of it; `stack` ends it. `tls`: mutual TLS 1.3 with access rules."""
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self.commits_s: list[float] = []
        """How long each commit took."""
        self._tls = {side: _Keys(folder / f"tls-{side}", side) for side in SIDES} if tls else {}
        now_utc_ns = time.time_ns()
        self._signer = make_signer(
            folder / "edge.pem",
            owner=f"edge/{SITE}",
            role="edge",
            not_before_utc_ns=now_utc_ns - 30 * DAY_NS,
            not_after_utc_ns=now_utc_ns + DAY_NS,
        )
        write_keyring(folder / "keyring.json", [self._signer.public])
        self._ports = dict(zip(SIDES, free_ports(2), strict=True))
        self.brokers = {side: self.start_broker_of(side) for side in SIDES}
        stack.callback(self._end_brokers)
        self.heard = {side: stack.enter_context(self._centre(side)) for side in SIDES}
        self.outbox = Outbox(folder / "outbox.db", SIDES)
        stack.callback(self.outbox.close)
        self._publishers = [self._publisher(side, self._signer) for side in SIDES]
        for publisher in self._publishers:
            publisher.start()
            stack.callback(publisher.stop)

    def _end_brokers(self) -> None:
        for broker in self.brokers.values():
            broker.kill()

    def start_broker_of(self, side: str) -> BrokerProcess:
        """A side's broker, on its port."""
        options = self._tls[side].options if self._tls else {}
        return start_broker(
            self._ports[side], self._folder / side, kind="mosquitto", options=options
        )

    @contextmanager
    def _centre(self, side: str) -> Iterator[Heard]:
        command = [
            sys.executable, "-m", "edge.study.timed_centre", "--side", side,
            "--port", str(self._ports[side]),
            "--store", str(self._folder / f"{side}.db"),
            "--keyring", str(self._folder / "keyring.json"),
            *(self._tls[side].access("centre") if self._tls else ()),
        ]  # fmt: skip
        root = Path(__file__).parents[2]
        process = subprocess.Popen(  # noqa: S603 - our own command line, no shell
            command,
            cwd=root,
            env={**os.environ, "PYTHONPATH": str(root)},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert process.stdout is not None
        try:
            yield Heard(process.stdout)
        finally:
            process.kill()
            process.wait()

    def _publisher(self, side: str, signer: Signer) -> Publisher:
        settings = SideSettings(
            name=side,
            host="127.0.0.1",
            port=self._ports[side],
            tls=self._tls[side].files(SITE) if self._tls else None,
            keeps_cursor=True,
        )
        return Publisher(settings, self.outbox, site=SITE, signer=signer)

    def flow(self, seconds: float) -> dict[int, float]:
        """One alert every twentieth of a second; when each was about to be committed."""
        began: dict[int, float] = {}
        end_s = time.perf_counter() + seconds
        while time.perf_counter() < end_s:
            at_s = time.perf_counter()
            began[self.commit(1)] = at_s
            time.sleep(max(0.0, 1 / RATE_PER_S - (time.perf_counter() - at_s)))
        return began

    def commit(self, count: int, *, age_s: float = 0.0, apart_s: float = 0.0) -> int:
        """Commit so many, and let both sides know; the number of the last.

        age_s, apart_s  how old the first of them is, and how much younger each following one
        """
        first = self.outbox.last_seq + 1
        first_utc_ns = time.time_ns() - int(age_s * 1e9)
        rows = [self._row(first + n, first_utc_ns + int(n * apart_s * 1e9)) for n in range(count)]
        at_s = time.perf_counter()
        self.outbox.commit(rows)
        self.commits_s.append(time.perf_counter() - at_s)
        for publisher in self._publishers:
            publisher.wake()
        return self.outbox.last_seq

    def _row(self, seq: int, made_utc_ns: int) -> Row:
        place = f"nb-{seq % 10:02d}"
        told = {
            "schema": "garita.alert/1", "id": f"A{seq}", "revision": 1, "seq": seq,
            "epoch": self.outbox.epoch, "site": SITE, "lane": place, "zone": None,
            "status": "Actual", "level": 3, "updated": rfc3339(made_utc_ns),
        }  # fmt: skip
        payload = msgspec.json.encode(told).ljust(PAYLOAD_BYTES)
        return Row(
            seq=seq,
            epoch=self.outbox.epoch,
            exercise=False,
            topic=topics.alert_topic(topics.ROOT, SITE, place),
            payload=payload,
            active_topic=topics.active_topic(topics.ROOT, SITE, place, f"A{seq % 20}"),
            active_payload=b"" if seq % 2 else payload,
            level=3,
            created_utc_ns=made_utc_ns,
        )

    def wait_for(self, sides: Sequence[str], seq: int) -> None:
        """Return when these sides' centres have stored it. TimeoutError."""
        deadline_s = time.monotonic() + PATIENCE_S
        while any(seq not in self.heard[side].stored_s for side in sides):
            if time.monotonic() > deadline_s:
                raise TimeoutError(f"number {seq} not stored within {PATIENCE_S:g} s")
            time.sleep(0.002)

    def delays(self, side: str, began: dict[int, float]) -> list[float]:
        """Of these, from before the commit until the centre has verified them, in seconds."""
        if began:
            self.wait_for([side], max(began))
        heard = self.heard[side].verified_s
        return [heard[seq] - at_s for seq, at_s in began.items()]

    def delays_to_stored(self, side: str, began: dict[int, float]) -> list[float]:
        """The same until the centre has them on disk."""
        if began:
            self.wait_for([side], max(began))
        heard = self.heard[side].stored_s
        return [heard[seq] - at_s for seq, at_s in began.items()]
