"""What each term speaks for, as written by `python -m edge.study.xray_regions_fit`.

Nats of a linear score, fitted to boxes at things hidden in drawn loads of low and medium clutter,
of tuning families, and to those boxes of the same loads without the thing, and of loads of high
clutter, that look most like one. What is denser or more metal never speaks against a thing.
Seeds 20,000-21,499 of goods that are built even, 20,000-20,479 of goods that are built cluttered.
"""

import numpy as np

WEIGHTS = np.array(
    [
        3.8863,
        0.0000,
        3.0282,
        0.0000,
        0.0000,
        3.0082,
        -0.8001,
        0.1505,
        0.0000,
        1.8386,
        -5.0297,
        -0.4986,
        -0.6012,
        -3.8863,
        0.0000,
        0.0000,
        -3.0082,
        0.2762,
        -1.8386,
        1.3838,
        0.3600,
        1.2256,
        1.8711,
        -2.7062,
        -16.8242,
    ]
)
"""Of the terms of `place_terms` (the least and the next side by attenuation and metal together, by
attenuation, by metal; how far a side is denser, or more metal, than the box; denser and more metal
than the load; how far one box in twenty stands out; texture; attenuation; then what seven of them
are beyond a bend), of ln of the box's area and of its length over its height, of four sides and of
two that are load; and the offset."""
