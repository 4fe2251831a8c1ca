"""Two centres on one alert: who answered, who went, what it was, whose it is.

Pure state machines: no clock, no I/O, no log. `edge.station` may use them, and whoever reads the
common record: what they say follows from its entries alone.
"""
