"""A scalar Kalman filter: a value that changes steadily along an axis, measured now and then.

Two states and one measured number, written out: no matrices, so nothing is allocated. For a track
along a line of sensors the axis is the line and the value the time at which each place is passed,
so that the slope is the slowness: passages measure times at known places, and what crosses the
line square passes everywhere at once, which is a slowness of 0 and no infinite speed. White noise
drives the slope (Bar-Shalom, Li, Kirubarajan 2001, Estimation with Applications to Tracking and
Navigation, section 6.2.2, with places and times exchanged).
"""

from numba import njit

State = tuple[float, float, float, float, float]
"""Value, slope, and their covariance: (value^2, value slope, slope^2)."""


@njit(cache=True, nogil=True)
def predict(state: State, step: float, drift: float) -> State:
    """The state so much further along the axis, or back.

    drift  how much the variance of the slope grows with each unit of the way, >= 0
    """
    value, slope, p00, p01, p11 = state
    way = abs(step)
    return (
        value + step * slope,
        slope,
        p00 + 2.0 * step * p01 + step * step * p11 + drift * way * way * way / 3.0,
        p01 + step * p11 + drift * step * way / 2.0,
        p11 + drift * way,
    )


@njit(cache=True, nogil=True)
def update(state: State, measured: float, variance: float) -> State:
    """The state after its value has been measured, with that variance > 0."""
    value, slope, p00, p01, p11 = state
    expected = p00 + variance
    gain_value, gain_slope = p00 / expected, p01 / expected
    miss = measured - value
    return (
        value + gain_value * miss,
        slope + gain_slope * miss,
        (1.0 - gain_value) * p00,
        (1.0 - gain_value) * p01,
        p11 - gain_slope * p01,
    )
