"""Words for people, one catalogue per language, keyed by code."""
