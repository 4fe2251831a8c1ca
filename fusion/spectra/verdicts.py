"""The last verdicts on one vehicle, so that what has not changed is not identified again."""

import numpy as np
from numpy.typing import NDArray

from fusion.spectra.identify import Identifier
from fusion.spectra.verdict import Verdict

KEPT = 4  # of two windows, and of two before them

Vector = NDArray[np.float64]


class Verdicts:
    """What was found in the last spectra of one vehicle.

    It is looked at again and again while it passes and when it has passed, and mostly the window
    that shows its source best has stayed the same.
    """

    def __init__(self) -> None:
        self._found: dict[tuple[object, ...], Verdict] = {}

    def of(
        self,
        identifier: Identifier,
        seen: tuple[Vector, float],
        known: tuple[Vector | None, float],
        shape_mode: Vector | None,
    ) -> Verdict:
        """As `Identifier.identify` says; (counts, live time) `seen` and `known` of a background."""
        arrays = (seen[0], known[0], shape_mode)
        key = (
            identifier,
            seen[1],
            known[1],
            *(None if one is None else one.tobytes() for one in arrays),
        )
        verdict = self._found.get(key)
        if verdict is None:
            verdict = identifier.identify(*seen, *known, shape_mode=shape_mode)
            if len(self._found) >= KEPT:
                del self._found[next(iter(self._found))]
            self._found[key] = verdict
        return verdict
