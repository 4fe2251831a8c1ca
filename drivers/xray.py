"""Xray drivers."""

from drivers.base import DriverKind

KINDS: tuple[DriverKind, ...] = ()
