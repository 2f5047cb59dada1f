"""Deviations, results, review and release."""
