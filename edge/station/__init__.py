"""The running checkpoint: the one loop, and what it hands its alerts to."""
