"""What was done to counts before they came: a background taken off, a threshold."""

import numpy as np
from numpy.typing import NDArray

from fusion.kernels.identify import smooth

Vector = NDArray[np.float64]

GROUPS = 10  # of energies with as many counts of background each
TAKEN_SHARE = 0.4  # of a group of the background: 2-25 % are shielded (facts/radiation 5.1)
TAKEN_SIGMA = 6.0


def taken_off(counts: Vector, background: Vector) -> bool:
    """Whether a spectrum has had its background taken off: no vehicle shields this much of it.

    A tenth of the background's counts, anywhere together, is enough to see that.
    """
    number = np.cumsum(background)
    groups = np.minimum(
        (number / max(float(number[-1]), 1e-9) * GROUPS).astype(np.intp), GROUPS - 1
    )
    known = np.bincount(groups, background, GROUPS)
    seen = np.bincount(groups, counts, GROUPS)
    missing = known - seen > TAKEN_SIGMA * np.sqrt(np.maximum(known, 1.0))
    return bool(np.any(missing & (seen < TAKEN_SHARE * known)))


def threshold_of(seen: Vector) -> int:
    """The first bin that lies wholly over the detector's threshold."""
    level = smooth(seen, 2)
    for first in range(len(seen) // 3):
        ahead = level[first + 4 : first + 10].mean()
        if seen[first] > 0.3 * ahead > 0.0:
            return first + 1 if first > 0 else 0
    return 0
