"""Every @njit function of the codecs and nothing else.

A kernel trusts its arguments; the function that calls it has checked them.
Each has a slow twin in tests/reference.
"""
