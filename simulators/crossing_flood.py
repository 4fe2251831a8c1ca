"""A rush: within half a minute somebody comes to each of many stretches of a long fence.

For the alarms alone: whoever looks at the alerts must not get one for each, and none may be lost.
The stretches lie 300 m apart, so that nobody is heard at two of them.
"""

from random import Random

from simulators.crossing import SITE, Fence, Hour, fence_sensors
from simulators.crossing_ground import OF_FENCES
from simulators.scenario import Scenario

STRETCHES = 30
APART_M = 300.0
FIRST_S = 90.0  # the sensors know their background by then
WITHIN_S = 30.0
STRATA = ("person", "person", "group", "vehicle")


def stretches(number: int = STRETCHES) -> tuple[Fence, ...]:
    """So many, from south to north, three ground sensors each."""
    return tuple(
        Fence(
            zone=f"stretch-{index + 1:02d}",
            prefix=f"geo-{index + 1:02d}",
            first_m=(0.0, APART_M * index),
            sensors=3,
        )
        for index in range(number)
    )


def flood(
    seed: int, start_utc_ns: int, duration_s: float = 600.0, *, number: int = STRETCHES
) -> Scenario:
    """One thing at each stretch, all at once, and nothing else."""
    fences = stretches(number)
    random = Random(f"flood/{seed}")
    hour = Hour(
        name="flood",
        seed=seed,
        start_utc_ns=start_utc_ns,
        duration_s=duration_s,
        random=random,
        sensors=tuple(place for fence in fences for place in fence_sensors(fence)),
        lanes=(),
    )
    for fence in fences:
        at_s = FIRST_S + random.uniform(0.0, WITHIN_S)
        OF_FENCES[random.choice(STRATA)](hour, random, fence, at_s)
    return hour.scenario(wind_m_s=random.uniform(0.5, 3.0), site=SITE)
