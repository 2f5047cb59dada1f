"""Ensembles: many trajectories of one problem, reproducible from a seed, in bounded memory, here or on a cluster."""

from seedtrain.simulation._ensemble._draw import LogNormal, Normal, Spread, draw
from seedtrain.simulation._ensemble._problem import REFUSED, Problem, Settings, Shown
from seedtrain.simulation._ensemble._run import percentiles, read_ensemble, reason, run_ensemble

__all__ = [
    "REFUSED",
    "LogNormal",
    "Normal",
    "Problem",
    "Settings",
    "Shown",
    "Spread",
    "draw",
    "percentiles",
    "read_ensemble",
    "reason",
    "run_ensemble",
]
