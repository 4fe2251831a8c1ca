"""Raspberry Shake: the datacast.

Datagrams carry no sequence number, so loss, duplicates and reorder are recognised by the
packets' own times (facts/seismic.md 1.1). Times never run backwards within a channel.
"""

import re
from collections import deque
from dataclasses import dataclass, field

import numpy as np

from drivers.base import Driver, DriverKind, SensorConfig
from drivers.seismic_captures import DatacastCapture
from drivers.seismic_shake_config import ShakeConfig
from drivers.wire.datacast import DatacastDecoder, ShakePacket
from drivers.wire.malformed import Malformed
from fusion.types import Origin, Sample, StatusSample, WaveformSample

SECOND_NS = 1_000_000_000
INT32 = np.dtype(np.int32)
GROUND_VELOCITY = re.compile(r"[A-Z][HP][A-Z0-9]")
"""SEED channel codes whose instrument letter is a geophone (H high gain, P): EHZ, SHZ, EHN."""
RATES_HZ = (50.0, 100.0, 200.0)
"""Rates a Shake is known to run at; one that is heard but not configured is adopted."""
RATE_STREAK = 8  # two seconds of packets of one channel: more than a burst of loss can imitate
STEP_STREAK = 6
"""Late packets without one in its turn between them, 1.5 s: no network reorders so. A clock that
is set back by less costs those packets."""
STEP_PACKETS = 2  # a jump ahead by so many packets or more may be a clock that was set
SLEW = 0.04
"""What a clock was set back by is made up for by so much of each packet: 2 s in a minute."""
HELD_PACKETS = 3  # UDP reorders neighbours; the third early packet (0.5 s) proves a loss
CLOCK_STREAK = 3  # one packet with a damaged time must not move the whole station's clock
MAX_CHANNELS = 16  # a Shake has 4; noise that reads like a packet must not grow memory
SEEN_PACKETS = 8  # two seconds: a duplicate later than that is told as late


@dataclass(slots=True)
class _Channel:
    """What is remembered of one channel to put its packets in order."""

    counts_per_m_s: float
    expected_utc_ns: int | None = None
    """When the next packet should begin."""
    tolerance_ns: int = 0
    """Half the last packet: a start so near is the next one, and a loss is at least a whole."""
    held: list[tuple[ShakePacket, int]] = field(default_factory=list)
    """Packets that came early, and when."""
    behind: list[ShakePacket] = field(default_factory=list)
    """Late packets, near each other, in order."""
    arrived_utc_ns: int = 0
    """Of the last packet that came in its turn."""
    seen: deque[ShakePacket] = field(default_factory=lambda: deque(maxlen=SEEN_PACKETS))
    heard_utc_ns: int = 0
    heard_count: int = 0
    span_ns: int = 0
    """How long the last packet lasts; 0 where that is not known any more."""
    odd_rate_hz: float = 0.0
    odd_rate_streak: int = 0


class ShakeDriver:
    """Datacast packets of one station to waveform samples."""

    def __init__(self, config: ShakeConfig, origin: Origin) -> None:
        self._config = config
        self._sensor_id = config.id
        self._origin = origin
        self._decoder = DatacastDecoder()
        self._rate_hz = config.rate_hz
        self._limit_ns = round(config.clock_limit_s * SECOND_NS)
        self._channels: dict[str, _Channel] = {}
        self._shift_ns = 0
        self._off_clock = 0
        self._step_ns = 0
        self._slewing = ""
        """The channel whose packets make up for a step; one, for all are shifted alike."""

    def feed(self, data: bytes, received_utc_ns: int) -> list[Sample | Malformed]:
        """One `WaveformSample` a packet; a packet that came early waits for its turn.

        `Malformed` of an intact packet: `duplicate`, `late`, `clock` (time not believed),
        `channels` (more than a station has).
        """
        if not data:
            self._decoder.cut()
            return []
        samples: list[Sample | Malformed] = []
        for record in self._decoder.feed(data):
            if isinstance(record, Malformed):
                samples.append(record)
            elif self._take_next(record, received_utc_ns, samples):
                continue
            elif not self._config.channels or record.channel in self._config.channels:
                self._take(record, received_utc_ns, samples)
        return samples

    def _take_next(
        self, packet: ShakePacket, received_utc_ns: int, samples: list[Sample | Malformed]
    ) -> bool:
        """What `_take` does, for a packet as long as the last and exactly the next: nearly all."""
        channel = self._channels.get(packet.channel)
        start_utc_ns = packet.start_utc_ns
        if channel is None or start_utc_ns != channel.expected_utc_ns:
            return False
        span_ns = channel.span_ns
        end_utc_ns = start_utc_ns + span_ns
        if (
            start_utc_ns - channel.heard_utc_ns != span_ns
            or len(packet.counts) != channel.heard_count
            or abs(received_utc_ns - end_utc_ns) > self._limit_ns
            or self._shift_ns
            or self._step_ns
            or channel.held
        ):
            return False
        if channel.behind:
            self._forget_behind(channel, samples)
        self._off_clock = channel.odd_rate_streak = 0
        channel.arrived_utc_ns = received_utc_ns
        channel.heard_utc_ns = start_utc_ns
        channel.expected_utc_ns = end_utc_ns
        channel.tolerance_ns = span_ns // 2
        channel.seen.append(packet)
        samples.append(self._sample(packet, channel, 0))
        return True

    def _take(
        self, packet: ShakePacket, received_utc_ns: int, samples: list[Sample | Malformed]
    ) -> None:
        channel = self._channels.get(packet.channel)
        if channel is None:
            if len(self._channels) >= MAX_CHANNELS:
                samples.append(Malformed("channels", packet.channel))
                return
            velocity = GROUND_VELOCITY.fullmatch(packet.channel) is not None
            channel = _Channel(self._config.counts_per_m_s if velocity else 0.0)
            self._channels[packet.channel] = channel
        off_ns = received_utc_ns - packet.start_utc_ns - self._duration_ns(packet)
        if self._shift_ns or not -self._limit_ns <= off_ns <= self._limit_ns:
            if not self._follow_clock(packet, off_ns, samples):
                samples.append(Malformed("clock", _told(packet)))
                return
        else:
            self._off_clock = 0
        self._check_rate(packet, channel, samples)
        if packet.channel == self._slewing:
            self._slew(self._duration_ns(packet))
        self._order(self._shifted(packet), channel, received_utc_ns, samples)

    def _shifted(self, packet: ShakePacket) -> ShakePacket:
        shift_ns = self._shift_ns + self._step_ns
        if not shift_ns:
            return packet
        return ShakePacket(packet.channel, packet.start_utc_ns + shift_ns, packet.counts)

    def _order(
        self,
        packet: ShakePacket,
        channel: _Channel,
        received_utc_ns: int,
        samples: list[Sample | Malformed],
    ) -> None:
        start_utc_ns = packet.start_utc_ns
        expected = channel.expected_utc_ns
        if expected is None or abs(start_utc_ns - expected) <= channel.tolerance_ns:
            self._forget_behind(channel, samples)
            self._deliver(packet, received_utc_ns, channel, samples)
        # Not by its time alone: a clock that was set back gives the same times again.
        elif packet in channel.seen or any(packet == held for held, _ in channel.held):
            samples.append(Malformed("duplicate", _told(packet)))
            return
        elif start_utc_ns < expected:
            self._take_late(packet, channel, samples)
            return
        else:
            channel.held.append((packet, received_utc_ns))
            channel.held.sort(key=lambda held: held[0].start_utc_ns)
            if len(channel.held) >= HELD_PACKETS:
                self._deliver(*channel.held.pop(0), channel, samples)
        if channel.held:
            self._release(channel, samples)

    def _take_late(
        self, packet: ShakePacket, channel: _Channel, samples: list[Sample | Malformed]
    ) -> None:
        """A packet that is behind its time; many in a row are a clock that was set back."""
        behind = channel.behind
        near_ns = STEP_STREAK * self._duration_ns(packet)
        if behind and abs(packet.start_utc_ns - behind[-1].start_utc_ns) > near_ns:
            self._forget_behind(channel, samples)
        if packet in behind:
            samples.append(Malformed("duplicate", _told(packet)))
            return
        behind.append(packet)
        behind.sort(key=lambda late: late.start_utc_ns)
        if len(behind) < STEP_STREAK:
            return
        assert channel.expected_utc_ns is not None
        back_ns = channel.expected_utc_ns - behind[0].start_utc_ns
        self._step_ns += back_ns
        self._slewing = packet.channel
        text = f"device clock was set back by {back_ns / SECOND_NS:.3f} s"
        self._say("clock", True, channel.expected_utc_ns, text, samples)
        # Nothing was lost, in no channel: what waited goes on where the last packet ended.
        for other in self._channels.values():
            waiting, other.behind = other.behind, []
            other.held.clear()
            for each in waiting:
                start_utc_ns = each.start_utc_ns + back_ns
                moved = ShakePacket(each.channel, start_utc_ns, each.counts)
                self._deliver(moved, 0, other, samples)

    def _forget_behind(self, channel: _Channel, samples: list[Sample | Malformed]) -> None:
        """What was late is late: packets in their turn go on beside it."""
        samples += [Malformed("late", _told(each)) for each in channel.behind]
        channel.behind.clear()

    def _slew(self, duration_ns: int) -> None:
        less_ns = min(self._step_ns, round(SLEW * duration_ns))
        self._step_ns -= less_ns
        if not self._step_ns:
            self._slewing = ""

    def _release(self, channel: _Channel, samples: list[Sample | Malformed]) -> None:
        """Deliver held packets whose turn has come; drop those that were overtaken."""
        while channel.held and channel.expected_utc_ns is not None:
            early_ns = channel.held[0][0].start_utc_ns - channel.expected_utc_ns
            if early_ns > channel.tolerance_ns:
                return
            packet, received_utc_ns = channel.held.pop(0)
            if early_ns < -channel.tolerance_ns:
                samples.append(Malformed("late", _told(packet)))
            else:
                self._deliver(packet, received_utc_ns, channel, samples)

    def _deliver(
        self,
        packet: ShakePacket,
        received_utc_ns: int,
        channel: _Channel,
        samples: list[Sample | Malformed],
    ) -> None:
        start_utc_ns = packet.start_utc_ns
        missing = 0
        if channel.expected_utc_ns is not None:
            gap_ns = start_utc_ns - channel.expected_utc_ns
            if gap_ns > channel.tolerance_ns:
                missing = round(gap_ns * self._rate_hz / SECOND_NS)
                if self._step_ns:  # times move a little against the samples
                    count = len(packet.counts)
                    missing = max(1, round(missing / count)) * count
                # Had packets been lost, their time would have passed here too.
                passed_ns = received_utc_ns - channel.arrived_utc_ns
                long = gap_ns >= STEP_PACKETS * self._duration_ns(packet)
                if long and channel.arrived_utc_ns and passed_ns < gap_ns // 2:
                    missing = 0
                    text = f"device clock was set ahead by {gap_ns / SECOND_NS:.3f} s"
                    self._say("clock", True, start_utc_ns, text, samples)
        duration_ns = self._duration_ns(packet)
        channel.expected_utc_ns = start_utc_ns + duration_ns
        channel.tolerance_ns = duration_ns // 2
        channel.arrived_utc_ns = received_utc_ns
        channel.seen.append(packet)
        samples.append(self._sample(packet, channel, missing))

    def _sample(self, packet: ShakePacket, channel: _Channel, missing: int) -> WaveformSample:
        return WaveformSample(
            sensor_id=self._sensor_id,
            origin=self._origin,
            start_utc_ns=packet.start_utc_ns,
            rate_hz=self._rate_hz,
            channel=packet.channel,
            counts=np.array(packet.counts, INT32),
            counts_per_m_s=channel.counts_per_m_s,
            missing=missing,
        )

    def _follow_clock(
        self, packet: ShakePacket, off_ns: int, samples: list[Sample | Malformed]
    ) -> bool:
        """Whether to believe the packet's time, shifted; says when that changes.

        A station whose clock is off keeps its own spacing, so loss is still seen: one shift
        for all its channels puts the packet that proved it at its arrival.
        """
        if abs(off_ns) <= self._limit_ns:
            wanted_ns = 0
        elif self._shift_ns and abs(off_ns - self._shift_ns) <= self._limit_ns:
            self._off_clock = 0
            return True
        else:
            ends = [c.expected_utc_ns for c in self._channels.values() if c.expected_utc_ns]
            wanted_ns = max([off_ns] + [end - packet.start_utc_ns for end in ends])
        self._off_clock += 1
        if self._off_clock < CLOCK_STREAK:
            return False
        self._off_clock = 0
        self._shift_ns = wanted_ns
        self._step_ns, self._slewing = 0, ""
        for channel in self._channels.values():
            channel.held.clear()
            channel.behind.clear()
            channel.heard_count = channel.span_ns = 0
        text = f"device clock is {off_ns / SECOND_NS:+.3f} s behind the arrival"
        self._say("clock", wanted_ns != 0, packet.start_utc_ns + wanted_ns, text, samples)
        return True

    def _check_rate(
        self, packet: ShakePacket, channel: _Channel, samples: list[Sample | Malformed]
    ) -> None:
        """Adopt the rate that packets' spacing shows, after a streak that agrees on it."""
        spacing_ns = packet.start_utc_ns - channel.heard_utc_ns
        heard = channel.heard_count
        channel.heard_utc_ns, channel.heard_count = packet.start_utc_ns, len(packet.counts)
        channel.span_ns = self._duration_ns(packet)
        if spacing_ns <= 0 or not heard:
            return
        rate_hz = heard * SECOND_NS / spacing_ns
        if abs(rate_hz - self._rate_hz) <= 0.1 * self._rate_hz:
            channel.odd_rate_streak = 0
            return
        odd = next((known for known in RATES_HZ if abs(rate_hz - known) <= 0.02 * known), 0.0)
        same = odd > 0 and odd == channel.odd_rate_hz
        channel.odd_rate_streak = channel.odd_rate_streak + 1 if same else 1
        channel.odd_rate_hz = odd
        if odd and channel.odd_rate_streak >= RATE_STREAK:
            text = f"station runs at {odd:g} Hz, configured are {self._config.rate_hz:g}"
            self._rate_hz = odd
            for other in self._channels.values():
                other.odd_rate_streak = other.span_ns = 0
            utc_ns = packet.start_utc_ns + self._shift_ns
            self._say("rate", odd != self._config.rate_hz, utc_ns, text, samples)

    def _say(
        self, code: str, active: bool, utc_ns: int, text: str, samples: list[Sample | Malformed]
    ) -> None:
        samples.append(
            StatusSample(
                sensor_id=self._config.id,
                origin=self._origin,
                start_utc_ns=utc_ns,
                code=code,
                active=active,
                text=text,
            )
        )

    def _duration_ns(self, packet: ShakePacket) -> int:
        return round(len(packet.counts) * SECOND_NS / self._rate_hz)


def _told(packet: ShakePacket) -> str:
    return f"{packet.channel} {packet.start_utc_ns}"


def _build(config: SensorConfig, origin: Origin) -> Driver:
    assert isinstance(config, ShakeConfig)
    return ShakeDriver(config, origin)


SHAKE = DriverKind("shake-udp", ShakeConfig, _build, recordings=(DatacastCapture(),))
