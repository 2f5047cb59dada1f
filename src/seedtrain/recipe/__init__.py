"""ISA-88 recipes: read with exact positions, checked, scaled, compared, digested; the states as a pure fold."""

from seedtrain.recipe._calibration import CALIBRATE, PROBES, Calibration, calibration, references, settled
from seedtrain.recipe._catalogue import PHASE_KINDS
from seedtrain.recipe._diff import Change, diff
from seedtrain.recipe._formula import Formula, read_formula, rounded
from seedtrain.recipe._kinds import CHOICE, CONDITION_UNITS, MATERIAL, SAMPLE_UNITS, WORD, ParameterKind, PhaseKind
from seedtrain.recipe._levers import Lever, levers
from seedtrain.recipe._manual import (
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
from seedtrain.recipe._order import beside, directly_before, earlier, holds_alone
from seedtrain.recipe._permit import Permit, PermitRequest, Refusal
from seedtrain.recipe._phase import PRODUCTION, Condition, Operation, Phase, PhaseAt, StrategyLine, UnitProcedure
from seedtrain.recipe._read import parse_recipe, read_recipe
from seedtrain.recipe._recipe import MasterRecipe
from seedtrain.recipe._scale import ControlRecipe, SeedUnit, at_scale
from seedtrain.recipe._sequence import HoldPoint, hold_points, next_phase, next_phases
from seedtrain.recipe._states import Command, IllegalCommand, State, commands, fold, next_state, state_words
from seedtrain.recipe._volumes import Filling, check_volumes, fillings, longest

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
