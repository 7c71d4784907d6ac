"""Experiments on scenes: arms with paired random numbers, sweeps on many cores, calibration to observed series."""
