"""Devices as the executor sees them, and the execution of control recipes into the record."""

from seedtrain.automation._devices import (
    Addition,
    Ending,
    Function,
    FunctionalUnit,
    Identity,
    Plant,
    Reading,
)
from seedtrain.automation._excursion import Excursion
from seedtrain.automation._executor import READING_INTERVAL, execute
from seedtrain.automation._faults import FaultEntry
from seedtrain.automation._fold import BatchState
from seedtrain.automation._job import CHECKER, OPERATOR, SHIFT_LEADER
from seedtrain.automation._running import PermitRefused, batch_state
from seedtrain.automation._standin import SimulatedPlant
from seedtrain.automation._strategy import ExecutedLine, basis_words, executed_strategy
from seedtrain.automation._telemetry import Segment, read_segment, segment_path

__all__ = [
    "CHECKER",
    "OPERATOR",
    "READING_INTERVAL",
    "SHIFT_LEADER",
    "Addition",
    "BatchState",
    "Ending",
    "Excursion",
    "ExecutedLine",
    "FaultEntry",
    "Function",
    "FunctionalUnit",
    "Identity",
    "PermitRefused",
    "Plant",
    "Reading",
    "Segment",
    "SimulatedPlant",
    "basis_words",
    "batch_state",
    "execute",
    "executed_strategy",
    "read_segment",
    "segment_path",
]
