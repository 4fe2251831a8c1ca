"""Ways to fuse the same tape: Garita, Garita without something, and what others would do.

Every one hears the same detections. What is left out is left out of the checkpoint too, so that
nobody is blamed for the silence of a sensor that is not there.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from fusion.policy import Policy, ScoringPolicy
from fusion.types import Checkpoint, Detection, Family

UNCAPPED_NATS = 1e9
GARITA, NAIVE = "Garita", "naive sum"


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """One way."""

    name: str
    checkpoint: Callable[[Checkpoint], Checkpoint]
    policy: Callable[[Policy], Policy]
    keep: Callable[[Detection], bool] | None = None


def same_checkpoint(checkpoint: Checkpoint) -> Checkpoint:
    """Nothing is left out."""
    return checkpoint


def same_policy(policy: Policy) -> Policy:
    """Nothing is changed."""
    return policy


def with_families(*families: Family) -> Callable[[Checkpoint], Checkpoint]:
    """Only the sensors of these families."""

    def reduced(checkpoint: Checkpoint) -> Checkpoint:
        return replace(
            checkpoint,
            sensors=tuple(spec for spec in checkpoint.sensors if spec.family in families),
        )

    return reduced


def without_sensor(sensor_id: str) -> Callable[[Checkpoint], Checkpoint]:
    """All sensors but one."""

    def reduced(checkpoint: Checkpoint) -> Checkpoint:
        kept = tuple(spec for spec in checkpoint.sensors if spec.sensor_id != sensor_id)
        return replace(checkpoint, sensors=kept)

    return reduced


def with_rho(rho: float) -> Callable[[Policy], Policy]:
    """All sensors of one trigger correlated so much, wherever they stand."""

    def changed(policy: Policy) -> Policy:
        return replace(policy, scoring=_correlated(policy.scoring, rho))

    return changed


def _correlated(scoring: ScoringPolicy, rho: float) -> ScoringPolicy:
    return replace(
        scoring,
        group_rho={name: 0.0 if name == "fusion" else rho for name in scoring.group_rho},
        ground_rho=(rho, rho, scoring.ground_rho[2]),
    )


def naive(policy: Policy) -> Policy:
    """All that sensors say added up: no correlation, no caps, nothing that several say together."""
    scoring = policy.scoring
    caps: Mapping[str, float] = {
        kind: 0.0 if kind.startswith("fusion.") else UNCAPPED_NATS for kind in scoring.caps_nats
    }
    return replace(policy, scoring=replace(_correlated(scoring, 0.0), caps_nats=caps))


_ALL = (Family.RADIATION, Family.XRAY, Family.SEISMIC)
_CALLED: Mapping[Family, str] = {
    Family.RADIATION: "portals",
    Family.XRAY: "scanners",
    Family.SEISMIC: "ground sensors",
}


def systems() -> list[System]:
    """Garita first, then what is left out, then what is changed."""
    found = [System(name=GARITA, checkpoint=same_checkpoint, policy=same_policy)]
    for family in _ALL:
        rest = with_families(*(other for other in _ALL if other is not family))
        name = f"without {_CALLED[family]}"
        found.append(System(name=name, checkpoint=rest, policy=same_policy))
    for family in _ALL:
        name = f"{_CALLED[family]} alone"
        found.append(System(name=name, checkpoint=with_families(family), policy=same_policy))
    for rho in (0.0, 0.3, 0.5):
        name = f"rho = {rho:g} everywhere"
        found.append(System(name=name, checkpoint=same_checkpoint, policy=with_rho(rho)))
    found.append(System(name=NAIVE, checkpoint=same_checkpoint, policy=naive))
    return found
