"""The files of a cargo X-ray scan: an annotated picture, the planes as counts, and a report.

What belongs here: turning a `ScanRecord` into bytes, and keeping whole planes at the station. What
takes long (the sheet of the picture, the file of the planes) is made in the worker that measured
the scan, so an alert does not wait for it and nobody keeps pixels for longer.
"""
