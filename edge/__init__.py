"""Everything that waits, stores, shows or can fail by itself.

Belongs here: sockets and files, config, the outbox, brokers, commands, words.
Does not belong here: physics, protocols, scores.
Imported by nobody.
"""
