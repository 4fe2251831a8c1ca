"""The line that a zone's sensors stand on: places along it, and the words for its directions."""

import math
from collections.abc import Mapping

COMPASS = (
    "north",
    "north-east",
    "east",
    "south-east",
    "south",
    "south-west",
    "west",
    "north-west",
)
SHORTEST_M = 1.0  # sensors that stand closer together show no direction


class Line:
    """The main axis of some places; positions along it are metres from its first sensor.

    It points to the north, or to the east where it has no north in it.
    """

    def __init__(self, places_m: Mapping[str, tuple[float, float]]) -> None:
        self.places_m = dict(sorted(places_m.items()))
        n = max(len(self.places_m), 1)
        points = list(self.places_m.values())
        middle = (math.fsum(x for x, _ in points) / n, math.fsum(y for _, y in points) / n)
        xx = math.fsum((x - middle[0]) ** 2 for x, _ in points)
        yy = math.fsum((y - middle[1]) ** 2 for _, y in points)
        xy = math.fsum((x - middle[0]) * (y - middle[1]) for x, y in points)
        angle = 0.5 * math.atan2(2.0 * xy, xx - yy)  # of the larger axis, from east
        self._east, self._north = math.cos(angle), math.sin(angle)
        if self._north < -1e-9 or (abs(self._north) <= 1e-9 and self._east < 0.0):
            self._east, self._north = -self._east, -self._north
        along = {name: x * self._east + y * self._north for name, (x, y) in self.places_m.items()}
        least = min(along.values(), default=0.0)
        self.along_m = {name: value - least for name, value in along.items()}
        """Of each sensor."""
        self.length_m = max(self.along_m.values(), default=0.0)
        across = [y * self._east - x * self._north for x, y in points]
        self._foot = least, math.fsum(across) / n

    @property
    def is_one(self) -> bool:
        """Whether the sensors are far enough apart to show a direction."""
        return self.length_m >= SHORTEST_M

    @property
    def spacing_m(self) -> float:
        """Usual distance from one sensor to the next."""
        return self.length_m / max(len(self.along_m) - 1, 1)

    def place_m(self, along_m: float) -> tuple[float, float]:
        """East and north of the point on the line."""
        along, across = self._foot[0] + along_m, self._foot[1]
        return (
            along * self._east - across * self._north,
            along * self._north + across * self._east,
        )

    def nearest(self, along_m: float) -> str:
        """The sensor that is nearest to the point on the line."""
        return min(self.along_m, key=lambda name: (abs(self.along_m[name] - along_m), name))

    def between(self, from_m: float, to_m: float) -> set[str]:
        """The sensors that stand strictly between two points on the line."""
        low, high = min(from_m, to_m) + 0.5, max(from_m, to_m) - 0.5
        return {name for name, place in self.along_m.items() if low < place < high}

    def compass(self, *, forward: bool) -> str:
        """Where it leads, one of eight words."""
        sign = 1.0 if forward else -1.0
        bearing_deg = math.degrees(math.atan2(sign * self._east, sign * self._north)) % 360.0
        return COMPASS[int((bearing_deg + 22.5) // 45.0) % 8]
