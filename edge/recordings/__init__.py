"""Every raw byte in the order of feeding: written while the service runs, read by replay."""
