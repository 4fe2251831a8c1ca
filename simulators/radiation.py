"""Radiation simulators."""

from simulators.base import SimulatorKind

KINDS: tuple[SimulatorKind, ...] = ()
