"""The files that an alert carries as evidence: an N42 document and a picture of a pass, a miniSEED
clip and a picture of what a ground station heard (edge.evidence.ground).

What belongs here: turning a `PassRecord` or a `WaveRecord` into bytes, and deciding which revision
of an alert carries which files. Everything is a pure function of the record and the alert: the
same bytes on every machine, live and in replay, because their digests are part of the alert. So no
clock, no file, no library that draws or packs as it likes (libmseed, which packs clips, is pinned).
What does not belong here: sending files (edge.delivery) and measuring anything (fusion).
"""
