"""Reproducible benchmark for predicting space groups from powder diffraction patterns."""

__version__ = "0.1.0"
