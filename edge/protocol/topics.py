"""Topics: the same tree on both brokers, one root for real and one for exercises.

A drill never rings as the real thing: whatever is not wholly from sensors lives below
`EXERCISE_ROOT`. What the centres say (`ops/...`) and the state of the edge itself are
always below `ROOT`, because sequence numbers are counted once for both roots.
"""

import re
from dataclasses import dataclass

ROOT = "garita/v1"
EXERCISE_ROOT = "garita-exercise/v1"
WITHHELD = "withheld"
"""The place of alerts whose own is withheld from a side."""

_NAME = re.compile(r"[a-z0-9-]{1,32}", re.ASCII)
_ALERT_ID = re.compile(r"[A-Za-z0-9-]{1,64}", re.ASCII)
_COUNT = re.compile(r"[1-9][0-9]{0,5}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertTopic:
    """What the topic of an alert stream says."""

    exercise: bool
    site: str
    place: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceTopic:
    """What the topic of a file says."""

    exercise: bool
    site: str
    alert_id: str
    n: int
    """Files of an alert are counted from 1 on, over all its revisions."""


def checked(name: str) -> str:
    """The name itself. ValueError unless it can be one level of a topic."""
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name for a topic: use 1 to 32 of a-z, 0-9 and -")
    return name


def root(exercise: bool) -> str:
    """The root below which an alert goes."""
    return EXERCISE_ROOT if exercise else ROOT


def alert_topic(root: str, site: str, place: str) -> str:
    """The stream of a lane or zone."""
    return f"{root}/{checked(site)}/{checked(place)}/alert"


def active_topic(root: str, site: str, place: str, alert_id: str) -> str:
    """Retained while an alert is active; cleared by an empty payload."""
    if not _ALERT_ID.fullmatch(alert_id):
        raise ValueError(f"{alert_id!r} is no alert id for a topic")
    return f"{root}/{checked(site)}/{checked(place)}/active/{alert_id}"


def evidence_topic(root: str, site: str, alert_id: str, n: int) -> str:
    """A file that belongs to an alert, sent before the revision that names it."""
    if not (_ALERT_ID.fullmatch(alert_id) and _COUNT.fullmatch(str(n))):
        raise ValueError(f"{alert_id!r} and {n} name no evidence")
    return f"{root}/{checked(site)}/evidence/{alert_id}/{n}"


def evidence_probe_topic(root: str, site: str) -> str:
    """Whether files may be written, asked deeper than files are: nobody who reads them hears it."""
    return f"{root}/{checked(site)}/evidence/probe/check/rights"


def state_topic(root: str, site: str) -> str:
    """Retained state of the edge, and its will."""
    return f"{root}/{checked(site)}/state"


def birth_topic(root: str, site: str) -> str:
    """Retained description of the edge."""
    return f"{root}/{checked(site)}/birth"


def health_topic(root: str, site: str, place: str) -> str:
    """Retained health of the sensors of a lane or zone."""
    return f"{root}/{checked(site)}/{checked(place)}/health"


def live_topic(root: str, site: str, place: str, kind: str) -> str:
    """Live data: QoS 0 with an expiry, never stored."""
    return f"{root}/{checked(site)}/{checked(place)}/live/{checked(kind)}"


def cursor_topic(root: str, side: str, site: str) -> str:
    """Retained, from a side's centre: what it has stored of a site."""
    return f"{root}/ops/{checked(side)}/cursor/{checked(site)}"


def ops_state_topic(root: str, side: str) -> str:
    """Retained state of a side's centre, and its will."""
    return f"{root}/ops/{checked(side)}/state"


def record_checkpoint_topic(root: str, site: str) -> str:
    """Retained: how far the common record of a site is, a signed note."""
    return f"{root}/{checked(site)}/record/checkpoint"


def record_checkpoint_filter(root: str) -> str:
    """The same of every site below a root."""
    return f"{root}/+/record/checkpoint"


def cosignature_topic(side: str, site: str) -> str:
    """Retained, from a side's centre: the checkpoint that it vouches for."""
    return f"{ROOT}/ops/{checked(side)}/cosignature/{checked(site)}"


def parse_record_checkpoint_topic(topic: str) -> tuple[str, str] | None:
    """Root and site of a record's checkpoint; None where it is another topic."""
    for one in (ROOT, EXERCISE_ROOT):
        site, _, rest = topic.removeprefix(f"{one}/").partition("/")
        if topic.startswith(f"{one}/") and rest == "record/checkpoint" and _NAME.fullmatch(site):
            return one, site
    return None


def command_filter(root: str, site: str) -> str:
    """Everything a centre asks of a site."""
    return f"{root}/{checked(site)}/cmd/#"


def alert_filter(root: str) -> str:
    """Every alert stream of every site below a root."""
    return f"{root}/+/+/alert"


def evidence_filter(root: str, site: str = "+") -> str:
    """Every file of every alert of a site, or of all, below a root."""
    return f"{root}/{site}/evidence/+/+"


def parse_evidence_topic(topic: str) -> EvidenceTopic | None:
    """What a file's topic says, or None where it is another topic."""
    for exercise in (False, True):
        prefix = root(exercise) + "/"
        levels = topic.removeprefix(prefix).split("/") if topic.startswith(prefix) else []
        match levels:
            case [site, "evidence", alert_id, n] if (
                _NAME.fullmatch(site) and _ALERT_ID.fullmatch(alert_id) and _COUNT.fullmatch(n)
            ):
                return EvidenceTopic(exercise=exercise, site=site, alert_id=alert_id, n=int(n))
    return None


def parse_alert_topic(topic: str) -> AlertTopic | None:
    """What an alert stream's topic says, or None where it is another topic."""
    for exercise in (False, True):
        prefix = root(exercise) + "/"
        if topic.startswith(prefix):
            site, _, rest = topic[len(prefix) :].partition("/")
            place, _, kind = rest.partition("/")
            if kind == "alert" and _NAME.fullmatch(site) and _NAME.fullmatch(place):
                return AlertTopic(exercise=exercise, site=site, place=place)
    return None
