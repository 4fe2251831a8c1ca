"""Pencil and paper: samples in, alerts out.

Belongs here: everything that could be computed by hand from the samples alone.
Does not belong here: sockets, files, clocks, logs, makes of device, wording.
Imported by: `drivers` (only `fusion.types`) and `edge`. Imports numpy, numba and cv2.
"""
