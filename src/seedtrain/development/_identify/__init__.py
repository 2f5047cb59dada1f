"""Model-based design: the runs and sampling times that would tell most of a fitted culture's parameters."""

from seedtrain.development._identify._information import RunBound, Vary
from seedtrain.development._identify._plan import Expected, NextRuns, PlannedRun, next_runs
from seedtrain.development._identify._sampling import Aim, choose
from seedtrain.development._identify._told import next_blocks, next_lines, next_sheet

__all__ = [
    "Aim",
    "Expected",
    "NextRuns",
    "PlannedRun",
    "RunBound",
    "Vary",
    "choose",
    "next_blocks",
    "next_lines",
    "next_runs",
    "next_sheet",
]
