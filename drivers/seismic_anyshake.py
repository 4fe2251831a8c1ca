"""AnyShake Explorers on a serial line: their frames as samples, their several kinds of time.

Version 1 tells no time: samples are counted, and the count is dated by its arrival less the time
on the wire. Versions 2 and 3 tell milliseconds: UTC where they follow GNSS, else since boot, dated
by arrival as well. A frame's XOR misses 1 damage in 256, so what a frame says is held against
what was expected: one whose time or layout is another waits until the next frame agrees with it.
"""

import numpy as np

from drivers.base import Driver, DriverKind, SensorConfig
from drivers.seismic_anyshake_config import AnyShakeConfig
from drivers.seismic_anyshake_files import AnyShakeCapture
from drivers.seismic_anyshake_heard import (
    Heard,
    rate_of_arrivals,
    rate_of_times,
    refused,
    same_form,
)
from drivers.seismic_clock import JUMP_NS, ArrivalLine, Forward, transfer_ns
from drivers.seismic_config import GROUND_VELOCITY
from drivers.wire.anyshake import (
    FIXED_BYTES,
    AnyShakePacket,
    Layout,
    gnss_of,
    layout_of,
)
from drivers.wire.anyshake_stream import AnyShakeDecoder
from drivers.wire.malformed import Malformed
from fusion.types import (
    MILLISECOND_NS,
    SECOND_NS,
    Origin,
    Sample,
    SetupSample,
    StatusSample,
    WaveformSample,
)

OLD_RATES_HZ = (50.0, 100.0, 200.0, 250.0)
"""What the switches of versions 1 and 2 can be set to; their frames do not say."""
USUAL_RATE_HZ = 100.0
RATE_SPREAD = 0.12  # the positions are 25 % apart and more
STABLE_PACKETS = 10  # facts/seismic.md 1.2: so many in order are a stable stream
COUNTED_NS = 2 * SECOND_NS  # of arrivals: enough to tell 200 from 250 Hz, bursts or not
WAITING_PACKETS = 1000  # what is waited for comes long before, or never
LOST_NS = 30 * MILLISECOND_NS  # of version 1: less may be delay of the line, more is lost frames


class AnyShakeDriver:
    """Frames of one device to a `WaveformSample` for each channel.

    `Malformed` of an intact frame: `time`, it belongs to no time that the next frame knows.
    """

    def __init__(self, config: SensorConfig, origin: Origin) -> None:
        assert isinstance(config, AnyShakeConfig)
        self._config = config
        self._origin = origin
        self._decoder = AnyShakeDecoder(config.version)
        self._limit_ns = round(config.clock_limit_s * SECOND_NS)
        self._forward = Forward()
        self._rate_hz = 0.0
        self._layout: tuple[int, Layout | None] = (0, None)
        self._line: ArrivalLine | None = None
        """None: the device's time is UTC."""
        self._gnss: bool | None = None
        self._waiting: list[Heard] = []
        """What came since the start, or since the time jumped, until it is dated."""
        self._steady = False
        self._odd: Heard | None = None
        self._last: Heard | None = None
        self._jumped = False
        self._counted_ns = 0
        """Time of version 1: of the samples so far."""
        self._settings: tuple[tuple[str, str], ...] = ()

    def feed(self, data: bytes, received_utc_ns: int) -> list[Sample | Malformed]:
        """One `WaveformSample` a channel and frame; the first wait until they can be dated."""
        samples: list[Sample | Malformed] = []
        if not data:
            self._decoder.cut()
            self._odd = None
            if self._steady and self._version == 1:
                self._restart([])  # nothing says how much was missed
            return samples
        for record in self._decoder.feed(data):
            if isinstance(record, Malformed):
                samples.append(record)
            else:
                self._take(record, received_utc_ns, samples)
        return samples

    @property
    def _version(self) -> int:
        return self._layout[0]

    # --- in order ----------------------------------------------------------------------

    def _take(
        self, packet: AnyShakePacket, received_utc_ns: int, samples: list[Sample | Malformed]
    ) -> None:
        layout = layout_of(packet.config) if packet.version == 3 else None
        size = layout.frame_bytes if layout else FIXED_BYTES[packet.version]
        arrived_ns = received_utc_ns - transfer_ns(size, self._config.baud)
        heard = Heard(packet, arrived_ns, packet.time_ms * MILLISECOND_NS)
        same = (packet.version, layout) == self._layout
        if same and self._odd is not None and not same_form(self._odd, heard):
            samples.append(refused(self._odd))
            self._odd = None
        if not same:
            self._take_other(heard, (packet.version, layout), samples)
        elif not self._steady or self._gnss_has_changed(packet):
            self._wait(heard, samples)
        elif packet.version == 1:
            self._take_counted(heard, samples)
        else:
            self._take_timed(heard, samples)

    def _take_other(
        self,
        heard: Heard,
        layout: tuple[int, Layout | None],
        samples: list[Sample | Malformed],
    ) -> None:
        """A frame of another layout: the device was set anew, if a second one says so too."""
        odd, self._odd = self._odd, heard
        if not self._version or (odd is not None and same_form(odd, heard)):
            self._layout, self._odd = layout, None
            self._rate_hz = float(layout[1].rate_hz) if layout[1] else 0.0
            self._restart([odd] if odd is not None else [])
            self._wait(heard, samples)
        elif odd is not None:
            samples.append(refused(odd))

    def _take_timed(self, heard: Heard, samples: list[Sample | Malformed]) -> None:
        """A frame that tells its time: the next, one after a loss, or one to be confirmed."""
        assert self._last is not None
        odd, self._odd = self._odd, None
        if odd is not None and self._follows(odd, heard):
            if not self._is_loss(odd):
                self._say_jump(odd, samples)
                self._restart([odd])
                self._wait(heard, samples)
                return
            self._tell(odd, samples)
        elif odd is not None:
            samples.append(refused(odd))
        if self._follows(self._last, heard) or self._on_grid(heard):
            self._tell(heard, samples)
        else:
            self._odd = heard

    def _follows(self, before: Heard, heard: Heard) -> bool:
        duration_ns = self._duration_ns(before.packet)
        step_ns = heard.time_ns - before.time_ns - duration_ns
        return same_form(before, heard) and abs(step_ns) < duration_ns // 2

    def _is_loss(self, heard: Heard) -> bool:
        """Whether the time is ahead because frames were lost: then the arrival is as well."""
        assert self._last is not None
        step_ns = heard.time_ns - self._last.time_ns
        return step_ns > 0 and abs(step_ns - (heard.arrived_ns - self._last.arrived_ns)) < JUMP_NS

    def _on_grid(self, heard: Heard) -> bool:
        """Whether the time is what it would be after a few lost frames, to the millisecond."""
        assert self._last is not None
        duration_ns = self._duration_ns(heard.packet)
        step_ns = heard.time_ns - self._last.time_ns
        off_ns = (step_ns + duration_ns // 2) % duration_ns - duration_ns // 2
        return 0 < step_ns < JUMP_NS and abs(off_ns) <= MILLISECOND_NS and self._is_loss(heard)

    def _take_counted(self, heard: Heard, samples: list[Sample | Malformed]) -> None:
        assert self._last is not None
        if heard.arrived_ns - self._last.arrived_ns >= JUMP_NS:
            self._restart([])
            self._wait(heard, samples)
            return
        self._tell(self._counted(heard), samples)

    def _counted(self, heard: Heard) -> Heard:
        """With the time that counting its samples gives."""
        time_ns, self._counted_ns = self._counted_ns, self._counted_ns + self._duration_ns(heard[0])
        return heard._replace(time_ns=time_ns)

    # --- dating ------------------------------------------------------------------------

    def _restart(self, waiting: list[Heard]) -> None:
        self._steady, self._odd = False, None
        self._waiting = waiting
        if self._version != 3:
            self._rate_hz = 0.0

    def _wait(self, heard: Heard, samples: list[Sample | Malformed]) -> None:
        """Until enough has come to say how fast the device is, and when it began."""
        told = gnss_of(heard.packet)
        self._gnss = self._gnss if told is None else told
        if self._waiting:
            before = self._waiting[-1]
            step_ns = heard.time_ns - before.time_ns
            if self._version == 1:  # it has no time, but it sends twenty frames a second
                step_ns = max(1, heard.arrived_ns - before.arrived_ns)
            if not 0 < step_ns < JUMP_NS:
                samples += map(refused, self._waiting)
                self._waiting = []
        self._waiting.append(heard)
        count = len(self._waiting)
        # Behind the newest there may be more of the same burst: it is the one before that counts.
        waited_ns = self._waiting[-2].arrived_ns - self._waiting[0].arrived_ns if count > 1 else 0
        if self._version == 1:
            ready = waited_ns >= COUNTED_NS and count >= STABLE_PACKETS
        else:
            span_ns = heard.time_ns - self._waiting[0].time_ns
            ready = count >= STABLE_PACKETS or (count > 1 and span_ns >= COUNTED_NS)
            ready = ready and (self._is_utc(heard) or 2 * waited_ns >= SECOND_NS)
        if ready or count >= WAITING_PACKETS:
            self._begin(samples)

    def _begin(self, samples: list[Sample | Malformed]) -> None:
        """All that waited can be told."""
        waiting, self._waiting = self._waiting, []
        if self._version == 1:
            self._find_rate(rate_of_arrivals(waiting), samples)
            self._counted_ns = 0
            waiting = [self._counted(heard) for heard in waiting]
        elif self._version == 2:
            self._find_rate(rate_of_times(waiting), samples)
        self._line = None
        if not self._is_utc(waiting[-1]):
            jump_ns = max(LOST_NS, self._duration_ns(waiting[0].packet) * 3 // 4)
            self._line = ArrivalLine(1.0, jump_ns=jump_ns if self._version == 1 else JUMP_NS)
            self._line.anchor((self._end_ns(heard), heard.arrived_ns) for heard in waiting)
        self._steady = True
        self._last = None
        self._say_setup(waiting[0], samples)
        for heard in waiting:
            self._tell(heard, samples)
        if self._jumped:
            self._jumped = False
            self._say("clock", False, "the device's time is steady again", samples)

    def _is_utc(self, heard: Heard) -> bool:
        """Whether the device's time can be taken as it is."""
        off_ns = heard.arrived_ns - heard.time_ns
        return self._version != 1 and self._gnss is not False and abs(off_ns) <= self._limit_ns

    def _gnss_has_changed(self, packet: AnyShakePacket) -> bool:
        """Whether the device's time is now to be taken for another; then all is dated anew."""
        told = gnss_of(packet)
        if told is None or told == self._gnss:
            return False
        self._gnss = told
        if told == (self._line is None):
            return False
        self._restart([])
        return True

    def _find_rate(self, found_hz: float, samples: list[Sample | Malformed]) -> None:
        """The switch position that the pace is nearest to; a wrong configuration is told."""
        nearest = min(OLD_RATES_HZ, key=lambda rate_hz: abs(found_hz - rate_hz) / rate_hz)
        asked = self._config.rate_hz or 0.0
        if abs(found_hz / nearest - 1.0) > RATE_SPREAD:
            self._rate_hz = asked or USUAL_RATE_HZ
        elif abs(found_hz - asked) <= RATE_SPREAD * asked:
            self._rate_hz = asked
        else:
            self._rate_hz = nearest
        if asked and self._rate_hz != asked:
            text = f"device runs at {nearest:g} Hz, configured are {asked:g}"
            self._say("rate", True, text, samples)

    # --- telling -----------------------------------------------------------------------

    def _tell(self, heard: Heard, samples: list[Sample | Malformed]) -> None:
        packet = heard.packet
        duration_ns = self._duration_ns(packet)
        if self._line is not None:
            lost_ns = self._follow(self._line, heard, duration_ns)
            heard = heard._replace(time_ns=heard.time_ns + lost_ns)
        self._last = heard
        start_utc_ns = self._start_utc_ns(heard)
        gap_ns = start_utc_ns - self._forward.end_utc_ns if self._forward.end_utc_ns else 0
        missing = round(gap_ns * self._rate_hz / SECOND_NS) if 2 * gap_ns >= duration_ns else 0
        start_utc_ns = self._forward.begin(start_utc_ns, duration_ns)
        config = self._config
        for number, row in zip(packet.channels, packet.counts, strict=True):
            name = config.names[number - 1] if number <= len(config.names) else f"EX{number}"
            if config.channels and name not in config.channels:
                continue
            velocity = GROUND_VELOCITY.fullmatch(name) is not None
            samples.append(
                WaveformSample(
                    sensor_id=config.id,
                    origin=self._origin,
                    start_utc_ns=start_utc_ns,
                    rate_hz=self._rate_hz,
                    channel=name,
                    counts=np.array(row, np.int32),
                    counts_per_m_s=config.counts_per_m_s if velocity else 0.0,
                    missing=missing,
                )
            )

    def _follow(self, line: ArrivalLine, heard: Heard, duration_ns: int) -> int:
        """Keep the line; returns the time that version 1 has lost, as a lasting delay shows."""
        late_ns = line.hear(self._end_ns(heard), heard.arrived_ns)
        if not late_ns:
            return 0
        if self._version != 1 or late_ns < 0:
            line.anchor([(self._end_ns(heard), heard.arrived_ns)])
            return 0
        lost_ns = round(late_ns / duration_ns) * duration_ns
        self._counted_ns += lost_ns
        return lost_ns

    def _say_jump(self, heard: Heard, samples: list[Sample | Malformed]) -> None:
        assert self._last is not None
        step_ns = heard.time_ns - self._end_ns(self._last)
        self._jumped = True
        text = f"the device's time jumped by {step_ns / SECOND_NS:+.3f} s"
        self._say("clock", True, text, samples)

    def _say_setup(self, heard: Heard, samples: list[Sample | Malformed]) -> None:
        """What the device is set to, once and when it changes."""
        version, layout = self._layout
        settings = [("version", str(version)), ("rate_hz", f"{self._rate_hz:g}")]
        settings.append(("time", "utc" if self._line is None else "arrival"))
        if layout is not None:
            settings.append(("interval_ms", str(layout.interval_ms)))
            settings.append(("sample_bytes", " ".join(map(str, layout.sample_bytes))))
        if tuple(settings) == self._settings:
            return
        self._settings = tuple(settings)
        samples.append(
            SetupSample(
                sensor_id=self._config.id,
                origin=self._origin,
                start_utc_ns=max(self._forward.start_utc_ns, self._start_utc_ns(heard)),
                record="anyshake-setup",
                settings=self._settings,
            )
        )

    def _say(self, code: str, active: bool, text: str, samples: list[Sample | Malformed]) -> None:
        samples.append(
            StatusSample(
                sensor_id=self._config.id,
                origin=self._origin,
                start_utc_ns=self._forward.start_utc_ns,
                code=code,
                active=active,
                text=text,
            )
        )

    def _start_utc_ns(self, heard: Heard) -> int:
        return heard.time_ns if self._line is None else self._line.utc_ns(heard.time_ns)

    def _end_ns(self, heard: Heard) -> int:
        return heard.time_ns + self._duration_ns(heard.packet)

    def _duration_ns(self, packet: AnyShakePacket) -> int:
        return round(int(packet.counts.shape[1]) * SECOND_NS / self._rate_hz)


def _build(config: SensorConfig, origin: Origin) -> Driver:
    return AnyShakeDriver(config, origin)


ANYSHAKE = DriverKind("anyshake-serial", AnyShakeConfig, _build, recordings=(AnyShakeCapture(),))
