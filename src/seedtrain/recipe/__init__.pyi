from ._calibration import CALIBRATE, PROBES, Calibration, calibration, references, settled
from ._catalogue import PHASE_KINDS
from ._diff import Change, diff
from ._formula import Formula, read_formula, rounded
from ._kinds import CHOICE, CONDITION_UNITS, MATERIAL, SAMPLE_UNITS, WORD, ParameterKind, PhaseKind
from ._levers import Lever, levers
from ._manual import (
    DISPENSED,
    Bands,
    Calculation,
    Dispensing,
    Manual,
    ManualEntry,
    Reconciliation,
    TheoreticalYield,
    reconciled,
)
from ._order import beside, directly_before, earlier, holds_alone
from ._permit import Permit, PermitRequest, Refusal
from ._phase import PRODUCTION, Condition, Operation, Phase, PhaseAt, StrategyLine, UnitProcedure
from ._read import parse_recipe, read_recipe
from ._recipe import MasterRecipe
from ._scale import ControlRecipe, SeedUnit, at_scale
from ._sequence import HoldPoint, hold_points, next_phase, next_phases
from ._states import Command, IllegalCommand, State, commands, fold, next_state, state_words
from ._volumes import Filling, check_volumes, fillings, longest

__all__ = [
    "CALIBRATE",
    "CHOICE",
    "CONDITION_UNITS",
    "DISPENSED",
    "MATERIAL",
    "PHASE_KINDS",
    "PROBES",
    "PRODUCTION",
    "SAMPLE_UNITS",
    "WORD",
    "Bands",
    "Calculation",
    "Calibration",
    "Change",
    "Command",
    "Condition",
    "ControlRecipe",
    "Dispensing",
    "Filling",
    "Formula",
    "HoldPoint",
    "IllegalCommand",
    "Lever",
    "Manual",
    "ManualEntry",
    "MasterRecipe",
    "Operation",
    "ParameterKind",
    "Permit",
    "PermitRequest",
    "Phase",
    "PhaseAt",
    "PhaseKind",
    "Reconciliation",
    "Refusal",
    "SeedUnit",
    "State",
    "StrategyLine",
    "TheoreticalYield",
    "UnitProcedure",
    "at_scale",
    "beside",
    "calibration",
    "check_volumes",
    "commands",
    "diff",
    "directly_before",
    "earlier",
    "fillings",
    "fold",
    "hold_points",
    "holds_alone",
    "levers",
    "longest",
    "next_phase",
    "next_phases",
    "next_state",
    "parse_recipe",
    "read_formula",
    "read_recipe",
    "reconciled",
    "references",
    "rounded",
    "settled",
    "state_words",
]
