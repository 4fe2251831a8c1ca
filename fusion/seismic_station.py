"""One station: what its channels show bin by bin, one event at a time.

Each bin is judged by the channel that hears best. Activity is STA/LTA above its line or a level
over the quiet, which is that of the hour of the day where the site's days are known.
"""

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from fusion.kernels import seismic_spectrum as spectrum
from fusion.kernels import seismic_steps as steps
from fusion.kernels import seismic_window as window
from fusion.kernels.seismic import BANDS
from fusion.kernels.seismic_calm import Calm
from fusion.seismic_bank import FRAMES_PER_BIN, HIGHEST_SHARE, Bank
from fusion.seismic_ears import Ear, Ears
from fusion.seismic_event import Event, Look
from fusion.seismic_policy import SeismicPolicy
from fusion.seismic_presets import PRESETS, Preset
from fusion.types import SECOND_NS, Detection, Origin, SensorSpec, WaveformSample

VERTICAL_GAIN = 1.25
"""So much better a horizontal must hear to be used: steps and axles shake the ground up and
down (Rayleigh waves), and the classes are tuned on verticals."""
KEPT_GAIN = 1.5
"""So much better another channel must hear to be used in the middle of an event: levels and
peaks of different channels do not compare."""
QUIET_KEPT_S = 30.0  # of the bands' quiet, longer than a gust
LEARN_S = 5.0  # between two spectra of the background
SPECTRUM_S = 1.0  # between two of an event
WHOLE_S = 3.0  # an event's first spectra have one window, and what came before it not
HOURS_S = 1.0
LAG_SLACK_S = 2.0  # a channel that is nearly given up is looked at closely
STIRRING = 1.12
"""rms of two seconds over the floor, from which steps are looked for: faint ones, of four times
the noise's rms, twice a second."""
YOUNG_BINS = 12
"""So many bins, and steps are looked for that speak for themselves, before the quiet is known."""
YOUNG_STEPS, YOUNG_NATS = 5, 6.0
"""What they must be then: the filters are still settling, and the floor is what was heard."""
WALKING_STEPS, WALKING_NATS, WALKING_S = 3, 3.0, 1.0
"""Steps of a chain that is activity by itself, what it says, and how old its last may be."""
EARLY_NS = SECOND_NS // 10  # a step begins before it peaks


class Moment(NamedTuple):
    """The end of a bin, as the channel that hears it best has it."""

    bank: Bank
    ring: window.Ring
    ear: Ear
    last: int
    """Bins that are finished."""
    utc_ns: int


def _stirs(ear: Ear) -> bool:
    """Whether it is loud enough for somebody to walk, where nothing else says so."""
    if ear.is_warm:
        return ear.now[window.NOW_LEVEL_2S] >= STIRRING
    return ear.bins >= YOUNG_BINS


class Station:
    """Looks at its columns of a bank whenever they have finished a bin."""

    def __init__(self, spec: SensorSpec, policy: SeismicPolicy, ears: Ears | None = None) -> None:
        """`ears`: where what it learns is kept, with that of others."""
        self.origin = Origin.SENSOR
        """Of the samples; set by whoever feeds the bank."""
        self._spec = spec
        self._policy = policy
        self._preset: Preset = PRESETS[spec.preset]
        self._opens = ears or Ears()
        self._ears: dict[str, Ear] = {}
        self._event: Event | None = None
        self._calibrated = True
        self._triggered = False
        self._spectrum: list[float] | None = None
        self._blows: list[int] = []
        """UTC ns of the blows in the last window."""
        self._bins = 0
        """Of the last window."""
        self._young = True
        self._glance = np.zeros(window.GLANCE)
        self._window = np.zeros(window.FEATURES)
        self._marks = np.zeros(steps.MOST)
        self._lines = np.zeros(spectrum.FEATURES)
        self._bands = np.zeros(BANDS)

    @property
    def event(self) -> Event | None:
        """What is going on; None: nothing."""
        return self._event

    @property
    def is_calm(self) -> bool:
        """Nothing goes on: quiet bins may be passed over, as `kernels.seismic_calm` does."""
        return self._event is None and not self._triggered

    def ear(self, channel: str) -> Ear:
        """What it knows of a channel that it has heard."""
        return self._ears[channel]

    def calm(self, bank: Bank) -> Calm:
        """What it takes for calm."""
        preset, bin_s = self._preset, bank.bin_s
        return Calm(
            bin_samples=float(bank.bin_samples),
            frame_hz=1.0 / bank.frame_s,
            bin_s=bin_s,
            bin_ns=bin_s * SECOND_NS,
            level_on=preset.level_on,
            stirring=STIRRING if preset.classed else math.inf,
            window_bins=round(self._policy.window_s / bin_s),
            chain_steps=WALKING_STEPS,
            chain_nats=WALKING_NATS,
            chain_age_s=WALKING_S,
            vertical_gain=VERTICAL_GAIN,
            hour_bins=max(1, round(HOURS_S / bin_s)),
            spectrum_bins=max(1, round(LEARN_S / bin_s)),
            quiet_keep=bin_s / QUIET_KEPT_S,
            lag_bins=math.floor((self._policy.silent_s - LAG_SLACK_S) / bin_s),
        )

    def open(self, sample: WaveformSample) -> Ear:
        """What it knows of the channel of this packet; nothing, where it is new."""
        ear = self._ears.get(sample.channel)
        if ear is None or ear.tail.rate_hz != sample.rate_hz:
            ear = self._ears[sample.channel] = self._opens.open(sample, ear)
        return ear

    def hear(self, sample: WaveformSample) -> None:
        """A packet of one of its channels, before the bank has it."""
        self.open(sample).tail.keep(sample)

    def look(
        self, bank: Bank, columns: Mapping[str, int], bin_number: int, end_utc_ns: int
    ) -> list[Detection]:
        """What the bin of that number, which ended then, brings.

        `columns` are those of the bank that have finished it, by channel.
        """
        if not columns:
            return []
        frames, bins = bank.rings
        samples, frame_hz = float(bank.bin_samples), 1.0 / bank.frame_s
        rings = {
            name: window.Ring(frames[column], bins[column], samples, frame_hz)
            for name, column in columns.items()
        }
        for name, ring in rings.items():
            ear = self._ears[name]
            window.glance(ring, bin_number + 1, ear.hours.quietest(end_utc_ns), self._glance)
            ear.now = self._glance.tolist()
            ear.bins += 1
        name = self._hears_best(columns)
        at = Moment(bank, rings[name], self._ears[name], bin_number + 1, end_utc_ns)
        loud = active = self._is_active(at)
        if self._preset.classed and (self._event is not None or active or _stirs(at.ear)):
            self._measure(at)
            active = loud or self._walks()
        if self._event is None and not active:
            self._rest(rings, at)
            return []
        if loud and self._event is not None and self._event.is_rhythm_alone and not self._walks():
            self._event = None  # what is loud now is something else
        event = self._event or self._begin(at)
        self._learn_hours(rings, at)
        self._calibrated = at.ear.calibrated
        event.hear(name, at.ear.now, end_utc_ns, active=active, loud=loud)
        if active:
            if self._preset.classed:
                event.weigh(self._view(event, at))
                if event.worth_telling(end_utc_ns):
                    return [self._detection(event, end_utc_ns, final=False)]
        elif end_utc_ns - event.active_utc_ns >= self._preset.end_after_s * SECOND_NS:
            return self._end(event.active_utc_ns)
        return []

    def finish(self, utc_ns: int) -> list[Detection]:
        """Nothing more is coming: ends the event."""
        self._triggered = False
        event = self._event
        return self._end(min(utc_ns, event.active_utc_ns)) if event is not None else []

    def _begin(self, at: Moment) -> Event:
        start_utc_ns = at.utc_ns - round(at.bank.bin_s * SECOND_NS)
        if not self._preset.classed:  # from the very sample on which the trigger went
            above = at.ear.now[window.NOW_ABOVE]
            start_utc_ns = at.utc_ns - round(above * SECOND_NS / at.bank.kept_hz)
        elif self._walks():
            chain = int(self._window[window.STEPS_0 + steps.CHAIN])
            start_utc_ns = min(start_utc_ns, self._blows[-chain] - EARLY_NS)
        event = self._event = Event(start_utc_ns, self._policy, self._preset, at.bank.bin_s)
        event.young = not at.ear.is_warm
        self._spectrum = None
        return event

    def _is_active(self, at: Moment) -> bool:
        preset, now = self._preset, at.ear.now
        if not at.ear.is_warm:
            return False
        if now[window.NOW_ABOVE] > 0.0:
            self._triggered = True
        elif now[window.NOW_RATIO] < preset.off:
            self._triggered = False
        level_on = preset.level_on * at.ear.hours.raised(at.utc_ns)
        return self._triggered or now[window.NOW_LEVEL_1S] >= level_on

    def _hears_best(self, columns: Mapping[str, int]) -> str:
        """The channel with the highest STA/LTA; of near-equals the one in use, then a vertical."""
        kept = self._event.channel if self._event is not None else ""
        best, most = "", -1.0
        for name in columns:
            gain = VERTICAL_GAIN if name.endswith("Z") else 1.0
            gain *= KEPT_GAIN if name == kept else 1.0
            ratio = self._ears[name].now[window.NOW_RATIO] * gain
            if ratio > most:
                best, most = name, ratio
        return best

    def _rest(self, rings: Mapping[str, window.Ring], at: Moment) -> None:
        """Nothing happens: learn what that is like."""
        self._learn_hours(rings, at)
        learn = at.last % max(1, round(LEARN_S / at.bank.bin_s)) == 0
        for name, ring in rings.items():
            ear = self._ears[name]
            if not ear.is_warm:
                continue
            ear.quiet_bins += 1
            keep = max(1.0 / ear.quiet_bins, at.bank.bin_s / QUIET_KEPT_S)
            window.settle(ring, at.last, keep, ear.quiet)
            if learn:
                ear.tail.learn(at.utc_ns)

    def _learn_hours(self, rings: Mapping[str, window.Ring], at: Moment) -> None:
        each = max(1, round(HOURS_S / at.bank.bin_s))
        if at.last % each:
            return
        for name in rings:
            ear = self._ears[name]
            hours, now = ear.hours, ear.now
            level = now[window.NOW_LEVEL_1S]
            if ear.is_warm:
                hours.learn(at.utc_ns, now[window.NOW_FLOOR], level, each * at.bank.bin_s)

    def _walks(self) -> bool:
        """Whether the window ends with steps that are alike, at a steady pace."""
        blows = self._window[window.STEPS_0 :]
        return bool(
            self._blows
            and blows[steps.CHAIN] >= (YOUNG_STEPS if self._young else WALKING_STEPS)
            and blows[steps.CHAIN_NATS] >= (YOUNG_NATS if self._young else WALKING_NATS)
            and blows[steps.CHAIN_AGE_S] <= WALKING_S
        )

    def _measure(self, at: Moment) -> None:
        """Describe the window that ends now, and when there were blows in it."""
        policy, event, bank = self._policy, self._event, at.bank
        span_s = policy.window_s
        if event is not None:
            span_s = min(span_s, event.since_start_s(at.utc_ns) + policy.lead_s)
        self._bins = max(2, min(round(span_s / bank.bin_s), at.last, at.ear.bins))
        self._young = not at.ear.is_warm
        count = window.describe(at.ring, at.last, self._bins, self._window, self._marks)
        size, frame_ns = self._bins * FRAMES_PER_BIN, bank.frame_s * SECOND_NS
        self._blows = [
            at.utc_ns - round((size - place - 0.5) * frame_ns)
            for place in self._marks[:count].tolist()
        ]

    def _view(self, event: Event, at: Moment) -> Look:
        ear, bank = at.ear, at.bank
        window.bands(at.ring, at.last, self._bins, ear.quiet, self._bands)
        if (event.course.bins - 1) % max(1, round(SPECTRUM_S / bank.bin_s)) == 0:
            self._listen(event, at)
        of = self._window.tolist()
        return Look(
            utc_ns=at.utc_ns,
            channel=event.channel,
            window_s=self._bins * bank.bin_s,
            level=of[window.RMS] / math.sqrt(ear.now[window.NOW_FLOOR]),
            of=of,
            bands=self._bands.tolist(),
            spectrum=self._spectrum,
            top_hz=HIGHEST_SHARE * bank.kept_hz,
            blows_utc_ns=self._blows,
        )

    def _listen(self, event: Event, at: Moment) -> None:
        """The spectrum of the last seconds, beyond what is always there."""
        tail, at_s = at.ear.tail, event.since_start_s(at.utc_ns)
        power = tail.power(at.utc_ns, 2 if at_s >= WHOLE_S else 1)
        if power is None:
            return
        spectrum.lines(power, tail.background, tail.hz, tail.top_hz, self._lines)
        self._spectrum = self._lines.tolist()
        event.course.hum(at_s, self._spectrum)

    def _end(self, utc_ns: int) -> list[Detection]:
        event, self._event = self._event, None
        if event is None:
            return []
        duration_s = (event.active_utc_ns - event.start_utc_ns) / SECOND_NS
        if not event.name and (duration_s < self._policy.shortest_s or not event.was_loud):
            return []
        return [self._detection(event, max(utc_ns, event.active_utc_ns), final=True)]

    def _detection(self, event: Event, utc_ns: int, *, final: bool) -> Detection:
        return Detection(
            sensor_id=self._spec.sensor_id,
            family=self._spec.family,
            origin=self.origin,
            kind="seismic.event",
            start_utc_ns=event.start_utc_ns,
            end_utc_ns=utc_ns,
            facts=event.facts(utc_ns, final=final, calibrated=self._calibrated),
            final=final,
        )
