"""What a sensor would send: physics and a seed in, bytes out.

Belongs here: the script of a day, the physics of a device, its faults.
Does not belong here: scoring. A simulator knows the wire, never the engine.
Imported by: `edge`. Imports `drivers.wire` and nothing else of Garita.
"""
