"""Seismic drivers: a row for every kind of ground sensor."""

from drivers.base import DriverKind
from drivers.seismic_anyshake import ANYSHAKE
from drivers.seismic_ascii import ASCII
from drivers.seismic_seedlink import SEEDLINK
from drivers.seismic_shake import SHAKE

KINDS: tuple[DriverKind, ...] = (SHAKE, ANYSHAKE, ASCII, SEEDLINK)
