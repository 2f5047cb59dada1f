"""Money over time, levers and their targets, timetables and own electricity: what an appraisal is extended by."""

from seedtrain.development._costing._assessment import (
    Assessment,
    PlantAssessment,
    assess,
    assess_plant,
    batch_case,
)
from seedtrain.development._costing._blocks import (
    assessment_blocks,
    assessment_figures,
    assessment_lines,
    figures_as_svg,
    plant_blocks,
    plant_lines,
)
from seedtrain.development._costing._case import BatchCase, read_case
from seedtrain.development._costing._cash_flow import (
    CashFlow,
    Finance,
    Loan,
    Venture,
    cash_flow,
    internal_rate,
    minimum_price,
)
from seedtrain.development._costing._gantt import Gantt, gantt
from seedtrain.development._costing._levers import Levers
from seedtrain.development._costing._plant_case import PlantCase
from seedtrain.development._costing._power import Photovoltaics, PowerMix, power_mix
from seedtrain.development._costing._required import Requirement, required
from seedtrain.development._costing._timetable import Task, Timetable, timetable

__all__ = [
    "Assessment",
    "BatchCase",
    "CashFlow",
    "Finance",
    "Gantt",
    "Levers",
    "Loan",
    "Photovoltaics",
    "PlantAssessment",
    "PlantCase",
    "PowerMix",
    "Requirement",
    "Task",
    "Timetable",
    "Venture",
    "assess",
    "assess_plant",
    "assessment_blocks",
    "assessment_figures",
    "assessment_lines",
    "batch_case",
    "cash_flow",
    "figures_as_svg",
    "gantt",
    "internal_rate",
    "minimum_price",
    "plant_blocks",
    "plant_lines",
    "power_mix",
    "read_case",
    "required",
    "timetable",
]
