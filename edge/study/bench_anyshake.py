"""AnyShake streams over a bad line: what gets through, and how soon all is well again.

An XOR of 8 bits misses 1 in 256 of random damages to what it covers (two damaged bytes cancel out
with probability 1/255, more with 1/256, a single one never). The bound for a stream is therefore
1/256 of the damaged frames that still look like one, with header, layout and trailer where they
belong: all others fail those. The driver holds what passes against the time that is due, so less
than that becomes samples. Version 1 has no time, and three sums, one for each axis.
"""

import time
from dataclasses import dataclass
from random import Random

import numpy as np

from drivers.seismic_anyshake import AnyShakeDriver
from drivers.seismic_anyshake_config import AnyShakeConfig
from drivers.wire.anyshake import (
    HEADERS,
    KNOWN_AFTER,
    OLD_SAMPLES,
    TRAILER,
    AnyShakePacket,
    Layout,
    encode,
    frame_bytes,
)
from drivers.wire.anyshake_stream import AnyShakeDecoder
from drivers.wire.malformed import Malformed
from edge.study.figures import Figure, Options, at_least, at_most, plain
from edge.study.intervals import proportion
from fusion.types import MILLISECOND_NS, Origin, WaveformSample

CORRUPTED_BYTES = 1_000_000
XOR_BOUND = 1 / 256
RESYNC_PACKETS = 2
CLEAN = 4  # frames behind each damage, which show how much it cost
MOST_FLIPS = 8
LONGEST_BURST = 200
UTC_MS = 1_795_338_000_000
LAYOUT = Layout(100, 100, True, (4, 4, 4, 0, 0, 0, 0, 0))


@dataclass(slots=True)
class Tally:
    """What one version came to."""

    corrupted: int = 0
    sent: int = 0
    candidates: int = 0
    """Damaged frames that still look like one."""
    accepted: int = 0
    """Packets that nobody sent."""
    false: int = 0
    """The same of packets that the driver made samples of."""
    raised: int = 0
    worst: int = 0
    """Most clean frames lost behind one damage."""
    seconds: float = 0.0


def run(options: Options) -> list[Figure]:
    """Figures of each version, 10^6 corrupted bytes each."""
    figures = []
    for version in (1, 2, 3):
        options.say(f"anyshake version {version}: {CORRUPTED_BYTES:,} corrupted bytes")
        figures += told(version, attack(version, Random(options.seed + version), CORRUPTED_BYTES))
    return figures


def told(version: int, tally: Tally) -> list[Figure]:
    """The tally as figures."""
    how = f"{tally.corrupted:,} bytes changed, put in or lost among {tally.sent:,} frames, seeded"
    name = f"anyshake.v{version}"
    of = f"of {tally.candidates:,} damaged frames that look whole"
    return [
        at_least(f"{name}.corrupted", tally.corrupted, CORRUPTED_BYTES, "B", how),
        at_most(f"{name}.exceptions", tally.raised, 0, "", how),
        _share(
            f"{name}.accepted_bad", tally.false, tally, f"samples of {tally.false} {of}", goal=True
        ),
        _share(
            f"{name}.past_xor", tally.accepted, tally, f"the decoder alone: {tally.accepted} {of}"
        ),
        at_most(f"{name}.resync", tally.worst, RESYNC_PACKETS, "frames", "clean ones lost, worst"),
        plain(f"{name}.seconds", tally.seconds, "s", "decoder and driver"),
    ]


def _share(name: str, count: int, tally: Tally, how: str, *, goal: bool = False) -> Figure:
    """Of the damaged frames that look whole, against what an XOR may miss."""
    of = max(tally.candidates, 1)
    return Figure(
        name=name,
        value=count / of,
        unit="",
        goal=f"<= {XOR_BOUND:.5f}" if goal else "",
        reached=count / of <= XOR_BOUND if goal else None,
        how=how,
        interval=proportion(count, of),
    )


def attack(version: int, random: Random, corrupted_bytes: int) -> Tally:
    """Damage, then clean frames, again and again, through decoder and driver."""
    tally = Tally()
    line = _BadLine(version, random, tally)
    decoder = AnyShakeDecoder()
    driver = AnyShakeDriver(AnyShakeConfig(id="geo-1", url="/dev/null"), Origin.SIMULATOR)
    upright: set[bytes] = set()
    """Samples of the first channel in every frame so far."""
    while tally.corrupted < corrupted_bytes:
        sent: set[bytes] = set()
        stream, clean = line.stretch(sent)
        arrived_ns = (UTC_MS + line.number * line.interval_ms) * MILLISECOND_NS
        began = time.perf_counter()
        try:
            read = decoder.feed(stream)
            samples = driver.feed(stream, arrived_ns)
        except Exception:  # noqa: BLE001 - the very thing that is counted here
            tally.raised += 1
            decoder = AnyShakeDecoder()
            continue
        tally.seconds += time.perf_counter() - began
        good = [one.counts.tobytes() for one in read if not isinstance(one, Malformed)]
        tally.accepted += sum(one not in sent for one in good)
        tally.worst = max(tally.worst, len(clean - set(good)))
        upright |= {one[: len(one) // 3] for one in sent}
        tally.false += sum(
            one.counts.tobytes() not in upright
            for one in samples
            if isinstance(one, WaveformSample) and one.channel == "EHZ"
        )
    return tally


class _BadLine:
    """Frames with damage of every kind among them."""

    def __init__(self, version: int, random: Random, tally: Tally) -> None:
        self._version = version
        self._random = random
        self._tally = tally
        self._samples = LAYOUT.samples if version == 3 else OLD_SAMPLES
        self.interval_ms = 1000 * self._samples // LAYOUT.rate_hz
        self.number = 0
        """Frames so far."""

    def stretch(self, sent: set[bytes]) -> tuple[bytes, set[bytes]]:
        """A damaged stretch and clean frames behind it; the samples of all are put into `sent`."""
        damaged = [self._frame(sent) for _ in range(self._random.randrange(1, 7))]
        form = self._random.randrange(4)
        if form == 0:
            stream = b"".join(map(self._flipped, damaged))
        else:
            stream = self._struck(b"".join(damaged), form)
        clean: set[bytes] = set()
        behind = [self._frame(clean) for _ in range(CLEAN)]
        sent |= clean
        stream += b"".join(behind)
        self._tally.candidates += lookalikes(stream, self._version, {*damaged, *behind})
        return stream, clean

    def _frame(self, sent: set[bytes]) -> bytes:
        """The next one; its samples, which no other frame has, are put into `sent`."""
        shape = (3, self._samples)
        data = self._random.randbytes(4 * shape[0] * shape[1])
        # Quiet ground: the highest byte of a sample hardly ever moves.
        counts = np.frombuffer(data, "<i4").reshape(shape) >> 12
        packet = AnyShakePacket(
            version=self._version,
            counts=counts,
            time_ms=0 if self._version == 1 else UTC_MS + self.number * self.interval_ms,
            config=LAYOUT.word if self._version == 3 else 0,
            variable=(1 << 31).to_bytes(4, "little"),  # GNSS, where version 2 says so
        )
        self.number += 1
        self._tally.sent += 1
        sent.add(counts.tobytes())
        return encode(packet)

    def _flipped(self, frame: bytes) -> bytes:
        """Some bytes of it are others."""
        damaged = bytearray(frame)
        places = self._random.sample(range(len(frame)), self._random.randrange(1, MOST_FLIPS + 1))
        for at in places:
            damaged[at] ^= self._random.randrange(1, 256)
        self._tally.corrupted += len(places)
        return bytes(damaged)

    def _struck(self, stream: bytes, form: int) -> bytes:
        """A run of bytes is replaced, lost or put in."""
        size = self._random.randrange(1, min(LONGEST_BURST, len(stream)))
        at = self._random.randrange(len(stream) - size)
        self._tally.corrupted += size
        if form == 1:
            return stream[:at] + self._random.randbytes(size) + stream[at + size :]
        if form == 2:
            return stream[:at] + stream[at + size :]
        return stream[:at] + self._random.randbytes(size) + stream[at:]


def lookalikes(stream: bytes, version: int, sent: set[bytes]) -> int:
    """How many frames of this version there seem to be that nobody sent, but for their XOR."""
    count = 0
    at = stream.find(HEADERS[version])
    while at >= 0:
        head = stream[at : at + KNOWN_AFTER[version]]
        size = frame_bytes(head, version) if len(head) == KNOWN_AFTER[version] else ""
        step = 1
        if isinstance(size, int) and at + size <= len(stream):
            frame = stream[at : at + size]
            if frame in sent:
                step = size
            else:
                count += version != 3 or frame.endswith(TRAILER)
        at = stream.find(HEADERS[version], at + step)
    return count
