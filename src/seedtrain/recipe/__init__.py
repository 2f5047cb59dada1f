"""ISA-88 recipes: read with exact positions, checked, scaled, compared, digested."""

from seedtrain.recipe._catalogue import PHASE_KINDS
from seedtrain.recipe._kinds import ParameterKind, PhaseKind
from seedtrain.recipe._model import (
    Condition,
    MasterRecipe,
    Operation,
    Phase,
    PhaseAt,
    StrategyLine,
    UnitProcedure,
)
from seedtrain.recipe._read import parse_recipe, read_recipe

__all__ = [
    "PHASE_KINDS",
    "Condition",
    "MasterRecipe",
    "Operation",
    "ParameterKind",
    "Phase",
    "PhaseAt",
    "PhaseKind",
    "StrategyLine",
    "UnitProcedure",
    "parse_recipe",
    "read_recipe",
]
