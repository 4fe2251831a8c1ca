"""Alerts and a scan for a console that nothing but the bench feeds."""

import hashlib
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import msgspec
import numpy as np

from edge.delivery.rows import Attachment, Row
from edge.evidence.scans.planes import message_file, whole_name
from edge.protocol import topics
from edge.protocol.messages import rfc3339
from edge.study.replay_console import ReplayConsole
from fusion.scan_record import PlaneReference, ScanPixels, ScanRecord
from fusion.types import Checkpoint, LaneSpec

PLACE = "nb-01"
SITE = Checkpoint(
    site="mariposa", sensors=(), lanes=(LaneSpec(lane_id=PLACE, direction="northbound"),)
)
AIR, DARK = 40_000.0, 100.0


class Shown:
    """A console, and what was committed for it."""

    def __init__(self, console: ReplayConsole) -> None:
        self._console = console

    def commit(self, made: Iterable[Row]) -> None:
        """On the disk when this returns."""
        self._console.put(list(made))


def rows(first: int, number: int) -> Iterator[Row]:
    """Alerts of one revision each, of all levels."""
    for seq in range(first, first + number):
        yield _row(seq)


def _row(seq: int, evidence: Iterable[Attachment] = ()) -> Row:
    alert, files = f"B{seq:06d}", tuple(evidence)
    now = rfc3339(time.time_ns())
    headline = f"Possible radioactive source {seq}"
    told = {
        "schema": "garita.alert/1", "id": alert, "revision": 1, "seq": seq, "epoch": "E",
        "site": SITE.site, "lane": PLACE, "zone": None, "direction": "northbound",
        "status": "Exercise", "msg_type": "Alert", "event": "RAD_THREAT", "level": 2 + seq % 3,
        "probability": 0.9, "urgency": "Immediate", "severity": "Severe", "certainty": "Likely",
        "onset": now, "updated": now,
        "explanations": [{"name": "threat-source", "probability": 0.9}],
        "contributions": [
            {"source": "rpm-nb-01", "kind": "gamma.profile", "explanation": "threat-source",
             "nats": 5.0, "age_s": 0.2, "capped": False,
             "facts": {"gamma_sigma": 11.2, "position_m": 9.2, "width_m": 0.0}}
        ],
        "silent": [], "down": [],
        "info": [
            {"language": language, "headline": headline, "description": headline,
             "instruction": "."}
            for language in ("en-US", "es-MX")
        ],
        "evidence": [
            {"name": one.name, "media_type": one.media_type, "sha256": one.sha256,
             "bytes": len(one.payload)}
            for one in files
        ],
        "config_digest": "d", "software": "garita",
    }  # fmt: skip
    payload, root = msgspec.json.encode(told), topics.EXERCISE_ROOT
    return Row(
        seq=seq,
        epoch="E",
        exercise=True,
        topic=topics.alert_topic(root, SITE.site, PLACE),
        payload=payload,
        active_topic=topics.active_topic(root, SITE.site, PLACE, alert),
        active_payload=payload,
        level=2 + seq % 3,
        created_utc_ns=time.time_ns(),
        attachments=files,
    )


def scan_of(rows_px: int, columns_px: int) -> tuple[Row, ScanRecord, str]:
    """An alert with a dual-energy scan, its record with all pixels, and what that is called."""
    random = np.random.default_rng(1)
    noise = random.normal(1.0, 0.01, (rows_px, columns_px))
    depth = np.tile(np.linspace(0.0, 5.0, columns_px), (rows_px, 1))
    reference = PlaneReference(
        air_counts=AIR,
        dark=np.full(rows_px, DARK),
        gain=np.ones(rows_px),
        pulse=np.ones(columns_px),
    )

    def plane(factor: float) -> np.ndarray[Any, np.dtype[np.uint16]]:
        return np.asarray(DARK + AIR * np.exp(-factor * depth) * noise, np.uint16)

    pixels = ScanPixels(
        high=plane(1.0),
        low=plane(1.3),
        composite=None,
        air_counts=AIR,
        dark=reference.dark,
        gain=reference.gain,
        pulse=reference.pulse,
        cell_px=8,
        groups=np.zeros((rows_px // 8, columns_px // 8), np.uint8),
        references={"high": reference, "low": reference},
    )
    record = ScanRecord(
        sensor_id="xray-nb-01",
        scan_id="bench",
        start_utc_ns=0,
        end_utc_ns=10**10,
        partial=False,
        rows=rows_px,
        columns=columns_px,
        pitch_x_mm=5.0,
        pitch_y_mm=4.0,
        front_column=0,
        bottom_row=rows_px,
        lost_columns=(),
        planes=("high", "low"),
        energies_mev=(6.0, 4.0),
        pixels=pixels,
    )
    name = whole_name(pixels)
    record = replace(record, whole=name)
    tiff = message_file(record, pixels, name, [])
    file = Attachment(
        n=1,
        topic=topics.evidence_topic(topics.EXERCISE_ROOT, SITE.site, "B000001", 1),
        name="planes.tif",
        media_type="image/tiff",
        sha256=hashlib.sha256(tiff).hexdigest(),
        payload=tiff,
    )
    return _row(1, [file]), record, name
