"""How a load is arranged: even or cluttered, repeating or not."""

import numpy as np
from numpy.typing import NDArray

from fusion.kernels.xray import local_texture
from fusion.kernels.xray_cells import lag_products
from fusion.scans.geometry import Geometry
from fusion.scans.policy import XrayPolicy

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

TEXTURE_HALF_CELLS = 2  # 5 x 5 cells: 0.2 to 0.3 m, larger than a carton's seam


def homogeneity(values: Floats, load: Flags, opaque: Flags, policy: XrayPolicy) -> float:
    """0 (clutter) to 1 (one bulk material); 0 where there is too little load to say."""
    # The least that an opaque cell takes: its own value is noise.
    cap = float(values[opaque].min()) if opaque.any() else 0.0
    distance, means = local_texture(np.where(opaque, cap, values), load, TEXTURE_HALF_CELLS)
    if distance.size < 25:
        return 0.0
    texture = _quantile(distance, 0.8)
    spread = (_quantile(means, 0.9) - _quantile(means, 0.1)) / _quantile(means, 0.5)
    # Load that is nowhere thicker than a neighbourhood is gaps and edges.
    solid = min(1.0, 2.0 * distance.size / int(np.count_nonzero(load)))
    clutter = (texture / policy.texture_scale) ** 2 + (spread / policy.spread_scale) ** 2
    return solid / (1.0 + clutter)


def periodicity_m(areal: Floats, load: Flags, geometry: Geometry, policy: XrayPolicy) -> float:
    """Distance after which the load repeats along the vehicle, or 0: by autocorrelation.

    The longest stretch of load counts; of all lags whose correlation is a peak above the
    threshold the shortest within a tenth of the highest is the period.
    """
    columns = np.nonzero(load.any(axis=0))[0]
    if columns.size == 0:
        return 0.0
    profile = areal[:, columns[0] : columns[-1] + 1].sum(axis=0)
    longest = min(round(policy.period_m[1] / geometry.cell_x_m), profile.size // 3)
    shortest = max(round(policy.period_m[0] / geometry.cell_x_m), 3)
    if longest <= shortest + 2:
        return 0.0
    smooth = max(longest // 2 * 2 + 1, 5)
    sums = np.cumsum(np.pad(profile, (smooth // 2 + 1, smooth // 2), mode="edge"))
    trend = (sums[smooth:] - sums[:-smooth]) / smooth
    wave = profile - trend
    power = float(np.sum(wave**2))
    if power <= 0.0:
        return 0.0
    lags = np.arange(shortest - 1, longest + 2)
    found = lag_products(wave, shortest - 1, longest + 2)
    # Fewer columns overlap at longer lags: each is held against what overlaps.
    alike = np.round(found / power * wave.size / (wave.size - lags), 6)
    peak = (alike[1:-1] > alike[:-2]) & (alike[1:-1] >= alike[2:]) & (alike[1:-1] > policy.alike)
    if not peak.any():
        return 0.0
    inner, at = alike[1:-1], np.nonzero(peak)[0]
    first = int(at[np.nonzero(inner[at] >= inner[at].max() - 0.1)[0][0]])
    return round(float(lags[first + 1]) * geometry.cell_x_m, 2)


def _quantile(values: Floats, share: float) -> float:
    place = int(share * (values.size - 1))
    return float(np.partition(values, place)[place])
