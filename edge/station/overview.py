"""What the console is told each second beside the documents: how the checkpoint is, in figures."""

import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec

from edge.config import Config
from edge.delivery.expiry import Expiry
from edge.delivery.sides import SideStatus
from edge.health import Readiness
from edge.protocol.messages import rfc3339
from edge.station.pipeline import Pipeline
from fusion.shelving import Shelving
from fusion.types import SECOND_NS

FILES_EVERY_S = 30.0
"""Certificates and free space are looked at this often: they ask the disk."""


class ShelvedNow(msgspec.Struct, frozen=True, kw_only=True):
    """What rings for nobody now; an empty scope is any."""

    event: str
    sensor: str
    place: str
    by: str
    reason: str
    until: str
    """RFC 3339."""
    inhibit: bool
    """By the configuration, not by a person."""
    exercise: bool


class RungNow(msgspec.Struct, frozen=True, kw_only=True):
    """What rang, against what a person can answer."""

    per_h: float
    limit_per_h: float
    in_flood: bool
    flood_ratio: float
    """Share of the time since the start."""


class CertificateNow(msgspec.Struct, frozen=True, kw_only=True):
    """One certificate of a side's link."""

    side: str
    what: str
    """`own` or `ca`."""
    left_s: float | None
    """None where it cannot be read."""


class SideNow(msgspec.Struct, frozen=True, kw_only=True):
    """One side's link."""

    side: str
    connected: bool


class DiskNow(msgspec.Struct, frozen=True, kw_only=True):
    """Of the disk with the outbox."""

    free_bytes: int
    total_bytes: int


class Overview(msgspec.Struct, frozen=True, kw_only=True):
    """All of it."""

    ready: bool
    reasons: list[str]
    degraded: list[str]
    clock_offset_s: float
    shelved: list[ShelvedNow]
    rung: RungNow | None
    sides: list[SideNow]
    certificates: list[CertificateNow]
    disk: DiskNow | None


class Overlooking:
    """Looks at a running checkpoint; on the loop's thread."""

    def __init__(
        self,
        config: Config,
        *,
        readiness: Callable[[], Readiness],
        offset_ns: Callable[[], int],
        pipeline: Callable[[], Pipeline | None],
        expiries: Callable[[int], Mapping[str, Sequence[Expiry]]],
        sides: Callable[[], Sequence[SideStatus]],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Of what is asked anew each time."""
        self._config = config
        self._readiness, self._offset_ns, self._pipeline = readiness, offset_ns, pipeline
        self._expiries, self._sides, self._monotonic = expiries, sides, monotonic
        self._files: tuple[list[CertificateNow], DiskNow | None] = ([], None)
        self._files_s = float("-inf")

    def look(self, now_utc_ns: int) -> Overview:
        """How it is now."""
        state, pipeline = self._readiness(), self._pipeline()
        if self._monotonic() - self._files_s >= FILES_EVERY_S:
            self._files_s = self._monotonic()
            self._files = self._certificates(now_utc_ns), _disk(self._config.state_dir)
        certificates, disk = self._files
        return Overview(
            ready=state.ready,
            reasons=list(state.reasons),
            degraded=list(state.degraded),
            clock_offset_s=self._offset_ns() / SECOND_NS,
            shelved=[] if pipeline is None else [_shelved(one) for one in pipeline.shelved],
            rung=None if pipeline is None else _rung(pipeline),
            sides=[SideNow(side=one.side, connected=one.connected) for one in self._sides()],
            certificates=certificates,
            disk=disk,
        )

    def _certificates(self, now_utc_ns: int) -> list[CertificateNow]:
        return [
            CertificateNow(side=name, what=one.what, left_s=one.left_s)
            for name, found in self._expiries(now_utc_ns).items()
            for one in found
        ]


def _shelved(one: Shelving) -> ShelvedNow:
    return ShelvedNow(
        event=one.event,
        sensor=one.sensor_id,
        place=one.place,
        by=one.by,
        reason=one.reason,
        until=rfc3339(one.until_utc_ns),
        inhibit=one.standing,
        exercise=one.exercise,
    )


def _rung(pipeline: Pipeline) -> RungNow:
    budget, limit_per_h = pipeline.budget, pipeline.limit_per_h
    return RungNow(
        per_h=budget.per_hour,
        limit_per_h=limit_per_h,
        in_flood=budget.in_flood,
        flood_ratio=budget.flood_share,
    )


def _disk(folder: Path) -> DiskNow | None:
    try:
        usage = shutil.disk_usage(folder)
    except OSError:
        return None
    return DiskNow(free_bytes=usage.free, total_bytes=usage.total)
