"""Vehicles that are heard beside a lane: its own traffic, or somebody who goes around the portal.

A truck is heard before it reaches the portal and after it has left, so nothing is said until the
portals have had the time to count it.
"""

import math
from collections.abc import Mapping

from fusion.associate import Lane
from fusion.association_policy import AssociationPolicy
from fusion.types import SECOND_NS, Detection, SensorSpec

MAX_HELD = 64  # four lanes' trucks within the wait, each heard by sixteen stations


class Roadside:
    """Holds what is heard until the portals have spoken."""

    def __init__(self, lanes: Mapping[str, Lane], policy: AssociationPolicy) -> None:
        self._lanes = lanes
        self._policy = policy
        self._held: list[tuple[Detection, SensorSpec]] = []

    def hold(self, detection: Detection, spec: SensorSpec) -> bool:
        """Whether it has to wait: a vehicle within earshot of a lane."""
        if detection.facts.get("class") != "vehicle" or not self._near(spec):
            return False
        # The same event told again takes the place of what was told before.
        self._held = [
            held
            for held in self._held
            if (held[0].sensor_id, held[0].start_utc_ns)
            != (detection.sensor_id, detection.start_utc_ns)
        ]
        self._held.append((detection, spec))
        del self._held[:-MAX_HELD]
        return True

    def due(self, now_utc_ns: int) -> list[tuple[Detection, SensorSpec]]:
        """Those whose time is out and whom no portal nearby has counted."""
        wait_ns = int(self._policy.lane_wait_s * SECOND_NS)
        due = [held for held in self._held if now_utc_ns - held[0].end_utc_ns >= wait_ns]
        self._held = [held for held in self._held if held not in due]
        return [held for held in due if not self._counted(*held)]

    def forget(self) -> None:
        """Nobody was listening for a while: no portal can be blamed."""
        self._held.clear()

    def _counted(self, detection: Detection, spec: SensorSpec) -> bool:
        # Trucks of a neighbouring lane are heard as well, so any portal's count explains it.
        wait_ns = int(self._policy.lane_wait_s * SECOND_NS)
        return any(
            lane.occupied(detection.start_utc_ns - wait_ns, detection.end_utc_ns + wait_ns)
            for lane in self._near(spec)
        )

    def _near(self, spec: SensorSpec) -> list[Lane]:
        if spec.place in self._lanes:
            return list(self._lanes.values())
        reach_m = self._policy.lane_hearing_m
        return [
            lane
            for lane in self._lanes.values()
            if math.dist(spec.position_m, lane.spec.portal_m) <= reach_m
        ]
