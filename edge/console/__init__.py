"""The operator's console: a web server in a process of its own, which only looks and asks.

It reads what is on disk already (outbox and common record), is told the rest by the service over a
pipe, and asks for what a person wants done as a centre asks. A slow browser or a crash in here
touches nothing else.
"""
