"""The files of what a ground station heard: a miniSEED clip and a picture.

What belongs here: turning a `WaveRecord` into bytes. What does not: the sheet, its letters and
its head (edge.evidence), and what was heard (fusion). Only edge.evidence.drafts imports it.
"""
