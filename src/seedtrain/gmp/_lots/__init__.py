"""Lots and what went into whom."""
