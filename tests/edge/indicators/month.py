"""A small November by hand, with an entry of every kind; and strategies for others."""

from hypothesis import strategies as st

from edge.protocol.messages import rfc3339
from edge.record.entries import ASSIST, CODES, STEPS, Entry

NOVEMBER = 1_793_491_200_000_000_000  # 2026-11-01T00:00:00Z
DECEMBER = NOVEMBER + 30 * 86_400_000_000_000
SECOND = 1_000_000_000
DAY = 86_400 * SECOND


class Writer:
    """Entries one after the other; times as `day hh:mm[:ss]` of November."""

    def __init__(self):
        self.entries = []

    def add(self, when, kind, /, *, by="edge", place="", key="", **facts):
        if isinstance(when, str):
            day, clock = when.split()
            hours, minutes, seconds = (int(part) for part in (clock + ":00").split(":")[:3])
            when = (
                NOVEMBER + (int(day) - 1) * DAY + (hours * 3600 + minutes * 60 + seconds) * SECOND
            )
        self.entries.append(
            Entry(
                site="mariposa",
                index=len(self.entries),
                time=rfc3339(when),
                kind=kind,
                by=by,
                key=key or ("" if by == "edge" else f"{by.partition('/')[0]}-7"),
                place=place,
                facts=facts,
            )
        )
        return len(self.entries) - 1

    def alert(self, when, name, seq, *what, **more):
        event, level, direction = (*what, "northbound")[:3]
        facts = {"revision": 1, "epoch": "boot-1", "msg_type": "Alert", "exercise": False} | more
        place = facts.pop("place", "nb-01" if direction == "northbound" else "sb-01")
        facts |= {"id": name, "seq": seq, "event": event, "level": level, "direction": direction}
        return self.add(when, "alert", place=place, **facts)


def november():
    """The month of the golden files."""
    w = Writer()
    w.add("1 06:00", "start", epoch="boot-1", first_seq=1, software="garita 0.1.0")
    w.add("1 06:00", "config", digest="c0ffee" * 8, before="")
    for sensor in ("rpm-nb-01", "rpm-sb-01", "geo-01"):
        w.add("1 06:00:10", "sensor", sensor=sensor, up=True, reason="")
    w.add("1 06:00:10", "fallback", sensor="xray-nb-01", kind="xray-planes")
    for side in ("north", "south"):
        w.add("1 06:00:20", "side", side=side, connected=True, reason="")
    inhibit = {"event": "", "sensor": "geo-01", "place": "", "reason": "obra junto a la línea"}
    w.add("1 06:01", "inhibit", until="2026-11-01T14:01:00Z", **inhibit)
    _answered(w)
    _trouble(w)
    _asked(w)
    # Cut off without a stop, a day unknown, then on to the end.
    w.add("14 00:00", "count", lanes={}, since="2026-11-06T06:00:00.000000Z")
    w.add("15 00:00", "start", epoch="boot-2", first_seq=14, software="garita 0.1.0")
    w.add("15 00:00:10", "sensor", sensor="rpm-nb-01", up=True, reason="")
    w.add("15 00:00:20", "side", side="south", connected=True, reason="")
    w.add("15 00:00:30", "ack", by="north/operator", alert="nobody-knows-it")
    w.add("30 23:00", "stop", epoch="boot-2", clean=True)
    return w.entries


def _answered(w):
    # A source that the north stops and confirms; the south is told and helps.
    w.alert("2 08:00", "a-source", 1, "RAD_THREAT", 3)
    w.alert("2 08:00:05", "a-source", 2, "RAD_THREAT", 4, revision=2, msg_type="Update")
    w.add("2 08:00:20", "ack", by="north/operator", alert="a-source")
    w.add("2 08:00:50", "ack", by="south/operator", alert="a-source")
    w.add("2 08:02", "dispatch", by="north/supervisor", alert="a-source")
    w.add("2 08:06", "on-scene", by="north/operator", alert="a-source")
    w.add("2 08:10", "assist", by="north/supervisor", alert="a-source", what="spectroscopist")
    code = {"confirm": "RIID", "note_sha256": ""}
    w.add(
        "2 08:20",
        "adjudicate",
        by="north/operator",
        alert="a-source",
        code="REFERRED_SECONDARY",
        **code,
    )
    w.add(
        "2 10:00",
        "adjudicate",
        by="north/supervisor",
        alert="a-source",
        code="CONFIRMED_THREAT",
        **code,
    )
    w.alert("2 10:01", "a-source", 3, "RAD_THREAT", 4, revision=3, msg_type="Cancel")
    # Southbound: a load, a patient, and one on which the sides do not agree.
    w.alert("3 09:00", "a-load", 4, "RAD_THREAT", 2, "southbound")
    w.add("3 09:01", "ack", by="south/operator", alert="a-load")
    w.add(
        "3 09:15", "adjudicate", by="south/operator", alert="a-load", code="INNOCENT_NORM", **code
    )
    w.alert("4 09:00", "a-cargo", 5, "CARGO_ANOMALY", 3, "southbound")
    w.add("4 09:00:40", "ack", by="south/operator", alert="a-cargo")
    w.add("4 09:20", "adjudicate", by="south/operator", alert="a-cargo", code="UNRESOLVED", **code)
    w.add(
        "4 09:30",
        "adjudicate",
        by="north/operator",
        alert="a-cargo",
        code="FALSE_NOT_CONFIRMED",
        **code,
    )
    # A cow, and somebody whom nobody answered for; handed over first declined, then accepted.
    w.alert("5 02:00", "a-cow", 6, "PERSON", 2, "north-east", place="river")
    w.add(
        "5 02:03", "adjudicate", by="north/operator", alert="a-cow", code="NUISANCE_ANIMAL", **code
    )
    w.alert("5 03:00", "a-walk", 7, "PERSON", 2, None, place="river")
    w.add(
        "5 03:01",
        "hand-over",
        by="north/supervisor",
        alert="a-walk",
        step="offered",
        to="south",
        code="",
    )
    w.add(
        "5 03:03",
        "hand-over",
        by="south/supervisor",
        alert="a-walk",
        step="declined",
        to="north",
        code="no-patrol",
    )
    w.add(
        "5 03:10",
        "hand-over",
        by="north/supervisor",
        alert="a-walk",
        step="offered",
        to="south",
        code="",
    )
    w.add(
        "5 03:14",
        "hand-over",
        by="south/supervisor",
        alert="a-walk",
        step="accepted",
        to="north",
        code="",
    )
    w.add(
        "5 04:00",
        "hand-over",
        by="south/supervisor",
        alert="a-walk",
        step="closed",
        to="north",
        code="",
    )
    w.alert("5 05:00", "a-log", 8, "RAD_INNOCENT", 1)
    for day, passages in ((5, 400), (6, 600)):
        lanes = {
            "nb-01": {"passages": passages, "scans": 40},
            "sb-01": {"passages": 300, "scans": 0},
        }
        w.add(f"{day} 06:00", "count", lanes=lanes, since="2026-11-01T06:00:00.000000Z")
    # A drill, answered like the real thing.
    w.alert("6 10:00", "d-source", 9, "RAD_THREAT", 4, exercise=True)
    w.add("6 10:00:15", "ack", by="south/operator", alert="d-source")
    w.add("6 10:05", "adjudicate", by="south/operator", alert="d-source", code="EXERCISE", **code)


def _trouble(w):
    # A sensor that fails for an hour; its fault is told and was one.
    w.add("7 12:00", "sensor", sensor="geo-01", up=False, reason="no samples for 30 s")
    w.alert("7 12:00:01", "a-fault", 10, "SENSOR_FAULT", 2, None, place="river")
    told = {"alert": "a-fault", "code": "SENSOR_FAULT", "confirm": "", "note_sha256": ""}
    w.add("7 12:30", "adjudicate", by="north/operator", **told)
    w.add("7 13:00", "sensor", sensor="geo-01", up=True, reason="")
    w.add("7 13:00", "gap", sensor="geo-01", missing=14400, after="2026-11-07T12:00:00.000000Z")
    # The south is away for a day; two revisions wait, one never reached the record (seq 12).
    w.add("8 00:00", "side", side="south", connected=False, reason="timed out")
    w.alert("8 06:00", "a-truck", 11, "RAD_OVERRANGE", 4, "southbound")
    w.alert(
        "8 06:00:30", "a-truck", 13, "RAD_OVERRANGE", 4, "southbound", revision=2, msg_type="Update"
    )
    w.add("8 06:01", "ack", by="north/operator", alert="a-truck")
    w.add("9 00:00", "side", side="south", connected=True, reason="")


def _asked(w):
    # Shelving, refusals, changes.
    shelf = {"event": "PERSON", "sensor": "", "place": "river"}
    w.add(
        "10 06:00",
        "shelve",
        by="north/supervisor",
        until="2026-11-10T14:00:00Z",
        reason="fishing",
        **shelf,
    )
    w.add("10 08:30", "unshelve", by="north/supervisor", until="", reason="", **shelf)
    w.add(
        "10 09:00",
        "shelve",
        by="south/supervisor",
        until="2026-11-10T10:00:00Z",
        reason="pesca",
        **shelf,
    )
    w.add("10 10:00", "shelf-expired", until="", reason="", **shelf)
    w.add("11 06:00", "refused", by="south/operator", verb="shelve", why="source")
    w.add("11 06:01", "refused", by="north/operator", verb="rm -rf", why="unknown-verb")
    signed = {"what": ["thresholds"], "digest": "ab12" * 16}
    w.add("12 06:00", "change", by="north/admin", signers=["north-7", "south-7"], **signed)
    w.add(
        "12 07:00",
        "change-refused",
        by="north/admin",
        signers=["north-7"],
        why="one-signature",
        **signed,
    )
    w.add("12 07:01", "note", by="south/operator", alert="a-source", note_sha256="0f" * 32)


# --- any other month --------------------------------------------------------------------

names = st.sampled_from(("a", "b", "c", "<script>alert(1)</script>", "=1+1", ""))
anything = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=5,
)
sides = st.sampled_from(("north/operator", "south/operator", "south"))
FACTS = {
    "start": {"epoch": names, "first_seq": st.integers(0, 9)},
    "stop": {"epoch": names, "clean": st.booleans()},
    "config": {"digest": names, "before": names},
    "alert": {
        "id": names,
        "seq": st.integers(0, 20),
        "epoch": names,
        "event": st.sampled_from(("RAD_THREAT", "PERSON", "SENSOR_FAULT", "<b>")),
        "level": st.integers(1, 4),
        "direction": st.sampled_from(("northbound", "southbound", "east", None)),
        "exercise": st.booleans(),
    },
    **{kind: {"alert": names} for kind in ("ack", "dispatch", "on-scene")},
    "adjudicate": {"alert": names, "code": st.sampled_from((*CODES, "MADE_UP"))},
    "note": {"alert": names, "note_sha256": names},
    "assist": {"alert": names, "what": st.sampled_from(ASSIST)},
    "hand-over": {"alert": names, "step": st.sampled_from(STEPS), "to": names},
    **{
        kind: {
            "event": names,
            "sensor": names,
            "place": names,
            "until": st.sampled_from(("2026-11-02T00:00:00Z", "2026-12-02T00:00:00Z", "never")),
        }
        for kind in ("shelve", "unshelve", "shelf-expired", "inhibit")
    },
    "refused": {"verb": names, "why": names, "count": st.integers(0, 9)},
    "change": {"what": st.lists(names, max_size=2), "signers": st.lists(names, max_size=2)},
    "change-refused": {"what": names, "why": names},
    "fallback": {"sensor": names},
    "sensor": {"sensor": names, "up": st.booleans()},
    "side": {"side": names, "connected": st.booleans()},
    "gap": {"sensor": names, "missing": st.integers(0, 100)},
    "count": {
        "lanes": st.dictionaries(
            names,
            st.fixed_dictionaries({"passages": st.integers(0, 50), "scans": st.integers(0, 50)}),
        )
    },
}


@st.composite
def months(draw, most=25):
    """Entries of one record in their order; now and then with facts that are not as they should."""
    w = Writer()
    when = NOVEMBER - 2 * DAY
    for _ in range(draw(st.integers(0, most))):
        when += draw(st.integers(-3600, 3 * 86_400)) * SECOND
        kind = draw(st.sampled_from(sorted(FACTS)))
        odd = draw(st.integers(0, 9)) == 0
        facts = {name: draw(anything if odd else value) for name, value in FACTS[kind].items()}
        w.entries.append(
            Entry(
                site="mariposa",
                index=len(w.entries),
                time=rfc3339(when),
                kind=kind,
                by=draw(sides | st.just("edge")),
                place=draw(names),
                facts=facts,
            )
        )
    return w.entries
