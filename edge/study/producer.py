"""The service that `garita bench kills` kills: outbox, both publishers, and a producer.

    python -m edge.study.producer FOLDER NORTH_PORT SOUTH_PORT ALERTS_A_SECOND

It notes every alert in FOLDER/ledger, apart from the outbox, before and after it is committed, and
stops producing where FOLDER/enough appears.
"""

import hashlib
import json
import os
import secrets
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from edge.delivery.happenings import Document
from edge.delivery.outbox import Attachment, Outbox, Row
from edge.delivery.publisher import Publisher
from edge.delivery.sides import SideSettings
from edge.protocol import topics

SIDES = ("north", "south")
SITE = "mariposa"
ALERT_BYTES = 1500
FILE_BYTES = 30_000
EVERY = 4  # alerts to one with a file
INTENDED, COMMITTED = "i", "c"
"""What a line of the ledger says: about to be committed, or told that it was."""


def serve(folder: Path, ports: Sequence[int], rate_per_s: float) -> int:
    """Produce and deliver until SIGTERM; stop producing where the file `enough` appears."""
    stopped = False

    def stop(_number: int, _frame: object) -> None:
        nonlocal stopped
        stopped = True

    signal.signal(signal.SIGTERM, stop)
    outbox = Outbox(folder / "outbox.db", SIDES)
    publishers = [
        Publisher(_settings(side, port), outbox, site=SITE, will=_will(outbox.epoch))
        for side, port in zip(SIDES, ports, strict=True)
    ]
    for publisher in publishers:
        publisher.start()
    ledger = os.open(folder / "ledger", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    while not stopped:
        if not (folder / "enough").exists():
            rows = [_row(outbox, outbox.last_seq + n) for n in (1, 2)]
            os.write(ledger, b"".join(_ledger_line(INTENDED, row) for row in rows))
            outbox.commit(rows)
            os.write(ledger, b"".join(_ledger_line(COMMITTED, row) for row in rows))
            for publisher in publishers:
                publisher.wake()
        time.sleep(2 / rate_per_s)
    for publisher in publishers:
        publisher.stop()
    outbox.close()
    os.close(ledger)
    return 0


def _settings(side: str, port: int) -> SideSettings:
    return SideSettings(
        name=side, host="127.0.0.1", port=port, keeps_cursor=True, ack_timeout_s=2.0
    )


def _will(epoch: str) -> Document:
    payload = json.dumps({"site": SITE, "epoch": epoch, "state": "lost"}).encode()
    return Document(topic=topics.state_topic(topics.ROOT, SITE), payload=payload)


def _row(outbox: Outbox, seq: int) -> Row:
    root = topics.root(seq % 3 == 0)  # both roots share one sequence
    place = f"nb-{seq % 10:02d}"
    told = {"seq": seq, "epoch": outbox.epoch, "once": secrets.token_hex(8)}  # no two are alike
    payload = json.dumps(told).encode().ljust(ALERT_BYTES)
    return Row(
        seq=seq,
        epoch=outbox.epoch,
        exercise=seq % 3 == 0,
        topic=topics.alert_topic(root, SITE, place),
        payload=payload,
        active_topic=topics.active_topic(root, SITE, place, f"A{seq % 20}"),
        active_payload=b"" if seq % 2 else payload,
        level=3,
        created_utc_ns=time.time_ns(),
        attachments=() if seq % EVERY else (_file(root, seq),),
    )


def _file(root: str, seq: int) -> Attachment:
    data = f"{seq} ".encode() * (FILE_BYTES // 8)
    return Attachment(
        n=1,
        topic=topics.evidence_topic(root, SITE, f"A{seq}", 1),
        name="pass.n42",
        media_type="application/xml",
        sha256=hashlib.sha256(data).hexdigest(),
        payload=data,
    )


def _ledger_line(what: str, row: Row) -> bytes:
    return f"{what} {row.epoch} {row.seq} {digest(row.payload)}\n".encode()


def digest(payload: bytes) -> str:
    """What the ledger keeps of a payload."""
    return hashlib.sha256(payload).hexdigest()[:16]


if __name__ == "__main__":
    north, south, rate = sys.argv[2:]
    raise SystemExit(serve(Path(sys.argv[1]), (int(north), int(south)), float(rate)))
