"""Every @njit function and nothing else, one file per family.

A kernel trusts its arguments; the public function that calls it has checked them.
Each has a slow NumPy twin in tests/reference.
"""
