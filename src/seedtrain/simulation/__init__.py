"""Cultures, vessels and unit operations, and the runs that they make."""

from seedtrain.simulation._culture import Culture, Parameter, read_culture, shipped_cultures
from seedtrain.simulation._run import Balance, ParameterUse, PhaseSpan, Run, RunEvent, Variable
from seedtrain.simulation._simulate import OverfillError, TrajectoryError, simulate
from seedtrain.simulation._stream import COMPONENTS, StepResult, Stream, step_to_data
from seedtrain.simulation._transfer import Estimate, TransferLimits, transfer_limits
from seedtrain.simulation._vessel import ShakeFlask, StirredTank, Vessel, VesselEntry

__all__ = [
    "COMPONENTS",
    "Balance",
    "Culture",
    "Estimate",
    "OverfillError",
    "Parameter",
    "ParameterUse",
    "PhaseSpan",
    "Run",
    "RunEvent",
    "ShakeFlask",
    "StepResult",
    "StirredTank",
    "Stream",
    "TrajectoryError",
    "TransferLimits",
    "Variable",
    "Vessel",
    "VesselEntry",
    "read_culture",
    "shipped_cultures",
    "simulate",
    "step_to_data",
    "transfer_limits",
]
