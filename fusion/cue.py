"""What every cue is: a detection of the source `fusion`, made of what sensors have said."""

from collections.abc import Mapping, Sequence

from fusion.evidence import weigh
from fusion.types import Detection, Fact, Family, Origin

FUSION = "fusion"


def cue(
    kind: str, members: Sequence[Detection], facts: Mapping[str, Fact], family: Family
) -> Detection:
    """The cue that these detections make together; like any other it speaks in nats."""
    origins = {member.origin for member in members}
    return weigh(
        Detection(
            sensor_id=FUSION,
            family=family,
            origin=next(iter(sorted(origins - {Origin.SENSOR})), Origin.SENSOR),
            kind=kind,
            start_utc_ns=min(member.start_utc_ns for member in members),
            end_utc_ns=max(member.end_utc_ns for member in members),
            facts=facts,
        )
    )
