"""One station: what its channels show bin by bin, one event at a time.

Each bin is judged by the channel that hears best. Activity is STA/LTA above its line or a level
over the quiet, which is that of the hour of the day where the site's days are known.
"""

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from fusion import walks
from fusion.kernels import seismic_look as kernel
from fusion.kernels import seismic_spectrum as spectrum
from fusion.kernels import seismic_steps as steps
from fusion.kernels import seismic_window as window
from fusion.kernels.seismic_calm import Calm
from fusion.kernels.seismic_layout import BANDS
from fusion.seismic_bank import FRAMES_PER_BIN, HIGHEST_SHARE, Bank
from fusion.seismic_ears import Ear, Ears
from fusion.seismic_event import ON_FEET, Event, Look
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
    ear: Ear
    now: list[float]
    """As `seismic_window.glance` has it."""
    utc_ns: int

    @property
    def is_warm(self) -> bool:
        """Whether the quiet is known: one LTA has been heard."""
        return self.now[window.NOW_RATIO] > 0.0


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
        self._spectrum: list[float] | None = None
        self._blows: list[int] = []
        """UTC ns of the blows in the last window."""
        self._bins = 0
        """Of the last window."""
        self._afoot = False
        """Whether the event has been somebody's who steps, whatever came by since."""
        self._last = 0
        """Bins that have been looked at, the last of which ended then:"""
        self._last_utc_ns = 0
        self._bank: Bank | None = None
        self._columns: dict[str, int] = {}
        self._names: list[str] = []
        self._stance = np.zeros(kernel.STANCE, np.int64)
        self._more = (
            self._preset.off,
            KEPT_GAIN,
            float(YOUNG_BINS),
            float(YOUNG_STEPS),
            YOUNG_NATS,
        )
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
        return self._event is None and not self._stance[kernel.TRIGGERED]

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
        if ear is None or not ear.fits(sample):
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
        if columns != self._columns or bank is not self._bank:
            self._sit(bank, columns)
        event, stance = self._event, self._stance
        self._last, self._last_utc_ns = bin_number + 1, end_utc_ns
        self._ask(event, bank, end_utc_ns)
        kernel.look(
            *bank.rings,
            self._calm,
            self._more,
            self._seats,
            self._opens.memory,
            bin_number + 1,
            end_utc_ns,
            stance,
            self._now,
            self._window,
            self._marks,
            self._bands,
            self._due,
        )
        *_, best, loud, walks, size, count, due = stance.tolist()
        if due:
            for ear, utc_ns in self._due[:due].tolist():
                self._opens.ears[ear].tail.learn(utc_ns)
        active = bool(loud or walks)
        if event is None and not active:
            return []
        name = self._names[best]
        at = Moment(bank, self._ears[name], self._now[best].tolist(), end_utc_ns)
        if active and size:
            self._date(at, size, count)
        if loud and event is not None and event.is_rhythm_alone and not walks:
            event = None  # what is loud now is something else
        if event is None:
            event = self._begin(at)
        self._calibrated = at.ear.calibrated
        event.hear(name, at.now, end_utc_ns, active=active, loud=bool(loud))
        if active:
            if self._preset.classed:
                event.weigh(self._view(event, at))
                if event.worth_telling(end_utc_ns):
                    return [self._detection(event, end_utc_ns, final=False)]
        elif end_utc_ns - event.active_utc_ns >= self._preset.end_after_s * SECOND_NS:
            return self._end(event.active_utc_ns)
        return []

    def _sit(self, bank: Bank, columns: Mapping[str, int]) -> None:
        """Which channels there are, and what calm is for their bank."""
        self._bank, self._columns = bank, dict(columns)
        self._names = list(columns)
        self._calm = self.calm(bank)
        ears = [
            (column, self._ears[name].row, name.endswith("Z")) for name, column in columns.items()
        ]
        self._seats = np.array([(0, *ear) for ear in ears], np.int64)
        self._now = np.zeros((len(columns), window.GLANCE))
        self._due = np.zeros((len(columns), 2), np.int64)

    def _ask(self, event: Event | None, bank: Bank, utc_ns: int) -> None:
        """What the kernel is to know of the event: its channel, and how long its window is."""
        stance, span_s = self._stance, self._policy.window_s
        stance[kernel.EVENT], stance[kernel.KEPT] = 0, -1
        if event is not None:
            span_s = min(span_s, event.since_start_s(utc_ns) + self._policy.lead_s)
            stance[kernel.EVENT] = 1
            if event.channel in self._columns:
                stance[kernel.KEPT] = self._names.index(event.channel)
        stance[kernel.WANTED] = round(span_s / bank.bin_s)

    def finish(self, utc_ns: int) -> list[Detection]:
        """Nothing more is coming: ends the event."""
        self._stance[kernel.TRIGGERED] = 0
        event = self._event
        return self._end(min(utc_ns, event.active_utc_ns)) if event is not None else []

    def _begin(self, at: Moment) -> Event:
        start_utc_ns = at.utc_ns - round(at.bank.bin_s * SECOND_NS)
        if not self._preset.classed:  # from the very sample on which the trigger went
            above = at.now[window.NOW_ABOVE]
            start_utc_ns = at.utc_ns - round(above * SECOND_NS / at.bank.kept_hz)
        elif self._stance[kernel.WALKS]:
            chain = int(self._window[window.STEPS_0 + steps.CHAIN])
            start_utc_ns = min(start_utc_ns, self._blows[-chain] - EARLY_NS)
        event = self._event = Event(start_utc_ns, self._policy, self._preset, at.bank.bin_s)
        event.young = not at.is_warm
        self._spectrum = None
        self._afoot = False
        return event

    def _date(self, at: Moment, size: int, count: int) -> None:
        """When there were blows in the window of so many bins that ends now."""
        frames, frame_ns = size * FRAMES_PER_BIN, at.bank.frame_s * SECOND_NS
        self._bins = size
        self._blows = [
            at.utc_ns - round((frames - place - 0.5) * frame_ns)
            for place in self._marks[:count].tolist()
        ]

    def _view(self, event: Event, at: Moment) -> Look:
        bank = at.bank
        if (event.course.bins - 1) % max(1, round(SPECTRUM_S / bank.bin_s)) == 0:
            self._listen(event, at)
        of = self._window.tolist()
        return Look(
            utc_ns=at.utc_ns,
            channel=event.channel,
            window_s=self._bins * bank.bin_s,
            level=of[window.RMS] / math.sqrt(at.now[window.NOW_FLOOR]),
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
        facts = event.facts(utc_ns, final=final, calibrated=self._calibrated)
        self._afoot = self._afoot or (facts["class"] in ON_FEET and bool(facts["sure"]))
        steps_heard = self._steps_heard(event) if self._afoot else None
        if steps_heard is not None:
            facts["passes"] = walks.with_steps(facts, steps_heard, event.start_utc_ns)
        return Detection(
            sensor_id=self._spec.sensor_id,
            family=self._spec.family,
            origin=self.origin,
            kind="seismic.event",
            start_utc_ns=event.start_utc_ns,
            end_utc_ns=utc_ns,
            facts=facts,
            final=final,
        )

    def _steps_heard(self, event: Event) -> walks.StepsHeard | None:
        """What is kept of steps, by a vertical if there is one.

        A horizontal that points along the way hears nothing of who is beside it.
        """
        bank = self._bank
        names = [name for name in self._columns if name.endswith("Z")] or [event.channel]
        if bank is None or not self._preset.classed or names[0] not in self._columns:
            return None
        bins = bank.rings[1][self._columns[names[0]]]
        return walks.StepsHeard.of(bins, self._last, bank, self._last_utc_ns)
