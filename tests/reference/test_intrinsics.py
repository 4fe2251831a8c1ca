import numpy as np
from numba import njit

from fusion.kernels.intrinsics import fma, will_read, will_write


@njit
def _fused(values, less):
    out = np.empty_like(values)
    for i in range(values.shape[0]):
        will_read(values, i + 4)
        will_write(out, i + 4)
        out[i] = fma(values[i], values[i], less)
    return out


def test_a_product_and_a_sum_are_rounded_once():
    near_one = np.full(20, 1.0 + 2.0**-12, np.float32)
    less = np.float32(-(1.0 + 2.0**-11))
    # What is left of the square is lost where the product is rounded by itself.
    assert not (near_one * near_one + less).any()
    np.testing.assert_array_equal(_fused(near_one, less), np.float32(2.0**-24))
