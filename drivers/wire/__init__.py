"""One sans-IO codec per protocol, decoder and encoder in one file.

Belongs here: bytes to records and back, for any split of the stream.
Does not belong here: sensor names, time, meaning.
Imported by: `drivers` and `simulators`. Imports nothing else of Garita.
"""
