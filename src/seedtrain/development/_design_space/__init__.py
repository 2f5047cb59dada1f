"""A design space: what varies, the runs, the probability that all limits are met, and the ranges that keep it."""

from seedtrain.development._design_space._blocks import (
    design_space_blocks,
    design_space_figures,
    design_space_lines,
)
from seedtrain.development._design_space._fit_file import FitFile, FitRow, read_fit_file
from seedtrain.development._design_space._inputs import (
    Input,
    factor,
    fitted_culture_inputs,
    fitted_values,
    raw_material,
    spread_culture,
    strategy_factors,
)
from seedtrain.development._design_space._space import DesignSpace, FactorRange, check_reliability, design_space
from seedtrain.development._design_space._strategy import strategy_lines, with_strategy
from seedtrain.development._design_space._study import Attribute, Study, attributes_of, study

__all__ = [
    "Attribute",
    "DesignSpace",
    "FactorRange",
    "FitFile",
    "FitRow",
    "Input",
    "Study",
    "attributes_of",
    "check_reliability",
    "design_space",
    "design_space_blocks",
    "design_space_figures",
    "design_space_lines",
    "factor",
    "fitted_culture_inputs",
    "fitted_values",
    "raw_material",
    "read_fit_file",
    "spread_culture",
    "strategy_factors",
    "strategy_lines",
    "study",
    "with_strategy",
]
