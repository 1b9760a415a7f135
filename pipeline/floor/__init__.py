"""Cameras that know where they stand: calibration, and places of people on the floor."""
