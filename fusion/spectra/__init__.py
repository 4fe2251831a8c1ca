"""Spectroscopic portals: what sources look like to a detector, and which one was seen."""
