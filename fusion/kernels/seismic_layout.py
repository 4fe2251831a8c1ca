"""What the numbers of a tile's state, of a finished bin and of a bank's constants mean.

Each is a row of LANES float32, one for every channel of the tile.
"""

import numpy as np

CHUNK = 5  # samples of one turn of a lane; a bin has ten frames of whole samples
FAR_CHUNK = 10  # of one that reads from memory: with less, the processor reads less far ahead
HISTORY = 2  # samples that stand before a bin: the filters take x[n] - x[n-2]
PASS_SECTIONS = 4  # pole pairs of the band-pass that steps are looked for in
BAND_SECTIONS = 2  # of each band's filter
BANDS = 5
SECTIONS = PASS_SECTIONS + BANDS * BAND_SECTIONS

# --- state: rows of a tile ----------------------------------------------------------------
FILTERS = 0  # the last two values of each section
(
    STA,
    LTA,
    HELD,  # the last frame, which stands in for what is lost
    QUIET,  # the floor: mean square of the quiet ground
    QUIET_BINS,  # that it has been made of
    HEARD,  # samples, those that stand in for lost ones left out
) = range(2 * SECTIONS, 2 * SECTIONS + 6)
SCALE = HEARD + 1  # um/s per filtered count
BAND_SCALE = SCALE + 1  # the square of the same for each band, BANDS rows
STATE_ROWS = BAND_SCALE + BANDS

# --- fields of a bin ----------------------------------------------------------------------
SUM_2 = 0  # sum of squares of the band-passed velocity, (um/s)^2
SUM_4 = 1  # of fourth powers
PEAK = 2  # um/s
RATIO = 3  # highest STA/LTA; 0 until one LTA has been heard
ABOVE = 4  # samples with STA/LTA above `on`
FLOOR = 5  # mean square of the quiet ground at the end of the bin, (um/s)^2
LOWEST = 6  # lowest STA/LTA, with which a trigger lets go
STOOD_IN = 7  # samples lost or settling, in whose place stands the level before them
BAND_0 = 8  # sums of squares of each band, (um/s)^2
FIELDS = BAND_0 + BANDS

# --- constants of a bank, (GOES_ON + bin samples,) float32 ----------------------------------
SHORT = 2 * SECTIONS  # 1 / samples of the STA; before it -a1 and -a2 of each section
LONG, LONG_SAMPLES, ON, WARM_BINS, RISE, FALL = range(SHORT + 1, SHORT + 7)
FRAME_PART = FALL + 1  # 1 / samples of a frame
GOES_ON = FRAME_PART + 1  # for each sample of a bin: 0 where a frame begins, else 1

FRAME_RING = 2000  # 40 s of 20 ms means of |velocity|; whole bins
BIN_RING = 512  # 100 s
MOST = np.float32(1e38)  # what does not fit a float32 is told as this
DEAD = np.float32(1e-12)  # (um/s)^2; no ground is so quiet, and no ratio to it means anything
NOUGHT, ONE, TWO = np.float32(0.0), np.float32(1.0), np.float32(2.0)
HEARD_ENOUGH = np.float32(1e6)
