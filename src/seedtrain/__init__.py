"""Seedtrain carries a biological product from its sequence to a released batch."""

__version__ = "0.1.0"
