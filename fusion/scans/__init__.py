"""Cargo X-ray pictures: what a scan's pixels say of the vehicle, its load and the scanner."""
