"""Cultures, vessels and unit operations, and the runs that they make."""

from seedtrain.simulation._broth import broth
from seedtrain.simulation._culture import Culture, Parameter
from seedtrain.simulation._downstream import TrainParameter, product_quality, run_train, train_parameters
from seedtrain.simulation._estimate import Estimate
from seedtrain.simulation._library import read_culture, shipped_cultures
from seedtrain.simulation._limits import TransferLimits, transfer_limits
from seedtrain.simulation._reproduce import PublishedPhase, reproduce
from seedtrain.simulation._run import Balance, ParameterUse, PhaseSpan, Run, RunEvent, Variable
from seedtrain.simulation._seed import simulate_seed_train
from seedtrain.simulation._simulate import OverfillError, TrajectoryError, simulate
from seedtrain.simulation._stream import COMPONENTS, StepResult, Stream, step_to_data
from seedtrain.simulation._vessel import Airlift, Retention, ShakeFlask, StirredTank, Vessel, WaveBag, Well
from seedtrain.simulation._vessel_file import VesselEntry
from seedtrain.simulation._zones import Zones, zone_exchange, zones_of

__all__ = [
    "COMPONENTS",
    "Airlift",
    "Balance",
    "Culture",
    "Estimate",
    "OverfillError",
    "Parameter",
    "ParameterUse",
    "PhaseSpan",
    "PublishedPhase",
    "Retention",
    "Run",
    "RunEvent",
    "ShakeFlask",
    "StepResult",
    "StirredTank",
    "Stream",
    "TrainParameter",
    "TrajectoryError",
    "TransferLimits",
    "Variable",
    "Vessel",
    "VesselEntry",
    "WaveBag",
    "Well",
    "Zones",
    "broth",
    "product_quality",
    "read_culture",
    "reproduce",
    "run_train",
    "shipped_cultures",
    "simulate",
    "simulate_seed_train",
    "step_to_data",
    "train_parameters",
    "transfer_limits",
    "zone_exchange",
    "zones_of",
]
