"""`ground-shake`: a real Raspberry Shake that was moved once, through the replay.

The earthquake preset finds the one event, the footstep preset tells of no person.
"""

from drivers.wire.datacast import ShakePacket, parse_record
from edge.study.figures import Figure, no_alarms
from edge.study.ground_chain import ON_FOOT
from edge.study.ground_replay import replayed, seconds
from edge.study.packs import PackError, Settings

FOLDER, FILE = "shake", "R24FA-datacast.txt"
EVENT_S = (48.7, 85.6)
"""The one trigger of rsudp's own preset, recursive STA/LTA 6/30 s (facts/seismic.md 3.1)."""
PACKET_S = 0.25


def measure(settings: Settings) -> list[Figure]:
    """How far the event's ends are from the known ones, and who is told of."""
    path = settings.folder(FOLDER) / FILE
    if not path.is_file():
        raise PackError(f"{path}: there is no such file")
    first = parse_record(path.read_bytes().split(b"\n", 1)[0].strip())
    assert isinstance(first, ShakePacket)
    began_s = first.start_utc_ns / 1e9
    quake = replayed(path, [("preset", "earthquake")])
    found = [
        (seconds(one["start"]) - began_s, seconds(one["end"]) - began_s) for one in quake.ended
    ]
    off_s = (
        max((abs(at - known) for at, known in zip(found[0], EVENT_S, strict=True)), default=99.0)
        if found
        else 99.0
    )
    words = ", ".join(f"{start:.2f} to {end:.2f} s" for start, end in found) or "none"
    steps = replayed(path)
    events = ", ".join(
        f"{one['facts']['class']} {seconds(one['start']) - began_s:.1f} to "
        f"{seconds(one['end']) - began_s:.1f} s"
        for one in steps.ended
    )
    settings.say(f"preset earthquake: {words}; footsteps: {events or 'none'}")
    how = f"preset earthquake on {FILE}: {words}; known: {EVENT_S[0]} to {EVENT_S[1]} s"
    return [
        Figure(
            name="events of the earthquake preset",
            value=float(len(found)),
            unit="",
            goal="1",
            reached=len(found) == 1,
            how=how,
        ),
        Figure(
            name="its ends, off by at most",
            value=off_s,
            unit="s",
            goal=f"<= {PACKET_S:g}",
            reached=len(found) == 1 and off_s <= PACKET_S + 1e-9,
            how="of the known event; a packet has 0.25 s",
        ),
        no_alarms(
            "persons told by the footstep preset",
            steps.ringing(ON_FOOT),
            1,
            f"{FILE}; its events: {events or 'none'}",
        ),
    ]
