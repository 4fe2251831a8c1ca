"""From a sensor's link to samples: open, stamp, record, decode; fall back, try again."""
