"""Numbers that are the same on every processor.

NumPy takes exponentials, logarithms and powers, and BLAS adds up products, in ways that go by the
processor: the last bits differ. So tables that come from such functions are rounded to single
precision where they are made, which leaves no trace of those bits but once in millions of values,
and what is made of them afterwards is added up in a fixed order. Plain arithmetic, square roots and
`sum` are the same everywhere; so are kernels, whose library functions need no more than the FMA
that every x86 processor since 2013 has.
"""

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]


DIGITS = 24  # binary, as single precision has; but without its smallest and largest number


def steady(values: NDArray[np.floating]) -> Vector:
    """Values rounded to single precision, whatever their size."""
    mantissa, exponent = np.frexp(np.asarray(values, dtype=np.float64))
    return np.asarray(np.ldexp(np.rint(np.ldexp(mantissa, DIGITS)), exponent - DIGITS))
