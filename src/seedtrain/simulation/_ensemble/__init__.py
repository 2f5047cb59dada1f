"""Ensembles: many trajectories of one problem, reproducible from a seed, in bounded memory, here or on a cluster."""

from seedtrain.simulation._ensemble._cultures import simulate_ensemble
from seedtrain.simulation._ensemble._draw import LogNormal, Normal, Spread, draw
from seedtrain.simulation._ensemble._problem import REFUSED, Problem, Settings, Shown
from seedtrain.simulation._ensemble._run import ensemble_percentiles, ensemble_reason, read_ensemble, run_ensemble

__all__ = [
    "REFUSED",
    "LogNormal",
    "Normal",
    "Problem",
    "Settings",
    "Shown",
    "Spread",
    "draw",
    "ensemble_percentiles",
    "ensemble_reason",
    "read_ensemble",
    "run_ensemble",
    "simulate_ensemble",
]
