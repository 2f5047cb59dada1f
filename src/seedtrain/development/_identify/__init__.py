"""Model-based design: the runs and sampling times that would tell most of a fitted culture's parameters."""

from seedtrain.development._identify._information import Bound, Vary
from seedtrain.development._identify._plan import Expected, NextRuns, PlannedRun, next_runs
from seedtrain.development._identify._sampling import Aim, choose
from seedtrain.development._identify._told import next_blocks, next_lines, next_sheet

__all__ = [
    "Aim",
    "Bound",
    "Expected",
    "NextRuns",
    "PlannedRun",
    "Vary",
    "choose",
    "next_blocks",
    "next_lines",
    "next_runs",
    "next_sheet",
]
