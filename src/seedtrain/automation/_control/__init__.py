"""Control of one vessel: loops, split ranges, feeding."""

from seedtrain.automation._control._compare import (
    STRATEGIES,
    Case,
    compare_feeding,
    culture_of_run,
    feeding_case,
    feeding_rows,
)
from seedtrain.automation._control._feeding import ConstantFeed, ExponentialFeed, Feeding, MuStat, RiseStat
from seedtrain.automation._control._filter import EXIT_GAS, CultureFilter, Observed
from seedtrain.automation._control._pid import Pid, PidSettings
from seedtrain.automation._control._predictive import PredictiveFeed
from seedtrain.automation._control._scheme import GAS_AS_SET, ControlScheme
from seedtrain.automation._control._soft import gas_balance
from seedtrain.automation._control._split import Stage, split
from seedtrain.automation._control._vessel import BASE_PER_HOUR, Actuators, SetPoints, VesselControl

__all__ = [
    "BASE_PER_HOUR",
    "EXIT_GAS",
    "GAS_AS_SET",
    "STRATEGIES",
    "Actuators",
    "Case",
    "ConstantFeed",
    "ControlScheme",
    "CultureFilter",
    "ExponentialFeed",
    "Feeding",
    "MuStat",
    "Observed",
    "Pid",
    "PidSettings",
    "PredictiveFeed",
    "RiseStat",
    "SetPoints",
    "Stage",
    "VesselControl",
    "compare_feeding",
    "culture_of_run",
    "feeding_case",
    "feeding_rows",
    "gas_balance",
    "split",
]
