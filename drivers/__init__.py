"""What a device means: bytes and their arrival time in, samples out.

Belongs here: anything that knows a make or a protocol.
Does not belong here: scoring, recording, retries, the system clock.
Imported by: `edge`. Imports `fusion.types` and, of `fusion`, nothing else.
"""
