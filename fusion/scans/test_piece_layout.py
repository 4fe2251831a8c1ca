"""Garita's test piece for IEC 62523's five tests, in millimetres: what stands where in its frame.

Along from the frame's outer front edge, up from its outer lower edge. The README has the drawing
for whoever builds one; `simulators.xray_test_piece` draws it from numbers of its own, and a test
holds the two against each other.
"""

FRAME_MM = (4000.0, 1000.0)
"""Outer length and height of the steel frame that the piece is found by."""
RAIL_MM = (60.0, 60.0)
"""Width and thickness of its bars."""

STEPS_MM = (150.0, 200.0, 250.0, 300.0, 350.0, 400.0, 450.0)
"""7.1, steel penetration: thickness of each steel block."""
STEPS_AT_MM = (120.0, 680.0)
STEP_FACE_MM = (230.0, 240.0)
STEP_EVERY_MM = 260.0
TARGET_MM = 70.0
"""Side and thickness of the steel cube before each block, towards one of its corners in turn."""
TARGETS_AT_MM = ((35.0, 40.0), (125.0, 40.0), (125.0, 130.0), (35.0, 130.0))
"""Of the cubes in turn, from the block's lower front corner."""

WIRES_AIR_MM = (0.8, 1.0, 1.25, 1.6, 2.0, 2.5, 3.2, 4.0)
"""7.2, wire detection: diameters of steel wires with nothing else in the beam."""
WIRES_AIR_AT_MM = (2000.0, 620.0)
WIRES_STEEL_MM = (2.0, 2.5, 3.2, 4.0, 5.0, 6.3, 8.0, 10.0)
"""And before the steel plate."""
WIRES_STEEL_AT_MM = (1120.0, 160.0)
WIRE_PLATE_MM = (1040.0, 90.0, 840.0, 440.0, 100.0)
"""Along, up, length, height, thickness."""
WIRE_EVERY_MM = 80.0
WIRE_HEIGHT_MM = 300.0
WIRE_LEAN_MM = 60.0
"""By which a wire's upper end is further along: it crosses several lines of the scan."""

CONTRASTS_PERCENT = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
"""7.3, contrast sensitivity: steel sheets on a steel plate, of its thickness."""
CONTRAST_PLATE_MM = (120.0, 90.0, 840.0, 440.0, 100.0)
CONTRAST_AT_MM = (180.0, 150.0)
CONTRAST_EVERY_MM = (270.0, 200.0)
CONTRAST_SIDE_MM = 120.0
CONTRASTS_A_ROW = 3
CONTRAST_BARE_MM = 135.0
"""From a sheet's front edge to that of an equal bare place on the plate, behind it."""

BARS_MM = (4.0, 5.0, 6.3, 8.0, 10.0, 12.5, 16.0, 20.0, 25.0)
"""7.4, spatial resolution: four steel bars of each width, as far apart as they are wide."""
BARS_A_GROUP = 4
BAR_THICKNESS_MM = 20.0
BARS_ALONG_AT_MM = (2700.0, 820.0)
"""Upright bars, which show how sharp the picture is along the vehicle."""
BARS_UP_AT_MM = (2700.0, 620.0)
"""Level ones."""
BARS_LENGTH_MM = (100.0, 80.0)
"""Of the upright and of the level bars."""
BARS_GAP_MM = 30.0
SOLID_MM = (3760.0, 820.0, 100.0, 100.0)
"""A plate of the bars' thickness: full contrast."""

MATERIALS = (
    ("polyethylene", 421.0),
    ("aluminium", 148.0),
    ("steel", 50.9),
    ("lead", 35.2),
)
"""7.5, material discrimination: blocks of 40 g/cm2 each, with their thickness."""
MATERIALS_AT_MM = (1960.0, 180.0)
MATERIAL_EVERY_MM = 260.0
MATERIAL_SIDE_MM = 220.0

CLEAR_MM = (3080.0, 120.0, 800.0, 400.0)
"""Nothing: it also tells which end of the piece came first."""


def bars_along(group: int) -> float:
    """Where a group of upright bars begins."""
    before = sum((2 * BARS_A_GROUP - 1) * width + BARS_GAP_MM for width in BARS_MM[:group])
    return BARS_ALONG_AT_MM[0] + before
