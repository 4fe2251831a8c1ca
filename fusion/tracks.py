"""What moves over the ground of a zone: events of several sensors that are one thing's.

An event joins a track as soon as it is heard, by what could be the same thing; who passed which
sensor when then says what is one thing (fusion.track_chains), and may part what was taken for one.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from fusion.association_policy import AssociationPolicy
from fusion.cells import Cell
from fusion.evidence import number
from fusion.step_curve import KEPT_SLOTS, SLOT_NS, StepCurve
from fusion.track_chains import DRIVES, WALKS, Chains, Pass
from fusion.track_incidents import Incident, incidents
from fusion.track_line import Line
from fusion.types import SECOND_NS, Detection, Fact, SensorSpec
from fusion.walks import Way, way

MAX_TRACKS_PER_ZONE = 32  # a flood of 30 simultaneous movers still fits
MAX_EVENTS_PER_ZONE = 256  # of 64 stations four each
MAX_PASSES = 40  # of a zone at a time; six walkers past six sensors
PASSED_NS = 6 * SECOND_NS  # a walker is 8 m further by then and half as loud: that was the peak
PEAK_SD_S = 2.0  # of the loudest moment as time of passage: a step is easily 30 % louder
PEAK_RISE_NATS = 2.0
ANY_WIDTH_S = 1e3
SAME_S = 3.0  # a passage told again has moved by less
WORTH_SAYING_S = 0.05  # and by more, to be weighed anew
TOLD_AGAIN_NS = 12 * SECOND_NS  # a passage that has been told for so long was one
FRESH_NS = 10 * SECOND_NS
SETTLED_NS = 20 * SECOND_NS
ACTIVE_NS = 12 * SECOND_NS  # an event that lasts is told again within this
WORST_SD_S = 2.5  # at 1.4 m/s that is half the way from one sensor to the next
SURE_SHARE = 0.4  # the end of an event tells means of all of it
BEFORE_NS = 40 * SECOND_NS  # somebody is named by then, 40 m further on
EARLIER_SLOTS = 3  # steps that came before the event was one
NEWS_SLOTS = 2  # three seconds: a walker is 4 m further
COMING_NS = SECOND_NS  # packets of other stations may come so much later than an event's
MOST_ASKED = 8  # so many sensors reach further than anybody walks meanwhile
LATE_NS = 3 * SECOND_NS  # who has not sent by then is not waited for
MASKED_RISE, MASKED_SD_S = 1.0, 2.0
"""Steps beside something louder are steps if they rise and fall clearly."""
SURE_VEHICLE = 0.5
ON_FOOT = ("person", "group", "animal")


@dataclass(slots=True, eq=False)
class Heard:
    """One event of one sensor, as it was told last and best."""

    latest: Detection
    manner: str | None = None
    """How that moves; None where it cannot be said."""
    words: dict[str | None, Detection] = field(default_factory=dict)
    """Its best word of what walks, of what drives, and of what may be either."""
    home: "Track | None" = None
    afoot_utc_ns: int = 0
    """When it was first said to be on foot; 0: never."""
    passes: list[Pass] = field(default_factory=list)
    peak: float = -1.0
    peak_utc_ns: int = 0

    @property
    def sensor_id(self) -> str:
        """Who heard it."""
        return self.latest.sensor_id

    @property
    def best(self) -> Detection:
        """Its best word of what it is taken for now."""
        return self.words[self.manner]

    def say(self, detection: Detection) -> None:
        """It is told again."""
        self.latest = detection
        self.manner = manner = _manner(detection)
        if manner == WALKS and not self.afoot_utc_ns:
            self.afoot_utc_ns = detection.end_utc_ns
        best = self.words.get(manner)
        if best is None or _kind(best) != _kind(detection) or _weight(detection) >= _weight(best):
            self.words[manner] = detection

    def word(self, manner: str | None) -> Detection | None:
        """Its best word for a track that moves like that; None: it is of something else."""
        if manner is None or self.manner is None or self.manner == manner:
            return self.best
        return self.words.get(manner)


@dataclass(slots=True, eq=False)
class Track:
    """Something that moves over the ground of a zone."""

    zone_id: str
    start_utc_ns: int
    end_utc_ns: int
    detections: dict[str, Detection] = field(default_factory=dict)
    """Each sensor's best word."""
    latest: dict[str, Detection] = field(default_factory=dict)
    """The last word of the same events."""
    on_wheels: bool = False
    """Whether any sensor takes it for a vehicle."""
    incident: Incident = field(default_factory=Incident)
    """Who passed which sensors when."""
    way: Way | None = None
    """By which all sensors' steps are explained best."""
    way_end: int = 0
    """The slot before which that was asked."""
    motion: Detection | None = None
    drop_off: Detection | None = None
    pick_up: Detection | None = None
    blinded: Detection | None = None
    cell: Cell | None = None
    """Its evidence in columns, as it was weighed last."""
    heard_utc_ns: int = 0
    """Until when this zone has heard it; a vehicle may be heard in the next one later."""
    meets: Mapping[str, Fact] = field(default_factory=dict)
    """What is told of it besides its way: a lane that it is at, zones that it has passed."""
    earlier: "Track | None" = None
    """The same vehicle in the zone before."""
    later: "Track | None" = None
    """And in the zone behind."""
    is_another: bool = False
    """It was taken for one that came from another zone, and is not."""

    @property
    def key(self) -> str:
        """What tells this incident from all others of the site."""
        return f"track/{self.zone_id}/{self.start_utc_ns}"

    @property
    def manner(self) -> str | None:
        """How it moves, where its passages have shown that."""
        leg = self.incident.leg
        return leg.last.manner if leg is not None else None

    def gather(self, events: Iterable[Heard]) -> None:
        """Take the best word of each sensor from its events."""
        self.detections, self.latest = {}, {}
        mine, own = list(events), self.manner
        moves = any(event.manner is not None for event in mine)
        for event in mine:
            word = event.word(own)
            if word is None:
                continue
            kept = self.detections.get(event.sensor_id)
            is_best = word is event.best
            last = event.latest if is_best else word
            if kept is None or _weight(word) >= _weight(kept):
                self.detections[event.sensor_id] = word
                self.latest[event.sensor_id] = last
            if not moves or (event.manner if is_best else _manner(word)) is not None:
                # wind keeps no walker about
                self.end_utc_ns = max(self.end_utc_ns, last.end_utc_ns)
                self.heard_utc_ns = max(self.heard_utc_ns, last.end_utc_ns)
        self.on_wheels = any(_manner(d) == DRIVES for d in self.detections.values())

    def weighed(self) -> list[tuple[Detection, float]]:
        """All detections, in a fixed order; of a vehicle also those of the zones behind."""
        rows = [(self.detections[name], 1.0) for name in sorted(self.detections)]
        cues = (self.motion, self.drop_off, self.pick_up, self.blinded)
        extra = [d for d in cues if d is not None]
        more = self.later.heard() if self.later is not None else []
        return rows + [(d, 1.0) for d in more] + [(d, 1.0) for d in extra]

    def heard(self) -> list[Detection]:
        """What its sensors say of it, and those of the zones behind, in a fixed order."""
        found = [self.detections[name] for name in sorted(self.detections)]
        return found + (self.later.heard() if self.later is not None else [])


class Zone:
    """The tracks of one zone, oldest first."""

    def __init__(
        self,
        zone_id: str,
        sensors: Iterable[SensorSpec],
        policy: AssociationPolicy,
        steps: Callable[[str, int], StepCurve | None] = lambda _name, _end_utc_ns: None,
    ) -> None:
        """`steps`: how strongly a sensor heard steps until a UTC in ns."""
        self.zone_id = zone_id
        self.places = {sensor.sensor_id: sensor.position_m for sensor in sensors}
        self.line = Line(self.places)
        self.tracks: list[Track] = []
        self._policy = policy
        self._steps = steps
        self._chains = Chains(self.line, policy)
        self._events: dict[tuple[str, int], Heard] = {}
        self._curves: dict[str, StepCurve] = {}
        self._owned: dict[Track, list[Heard]] = {}
        """The events of each track that was asked for since anything has changed."""
        self._at_rest: set[Track] = set()
        """Tracks of whose steps there is nothing to ask until something has changed."""

    def add(self, detection: Detection) -> list[Track]:
        """The tracks about which a detection says something, that of its own event first."""
        event, news = self._hear(detection)
        self._changed()
        if event.home is None or self._steps_out(event):
            event.home = self._home(event)
            self._changed()
        changed = [event.home]
        if news:
            changed += self._part()
            self._changed()
        if event.passes:
            changed += [
                track
                for track in self.tracks
                if any(p in event.passes for p in track.incident.passes)
            ]
        for track in dict.fromkeys(changed):
            track.gather(self._events_of(track))
            self._find_way(track, detection.end_utc_ns - COMING_NS, last=detection.final)
        return [track for track in dict.fromkeys(changed) if track.detections]

    def ask(self, now_utc_ns: int) -> list[Track]:
        """The tracks without a direction that may have one now.

        Sensors that tell nothing hear steps after the last event of those that do.
        """
        return [
            track
            for track in self.tracks
            if track not in self._at_rest
            and not (track.motion is not None and "direction" in track.motion.facts)
            and self._find_way(track, now_utc_ns - LATE_NS)
            and track.detections
        ]

    def _find_way(self, track: Track, end_utc_ns: int, *, last: bool = False) -> bool:
        """Ask all sensors which way somebody on foot went, where there is news of steps."""
        end = end_utc_ns // SLOT_NS
        if end - track.way_end < NEWS_SLOTS and not (last and end > track.way_end):
            return False
        if track.on_wheels or not self.line.is_one:
            track.way = None  # steps say nothing of wheels
            self._at_rest.add(track)
            return False
        afoot = [one for one in self._events_of(track) if one.afoot_utc_ns]
        if not afoot:
            self._at_rest.add(track)
            return False
        since = min(max(one.latest.start_utc_ns, one.afoot_utc_ns - BEFORE_NS) for one in afoot)
        first = max(since // SLOT_NS - EARLIER_SLOTS, end - KEPT_SLOTS)
        last_told = max(afoot, key=lambda one: (one.latest.end_utc_ns, one.sensor_id))
        # Whole slots: when exactly somebody asks makes no difference.
        curves = self._curves_about(last_told.sensor_id, end * SLOT_NS)
        track.way_end = end
        track.way = way(curves, self.line.along_m, first, end)
        return True

    def _curves_about(self, sensor_id: str, end_utc_ns: int) -> dict[str, StepCurve]:
        """What the sensors nearest to one have heard of steps until then."""
        along_m = self.line.along_m
        here_m = along_m[sensor_id]
        near = sorted(along_m, key=lambda name: (abs(along_m[name] - here_m), name))[:MOST_ASKED]
        for name in near:
            new, known = self._steps(name, end_utc_ns), self._curves.get(name)
            if new is not None:
                self._curves[name] = known.then(new) if known is not None else new
        return {name: self._curves[name] for name in near if name in self._curves}

    def _steps_out(self, event: Heard) -> bool:
        """Whether a vehicle has passed in an event, and it is somebody on foot now."""
        was_car = event.home is not None and event.home.manner == DRIVES
        return was_car and event.manner == WALKS

    def over(self, now_utc_ns: int) -> list[Track]:
        """Take out what has not been heard for too long, or is too much to follow."""
        gap_ns = self._policy.track_gap_s * SECOND_NS
        done = [
            track
            for track in self.tracks
            if now_utc_ns - track.end_utc_ns > gap_ns or not track.detections
        ]
        if not done and len(self.tracks) <= MAX_TRACKS_PER_ZONE:
            return []
        self.tracks = [track for track in self.tracks if track not in done]
        done += self.tracks[:-MAX_TRACKS_PER_ZONE]
        self.tracks = self.tracks[-MAX_TRACKS_PER_ZONE:]
        self._forget()
        self._changed()
        return done

    def _changed(self) -> None:
        """What was found out of events and tracks may be otherwise now."""
        self._owned.clear()
        self._at_rest.clear()

    def _forget(self) -> None:
        """Events and passages of tracks that are no more."""
        kept = {id(one) for track in self.tracks for one in track.incident.passes}
        for key, event in list(self._events.items()):
            if event.home not in self.tracks:
                event.passes = [one for one in event.passes if id(one) in kept]
                if not event.passes:
                    del self._events[key]

    def _hear(self, detection: Detection) -> tuple[Heard, bool]:
        """The event, and whether it says anything new of who passed when."""
        key = detection.sensor_id, detection.start_utc_ns
        event = self._events.get(key)
        if event is None:
            event = self._events[key] = Heard(detection)
            if len(self._events) > MAX_EVENTS_PER_ZONE:
                del self._events[next(iter(self._events))]
        event.say(detection)
        return event, self._note_passes(event)

    def _note_passes(self, event: Heard) -> bool:
        along_m = self.line.along_m[event.sensor_id]
        told = _told_passes(event)
        if not told and not event.passes:
            return False
        manners = {one.manner for one in told} | {event.manner}
        since_utc_ns = event.latest.end_utc_ns - TOLD_AGAIN_NS
        known = list(event.passes)
        news = False
        for new in told:
            age_ns = event.latest.end_utc_ns - new.at_utc_ns
            same = [
                p
                for p in known
                if abs(p.at_utc_ns - new.at_utc_ns) <= SAME_S * SECOND_NS
                and (p.manner == new.manner or age_ns <= FRESH_NS)
            ]
            if not same and not _is_sure(event, new):
                continue
            if not same:
                event.passes.append(
                    Pass(
                        event.sensor_id,
                        along_m,
                        new.at_utc_ns,
                        new.sd_s,
                        new.rise_nats,
                        new.width_s,
                        new.manner,
                    )
                )
                news = True
                continue
            one = min(
                same, key=lambda p: (p.manner != new.manner, abs(p.at_utc_ns - new.at_utc_ns))
            )
            known.remove(one)
            moved_s = abs(one.at_utc_ns - new.at_utc_ns) / SECOND_NS
            # What passed long ago is not seen better later on.
            if age_ns > SETTLED_NS and new.sd_s > one.sd_s:
                continue
            if moved_s >= WORTH_SAYING_S or one.manner != new.manner or new.sd_s < 0.8 * one.sd_s:
                one.at_utc_ns, one.sd_s, one.manner = new.at_utc_ns, new.sd_s, new.manner
                one.rise_nats, one.width_s = new.rise_nats, new.width_s
                news = True
        # What is not told again so soon was none.
        gone = [one for one in known if one.at_utc_ns >= since_utc_ns and one.manner in manners]
        event.passes = [one for one in event.passes if one not in gone]
        return news or bool(gone)

    def _home(self, event: Heard) -> Track:
        """The track that an event most likely continues, or a new one."""
        found: list[tuple[float, int, Track]] = []
        for i, track in enumerate(self.tracks):
            away_m = self._away_m(track, event)
            if away_m is not None:
                found.append((away_m, -i, track))
        if found:
            return min(found, key=lambda row: row[:2])[2]
        return self._begin(event.latest.start_utc_ns, event.latest.end_utc_ns)

    def _begin(self, start_utc_ns: int, end_utc_ns: int) -> Track:
        while any(track.start_utc_ns == start_utc_ns for track in self.tracks):
            start_utc_ns += 1  # two that began as one
        track = Track(self.zone_id, start_utc_ns, end_utc_ns, heard_utc_ns=end_utc_ns)
        self.tracks.append(track)
        return track

    def _away_m(self, track: Track, event: Heard) -> float | None:
        """How far from the sensor the track is, where the same thing can have caused both."""
        policy, heard = self._policy, event.latest
        after_s = (heard.start_utc_ns - track.heard_utc_ns) / SECOND_NS
        if after_s > policy.track_gap_s or not track.detections:
            return None
        if (event.manner == DRIVES) != track.on_wheels:
            return None  # who steps out of a vehicle is not the vehicle
        hearing_m = policy.vehicle_hearing_m if track.on_wheels else policy.walker_hearing_m
        here = self.places[event.sensor_id]
        active = [
            math.dist(here, self.places[other.sensor_id])
            for other in self._events_of(track)
            if heard.start_utc_ns - other.latest.end_utc_ns <= ACTIVE_NS and not other.latest.final
        ]
        if active:  # both sensors hear one thing somewhere between them
            return min(active) if max(active) <= 2.0 * hearing_m else None
        last = max(track.detections.values(), key=lambda d: (d.end_utc_ns, d.sensor_id))
        away_m = math.dist(here, self.places[last.sensor_id])
        reach_m = hearing_m + policy.track_speed_m_s * max(after_s, 0.0)
        return away_m if away_m <= reach_m else None

    def _events_of(self, track: Track) -> list[Heard]:
        """Events that are its own: it has passed there, or nobody else has."""
        found = self._owned.get(track)
        if found is None:
            found = self._owned[track] = self._find_events(track)
        return found

    def _find_events(self, track: Track) -> list[Heard]:
        mine = {id(one) for one in track.incident.passes}
        others: set[int] | None = None
        found = []
        for event in self._events.values():
            if mine and any(id(one) in mine for one in event.passes):
                found.append(event)
            elif event.home is track:
                if event.passes and others is None:
                    others = {
                        id(p)
                        for one in self.tracks
                        if one is not track
                        for p in one.incident.passes
                    }
                if not others or not any(id(p) in others for p in _of_its_like(event)):
                    found.append(event)
        return found

    def _part(self) -> list[Track]:
        """Weigh anew who passed which sensors; the tracks that have become others by it."""
        passes = [one for event in self._events.values() for one in event.passes]
        passes.sort(key=lambda one: (one.at_utc_ns, one.sensor_id))
        found = incidents(self._chains.of(passes[-MAX_PASSES:]), self.line, self._policy)
        before = {id(track): track.incident for track in self.tracks}
        owners = {id(one): track for track in self.tracks for one in track.incident.passes}
        homes = {id(p): event.home for event in self._events.values() for p in event.passes}
        for track in self.tracks:
            track.incident = Incident()
        waiting = []
        for incident in found:
            votes = Counter(owners[id(p)].start_utc_ns for p in incident.passes if id(p) in owners)
            taken = self._free(key for key, _ in sorted(votes.items(), key=lambda v: (-v[1], v[0])))
            if taken is None:
                waiting.append(incident)
            else:
                taken.incident = incident
        for incident in waiting:
            first = incident.legs[0].passes[0]
            home = homes.get(id(first))
            taken = self._free([home.start_utc_ns] if home is not None else [])
            if taken is None and incident.is_sure:
                taken = self._begin(first.at_utc_ns, first.at_utc_ns)
            if taken is not None:
                taken.incident = incident
        return [t for t in self.tracks if before.get(id(t)) != t.incident]

    def _free(self, starts: Iterable[int]) -> Track | None:
        """The first of the tracks that began then and has no chain yet."""
        by_start = {track.start_utc_ns: track for track in self.tracks if not track.incident.legs}
        return next((by_start[start] for start in starts if start in by_start), None)


class Told(NamedTuple):
    """A passage as a detection tells it."""

    at_utc_ns: int
    sd_s: float
    rise_nats: float
    width_s: float
    manner: str


def _told_passes(event: Heard) -> list[Told]:
    """Passages that are over."""
    detection = event.latest
    start = detection.start_utc_ns
    duration_s = (detection.end_utc_ns - start) / SECOND_NS
    told = detection.facts.get("passes")
    manner = event.manner
    if not isinstance(told, tuple | list):
        return [Told(*one, manner) for one in _by_peak(event, duration_s)] if manner else []
    found = []
    for one in told:
        if not isinstance(one, dict) or not (one.get("over") is True or detection.final):
            continue
        how = one.get("on", manner)
        at_s, sd_s = number(one, "at_s"), number(one, "sd_s", PEAK_SD_S)
        if how and -SAME_S <= at_s <= duration_s and sd_s <= WORST_SD_S:
            rise, width_s = number(one, "rise"), number(one, "width_s", ANY_WIDTH_S)
            found.append(Told(start + round(at_s * SECOND_NS), sd_s, rise, width_s, how))
    return found


def _by_peak(event: Heard, duration_s: float) -> list[tuple[int, float, float, float]]:
    """The loudest moment, where a station says no more than that."""
    detection = event.latest
    facts = detection.facts
    peak = number(facts, "peak_um_s", number(facts, "peak_counts"))
    if peak > event.peak:
        event.peak = peak
        peak_s = number(facts, "peak_s", duration_s)
        event.peak_utc_ns = detection.start_utc_ns + round(peak_s * SECOND_NS)
    if detection.final or detection.end_utc_ns - event.peak_utc_ns > PASSED_NS or event.passes:
        return [(event.peak_utc_ns, PEAK_SD_S, PEAK_RISE_NATS, ANY_WIDTH_S)]
    return []


def _is_sure(event: Heard, new: Told) -> bool:
    """Whether it is still what it was called: a car may come where somebody has walked."""
    classes = event.latest.facts.get("classes")
    if not isinstance(classes, Mapping):
        return False
    if new.manner == WALKS and event.manner != WALKS:
        return new.rise_nats >= MASKED_RISE and new.sd_s <= MASKED_SD_S
    names = ON_FOOT if new.manner == WALKS else ("vehicle",)
    return math.fsum(number(classes, name) for name in names) >= SURE_SHARE


def _weight(detection: Detection) -> float:
    """How much it says for any explanation."""
    return max(detection.nats.values(), default=0.0)


def _of_its_like(event: Heard) -> list[Pass]:
    """Its passages without those of a vehicle that somebody on foot was heard after."""
    walks = event.manner == WALKS
    return [one for one in event.passes if not (walks and one.manner == DRIVES)]


def _is_named(detection: Detection) -> bool:
    """Whether its class is more than the likeliest of many at the end of an event."""
    classes = detection.facts.get("classes")
    share = number(classes, "vehicle", 1.0) if isinstance(classes, Mapping) else 1.0
    return detection.facts.get("sure") is not False or share >= SURE_VEHICLE


def _kind(detection: Detection) -> Fact:
    """What it is; how many walk is another question than whether anybody does."""
    name = detection.facts.get("class")
    return "person" if name == "group" else name


def _manner(detection: Detection) -> str | None:
    """How what was heard moves; None where that cannot be said."""
    name: Fact = detection.facts.get("class")
    if name == "vehicle":
        return DRIVES if _is_named(detection) else None
    return WALKS if name in ON_FOOT else None
