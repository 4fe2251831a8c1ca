"""Shared by all tests: compiled kernels are those of these very sources."""

from edge.kernel_cache import use_kernel_cache

use_kernel_cache()
